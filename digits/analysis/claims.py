"""How records decide a claim.

The verdict on a criterion, by the t interval of its mean over rounds: "no difference" if a
difference is claimed and the whole interval lies within the margin of practical equality; else
"supported" if all of it lies in the claimed range, "contradicted" if all of it lies outside;
otherwise "undecided". A claim is contradicted if one of its criteria is; else there is no
difference if one has none; else it is supported if all its criteria are.

The intervals of a claim hold together with 95 % confidence (Bonferroni: each has the more, the
more criteria are measured), so a true claim is contradicted by chance in 5 % of studies at most,
however many criteria it has. Numbers of parameters are exact and not counted.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from digits.analysis.statistics import CONFIDENCE, summarise
from digits.experiments.claim import ERRORS, Claim, Criterion
from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of

ClaimVerdict = Literal[
    "supported",
    "contradicted",
    "no difference",
    "undecided",
    "not run",
    "not a measurable statement",
]
CLAIM_VERDICTS = ClaimVerdict.__args__
#: What the common protocol can decide again: differences of errors. Levels, times and epochs are
#: those of a report's own protocol.
COMPARABLE = ("precise_error", "test_error", "gap")


class CriterionResult(NamedTuple):
    """What was found of one criterion: mean and interval over n rounds, and the verdict.

    slack: how far inside the claimed range the interval lies, in its half-widths; negative by how
    far it sticks out, so that criteria of different units can be compared.
    """

    criterion: Criterion
    mean: float
    low: float
    high: float
    n: int
    verdict: ClaimVerdict
    slack: float


class ClaimResult(NamedTuple):
    """A claim, the verdict, and what was found of each of its criteria.

    second: the same of its second reading, None for a claim without one.
    """

    claim: Claim
    verdict: ClaimVerdict
    results: tuple[CriterionResult, ...]
    second: "ClaimResult | None" = None

    @property
    def deciding(self) -> CriterionResult | None:
        """The result that decides: the least favourable of those that have the claim's verdict.

        None for a claim that nothing measured decides, or that was not run.
        """
        same = [result for result in self.results if result.verdict == self.verdict]
        measured = [result for result in same if result.verdict != "not run"]
        return min(measured, key=lambda r: np.nan_to_num(r.slack, nan=-np.inf), default=None)

    @property
    def held(self) -> str:
        """How many criteria are supported, of how many, and how many were not run."""
        verdicts = [result.verdict for result in self.results]
        lacking = verdicts.count("not run")
        without = f", {lacking} not run" if lacking else ""
        return f"{verdicts.count('supported')} of {len(verdicts)}{without}" if verdicts else ""


def decide(claim: Claim, frame: pd.DataFrame) -> ClaimResult:
    """Decide a claim by the full-length runs among tidy rows of the reports' own protocols."""
    full = frame[~frame.shortened]
    results = judge_all(claim.criteria, full)
    verdict = combine(result.verdict for result in results)
    second = None
    if claim.second_criteria:
        again = {"criteria": claim.second_criteria, "second_criteria": ()}
        second = decide(claim.model_copy(update=again), frame)
    verdict = verdict if claim.measurable else "not a measurable statement"
    return ClaimResult(claim, verdict, results, second)


def decide_again(claim: Claim, frame: pd.DataFrame) -> ClaimResult:
    """Decide a claim by the same networks under the common protocol.

    Only criteria that compare errors of two networks count (see `COMPARABLE`).
    """
    common = frame[frame.protocol == "common"]
    comparing = tuple(
        criterion
        for criterion in claim.criteria
        if criterion.minus and criterion.quantity in COMPARABLE
    )
    claim = claim.model_copy(update={"criteria": comparing, "second_criteria": ()})
    return decide(claim, common.assign(experiment=common.network))


def combine(verdicts: Iterable[ClaimVerdict]) -> ClaimVerdict:
    """Return the verdict on a measurable claim whose criteria have `verdicts`."""
    found = set(verdicts)
    for verdict in ("contradicted", "no difference"):
        if verdict in found:
            return verdict
    if found <= {"not run"}:
        return "not run"
    return "supported" if found == {"supported"} else "undecided"


def judge_all(criteria: tuple[Criterion, ...], frame: pd.DataFrame) -> tuple[CriterionResult, ...]:
    """Judge the criteria of a claim together, by tidy rows of full-length runs."""
    measured = sum(criterion.quantity != "parameters" for criterion in criteria)
    confidence = 1 - (1 - CONFIDENCE) / max(measured, 1)
    return tuple(judge(criterion, frame, confidence) for criterion in criteria)


def judge(
    criterion: Criterion, frame: pd.DataFrame, confidence: float = CONFIDENCE
) -> CriterionResult:
    """Judge a criterion by tidy rows of full-length runs; parameters are counted."""
    if criterion.quantity == "parameters":
        of, minus = (
            summary_of(EXPERIMENTS[name].build).parameters for name in criterion.experiments
        )
        mean = low = high = of / minus
        n = 0
    else:
        rounds = _by_round(criterion, frame)
        if rounds.empty:
            return CriterionResult(criterion, np.nan, np.nan, np.nan, 0, "not run", np.nan)
        found = summarise(rounds, confidence)
        mean, low, high, n = found["mean"], found["low"], found["high"], int(found["n"])
        if n > 2 and found["sd"] == 0 and criterion.quantity in ERRORS:
            # The same in every round, such as no error at all. Epochs are so by chance.
            low = high = mean
    where = criterion.range
    slack = min(low - where.low, where.high - high) / max((high - low) / 2, 1e-9)
    return CriterionResult(criterion, mean, low, high, n, _verdict(criterion, low, high), slack)


def _by_round(criterion: Criterion, frame: pd.DataFrame) -> pd.Series:
    """Return the criterion's quantity by round; empty without runs of all its experiments."""
    quantities = [criterion.quantity, *filter(None, [criterion.minus_quantity])]
    mine = frame.experiment.isin(criterion.experiments)
    runs = frame.loc[mine, ["experiment", "seed", *quantities]]
    if set(runs.experiment) != set(criterion.experiments):
        return pd.Series(dtype=float)
    values = runs.pivot(index="seed", columns="experiment", values=criterion.quantity)
    if criterion.minus is not None:
        values = values[[criterion.of, criterion.minus]]
    elif criterion.minus_quantity is not None:
        values = runs.set_index("seed")[quantities]
    values = values.dropna()
    if criterion.spread:
        values = (values - values.median()).abs()
    first = values.iloc[:, 0]
    return first if values.shape[1] == 1 else first - criterion.factor * values.iloc[:, 1]


def _verdict(criterion: Criterion, low: float, high: float) -> ClaimVerdict:
    """Return the verdict on a mean whose interval is from `low` to `high`, NaN for none."""
    where, margin = criterion.range, criterion.margin
    if np.isnan(low) or np.isnan(high):
        return "undecided"
    if margin is not None and -margin <= low and high <= margin:
        return "no difference"
    if where.low <= low and high <= where.high:
        return "supported"
    return "contradicted" if high < where.low or low > where.high else "undecided"
