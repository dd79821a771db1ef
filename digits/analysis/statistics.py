"""Means, paired differences and effects with their intervals. Rounds are what they are over.

Everything takes and gives per cent, or points of per cent for differences. n is always part of
the answer. An interval needs two rounds that differ; without them it is NaN.
"""

import functools

import numpy as np
import pandas as pd
from scipy import stats

from digits.core import InputError

CONFIDENCE = 0.95


def summarise(values, confidence: float = CONFIDENCE) -> pd.Series:
    """Summarise values over rounds.

    Parameters
    ----------
    values : array_like
        One number a round, (n,).
    confidence : float
        Of the interval.

    Returns
    -------
    pandas.Series
        The n, mean, sample SD, and the t interval of the mean (low, high).

    Raises
    ------
    InputError
        If there are no values.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if n == 0:
        raise InputError("there are no values to summarise: train a round first.")
    sd = low = high = np.nan
    if n > 1 and np.ptp(values) <= 1e-9 * max(1, np.abs(values).max()):
        sd = 0.0  # and not what rounding leaves
    elif n > 1:
        sd = values.std(ddof=1)
        error = sd / np.sqrt(n)
        low, high = (values.mean() + t * error for t in _t(confidence, n - 1))
    return pd.Series({"n": n, "mean": values.mean(), "sd": sd, "low": low, "high": high})


def median_of(values, confidence: float = CONFIDENCE) -> pd.Series:
    """Summarise values (n,) as `summarise` does, by their median and its interval by ranks.

    For times: what else a machine did in one round makes their mean worthless. Without an SD;
    and without an interval where there are too few for the confidence.
    """
    test = stats.quantile_test(np.asarray(values, dtype=float))
    low, high = test.confidence_interval(confidence)
    middle = np.median(values)
    return pd.Series({"n": len(values), "mean": middle, "sd": np.nan, "low": low, "high": high})


@functools.cache
def _t(confidence: float, freedom: int) -> tuple[float, float]:
    """Return the bounds of the central part of Student's t distribution, which take a while."""
    return stats.t.interval(confidence, freedom)


#: What `summarise` gives, of no values.
NOTHING = pd.Series({"n": 0, "mean": np.nan, "sd": np.nan, "low": np.nan, "high": np.nan})

#: The most rounds that `rounds_for` looks at; more are called infinitely many.
MOST_ROUNDS = 10_000


def rounds_for(half_width: float, sd: float, confidence: float = CONFIDENCE) -> float:
    """Return the fewest rounds of `sd` whose t interval is no wider than ± `half_width`.

    NaN without an SD, or if all rounds are the same; infinitely many above `MOST_ROUNDS`.
    """
    if not sd > 0:
        return np.nan
    rounds = np.arange(2, MOST_ROUNDS + 1)
    reached = stats.t.ppf((1 + confidence) / 2, rounds - 1) * sd <= half_width * np.sqrt(rounds)
    return float(rounds[reached.argmax()]) if reached.any() else np.inf


def by_round(frame: pd.DataFrame, quantity: str = "precise_error") -> pd.DataFrame:
    """Return a column of tidy rows, such as the error, a row a round and a column an experiment."""
    return frame.pivot(index="seed", columns="experiment", values=quantity)


#: What a network is and costs, as columns of the tidy table.
COSTS = ("report", "network", "parameters", "training_gflop", "shared", "auxiliary")


