"""Means, paired differences and effects with their intervals. Rounds are what they are over.

Everything takes and gives per cent, or points of per cent for differences. n is always part of
the answer. An interval needs two rounds that differ; without them it is NaN, never of no width.
"""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from digits.errors import InputError
from digits.experiment import Design

CONFIDENCE = 0.95


def summarise(values) -> pd.Series:
    """Return n, mean, sample SD and the t interval of the mean (low, high) of `values` (n,)."""
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n == 0:
        raise InputError("there are no values to summarise: train a round first.")
    sd = low = high = np.nan
    if n > 1 and np.ptp(values) <= 1e-9 * max(1, np.abs(values).max()):
        sd = 0.0  # and not what rounding leaves
    elif n > 1:
        sd = values.std(ddof=1)
        low, high = stats.t.interval(CONFIDENCE, n - 1, values.mean(), stats.sem(values))
    return pd.Series({"n": n, "mean": values.mean(), "sd": sd, "low": low, "high": high})


def difference_from_published(
    ours: pd.Series, mean: float, sd: float | None, n: int
) -> tuple[float, float, float]:
    """Return our mean minus the published one, and the interval of that difference.

    ours: what `summarise` gives. Welch's interval from both means, SDs and n; where the published
    number is of one run (n = 1), the interval for one more run with our spread. NaN where there
    is no spread to go by.
    """
    difference = ours["mean"] - mean
    no_spread = ours["sd"] == 0 and (n == 1 or sd == 0)
    if ours["n"] < 2 or no_spread or (n > 1 and sd is None):
        return difference, np.nan, np.nan
    if n == 1:
        half = stats.t.ppf((1 + CONFIDENCE) / 2, ours["n"] - 1) * ours["sd"]
        half *= np.sqrt(1 + 1 / ours["n"])
        return difference, difference - half, difference + half
    error = np.array([ours["sd"] ** 2 / ours["n"], sd**2 / n])
    freedom = error.sum() ** 2 / (error**2 / [ours["n"] - 1, n - 1]).sum()
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(error.sum())
    return difference, difference - half, difference + half


def published_against_ours(frame: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return one row per published number: both means, SDs and n, their difference.

    shortened: our runs were, so the difference says nothing of the published number.

    frame: tidy rows of runs; published: rows of experiment, quantity, row, mean, sd, n.
    Raises `InputError` if an experiment with a published number has no run in `frame`.
    """
    rows = []
    for number in published.itertuples():
        runs = frame[frame.experiment == number.experiment]
        ours = summarise(runs[number.quantity])
        difference, low, high = difference_from_published(ours, number.mean, number.sd, number.n)
        rows.append(
            {
                "experiment": number.experiment,
                "row": number.row,
                "quantity": number.quantity,
                "published": number.mean,
                "published_sd": number.sd,
                "published_n": number.n,
                "ours": ours["mean"],
                "ours_sd": ours["sd"],
                "n": int(ours["n"]),
                "difference": difference,
                "low": low,
                "high": high,
                "reproduced": reproduced(difference, low, high),
                "shortened": runs.shortened.any(),
            }
        )
    return pd.DataFrame(rows)


def reproduced(difference: float, low: float, high: float) -> bool | None:
    """Say whether a published mean is reproduced, or None where that cannot be said.

    It counts as reproduced if the interval of the difference holds 0, or the difference is under
    one point. The first is easily met where the interval is wide: show both.
    """
    if abs(difference) < 1:
        return True
    return None if np.isnan(low) else bool(low <= 0 <= high)


#: The effects of the 2x2 design, as weights of its four cells: plain, +ws, +aux, +ws+aux.
EFFECTS = {
    "weight sharing alone": (-1, 1, 0, 0),
    "auxiliary loss alone": (-1, 0, 1, 0),
    "both": (-1, 0, 0, 1),
    "weight sharing, given the auxiliary loss": (0, 0, -1, 1),
    "auxiliary loss, given weight sharing": (0, -1, 0, 1),
    "interaction": (1, -1, -1, 1),
}


def summarise_differences(differences) -> pd.Series:
    """Return what `summarise` gives of paired differences (n,), and two answers without a mean.

    below: in which share of the rounds the difference is negative, ties counting half: for errors
    an estimate of the probability that the second of two networks beats the first.
    p: of Wilcoxon's signed-rank test, two-sided; NaN if all differences are 0. With five rounds
    it cannot be below 0.06, whatever the effect.
    """
    differences = np.asarray(differences, dtype=float)
    below = ((differences < 0) + 0.5 * (differences == 0)).mean()
    p = stats.wilcoxon(differences).pvalue if differences.any() else np.nan
    return pd.concat([summarise(differences), pd.Series({"below": below, "p": p})])


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Add p_holm: the column p, corrected by Holm for all the tests of the table."""
    if table.empty:
        return table
    known = table.p.notna()
    corrected = pd.Series(np.nan, index=table.index)
    if known.any():
        corrected[known] = multipletests(table.p[known], method="holm")[1]
    return table.assign(p_holm=corrected)


def paired_differences(
    frame: pd.DataFrame, pairs: dict[str, tuple[str, str]], value: str = "precise_error"
) -> pd.DataFrame:
    """Return one row per entry of `pairs`: the second experiment's `value` minus the first's.

    frame: tidy rows. pairs: two experiments by the name of their difference; those of which
    `frame` lacks one are left out. Differences are taken within a round and summarised over the
    rounds that both have (see `summarise_differences` and `with_holm`).
    """
    values = frame.pivot(index="seed", columns="experiment", values=value)
    rows = []
    for name, (first, second) in pairs.items():
        if {first, second} <= set(values.columns):
            both = values[[first, second]].dropna()
            found = {"difference": name, "first": first, "second": second}
            if len(both):
                rows.append(found | dict(summarise_differences(both[second] - both[first])))
    return with_holm(pd.DataFrame(rows))


def mean_over_networks(frame: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return the summary over rounds of column `second` minus column `first` of tidy rows.

    Networks of a round saw the same pairs, so their differences are averaged within it first.
    """
    return summarise((frame[second] - frame[first]).groupby(frame.seed).mean())


def cells_of(effects: pd.DataFrame, designs: list[Design]) -> set[str]:
    """Return the experiments that `effects`, as `factorial_effects` gives them, rest on."""
    shown = set(effects.design)
    return {cell for design in designs if design.name in shown for cell in design.cells}


def factorial_effects(
    frame: pd.DataFrame, designs: list[Design], value: str = "precise_error"
) -> pd.DataFrame:
    """Return the effects of weight sharing and auxiliary loss per 2x2 design, in points.

    frame: tidy rows; only designs of which it has all four networks count. Each effect is taken
    within a round (all four networks saw the same pairs) and then summarised over the rounds that
    all four have (see `summarise_differences` and `with_holm`), so a negative effect means fewer
    errors.
    """
    rows = []
    errors = frame.pivot(index="seed", columns="experiment", values=value)
    for design in designs:
        if not set(design.cells) <= set(errors.columns):
            continue
        cells = errors[list(design.cells)].dropna()
        if cells.empty:
            continue
        for effect, weights in EFFECTS.items():
            per_round = cells.to_numpy() @ np.array(weights, dtype=float)
            rows.append(
                {
                    "design": design.name,
                    "baseline": design.baseline,
                    "effect": effect,
                    **summarise_differences(per_round),
                }
            )
    return with_holm(pd.DataFrame(rows))
