"""Verdicts on a published number, from its margin, its own spread, and ours.

equivalent: the 90 % interval of the difference lies inside the margin (two one-sided tests at 5 %).
different: the 95 % interval of the difference excludes 0, and it is not equivalent.
cannot tell: neither; and which side is too imprecise. A printed number that is one draw, not a mean
over independent runs, is typical if it surely lies in the central 95 % of what our protocol gives.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis.statistics import CONFIDENCE

Verdict = Literal[
    *("equivalent", "typical", "cannot tell", "different", "not typical", "not run", "not compared")
]
VERDICTS = Verdict.__args__

#: Confidence of the interval of which two one-sided tests at 5 % ask that it lies in the margin.
NARROW = 2 * CONFIDENCE - 1
#: Fewer rounds do not show what is typical.
ENOUGH = 20
#: Within which factor SDs, and times, are equal.
SD_FACTOR, TIME_FACTOR = 1.5, 1.25
PRINTED, OURS = "printed number too imprecise", "our rounds too few"


class Judged(NamedTuple):
    """A verdict and its reason; the 95 % interval of the difference or ratio, NaN for none."""

    verdict: Verdict
    why: str = ""
    low: float = np.nan
    high: float = np.nan


Interval = Callable[[float], tuple[float, float]]


def decide(
    interval: Interval, margin: tuple[float, float], equal: float, limited: bool, sign: str = ""
) -> Judged:
    """Return the verdict by the intervals of a difference or ratio.

    interval: gives low and high at a confidence. equal: what it is if both are equal. limited:
    whether endless rounds of ours could not show equivalence. sign: what is lower or higher.
    """
    low, high = interval(CONFIDENCE)
    if np.isnan([low, high]).any():
        return Judged("cannot tell", OURS)
    narrow = interval(NARROW)
    if margin[0] <= narrow[0] and narrow[1] <= margin[1]:
        return Judged("equivalent", "", low, high)
    if not low <= equal <= high:
        return Judged("different", f"ours {sign}{'lower' if high < equal else 'higher'}", low, high)
    return Judged("cannot tell", PRINTED if limited else OURS, low, high)


def of_mean(
    ours: pd.Series, mean: float, sd: float | None, n: int, margin: float, new_pairs: float = np.nan
) -> Judged:
    """Judge a printed mean of n independent runs with their SD by ours, by Welch's intervals.

    ours: what `summarise` gives; all in per cent; margin: in percentage points. new_pairs: on how
    many pairs of each run the error is counted, if they are others in each. Then no SD is smaller
    than drawing them makes it, where the errors of a few runs lie close by luck; NaN: no such.
    """
    if sd is None or np.isnan(sd):
        return Judged("cannot tell", PRINTED)
    least = tuple(np.nan_to_num(_sd_of_drawing(error, new_pairs)) for error in (ours["mean"], mean))
    # A printed mean alone, with endless rounds of ours.
    limited = stats.t.ppf((1 + NARROW) / 2, n - 1) * max(sd, least[1]) / np.sqrt(n) > margin
    if ours["n"] < 2 or max(ours["sd"], least[0]) == 0:  # equal by chance they know no spread
        return Judged("cannot tell", PRINTED if limited else OURS)
    found = decide(
        lambda confidence: welch(ours, mean, sd, n, confidence, least),
        (-margin, margin),
        0,
        limited,
    )
    raised = f"our SD taken as {least[0]:.1f}, of drawing {new_pairs:.0f} pairs"
    raised = raised if ours["sd"] < least[0] / 2 else ""
    return found._replace(why="; ".join(filter(None, (found.why, raised))))


def _sd_of_drawing(error: float, pairs: float) -> float:
    """Return the SD of an error in per cent, on so many pairs, by the drawing of the pairs."""
    return np.sqrt(error * (100 - error) / pairs)


def welch(
    ours: pd.Series,
    mean: float,
    sd: float,
    n: int,
    confidence: float = CONFIDENCE,
    least: tuple[float, float] = (0.0, 0.0),
) -> tuple[float, float]:
    """Return Welch's interval of our mean minus the printed one, from both means, SDs and n.

    least: of our and of the printed SD. A larger SD never gives more degrees of freedom.
    """
    difference, sds = ours["mean"] - mean, np.array([ours["sd"], sd])
    n_of_both = np.array([ours["n"], n])
    error = np.maximum(sds, least) ** 2 / n_of_both
    freedom = min(
        of.sum() ** 2 / (of**2 / (n_of_both - 1)).sum()
        for of in (sds**2 / n_of_both, error)
        if of.any()
    )
    half = stats.t.ppf((1 + confidence) / 2, freedom) * np.sqrt(error.sum())
    return difference - half, difference + half


def of_sd(ours: pd.Series, sd: float, n: int) -> Judged:
    """Judge a printed SD over n runs by ours over runs of the same kind, by their ratio (F)."""

    def interval(confidence: float, rounds: float = ours["n"], of: float = ours["sd"]):
        tails = (1 + confidence) / 2, (1 - confidence) / 2
        return tuple(of / sd / np.sqrt(stats.f.ppf(tails, rounds - 1, n - 1)))

    if sd == 0:
        return Judged("cannot tell", PRINTED)
    low, high = np.log(interval(NARROW, 1e9, sd))
    limited = high - low > 2 * np.log(SD_FACTOR)
    if ours["n"] < 2 or ours["sd"] == 0:
        return Judged("cannot tell", PRINTED if limited else OURS)
    return decide(interval, (1 / SD_FACTOR, SD_FACTOR), 1, limited, "spread ")


#: Degrees of freedom below which the difference of two variances is not taken: by simulation a true
#: number is then called not typical in at most 5 % of studies, whatever share is the draw's.
LEAST_FREEDOM = 3


def of_draw(ours: pd.Series, mean: float, sd: float, n: int, of: int) -> Judged:
    """Judge a printed mean over n trainings on one draw of pairs by our rounds, at least twenty.

    sd: of trainings on one draw; of: of how many. Our rounds vary by draw and by training, those
    trainings by training alone. So the mean of a draw varies by the variance of ours less that of
    training, of which 1 / n is left. The interval is that of our mean minus the mean of one more
    draw, by Satterthwaite. Typical: the number lies in the central 95 % even if the spread is as
    small as a one-sided 95 % interval of it allows, so that few rounds do not make it typical.
    """
    if ours["n"] < ENOUGH:
        return Judged("cannot tell", OURS)
    parts = np.array([ours["sd"] ** 2 * (1 + 1 / ours["n"]), sd**2 * (1 / n - 1)])
    variance = max(parts.sum(), ours["sd"] ** 2 / ours["n"] + sd**2 / n)
    freedom = variance**2 / max((parts**2 / [ours["n"] - 1, of - 1]).sum(), 1e-12)
    freedom = max(LEAST_FREEDOM, freedom)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, freedom) * np.sqrt(variance)
    difference = ours["mean"] - mean
    low, high = difference - half, difference + half
    if not low <= 0 <= high:
        return Judged("not typical", f"ours {'lower' if high < 0 else 'higher'}", low, high)
    least = np.sqrt(variance * freedom / stats.chi2.ppf(CONFIDENCE, freedom))
    if abs(difference) > stats.norm.ppf((1 + CONFIDENCE) / 2) * least:
        return Judged("cannot tell", OURS, low, high)
    return Judged("typical", "", low, high)


def of_run(ours: np.ndarray, value: float) -> Judged:
    """Judge a printed number that is one run by its rank among ours (n,), which are such numbers.

    Not typical: a rank as far out has a probability of 5 % at most, which takes 39 rounds.
    Typical: at least 20 rounds, of which so many lie beyond the number, on either side, that it
    is not among the outermost 2.5 % of our protocol, at 95 % confidence.
    """
    n, below, beyond = _rank(ours, value)
    rank = f"{below} of our {n} lower"
    if 2 * (beyond + 1) / (n + 1) <= 1 - CONFIDENCE:
        return Judged("not typical", f"ours {'lower' if 2 * below > n else 'higher'}; {rank}")
    if n < ENOUGH or not _surely_inside(beyond, n):
        return Judged("cannot tell", f"{OURS}; {rank}")
    return Judged("typical", rank)


def _rank(ours: np.ndarray, value: float) -> tuple[int, int, int]:
    """Return how many ours are, how many are below `value`, and how many as far out or further."""
    ours = np.asarray(ours, dtype=float)
    ours = ours[~np.isnan(ours)]
    below, above = (ours < value).sum(), (ours > value).sum()
    return len(ours), below, len(ours) - max(below, above)


def _surely_inside(beyond: int, n: int) -> bool:
    """Say whether a value is not among the outermost 2.5 %, if so many of n lie beyond it."""
    by_chance = stats.binom.sf(beyond - 1, n, (1 - CONFIDENCE) / 2)  # so many beyond, or more
    return by_chance <= 1 - CONFIDENCE


def also_by_rank(judged: Judged, ours: np.ndarray, value: float) -> Judged:
    """Withdraw a "typical" that the ranks of our rounds (n,) do not bear out.

    One round in which a network fails altogether widens the SD until any number is typical by it,
    although hardly a round lies near the number.
    """
    n, below, beyond = _rank(ours, value)
    if judged.verdict != "typical" or _surely_inside(beyond, n):
        return judged
    why = f"by spread typical, by rank not: {below} of our {n} lower"
    return judged._replace(verdict="cannot tell", why=why)


def of_ratios(ratios: np.ndarray, printed: float) -> Judged:
    """Judge a printed ratio of times, which has no spread, by the median of ours (n,)."""
    test = stats.quantile_test(np.asarray(ratios) / printed)

    def interval(confidence: float) -> tuple[float, float]:
        return tuple(test.confidence_interval(confidence))

    return decide(interval, (1 / TIME_FACTOR, TIME_FACTOR), 1, limited=False)