def ranking(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per experiment, the best first, the others by how far they are above it.

    frame: tidy rows. The best has the lowest mean large-sample test error of those with the most
    rounds; since rounds differ, an experiment with fewer is compared in those alone. Columns:
    experiment, what `summarise` gives, what `COSTS` names (see `frames.tidy`), and above,
    above_low, above_high: the paired difference to the best, with its interval.
    """
    columns = ["experiment", *NOTHING.index, *COSTS, "above", "above_low", "above_high"]
    if frame.empty:
        return pd.DataFrame(columns=columns)
    values = by_round(frame)
    rounds = values.count()
    best = values.loc[:, rounds == rounds.max()].mean().idxmin()
    differences = values.sub(values[best], axis=0)
    others = differences.drop(columns=best).mean().sort_values(kind="stable").index
    costs = frame.drop_duplicates("experiment").set_index("experiment")[list(COSTS)]
    rows = []
    for name in (best, *others):
        both = differences[name].dropna()
        above = summarise(both) if len(both) else NOTHING
        own = name, *summarise(values[name].dropna()), *costs.loc[name]
        rows.append((*own, *above[["mean", "low", "high"]]))
    return pd.DataFrame(rows, columns=columns)


def summarise_differences(differences) -> pd.Series:
    """Return what `summarise` gives of paired differences (n,), and two answers without a mean.

    below: in which share of the rounds the difference is negative, ties counting half: for errors
    an estimate of the probability that the second of two networks beats the first.
    p: of Wilcoxon's signed-rank test, two-sided; NaN if all differences are 0.
    """
    differences = np.asarray(differences, dtype=float)
    below = ((differences < 0) + 0.5 * (differences == 0)).mean()
    p = stats.wilcoxon(differences).pvalue if differences.any() else np.nan
    return pd.concat([summarise(differences), pd.Series({"below": below, "p": p})])


#: What `summarise_differences` gives.
DIFFERENCE = ("n", "mean", "sd", "low", "high", "below", "p")
#: Rounds for a test: with five, p cannot be below 0.06, whatever the effect.
LEAST_FOR_A_TEST = 6


def with_holm(table: pd.DataFrame) -> pd.DataFrame:
    """Add p_holm: the column p, corrected by Holm for all the tests of the table.

    NaN in rows of too few rounds for a test, which are none of them.
    """
    ordered = table.p[table.n >= LEAST_FOR_A_TEST].dropna().astype(float).sort_values(kind="stable")
    corrected = (ordered * np.arange(len(ordered), 0, -1)).cummax().clip(upper=1)
    return table.assign(p_holm=corrected)


def paired_differences(frame: pd.DataFrame, pairs: dict[str, tuple[str, str]]) -> pd.DataFrame:
    """Compare the large-sample test errors of pairs of experiments, round by round.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy rows (see `frames.tidy`).
    pairs : dict of str to (str, str)
        Two ids by the name of their difference; those of which `frame` lacks one are left out.

    Returns
    -------
    pandas.DataFrame
        A row an entry: the second minus the first in points, over the rounds that both have (see
        `summarise_differences` and `with_holm`).
    """
    values, rows = by_round(frame), []
    for name, (first, second) in pairs.items():
        if {first, second} <= set(values.columns):
            both = values[[first, second]].dropna()
            found = {"difference": name, "first": first, "second": second}
            if len(both):
                rows.append(found | dict(summarise_differences(both[second] - both[first])))
    return with_holm(pd.DataFrame(rows, columns=["difference", "first", "second", *DIFFERENCE]))


def mean_over_networks(frame: pd.DataFrame, first: str, second: str) -> pd.Series:
    """Return the summary over rounds of column `second` minus column `first` of tidy rows.

    Networks of a round saw the same pairs, so their differences are averaged within it first.
    """
    return summarise((frame[second] - frame[first]).groupby(frame.seed).mean())


def spread(values) -> pd.Series:
    """Return n, the sample SD of `values` (n,) and its interval (low, high), if they are normal.

    From the chi-squared distribution of the variance; NaN for fewer than two values that differ.
    """
    found = summarise(values)[["n", "sd"]]
    n, sd = found
    if not sd > 0:
        return pd.concat([found, pd.Series({"low": np.nan, "high": np.nan})])
    tail = (1 - CONFIDENCE) / 2
    low, high = sd * np.sqrt((n - 1) / stats.chi2.ppf([1 - tail, tail], n - 1))
    return pd.Series({"n": n, "sd": sd, "low": low, "high": high})


def binomial_sd(error: float, n: int) -> float:
    """Return the SD in points of an error measured on `n` pairs, around `error` in per cent."""
    return float(np.sqrt(error * (100 - error) / n))
