"""Records: one line of JSON per run, and the only mark that a run is done.

`results/<source>/<experiment id>.jsonl`, appended under a lock and forced to the disk. A run is
known by experiment, recipe hash, seed and source; a record that contradicts itself, or another
record of the same run, is refused with its file and line.
"""

import base64
import contextlib
import datetime
import json
import os
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import filelock
import numpy as np
from pydantic import Field, ValidationError

from digits.core import Frozen, InputError, explain
from digits.recipe import Recipe

#: Numbers that a JSON array may stand for.
Numbers = Annotated[tuple[float, ...], Field(strict=False)]


class Curves(Frozen):
    """One number per point: every `recipe.curve_step` epochs, over all trainings of the run.

    objective: mean over the epoch of what was minimised (training mode, auxiliary terms included).
    losses: of the target, but validation_loss with the auxiliary terms, since it chooses the
    epoch; errors: in per cent. Both in evaluation mode at the end of the epoch, on the pairs that
    were fitted, the test pairs, and those held out for validation, if any.
    """

    objective: Numbers
    train_loss: Numbers
    test_loss: Numbers
    train_error: Numbers
    test_error: Numbers
    validation_loss: Numbers | None = None
    validation_error: Numbers | None = None


class Origin(Frozen):
    """Which run it was, and where it was computed.

    processor: what the bits of a run depend on beside the versions; None in the oldest records.
    """

    experiment: str
    recipe: Recipe
    recipe_hash: str
    seed: int
    source: str
    source_checksum: str
    device: str
    threads: int
    precision: str
    processor: str | None = None
    versions: dict[str, str]
    commit: str

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What a run is known by: experiment, recipe hash, seed, source."""
        return self.experiment, self.recipe_hash, self.seed, self.source


class Failure(Origin):
    """What a run leaves behind whose loss stopped being a finite number.

    epoch, step: where, from 1; fold: in which training of a cross-validation, None in the main
        one.
    """

    failed: Literal["diverged"] = "diverged"
    schema_version: Literal[1] = 1
    epoch: int
    step: int
    fold: int | None = None

    def __str__(self) -> str:
        fold = "" if self.fold is None else f" of fold {self.fold}"
        return (
            f"{self.experiment} #{self.seed} diverged in epoch {self.epoch}, step {self.step}{fold}"
        )


class Record(Origin):
    """What one run leaves behind. Errors and accuracies in per cent, times in seconds.

    train_error, test_error: of the network that is kept: after the last epoch of the last
        training, or of the epoch with the lowest validation loss.
    precise_error: on `recipe.precise_pairs` test pairs that re-use images.
    train_digit_accuracy, test_digit_accuracy: of the single digits in those pairs, None without
        digit heads.
    decisions: the decision for each test pair, as packed bits in base64 (see `unpack`).
    validation_error, kept_epoch: where pairs were held out for validation.
    fold_errors: of each network of a cross-validation on the pairs that it had not seen.
    precise_fold_errors: the same on `recipe.precise_pairs` pairs that re-use the images of a fold.
    test_posteriors, fold_posteriors: packed posteriors of the digits (see `unpack_posteriors`) of
        every image of the test pool, (N, 10), and of each training pair while its fold was held
        out, (N, 2, 10).
    test_error_training_mode, fold_errors_training_mode: the same networks with dropout on and
        the batch statistics of the scored set.
    train_seconds: training steps alone, without folds; seconds: the whole run.
    weights: a hash of the final weights, so that two runs can be compared bit for bit.
    """

    schema_version: Literal[1] = 1
    parameters: int
    train_error: float
    test_error: float
    precise_error: float
    train_digit_accuracy: float | None = None
    test_digit_accuracy: float | None = None
    validation_error: float | None = None
    kept_epoch: int | None = None
    fold_errors: Numbers | None = None
    precise_fold_errors: Numbers | None = None
    test_error_training_mode: float | None = None
    fold_errors_training_mode: Numbers | None = None
    test_posteriors: str | None = None
    fold_posteriors: str | None = None
    curves: Curves
    decisions: str
    weights: str
    train_seconds: float
    seconds: float

    def after_each_training(self, curve: str) -> tuple[float, ...]:
        """Return the last value of `curve` in each of the run's consecutive trainings."""
        points = self.recipe.epochs // self.recipe.curve_step
        return getattr(self.curves, curve)[points - 1 :: points]


def pack(decisions: np.ndarray) -> str:
    """Pack decisions (N,) of 0 and 1 into base64 text."""
    return base64.b64encode(np.packbits(decisions.astype(bool)).tobytes()).decode()


def unpack(decisions: str, n: int) -> np.ndarray:
    """Return the first `n` decisions (n,) of 0 and 1 that `pack` packed."""
    return np.unpackbits(np.frombuffer(base64.b64decode(decisions), np.uint8))[:n]


def pack_posteriors(posteriors: np.ndarray) -> str:
    """Pack posteriors of digits, (N, 10) or (N, 2, 10), into base64 text.

    Their natural logarithms, cut off at -16, in steps of 1/15: a byte each, compressed.
    """
    steps = np.clip(np.round(-15 * np.log(np.maximum(posteriors, 1e-30))), 0, 240)
    return base64.b64encode(zlib.compress(steps.astype(np.uint8).tobytes(), 9)).decode()


