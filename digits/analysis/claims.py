"""How records decide a claim.

The verdict on a criterion, by the t interval of its mean over rounds: "no difference" if a
difference is claimed and the whole interval lies within the margin of practical equality; else
"supported" if all of it lies in the claimed range, "contradicted" if all of it lies outside;
otherwise "undecided". A printed number has the verdict of the table of numbers. A claim is
contradicted if one of its criteria is; else there is no difference if one has none; else it is
supported if all its criteria are.

The intervals of a claim hold together with 95 % confidence (Bonferroni: each has the more, the
more criteria are measured), so a true claim is contradicted by chance in 5 % of studies at most,
however many criteria it has. Numbers of parameters are exact and not counted. Those of printed
numbers alone hold with 95 % confidence each, so that the same number has one verdict.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple, Self

import numpy as np
import pandas as pd

from digits.analysis import numbers
from digits.analysis.statistics import CONFIDENCE, by_round, median_of, rounds_for, summarise
from digits.experiments.claim import ERRORS, Claim, Criterion, Range
from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of

ClaimVerdict = Literal["supported", "contradicted", "no difference", "undecided", "not run"]
CLAIM_VERDICTS = ClaimVerdict.__args__
#: The verdict on a claim that is a printed number, by that of the table of numbers.
OF_NUMBERS: dict[str, ClaimVerdict] = {
    **dict.fromkeys(("equivalent", "typical"), "supported"),
    **dict.fromkeys(("different", "not typical"), "contradicted"),
    "cannot tell": "undecided",
    "not run": "not run",
}
#: What the common protocol can decide again: differences of errors. Levels, times and epochs are
#: those of a report's own protocol.
COMPARABLE = ("precise_error", "test_error", "gap")


#: Like errors these are exact where they are the same in every round, such as 0.
SHARES = ("dead_units", "shift_changes")
#: Of these the median counts.
TIMES = ("train_seconds",)


class CriterionResult(NamedTuple):
    """What was found of one criterion: mean and interval over n rounds, and the verdict.

    For a printed number the mean is that of ours minus the printed one.
    slack: how far inside the claimed range the interval lies, in its half-widths; negative by how
    far it sticks out, so that criteria of different units can be compared.
    enough: the rounds that would decide it if mean and SD stayed as they are (see
    `statistics.rounds_for`); NaN for one that is decided, or whose SD is not known.
    """

    criterion: Criterion
    mean: float
    low: float
    high: float
    n: int
    verdict: ClaimVerdict
    slack: float
    enough: float = np.nan


class ClaimResult(NamedTuple):
    """A claim, the verdict, and what was found of each of its criteria.

    second: the same of its second reading, None for a claim without one.
    learned: the verdict without the rounds in which a network fails (see `decide_all`).
    """

    claim: Claim
    verdict: ClaimVerdict
    results: tuple[CriterionResult, ...]
    second: "ClaimResult | None" = None
    learned: ClaimVerdict | None = None

    @property
    def deciding(self) -> CriterionResult | None:
        """The result that decides: of those that have the claim's verdict the least favourable.

        One without an interval is the least favourable. Where a claim is undecided only
        because runs are missing, the first criterion that is not run. None for a claim that is not
        run at all.
        """
        if self.verdict == "not run":
            return None
        same = [result for result in self.results if result.verdict == self.verdict]
        same = same or [result for result in self.results if result.verdict == "not run"]
        return min(same, key=lambda r: np.nan_to_num(r.slack, nan=-np.inf), default=None)

    @property
    def held(self) -> str:
        """How many criteria are supported, of how many, and how many were not run."""
        verdicts = [result.verdict for result in self.results]
        lacking = verdicts.count("not run")
        without = f", {lacking} not run" if lacking else ""
        return f"{verdicts.count('supported')} of {len(verdicts)}{without}" if verdicts else ""


class Runs:
    """The full-length runs among tidy rows of one protocol, by which claims are decided.

    Hundreds of criteria ask for a few quantities, so each is brought by round and experiment once.
    """

    def __init__(self, frame: pd.DataFrame):
        self.rows = frame[~frame.shortened]
        self._of: dict[str, pd.DataFrame] = {}

    @classmethod
    def under_common_protocol(cls, frame: pd.DataFrame) -> Self:
        """Return the runs under the common protocol, each as that of its report's network."""
        common = frame[frame.protocol == "common"]
        return cls(common.assign(experiment=common.network))

    def of(self, quantity: str) -> pd.DataFrame:
        """Return a quantity of all runs, a row a round and a column an experiment."""
        if quantity not in self._of:
            self._of[quantity] = by_round(self.rows, quantity)
        return self._of[quantity]


def decide_all(claims: tuple[Claim, ...], frame: pd.DataFrame) -> list[ClaimResult]:
    """Decide claims by tidy rows of the reports' own protocols, and again without failed rounds.

    A round fails if its network gives one answer to nearly all pairs (see `numbers.FAILED`). The
    verdict is over all rounds; the other one shows whether a few that fail decide it.
    """
    every, learned = Runs(frame), Runs(frame[~numbers.failed(frame)])
    return [
        decide(claim, every)._replace(learned=decide(claim, learned).verdict) for claim in claims
    ]


