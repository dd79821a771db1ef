"""Errors of simple methods on disk: computed once, then read, as networks are from their records.

`results/<source>/simple_methods.csv` has a row per method and round. A row that cannot be true is
refused with its file, line and field.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import filelock
import pandas as pd
from pydantic import ConfigDict, Field

from digits import core
from digits.core import Frozen, InputError
from digits.data.sources import Digits, load
from digits.study.checks import KNOWN
from digits.study.lines import content_of, refusal
from digits.training.record import Percent, Text

#: What an error is of: of so many test pairs, or of the two digits of each.
Measure = Literal["test_error", "digit_error"]


class Key(NamedTuple):
    """What an error is known by: a method, and the pairs of a round that it learned and decided."""

    measure: Measure
    method: str
    seed: int
    train_pairs: int
    test_pairs: int


class Row(Frozen):
    """A row of the file: a `Key`, the checksum of the digits, and the error in per cent."""

    model_config = ConfigDict(strict=False, allow_inf_nan=False)  # all that it is made of is text

    measure: Measure
    method: Text
    seed: int = Field(ge=0, lt=2**63)
    train_pairs: int = Field(ge=1)
    test_pairs: int = Field(ge=1)
    source_checksum: Text
    error: Percent

    @property
    def key(self) -> Key:
        """What the error is known by."""
        return Key(*(getattr(self, name) for name in Key._fields))


FIELDS = list(Row.model_fields)
Compute = Callable[[Digits, list[Key]], list[float]]


def errors_of(source: str, keys: list[Key], compute: Compute) -> list[float]:
    """Return the errors that `keys` name, from the file of a source as far as they are there.

    compute: what gives the errors of those that are missing; they are added to the file. Raises
        `InputError` for a damaged file, and if errors are missing and there are no digits.
    """
    found = read(source)
    if missing := [key for key in keys if key not in found]:
        try:
            digits = load(source)
        except InputError as fault:
            raise InputError(
                f"{core.short(path_of(source))} lacks {len(missing)} errors of simple methods, "
                f"which take the digits to compute: {fault}"
            ) from None
        computed = dict(zip(missing, map(float, compute(digits, missing)), strict=True))
        _add(source, computed)
        found |= computed
    return [found[key] for key in keys]


def path_of(source: str) -> Path:
    """Return the file of a source."""
    return core.results_dir() / source / "simple_methods.csv"


def read(source: str) -> dict[Key, float]:
    """Return the errors in the file of a source by their keys; none if there is no file."""
    path, found = path_of(source), {}
    for number, line in enumerate(content_of(path).splitlines(), start=1):
        try:
            fields = next(csv.reader([line.decode()], strict=True))
            if number == 1 and fields != FIELDS:
                raise InputError(f"it does not name the fields {', '.join(FIELDS)}")
            if number > 1:
                row = _row_of(fields, source)
                if found.setdefault(row.key, row.error) != row.error:
                    raise InputError(f"error = {row.error}, but {found[row.key]} in a line above")
        except (InputError, csv.Error, UnicodeDecodeError) as fault:
            says = f"is no error of a simple method ({str(fault).rstrip('.')})"
            if number == 1:
                says = f"is not the heading of errors of simple methods ({fault})"
            way_out = "move the file away; its errors are then computed again."
            raise refusal(path, number, InputError(f"{says}: {way_out}")) from None
    return found


def _row_of(fields: list[str], source: str) -> Row:
    """Return what a line says; refuse what cannot be true of the digits of `source`."""
    if len(fields) != len(FIELDS):
        raise InputError(f"it has {len(fields)} fields, not {len(FIELDS)}")
    row = Row(**dict(zip(FIELDS, fields, strict=True)))
    of = row.test_pairs * (2 if row.measure == "digit_error" else 1)
    if row.error != 100 * round(row.error * of / 100) / of:
        raise InputError(f"error = {row.error} is not allowed: of {of} it is no whole number")
    if row.source_checksum != (known := KNOWN[source].checksum):
        raise InputError(
            f"source_checksum = {row.source_checksum!r} is not allowed: that of {source} is {known}"
        )
    return row


def _add(source: str, computed: dict[Key, float]) -> None:
    """Add errors to the file of a source, to what is in it by now, in one step."""
    path, checksum = path_of(source), KNOWN[source].checksum
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(".lock")):  # another notebook may add some as well
            rows = [(*key, checksum, error) for key, error in (read(source) | computed).items()]
            table = pd.DataFrame(sorted(rows), columns=FIELDS)
            core.write(path, table.to_csv(index=False, lineterminator="\n"))
    except OSError as error:
        raise core.fault(error) from error
