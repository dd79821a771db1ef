"""A claim of a report as a value: quantities of rounds, and the range in which each should lie."""

import numpy as np

from digits.core import Frozen

#: Two networks whose errors differ by no more than this, in percentage points, are equal in
#: practice; and the quantities of which that is said.
EQUAL = 0.5
ERRORS = ("precise_error", "train_error", "test_error", "digit_error", "fold_error", "gap")


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
    """One quantity per round, and the range in which its mean lies if the claim is true.

    of: the experiment. minus: another one, whose value on the same pairs is subtracted, `factor`
        times.
    quantity: a column of the tidy table (see `frames.tidy`). "parameters" is no measurement: the
        count of `of` as a share of that of `minus`.
    minus_quantity: another column, which is subtracted instead: of `minus`, or of the same runs.
    spread: the distance from the median over rounds counts instead of the value, so the steadier
        network has the smaller quantity.
    margin: of practical equality, in the quantity's unit: a claimed difference that is surely
        smaller, on either side of 0, is no difference. None where no difference is claimed.
    published: the claim is the number that the report prints for `of`. The verdict is that of the
        table of numbers (see `numbers`), and no range is claimed.
    """

    of: str
    minus: str | None = None
    quantity: str = "precise_error"
    minus_quantity: str | None = None
    factor: float = 1.0
    range: Range = Range()
    spread: bool = False
    margin: float | None = None
    published: bool = False

    @property
    def claimed(self) -> str:
        """Where the mean lies if the claim is true, in words."""
        return "equivalent or typical" if self.published else self.range.text

    @property
    def experiments(self) -> tuple[str, ...]:
        """The ids of the experiments that it rests on."""
        return (self.of,) if self.minus is None else (self.of, self.minus)


class Claim(Frozen):
    """What a report claims.

    id: as numbered here, C0.1 to C4.8; C0.10 is part of C0.4. claim: in one line. criteria: what
        decides it. reading: how vague words are read.
    second_criteria, second_reading: another way to read it, which has a verdict of its own.
    ours: the authors do not claim it.
    """

    id: str
    report: str
    claim: str
    criteria: tuple[Criterion, ...]
    reading: str = ""
    second_criteria: tuple[Criterion, ...] = ()
    second_reading: str = ""
    ours: bool = False

    @property
    def experiments(self) -> tuple[str, ...]:
        """The ids of the experiments that it rests on in either reading, each once."""
        criteria = (*self.criteria, *self.second_criteria)
        return tuple(dict.fromkeys(name for part in criteria for name in part.experiments))


def lower(of: str, *, than: str, by: float = 0.0, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` is lower than that of `than`, by at least `by`."""
    where, margin = Range(high=0.0 - by), _margin(quantity, by)
    return Criterion(of=of, minus=than, quantity=quantity, range=where, margin=margin)


def higher(of: str, *, than: str, by: float = 0.0, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` is higher than that of `than`, by at least `by`."""
    where, margin = Range(low=by), _margin(quantity, by)
    return Criterion(of=of, minus=than, quantity=quantity, range=where, margin=margin)


def _margin(quantity: str, by: float = 0.0) -> float | None:
    return EQUAL if quantity in ERRORS and not by else None


def between(of: str, minus: str, low: float, high: float) -> Criterion:
    """The error of `of` minus that of `minus` lies between `low` and `high`."""
    return Criterion(of=of, minus=minus, range=Range(low=low, high=high))


def times(of: str, than: str, low: float, high: float) -> tuple[Criterion, Criterion]:
    """The error of `of` is `low` to `high` times that of `than`."""
    return (
        Criterion(of=of, minus=than, factor=low, range=Range(low=0.0)),
        Criterion(of=of, minus=than, factor=high, range=Range(high=0.0)),
    )


def level(
    of: str, low: float = -np.inf, high: float = np.inf, *, quantity: str = "precise_error"
) -> Criterion:
    """The quantity of `of` lies between `low` and `high`."""
    return Criterion(of=of, quantity=quantity, range=Range(low=low, high=high))


def printed(of: str, *, quantity: str = "test_error") -> Criterion:
    """The error of `of` is the printed one."""
    return Criterion(of=of, quantity=quantity, published=True)


def below(of: str, quantity: str, other: str) -> Criterion:
    """One quantity of `of` is lower than another quantity of the same runs."""
    return Criterion(
        of=of,
        quantity=quantity,
        minus_quantity=other,
        range=Range(high=0.0),
        margin=_margin(quantity),
    )


def steadier(of: str, *, than: str, quantity: str = "precise_error") -> Criterion:
    """The quantity of `of` varies less over rounds than that of `than`."""
    return Criterion(of=of, minus=than, quantity=quantity, range=Range(high=0.0), spread=True)


def fewer_parameters(of: str, *, than: str, share: float) -> Criterion:
    """The network of `of` has at most `share` of the parameters of that of `than`."""
    return Criterion(of=of, minus=than, quantity="parameters", range=Range(high=share))
