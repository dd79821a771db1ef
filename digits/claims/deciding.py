"""How records decide a claim.

A claim has parts. A part is one quantity per round (an error, a difference of two networks on the
same pairs) and the range in which the claim says that its mean lies. Of the 95 % t interval of
that mean over rounds: all of it inside, the part is supported; all of it outside, contradicted;
otherwise undecided. A claim is supported if all of its parts are, contradicted if one of them is,
undecided otherwise. A claim without parts is a design argument, which no measurement decides.

Parts that are many make a claim harder to support and easier to contradict by chance: each one
that is true is contradicted in 2.5 % of studies at most. The tables name the part that decides.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from digits.common import PREFIX
from digits.experiments import EXPERIMENTS
from digits.models.blocks import parameters_built_by
from digits.statistics import summarise
from digits.value import Value

Verdict = Literal["supported", "contradicted", "undecided", "no records", "design argument"]
VERDICTS = Verdict.__args__

#: What a part may be about (a column of the tidy table): its name on a page, its unit.
QUANTITIES = {
    "precise_error": ("error", "points"),
    "train_error": ("train error", "points"),
    "test_error": ("test error", "points"),
    "digit_error": ("error on digits", "points"),
    "fold_error": ("cross-validation error", "points"),
    "fold_sd": ("SD over folds", "points"),
    "gap": ("test minus train error", "points"),
    "peak_epoch": ("epoch of the lowest test error", "epochs"),
    "kept_epoch": ("epoch of the lowest validation loss", "epochs"),
    "fluctuation": ("change of test error between epochs", "points"),
    "rises": ("share of epochs in which validation loss rises", ""),
    "train_seconds": ("training time", "s"),
}


class Range(Value):
    """Where a claim says that a mean lies."""

    low: float = -np.inf
    high: float = np.inf

    def verdict(self, low: float, high: float) -> Verdict:
        """Return the verdict on a mean whose interval is from `low` to `high`, NaN for none."""
        if np.isnan(low) or np.isnan(high):
            return "undecided"
        if self.low <= low and high <= self.high:
            return "supported"
        if high < self.low or low > self.high:
            return "contradicted"
        return "undecided"

    def slack(self, low: float, high: float) -> float:
        """Return how far inside the range an interval lies, in its half-widths.

        Negative by how far it sticks out; so quantities of different units can be compared.
        """
        return min(low - self.low, self.high - high) / max((high - low) / 2, 1e-9)

    @property
    def text(self) -> str:
        """The range in words."""
        if self.low == -np.inf:
            return "negative" if self.high == 0 else f"at most {self.high:g}"
        if self.high == np.inf:
            return "positive" if self.low == 0 else f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


class Finding(NamedTuple):
    """What was found of one part: mean and interval over n rounds, and the verdict.

    claimed: the range in which the mean should lie, in words; slack: see `Range.slack`.
    """

    what: str
    unit: str
    claimed: str
    mean: float
    low: float
    high: float
    n: int
    verdict: Verdict
    slack: float


class Part(Value):
    """One quantity per round, and where its mean lies if the claim holds."""

    claimed: Range
    value: str = "precise_error"

    @property
    def experiments(self) -> tuple[str, ...]:
        """The ids that the part rests on."""
        raise NotImplementedError

    @property
    def what(self) -> str:
        """The quantity in words."""
        raise NotImplementedError

    def per_round(self, values: pd.DataFrame) -> pd.Series:
        """Return the quantity by round, of `values`: rounds by experiments, of column `value`."""
        raise NotImplementedError

    def find(self, frame: pd.DataFrame) -> Finding:
        """Decide the part by tidy rows of full-length runs."""
        name, unit = QUANTITIES[self.value]
        known = f"{name}, {self.what}", unit, self.claimed.text
        runs = frame[frame.experiment.isin(self.experiments)]
        rounds = pd.Series(dtype=float)
        if set(runs.experiment) == set(self.experiments):
            rounds = self.per_round(self._table(runs)).dropna()
        if rounds.empty:
            return Finding(*known, np.nan, np.nan, np.nan, 0, "no records", np.nan)
        found = summarise(rounds)
        low, high, n = found["low"], found["high"], int(found["n"])
        if n > 2 and found["sd"] == 0:
            low = high = found["mean"]  # the same in every round, such as no error at all
        verdict, slack = self.claimed.verdict(low, high), self.claimed.slack(low, high)
        return Finding(*known, found["mean"], low, high, n, verdict, slack)

    def _table(self, runs: pd.DataFrame) -> pd.DataFrame:
        return runs.pivot(index="seed", columns="experiment", values=self.value)


class Level(Part):
    """The value of one network."""

    of: str

    @property
    def experiments(self):
        return (self.of,)

    @property
    def what(self):
        return self.of

    def per_round(self, values):
        return values[self.of]


class Difference(Part):
    """The value of one network minus that of another, on the same pairs."""

    of: str
    minus: str

    @property
    def experiments(self):
        return self.of, self.minus

    @property
    def what(self):
        return f"{self.of} - {self.minus}"

    def per_round(self, values):
        return values[self.of] - values[self.minus]


class Spread(Difference):
    """The same of distances from the median over rounds: the steadier network's are smaller."""

    @property
    def what(self):
        return f"distance from the median, {super().what}"

    def per_round(self, values):
        both = values[[self.of, self.minus]].dropna()
        distance = (both - both.median()).abs()
        return distance[self.of] - distance[self.minus]