def unpack_posteriors(text: str) -> np.ndarray:
    """Return the posteriors (images, 10) that `pack_posteriors` packed, to within 7 % of each.

    The images of a pair follow each other.
    """
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, 10)
    posteriors = np.exp(steps / -15.0)
    return posteriors / posteriors.sum(axis=1, keepdims=True)


def path_of(folder: Path, experiment: str, source: str) -> Path:
    """Return the file that holds the records of one experiment on one data source."""
    return folder / source / f"{experiment}.jsonl"


def read(folder: Path, experiment: str, source: str) -> list[Record | Failure]:
    """Read what the runs of one experiment left behind; nothing if there is no file.

    A last line without its end is a run that was cut off while it was written: it is left out,
    and the next `append` removes it. Raises `InputError` with file and line for any other damage.
    """
    path = path_of(folder, experiment, source)
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    records, lines = [], {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            kind = Failure if '"failed":' in line else Record
            record = kind.model_validate_json(line)
        except (InputError, ValidationError) as error:
            fault = error if isinstance(error, InputError) else explain("Record", error)
            raise InputError(
                f"{_short(path)}, line {number} is not a record ({str(fault).rstrip('.')}): "
                "move that line out of the file; its run is then trained again."
            ) from None
        if record.experiment != experiment or record.source != source.split("-before-")[0]:
            raise InputError(
                f"{_short(path)}, line {number} belongs to {record.experiment} on "
                f"{record.source}: move it to that experiment's file."
            )
        if record.recipe.hash != record.recipe_hash:
            raise InputError(
                f"{_short(path)}, line {number}: its recipe hash is {record.recipe_hash}, that of "
                f"its recipe {record.recipe.hash}: move that line out of the file."
            )
        first = lines.setdefault(record.key, number)
        if first == number:
            records.append(record)
        elif not _same_run(records[list(lines).index(record.key)], record):
            raise InputError(
                f"{_short(path)}, lines {first} and {number} are of one run and differ: move one "
                "of them out of the file."
            )
    return records


def append(folder: Path, record: Record | Failure) -> bool:
    """Add a record to its file; False if the run is there already, which then stays as it is."""
    path = path_of(folder, record.experiment, record.source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / record.source / ".lock"):
            if any(old.key == record.key for old in read(folder, record.experiment, record.source)):
                return False
            with open(path, "a+b") as file:
                _drop_torn_line(file)
                file.write(_line(record).encode())
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise _cannot_write(path, error) from error
    return True


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{_short(path)} cannot be written ({error.strerror or error}): free the disk or name "
        "another folder with --results; records written so far are kept."
    )


@contextlib.contextmanager
def alone(folder: Path, source: str, share: tuple[int, int]) -> Iterator[None]:
    """Wait until no other process trains the same `share` of runs into `folder`, and say so.

    Different shares of a folder that several machines see do not wait for each other.
    """
    place = folder / source
    with contextlib.ExitStack() as stack:
        try:
            place.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(place / f".training-{share[0]}-of-{share[1]}.lock")
            try:
                stack.enter_context(lock.acquire(timeout=0))
            except filelock.Timeout:
                print(
                    f"another process trains into {_short(place)}: waiting for its end, then what "
                    "is still missing is trained",
                    file=sys.stderr,
                    flush=True,
                )
                stack.enter_context(lock.acquire())
        except OSError as error:
            raise _cannot_write(place, error) from error
        yield


def move_aside(folder: Path, keys: set[tuple[str, str, int, str]], source: str) -> Path | None:
    """Move the records of the runs `keys` to a new folder beside that of `source`, and return it.

    Records of other runs stay where they are. None if there was nothing to move.
    """
    aside = folder / f"{source}-before-{datetime.datetime.now():%Y%m%d-%H%M%S-%f}"
    for experiment in sorted({key[0] for key in keys}):
        path = path_of(folder, experiment, source)
        if not path.exists():
            continue
        try:
            with filelock.FileLock(folder / source / ".lock"):
                found = read(folder, experiment, source)
                moved = [record for record in found if record.key in keys]
                kept = [record for record in found if record.key not in keys]
                if moved:
                    _write(path_of(folder, experiment, aside.name), moved)
                    _write(path, kept)
        except OSError as error:
            raise _cannot_write(path, error) from error
    return aside if aside.exists() else None


def _same_run(one: Record | Failure, other: Record | Failure) -> bool:
    """Say whether two records of one run tell the same; times and machines may differ."""
    if isinstance(one, Failure) or isinstance(other, Failure):
        return type(one) is type(other)
    return one.weights == other.weights


def _write(path: Path, records: list[Record | Failure]) -> None:
    """Replace `path` by a file of `records`, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    try:
        with open(new, "wb") as file:
            file.write("".join(map(_line, records)).encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def _line(record: Record | Failure) -> str:
    fields = record.model_dump(mode="json", exclude_none=True)
    return json.dumps(fields, separators=(",", ":")) + "\n"


def _drop_torn_line(file) -> None:
    """Cut what follows the last line end: a record that was never finished."""
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def _short(path: Path) -> str:
    return os.path.relpath(path)
