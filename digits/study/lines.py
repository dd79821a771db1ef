"""The lines of a file of records: what they say, and what is refused."""

import contextlib
import json
import re
import stat
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from digits import core
from digits.core import InputError, explain, short
from digits.study.checks import AGAIN, check
from digits.training.record import Diverged, Record

BYTE_ORDER_MARK = "\ufeff".encode()
BETWEEN = re.compile(r"[\ufeff\s]*")
CONFLICT = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")


class Lines(NamedTuple):
    """What bytes of a file of records say.

    records: with the number of the line each stands in. size: of the bytes that are whole lines,
    or a whole record without the end of its line; what follows was cut off while it was written.
    """

    records: list[tuple[int, Record | Diverged]]
    size: int


def content_of(path: Path) -> bytes:
    """Return what a file holds, b"" if there is none; refuse what is no file or unreadable."""
    try:
        return path.read_bytes() if is_there(path) else b""
    except OSError as error:
        raise _unreadable(path, error) from error


def is_there(path: Path) -> bool:
    """Say whether there is such a file; refuse what is no file: a pipe would be read for ever."""
    try:
        if stat.S_ISREG(path.stat().st_mode):
            return True
    except (FileNotFoundError, NotADirectoryError):
        if not path.is_symlink():
            return False
    except OSError as error:
        raise _unreadable(path, error) from error
    raise InputError(f"{short(path)} is not a file, or a link to none: move it away.")


def _unreadable(path: Path, error: OSError) -> InputError:
    return core.fault(error, path, "read", "--results")


def parse(data: bytes, path: Path, experiment: str, source: str, first: int = 1) -> Lines:
    """Read lines of the file `path`, which is that of an experiment on a source.

    first: the number of the first line. Raises `InputError` with file, line, field and value for
    a line that is not a record, or that of another file.
    """
    *whole, last = data.split(b"\n")
    rest = last.rstrip(b"\0")  # which some file systems leave after a loss of power
    if _is_torn(rest):
        rest = b""
    records = []
    for number, line in enumerate([*whole, rest], start=first):
        try:
            found = _records_of(line)
            for record in found:
                _check_place(record, experiment, source)
        except InputError as fault:
            raise refusal(path, number, fault) from None
        records += [(number, record) for record in found]
    return Lines(records, len(data) - len(last) + len(rest))


def refusal(path: Path, number: int, fault: InputError) -> InputError:
    """Return what is wrong with a line of a file, on a terminal's line."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(fault))
    text = text if len(text) < 600 else f"{text[:300]} ... {text[-250:]}"
    return InputError(f"{short(path)}, line {number} {text}")


def line_of(record: Record | Diverged) -> bytes:
    """Return the line of a record."""
    fields = record.model_dump(mode="json", exclude_none=True)
    return (json.dumps(fields, separators=(",", ":")) + "\n").encode()


def _is_torn(line: bytes) -> bool:
    """Say whether a last line is the beginning of a record that was cut off."""
    if not line.startswith(b"{"):
        return False
    try:
        json.JSONDecoder().raw_decode(line.decode(errors="replace"))
    except RecursionError:
        return False
    except ValueError:
        with contextlib.suppress(ValueError):
            from_json(line, allow_partial="trailing-strings")
            return True
    return False  # a whole record, whatever follows it, or damage


def _records_of(line: bytes) -> list[Record | Diverged]:
    """Return the record in a line; none in a blank one, several where files were joined."""
    line = line.strip().removeprefix(BYTE_ORDER_MARK)
    if line.startswith(CONFLICT):
        raise InputError(
            f"is a mark of a merge conflict ({line[:40]!r}): remove such lines and keep all "
            "records between them; one that is there twice counts once."
        )
    try:
        return [_record_of(line)] if line else []
    except InputError:
        if len(parts := _joined(line)) < 2:
            raise
        return [_record_of(part) for part in parts]


def _record_of(text: bytes) -> Record | Diverged:
    try:
        kind = Diverged if b'"failed":' in text else Record
        record = kind.model_validate_json(text)
        # Each field has a colon: if there are more, a text has some, or a field stands there twice.
        if text.count(b":") > _fields_in(record):
            json.loads(text, object_pairs_hook=_without_repetition)
        check(record)
    except (InputError, ValidationError, ValueError) as error:
        fault = explain("Record", error) if isinstance(error, ValidationError) else str(error)
        raise InputError(f"is not a record ({fault.rstrip('.')}): {AGAIN}") from None
    return record


def _fields_in(record: Record | Diverged) -> int:
    """Count the fields that a record was made of, those of its parts included."""
    parts = [record, record.recipe, *([record.curves] if isinstance(record, Record) else [])]
    return sum(len(part.model_fields_set) for part in parts) + len(record.versions)


def _without_repetition(pairs: list[tuple[str, Any]]) -> None:
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the field {twice!r} stands in it twice")


def _joined(line: bytes) -> list[bytes]:
    """Cut a line where one JSON object follows another; [] if it is no row of them."""
    decoder, parts, start = json.JSONDecoder(), [], 0
    try:
        text = line.decode()
        while start < len(text):
            end = decoder.raw_decode(text, start)[1]
            parts.append(text[start:end].encode())
            start = BETWEEN.match(text, end).end()
    except (ValueError, RecursionError):
        return []
    return parts


def _check_place(record: Record | Diverged, experiment: str, source: str) -> None:
    if record.experiment != experiment or record.source != source:
        raise InputError(
            f"belongs to {record.experiment} on {record.source}: move it to that experiment's file."
        )