class Between(Part):
    """One value of a network minus another value of the same runs."""

    of: str
    minus_value: str

    @property
    def experiments(self):
        return (self.of,)

    @property
    def what(self):
        return f"minus {QUANTITIES[self.minus_value][0]}, {self.of}"

    def _table(self, runs):
        return runs.set_index("seed")[[self.value, self.minus_value]]

    def per_round(self, values):
        return values[self.value] - values[self.minus_value]


class Parameters(Part):
    """How many parameters one network has as a share of another's: counted, not measured."""

    of: str
    against: str

    @property
    def experiments(self):
        return ()

    @property
    def what(self):
        return f"parameters, {self.of} / {self.against}"

    def find(self, frame):
        of, against = (parameters_built_by(EXPERIMENTS[n].build) for n in (self.of, self.against))
        share = of / against
        verdict, slack = self.claimed.verdict(share, share), self.claimed.slack(share, share)
        known = self.what, "", self.claimed.text
        return Finding(*known, share, share, share, 0, verdict, slack)


def lower(of: str, *, than: str, by: float = 0.0, value: str = "precise_error") -> Difference:
    """The value of `of` is lower than that of `than`, by at least `by`."""
    return Difference(of=of, minus=than, value=value, claimed=Range(high=0.0 - by))


def higher(of: str, *, than: str, by: float = 0.0, value: str = "precise_error") -> Difference:
    """The value of `of` is higher than that of `than`, by at least `by`."""
    return Difference(of=of, minus=than, value=value, claimed=Range(low=by))


def alike(of: str, other: str, *, within: float, value: str = "precise_error") -> Difference:
    """Two values differ by at most `within`."""
    return Difference(of=of, minus=other, value=value, claimed=Range(low=-within, high=within))


def level(
    of: str, low: float = -np.inf, high: float = np.inf, *, value: str = "precise_error"
) -> Level:
    """The value of `of` lies between `low` and `high`."""
    return Level(of=of, value=value, claimed=Range(low=low, high=high))


def steadier(of: str, *, than: str, value: str = "precise_error") -> Spread:
    """The value of `of` varies less over rounds than that of `than`."""
    return Spread(of=of, minus=than, value=value, claimed=Range(high=0.0))


class Claim(Value):
    """What a report claims.

    id: as numbered here, C0.1 to C4.7. claim: in one line. parts: what decides it; none for a
    design argument. reading: how vague words are read, or why nothing decides it.
    """

    id: str
    report: str
    claim: str
    parts: tuple[Part, ...] = ()
    reading: str = ""


class Decision(NamedTuple):
    """A claim, what was found of each of its parts, and the verdict."""

    claim: Claim
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> Finding | None:
        """The finding that decides: the worst for the claim of those that have its verdict.

        None for a claim that nothing measured decides, or that only lacks records.
        """
        same = [finding for finding in self.findings if finding.verdict == self.verdict]
        measured = [finding for finding in same if finding.verdict != "no records"]
        return min(measured, key=lambda f: np.nan_to_num(f.slack, nan=-np.inf), default=None)

    @property
    def held(self) -> str:
        """How many parts are supported, of how many, and how many have no records."""
        verdicts = [finding.verdict for finding in self.findings]
        lacking = verdicts.count("no records")
        without = f", {lacking} without records" if lacking else ""
        return f"{verdicts.count('supported')} of {len(verdicts)}{without}" if verdicts else ""


def decide(claim: Claim, frame: pd.DataFrame) -> Decision:
    """Decide a claim by the full-length runs among tidy rows of the reports' own protocols."""
    full = frame[~frame.shortened]
    findings = tuple(part.find(full) for part in claim.parts)
    return Decision(claim, combine(finding.verdict for finding in findings), findings)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a claim whose parts have `verdicts`."""
    found = set(verdicts)
    if not found:
        return "design argument"
    if "contradicted" in found:
        return "contradicted"
    if found == {"supported"}:
        return "supported"
    return "no records" if found == {"no records"} else "undecided"


def decide_again(claim: Claim, frame: pd.DataFrame) -> Decision:
    """Decide a claim by the common protocol's runs of the same networks, with all else equal.

    Only parts that compare errors of two networks count: levels, times and epochs are those of a
    report's own protocol.
    """
    common = frame[frame.experiment.str.startswith(PREFIX)]
    common = common.assign(experiment=common.experiment.str.removeprefix(PREFIX))
    comparing = tuple(
        part
        for part in claim.parts
        if isinstance(part, Difference) and part.value in ("precise_error", "test_error", "gap")
    )
    return decide(claim.model_copy(update={"parts": comparing}), common)
