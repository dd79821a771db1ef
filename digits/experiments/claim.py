"""A claim of a report as a value: quantities of rounds, and the range in which each should lie."""

import numpy as np

from digits.core import Frozen


class Range(Frozen):
    """Where a claim says that a mean lies."""

    low: float = -np.inf
    high: float = np.inf

    @property
    def text(self) -> str:
        """The range in words."""
        if self.low == -np.inf:
            return "negative" if self.high == 0 else f"at most {self.high:g}"
        if self.high == np.inf:
            return "positive" if self.low == 0 else f"at least {self.low:g}"
        return f"{self.low:g} to {self.high:g}"


class Criterion(Frozen):
    """One quantity per round, and the range in which its mean lies if the claim holds.

    of: the experiment. minus: another one, whose value on the same pairs is subtracted.
    quantity: a column of the tidy table (see `frames.tidy`). "parameters" is no measurement: the
        count of `of` as a share of that of `minus`.
    minus_quantity: another column, whose value in the same runs is subtracted.
    spread: the distance from the median over rounds counts instead of the value, so the steadier
        network has the smaller quantity.
    """

    of: str
    minus: str | None = None
    quantity: str = "precise_error"
    minus_quantity: str | None = None
    range: Range
    spread: bool = False

    @property
    def experiments(self) -> tuple[str, ...]:
        """The ids of the experiments that it rests on."""
        return (self.of,) if self.minus is None else (self.of, self.minus)


class Claim(Frozen):
    """What a report claims.

    id: as numbered here, C0.1 to C4.7. claim: in one line. criteria: what decides it; none where
    no measurement does. reading: how vague words are read, or why nothing decides it.
    """

    id: str
    report: str
    claim: str
    criteria: tuple[Criterion, ...] = ()
    reading: str = ""


def lower(of: str, *, than: str, by: float = 0.0, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` is lower than that of `than`, by at least `by`."""
    return Criterion(of=of, minus=than, quantity=quantity, range=Range(high=0.0 - by))


def higher(of: str, *, than: str, by: float = 0.0, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` is higher than that of `than`, by at least `by`."""
    return Criterion(of=of, minus=than, quantity=quantity, range=Range(low=by))


def between(of: str, minus: str, low: float, high: float) -> Criterion:
    """The error of `of` minus that of `minus` lies between `low` and `high`."""
    return Criterion(of=of, minus=minus, range=Range(low=low, high=high))


def level(
    of: str, low: float = -np.inf, high: float = np.inf, *, quantity: str = "precise_error"
) -> Criterion:
    """The quantity of `of` lies between `low` and `high`."""
    return Criterion(of=of, quantity=quantity, range=Range(low=low, high=high))


def below(of: str, quantity: str, other: str) -> Criterion:
    """One quantity of `of` is lower than another quantity of the same runs."""
    return Criterion(of=of, quantity=quantity, minus_quantity=other, range=Range(high=0.0))


def steadier(of: str, *, than: str, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` varies less over rounds than that of `than`."""
    return Criterion(of=of, minus=than, quantity=quantity, range=Range(high=0.0), spread=True)


def fewer_parameters(of: str, *, than: str, share: float) -> Criterion:
    """The network of `of` has at most `share` of the parameters of that of `than`."""
    return Criterion(of=of, minus=than, quantity="parameters", range=Range(high=share))
