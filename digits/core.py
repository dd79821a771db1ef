"""What every station stands on: where things lie, what went wrong, and the frozen value."""

import contextlib
import errno
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

_CHECKOUT = Path(__file__).resolve().parent.parent
# Locations differ from machine to machine and must not end up in an executed notebook, so they
# come from environment variables (run_all.py sets them from its options) and never from a
# notebook's parameters.
#: The checkout; the current folder where this package is installed without one.
ROOT = _CHECKOUT if (_CHECKOUT / "run_all.py").is_file() else Path()
NOTEBOOKS = ROOT / "notebooks"


def data_dir() -> Path:
    """Folder of the full MNIST in torchvision's layout: `DIGITS_DATA`, or `data/`."""
    return _folder("data")


def results_dir() -> Path:
    """Folder of the records, one sub-folder per data source: `DIGITS_RESULTS`, or `results/`."""
    return _folder("results")


def figures_dir() -> Path:
    """Folder of what is made, one sub-folder per profile: `DIGITS_FIGURES`, or `figures/`."""
    return _folder("figures")


def _folder(name: str) -> Path:
    chosen = os.environ.get(f"DIGITS_{name.upper()}")
    return Path(os.path.expanduser(chosen)) if chosen else ROOT / name


class InputError(Exception):
    """Bad input: one sentence that names it and says what to do instead."""


#: What to do about a fault of a file, of a folder or of the machine, by its number.
WAYS_OUT = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "free the disk"),
    **dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), "change its permissions"),
    **dict.fromkeys((errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP), "move it away"),
    **dict.fromkeys((errno.ENOENT, errno.ENAMETOOLONG), "check its name"),
    **dict.fromkeys((errno.EIO, errno.ESTALE), "check the disk"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "raise the limit of open files (ulimit -n)"),
    **dict.fromkeys((errno.EAGAIN, errno.ENOMEM), "raise the limit of processes (ulimit -u)"),
}
#: Faults that another folder does not cure.
_OF_THE_MACHINE = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


def fault(
    error: OSError,
    path: Path | None = None,
    used: str = "used",
    options: str = "--results, --figures or --data-dir",
) -> InputError:
    """Return the sentence that names the file, the cause and the way out of `error`.

    path: the file, where the error may not name it. used: what was tried, such as "read". options:
    those that name another folder. Without a path, an error that is no fault of a disk, a folder or
    a limit is raised again.
    """
    if path is None and error.errno not in WAYS_OUT:
        raise error
    name = path or error.filename2 or error.filename
    what = "a file or a process" if name is None else short(name)
    other = f"name another folder with {options}"
    other = "use fewer --jobs" if error.errno in _OF_THE_MACHINE else other
    way_out = WAYS_OUT.get(error.errno, "check the disk")
    cause = error.strerror or error
    return InputError(f"{what} cannot be {used} ({cause}): {way_out} or {other}.")


def obstacle(path: Path) -> str:
    """Say why `path` cannot be a folder, new or not; "" if nothing is in the way."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return f"{short(path)} is not valid text"
    nearest = next((folder for folder in (path, *path.parents) if os.path.lexists(folder)), path)
    if not os.path.exists(nearest):
        return f"{short(nearest)} is a link that leads nowhere"
    return "" if os.path.isdir(nearest) else f"{short(nearest)} is a file"


def check_folder(place: Path, option: str) -> None:
    """Refuse a folder that is none, or cannot become one, with the option that names another."""
    if found := obstacle(place):
        raise InputError(
            f"{short(place)} cannot be written ({found}): name another folder with {option}."
        )


def short(path: str | Path) -> str:
    """Return `path` from the current folder where there is a way; in one line, whatever it is."""
    text = str(path)
    with contextlib.suppress(ValueError, OSError):  # another drive, a current folder that is gone
        text = os.path.relpath(text)
    return text if text.isprintable() else ascii(text)


#: The end of the name of a file that is not yet in its place.
NEW = ".new"


@contextlib.contextmanager
def replacing(path: Path, lasting: bool = False, locked: bool = False) -> Iterator[BinaryIO]:
    """Give a file that takes the place of `path` in one step, once all is written to it.

    Whoever reads `path` finds the old file or the new one, also if several processes write at
    once. lasting: force it to the disk before. locked: no other process writes meanwhile; the file
    that a killed one has left is then taken, else it stays (`path` and an ending of its own).
    """
    new = path.with_name(f"{path.name}{'' if locked else f'.{uuid.uuid4().hex}'}{NEW}")
    try:
        with open(new, "wb") as file:
            yield file
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def write(path: Path, text: str) -> None:
    """Write a file of text in one step (see `replacing`)."""
    with replacing(path) as file:
        file.write(text.encode())


class Stream:
    """A text stream that goes on in silence when nobody reads it any more."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name: str):
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`, or drop it."""
        return self._try(self._stream.write, text)

    def flush(self) -> None:
        """Hand over what is written, or drop it."""
        self._try(self._stream.flush)

    def drop(self) -> None:
        """Send to nowhere what is still to be written."""
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())

    def _try(self, do, *arguments):
        try:
            return do(*arguments)
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.EIO, errno.EBADF):
                raise  # a full disk
            self.drop()
            return do(*arguments)


@contextlib.contextmanager
def lasting_streams() -> Iterator[None]:
    """Let no output stop the work: streams that are closed, or lack a letter, or lose their reader.

    The descriptor of a stream that was closed at the start is taken, so that no file gets it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    given = (sys.stdout, sys.stderr)
    streams = [
        Stream(os.fdopen(number, "w", closefd=False) if stream is None else stream)
        for number, stream in enumerate(given, start=1)
    ]
    for stream in streams:
        if stream.errors == "strict":
            stream.reconfigure(errors="replace")  # letters that its encoding lacks
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        try:
            yield
        finally:
            for stream in streams:
                try:
                    stream.flush()
                except OSError:  # told before; the interpreter would try again as it ends
                    stream.drop()


@contextlib.contextmanager
def interruptible(stopping: list[signal.Signals]) -> Iterator[None]:
    """Raise `KeyboardInterrupt` with its number at the first of some signals, and ignore others.

    So a second Ctrl-C cannot cut off the end that the first one began.
    """

    def stop(number, frame):
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    given = {number: signal.getsignal(number) for number in stopping}
    before = {number: handler for number, handler in given.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Frozen(BaseModel):
    """A frozen, validated value: unknown fields, wrong types and wrong ranges are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _one_sentence(cls, fields, handler):
        try:
            return handler(fields)
        except ValidationError as error:
            raise InputError(explain(cls.__name__, error)) from None


def explain(name: str, error: ValidationError) -> str:
    """Tell the first fault that pydantic found in one sentence, with the field and its value."""
    fault = error.errors()[0]
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{name} has no field {field!r}: remove it or correct its spelling."
    if fault["type"] == "missing":
        return f"{name} needs the field {field!r}, which is missing."
    if fault["type"] == "json_invalid":
        return f"{name}: {fault['msg']}."
    return f"{field} = {fault['input']!r} is not allowed: {fault['msg']}."
