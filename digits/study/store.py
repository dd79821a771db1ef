"""Records on disk: one line of JSON per run, and the only mark that a run is done.

`results/<source>/<experiment id>.jsonl`, appended under a lock and forced to the disk. A run is
known by experiment, recipe hash, seed and source; a record that contradicts itself, or another
record of the same run, is refused with its file and line.
"""

import contextlib
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import filelock
from pydantic import ValidationError

from digits.core import InputError, explain
from digits.models.summary import summary_of
from digits.study.runs import Run
from digits.training.record import Diverged, Record

Key = tuple[str, str, int, str]
#: (i, n): the i-th of n parts of the wanted runs, from 1.
Shard = tuple[int, int]


@dataclass(frozen=True)
class RecordStore:
    """The records of one data source in a results folder."""

    folder: Path
    source: str

    def path_of(self, experiment: str) -> Path:
        """Return the file that holds the records of one experiment."""
        return self.folder / self.source / f"{experiment}.jsonl"

    def read(self, experiment: str) -> list[Record | Diverged]:
        """Read the records of one experiment; none if there is no file.

        A last line without its end is a run that was cut off while it was written: it is left
        out, and the next `append` removes it. Raises `InputError` with file and line for any
        other damage.
        """
        path = self.path_of(experiment)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError):
            return []
        records, lines = [], {}
        for number, line in enumerate(text.split("\n")[:-1], start=1):
            place = f"{_short(path)}, line {number}"
            record = _parse(line, place)
            if record.experiment != experiment or record.source != self.source.split("-before-")[0]:
                raise InputError(
                    f"{place} belongs to {record.experiment} on {record.source}: move it to that "
                    "experiment's file."
                )
            if record.recipe.hash != record.recipe_hash:
                raise InputError(
                    f"{place}: its recipe hash is {record.recipe_hash}, that of its recipe "
                    f"{record.recipe.hash}: move that line out of the file."
                )
            first = lines.setdefault(record.key, number)
            if first == number:
                records.append(record)
            elif not _same_run(records[list(lines).index(record.key)], record):
                raise InputError(
                    f"{_short(path)}, lines {first} and {number} are of one run and differ: move "
                    "one of them out of the file."
                )
        return records

    def of_runs(self, runs: Iterable[Run]) -> dict[Key, Record | Diverged]:
        """Return the records of `runs` that exist, by key.

        Raises `InputError` for a record that was made by another recipe of the same hash, or by a
        network of another size.
        """
        wanted = {run.key(self.source): run.experiment for run in runs}
        found = {}
        for experiment in {e.id: e for e in wanted.values()}.values():
            parameters = summary_of(experiment.build).parameters
            for record in self.read(experiment.id):
                if record.key not in wanted:
                    continue
                same = isinstance(record, Diverged) or record.parameters == parameters
                if record.recipe != experiment.recipe or not same:
                    raise InputError(
                        f"the record of {experiment.id} #{record.seed} in "
                        f"{_short(self.folder / self.source)} was made by another recipe or "
                        "network than this version has: run_all.py --fresh trains it again and "
                        "keeps the record aside."
                    )
                found[record.key] = record
        return found

    def append(self, record: Record | Diverged) -> bool:
        """Add a record to its file; False if the run is there already, which stays as it is."""
        path = self.path_of(record.experiment)
        with self._locked(path):
            if any(old.key == record.key for old in self.read(record.experiment)):
                return False
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a+b") as file:
                _drop_torn_line(file)
                file.write(_line(record).encode())
                file.flush()
                os.fsync(file.fileno())
        return True

    def move_aside(self, keys: set[Key]) -> Path | None:
        """Move the records of the runs `keys` to a new folder beside this one, and return it.

        Records of other runs stay where they are. None if there was nothing to move.
        """
        now = f"{datetime.datetime.now():%Y%m%d-%H%M%S-%f}"
        aside = RecordStore(self.folder, f"{self.source}-before-{now}")
        for experiment in sorted({key[0] for key in keys}):
            path = self.path_of(experiment)
            if not path.exists():
                continue
            with self._locked(path):
                found = self.read(experiment)
                moved = [record for record in found if record.key in keys]
                if moved:
                    _replace(aside.path_of(experiment), moved)
                    _replace(path, [record for record in found if record.key not in keys])
        folder = aside.folder / aside.source
        return folder if folder.exists() else None

    @contextlib.contextmanager
    def alone(self, shard: Shard) -> Iterator[None]:
        """Wait until no other process trains the same `shard` of runs here, and say so.

        Different shards of a folder that several machines see do not wait for each other.
        """
        place = self.folder / self.source
        with contextlib.ExitStack() as stack:
            try:
                place.mkdir(parents=True, exist_ok=True)
                lock = filelock.FileLock(place / f".training-{shard[0]}-of-{shard[1]}.lock")
                try:
                    stack.enter_context(lock.acquire(timeout=0))
                except filelock.Timeout:
                    print(
                        f"another process trains into {_short(place)}: waiting for its end, then "
                        "what is still missing is trained",
                        file=sys.stderr,
                        flush=True,
                    )
                    stack.enter_context(lock.acquire())
            except OSError as error:
                raise _cannot_write(place, error) from error
            yield

    @contextlib.contextmanager
    def _locked(self, path: Path) -> Iterator[None]:
        """Let no other process write records meanwhile; tell what cannot be written."""
        try:
            (self.folder / self.source).mkdir(parents=True, exist_ok=True)
            with filelock.FileLock(self.folder / self.source / ".lock"):
                yield
        except OSError as error:
            raise _cannot_write(path, error) from error


def check_writable(folder: Path) -> None:
    """Make `folder` if need be, and refuse one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(16_384))  # an empty file has room on a full disk
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}): name another folder with --results "
            "or --figures."
        ) from error


def _parse(line: str, place: str) -> Record | Diverged:
    try:
        kind = Diverged if '"failed":' in line else Record
        return kind.model_validate_json(line)
    except (InputError, ValidationError) as error:
        fault = error if isinstance(error, InputError) else explain("Record", error)
        raise InputError(
            f"{place} is not a record ({str(fault).rstrip('.')}): move that line out of the file; "
            "its run is then trained again."
        ) from None


def _cannot_write(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{_short(path)} cannot be written ({error.strerror or error}): free the disk or name "
        "another folder with --results; records written so far are kept."
    )


def _same_run(one: Record | Diverged, other: Record | Diverged) -> bool:
    """Say whether two records of one run tell the same; times and machines may differ."""
    if isinstance(one, Diverged) or isinstance(other, Diverged):
        return type(one) is type(other)
    return one.weights == other.weights


def _replace(path: Path, records: list[Record | Diverged]) -> None:
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


def _line(record: Record | Diverged) -> str:
    fields = record.model_dump(mode="json", exclude_none=True)
    return json.dumps(fields, separators=(",", ":")) + "\n"


def _drop_torn_line(file) -> None:
    """Cut what follows the last line end: a record that was never finished."""
    file.seek(0)
    file.truncate(file.read().rfind(b"\n") + 1)
    file.seek(0, os.SEEK_END)


def _short(path: Path) -> str:
    return os.path.relpath(path)