def decide(claim: Claim, runs: Runs) -> ClaimResult:
    """Decide a claim by the runs of the reports' own protocols."""
    results = judge_all(claim.criteria, runs)
    verdict = combine(result.verdict for result in results)
    second = None
    if claim.second_criteria:
        again = {"criteria": claim.second_criteria, "second_criteria": ()}
        second = decide(claim.model_copy(update=again), runs)
    return ClaimResult(claim, verdict, results, second)


def decide_again(claim: Claim, runs: Runs) -> ClaimResult:
    """Decide a claim by the runs of the same networks under the common protocol.

    Only criteria that say which of two networks has the higher error count.
    """
    comparing = tuple(filter(_compares, claim.criteria))
    return decide(claim.model_copy(update={"criteria": comparing, "second_criteria": ()}), runs)


def _compares(criterion: Criterion) -> bool:
    """Whether it compares errors of two networks and claims a one-sided range of the difference.

    A range of a ratio has two sides, each a criterion with a factor.
    """
    errors = criterion.quantity in COMPARABLE and criterion.minus_quantity is None
    errors = errors and not criterion.spread and criterion.factor == 1
    bounds = np.isfinite([criterion.range.low, criterion.range.high]).sum()
    return criterion.minus is not None and errors and bounds == 1


def combine(verdicts: Iterable[ClaimVerdict]) -> ClaimVerdict:
    """Return the verdict on a claim whose criteria have `verdicts`."""
    found = set(verdicts)
    for verdict in ("contradicted", "no difference"):
        if verdict in found:
            return verdict
    if found <= {"not run"}:
        return "not run"
    return "supported" if found == {"supported"} else "undecided"


def judge_all(criteria: tuple[Criterion, ...], runs: Runs) -> tuple[CriterionResult, ...]:
    """Judge the criteria of a claim together."""
    measured = sum(criterion.quantity != "parameters" for criterion in criteria)
    confidence = 1 - (1 - CONFIDENCE) / max(measured, 1)
    return tuple(judge(criterion, runs, confidence) for criterion in criteria)


def judge(criterion: Criterion, runs: Runs, confidence: float = CONFIDENCE) -> CriterionResult:
    """Judge a criterion by runs; parameters are counted."""
    if criterion.published:
        return _judge_published(criterion, runs)
    if criterion.quantity == "parameters":
        of, minus = (
            summary_of(EXPERIMENTS[name].build).parameters for name in criterion.experiments
        )
        mean = low = high = of / minus
        n = 0
    else:
        rounds = _by_round(criterion, runs)
        if not len(rounds):
            return CriterionResult(criterion, np.nan, np.nan, np.nan, 0, "not run", np.nan)
        found = (median_of if criterion.quantity in TIMES else summarise)(rounds, confidence)
        mean, low, high, n = found["mean"], found["low"], found["high"], int(found["n"])
        if n > 2 and found["sd"] == 0 and criterion.quantity in (*ERRORS, *SHARES):
            # The same in every round, such as no error at all. Epochs are so by chance.
            low = high = mean
    slack, verdict = _slack(criterion.range, low, high), _verdict(criterion, low, high)
    enough = np.nan
    if verdict == "undecided":
        enough = rounds_for(_room(criterion, mean), found["sd"], confidence)
    return CriterionResult(criterion, mean, low, high, n, verdict, slack, enough)


def _judge_published(criterion: Criterion, runs: Runs) -> CriterionResult:
    """Judge a printed number as the table of numbers does."""
    printed = numbers.published_numbers([EXPERIMENTS[criterion.of]])
    printed = printed[printed.quantity == criterion.quantity]
    (row,) = numbers.published_against_ours(runs.rows, printed).itertuples()
    slack = _slack(Range(low=-row.margin, high=row.margin), row.low, row.high)
    found = (row.difference, row.low, row.high, row.n, OF_NUMBERS[row.verdict], slack)
    return CriterionResult(criterion, *found)


def _slack(where: Range, low: float, high: float) -> float:
    return min(low - where.low, where.high - high) / max((high - low) / 2, 1e-9)


def _room(criterion: Criterion, mean: float) -> float:
    """Return how wide, to either side, an interval around `mean` may be and still decide."""
    to_a_bound = abs(min(mean - criterion.range.low, criterion.range.high - mean))
    return max(to_a_bound, -np.inf if criterion.margin is None else criterion.margin - abs(mean))


def _by_round(criterion: Criterion, runs: Runs) -> np.ndarray:
    """Return the quantity by round (n,); of no round without runs of all its experiments."""
    columns = [(criterion.quantity, criterion.of)]
    if criterion.minus is not None or criterion.minus_quantity is not None:
        quantity = criterion.minus_quantity or criterion.quantity
        columns.append((quantity, criterion.minus or criterion.of))
    if any(name not in runs.of(quantity) for quantity, name in columns):
        return np.array([])
    values = np.array([runs.of(quantity)[name] for quantity, name in columns], dtype=float)
    values = values[:, ~np.isnan(values).any(axis=0)]
    if criterion.spread:
        values = np.abs(values - np.median(values, axis=1, keepdims=True))
    return values[0] if len(values) == 1 else values[0] - criterion.factor * values[1]


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
