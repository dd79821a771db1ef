"""Means, paired differences and effects with their intervals. Rounds are what they are over.

Everything takes and gives per cent, or points of per cent for differences. n is always part of
the answer. An interval needs two rounds that differ; without them it is NaN, never of no width.
"""

import contextlib
import warnings

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from digits.core import InputError
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


#: What a network is and costs, as columns of the tidy table.
COSTS = ("parameters", "learning_rate", "training_gflop", "shared", "auxiliary")


def ranking(frame: pd.DataFrame, value: str = "precise_error") -> pd.DataFrame:
    """Return one row per experiment, the lowest mean of `value` first.

    frame: tidy rows. Columns: experiment, what `summarise` gives, what `COSTS` names (see
    `frames.tidy`), and above, above_low, above_high: the paired difference to the best experiment
    with its interval.
    """
    values = frame.pivot(index="seed", columns="experiment", values=value)
    order = values.mean().sort_values(kind="stable").index
    rows = []
    for name in order:
        run = frame[frame.experiment == name].iloc[0]
        above = summarise((values[name] - values[order[0]]).dropna())
        rows.append(
            {
                "experiment": name,
                **summarise(values[name].dropna()),
                **{cost: run[cost] for cost in COSTS},
                "above": above["mean"],
                "above_low": above["low"],
                "above_high": above["high"],
            }
        )
    return pd.DataFrame(rows)


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


def effects_by_round(
    frame: pd.DataFrame, designs: list[Design], value: str = "precise_error"
) -> pd.DataFrame:
    """Return every effect of every 2x2 design by round: design, baseline, effect, seed, points.

    frame: tidy rows; only designs of which it has all four networks count, and of those the
    rounds that all four have: they saw the same pairs.
    """
    rows = []
    errors = frame.pivot(index="seed", columns="experiment", values=value)
    for design in designs:
        if not set(design.cells) <= set(errors.columns):
            continue
        cells = errors[list(design.cells)].dropna()
        for effect, weights in EFFECTS.items():
            points = cells.to_numpy() @ np.array(weights, dtype=float)
            rows += [
                (design.name, design.baseline, effect, seed, difference)
                for seed, difference in zip(cells.index, points, strict=True)
            ]
    return pd.DataFrame(rows, columns=["design", "baseline", "effect", "seed", "points"])


def factorial_effects(
    frame: pd.DataFrame, designs: list[Design], value: str = "precise_error"
) -> pd.DataFrame:
    """Return the effects of weight sharing and auxiliary loss per 2x2 design, in points.

    See `effects_by_round`; each is summarised over the rounds (see `summarise_differences` and
    `with_holm`). A negative effect means fewer errors.
    """
    by_round = effects_by_round(frame, designs, value)
    rows = [
        {"design": design, "baseline": baseline, "effect": effect}
        | dict(summarise_differences(rounds.points))
        for (design, baseline, effect), rounds in by_round.groupby(
            ["design", "baseline", "effect"], sort=False
        )
    ]
    return with_holm(pd.DataFrame(rows))


def pooled_effects(by_round: pd.DataFrame) -> pd.DataFrame:
    """Return one row per effect: its mean over designs and rounds, by a mixed model.

    by_round: what `effects_by_round` gives. A point is the mean, plus what its design has of its
    own, plus what its round has, plus the rest, the last three random. low, high: the t interval
    of the mean with one degree of freedom fewer than designs, so that it speaks of designs like
    these and not of these alone; NaN for fewer than two designs. n: designs, those of one round
    left out; rounds: the fewest and the most of a design.
    """
    rows = []
    for effect, points in by_round.groupby("effect", sort=False):
        counts = points.groupby("design").size()
        counts = counts[counts > 1]
        n = len(counts)
        mean = error = np.nan
        if n > 1:
            mean, error = _mean_of_crossed(points[points.design.isin(counts.index)])
        half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * error
        rows.append(
            {
                "effect": effect,
                "n": n,
                "rounds": (counts.min(), counts.max()) if n else (0, 0),
                "mean": mean,
                "low": mean - half,
                "high": mean + half,
            }
        )
    return pd.DataFrame(rows)


#: The likelihood is flat where a variance is nearly 0; the best of several fits is taken.
OPTIMISERS = ("powell", "lbfgs", "bfgs")


def _mean_of_crossed(points: pd.DataFrame) -> tuple[float, float]:
    """Return the mean of `points` and its standard error, with random designs and rounds."""
    model = smf.mixedlm(
        "points ~ 1",
        points,
        groups=np.ones(len(points)),
        vc_formula={"design": "0 + C(design)", "round": "0 + C(seed)"},
    )
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a worse fit loses below
        warnings.simplefilter("ignore", RuntimeWarning)  # of steps that are not taken
        warnings.simplefilter("ignore", UserWarning)  # a variance of 0 is an answer here
        for method in OPTIMISERS:
            with contextlib.suppress(np.linalg.LinAlgError):
                fits.append(model.fit(reml=True, method=method))
    found = [fit for fit in fits if np.isfinite(fit.bse_fe["Intercept"])]
    if not found:
        return np.nan, np.nan
    best = max(found, key=lambda fit: fit.llf)
    return float(best.fe_params["Intercept"]), float(best.bse_fe["Intercept"])


def spread(values) -> pd.Series:
    """Return n, the sample SD of `values` (n,) and its interval (low, high), if they are normal.

    From the chi-squared distribution of the variance; NaN for fewer than two values.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n < 2:
        return pd.Series({"n": n, "sd": np.nan, "low": np.nan, "high": np.nan})
    sd, tail = values.std(ddof=1), (1 - CONFIDENCE) / 2
    low, high = sd * np.sqrt((n - 1) / stats.chi2.ppf([1 - tail, tail], n - 1))
    return pd.Series({"n": n, "sd": sd, "low": low, "high": high})


def binomial_sd(error: float, n: int) -> float:
    """Return the SD in points of an error measured on `n` pairs, around `error` in per cent."""
    return float(np.sqrt(error * (100 - error) / n))
