"""How records decide a claim.

Of the 95 % t interval of a criterion's mean over rounds: all of it in the claimed range, the
criterion is supported; all of it outside, contradicted; otherwise undecided. A claim is supported
if all its criteria are, contradicted if one of them is, undecided otherwise. A claim without
criteria is not decided by measurement.

Many criteria make a claim harder to support and easier to contradict by chance: each one that is
true is contradicted in 2.5 % of studies at most. The tables name the criterion that decides.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from digits.analysis.statistics import summarise
from digits.experiments.claim import Claim, Criterion, Range
from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of

ClaimVerdict = Literal["supported", "contradicted", "undecided", "no records", "design argument"]
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
    """A claim, the verdict, and what was found of each of its criteria."""

    claim: Claim
    verdict: ClaimVerdict
    results: tuple[CriterionResult, ...]

    @property
    def deciding(self) -> CriterionResult | None:
        """The result that decides: the least favourable of those that have the claim's verdict.

        None for a claim that nothing measured decides, or that only lacks records.
        """
        same = [result for result in self.results if result.verdict == self.verdict]
        measured = [result for result in same if result.verdict != "no records"]
        return min(measured, key=lambda r: np.nan_to_num(r.slack, nan=-np.inf), default=None)

    @property
    def held(self) -> str:
        """How many criteria are supported, of how many, and how many have no records."""
        verdicts = [result.verdict for result in self.results]
        lacking = verdicts.count("no records")
        without = f", {lacking} without records" if lacking else ""
        return f"{verdicts.count('supported')} of {len(verdicts)}{without}" if verdicts else ""


def decide(claim: Claim, frame: pd.DataFrame) -> ClaimResult:
    """Decide a claim by the full-length runs among tidy rows of the reports' own protocols."""
    full = frame[~frame.shortened]
    results = tuple(judge(criterion, full) for criterion in claim.criteria)
    return ClaimResult(claim, combine(result.verdict for result in results), results)


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
    claim = claim.model_copy(update={"criteria": comparing})
    return decide(claim, common.assign(experiment=common.network))


def combine(verdicts: Iterable[ClaimVerdict]) -> ClaimVerdict:
    """Return the verdict on a claim whose criteria have `verdicts`."""
    found = set(verdicts)
    if not found:
        return "design argument"
    if "contradicted" in found:
        return "contradicted"
    if found == {"supported"}:
        return "supported"
    return "no records" if found == {"no records"} else "undecided"


def judge(criterion: Criterion, frame: pd.DataFrame) -> CriterionResult:
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
            return CriterionResult(criterion, np.nan, np.nan, np.nan, 0, "no records", np.nan)
        found = summarise(rounds)
        mean, low, high, n = found["mean"], found["low"], found["high"], int(found["n"])
        if n > 2 and found["sd"] == 0:
            low = high = mean  # the same in every round, such as no error at all
    where = criterion.range
    return CriterionResult(
        criterion, mean, low, high, n, _verdict(where, low, high), _slack(where, low, high)
    )


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
    return first if values.shape[1] == 1 else first - values.iloc[:, 1]


def _verdict(where: Range, low: float, high: float) -> ClaimVerdict:
    """Return the verdict on a mean whose interval is from `low` to `high`, NaN for none."""
    if np.isnan(low) or np.isnan(high):
        return "undecided"
    if where.low <= low and high <= where.high:
        return "supported"
    return "contradicted" if high < where.low or low > where.high else "undecided"


def _slack(where: Range, low: float, high: float) -> float:
    return min(low - where.low, where.high - high) / max((high - low) / 2, 1e-9)
