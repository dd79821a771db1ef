"""The parts of claims: one quantity per round, and the range in which its mean should lie.

Of the 95 % t interval of that mean over rounds: all of it in the range, the part is supported; all
of it outside, contradicted; otherwise undecided. `lower`, `higher`, `alike`, `level` and `steadier`
write the usual parts down.
"""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from digits.core import Frozen
from digits.experiments import EXPERIMENTS
from digits.models.blocks import parameters_built_by
from digits.statistics import summarise

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


class Range(Frozen):
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


class Part(Frozen):
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
