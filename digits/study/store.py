"""Records on disk: one line of JSON per run, and the only mark that a run is done.

`results/<source>/<experiment id>.jsonl`, appended under a lock and forced to the disk. A run is
known by experiment, recipe hash, seed and source; a record that contradicts itself, or another
record of the same run, is refused with its file and line.
"""

import contextlib
import datetime
import errno
import functools
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import filelock

from digits import core
from digits.core import NEW, InputError, replacing, short
from digits.study.checks import fault_of
from digits.study.lines import Lines, content_of, is_there, line_of, parse, refusal
from digits.study.runs import Run
from digits.training.recipe import Recipe
from digits.training.record import Diverged, Provenance, Record

Key = tuple[str, str, int, str]
#: (i, n): the i-th of n parts of the wanted runs, from 1.
Shard = tuple[int, int]

#: What a record says of where it was made and how long that took, not of what came out.
OF_MACHINE = {*Provenance.model_fields, "train_seconds", "seconds"}


@dataclass
class Look:
    """What a store has seen of a file.

    identity: of the file, whatever its name. size, lines: of what was seen, up to the end of a
    line; tail: its last bytes; keys: of its records.
    """

    identity: tuple[int, int]
    size: int = 0
    lines: int = 0
    tail: bytes = b""
    keys: set[Key] = field(default_factory=set)

    def is_of(self, file: BinaryIO) -> bool:
        """Say whether `file` is the same, but for what may have been added."""
        status = os.fstat(file.fileno())
        file.seek(self.size - len(self.tail))
        same = file.read(len(self.tail)) == self.tail
        return same and self.identity == (status.st_dev, status.st_ino)


@dataclass(frozen=True)
class RecordStore:
    """The records of one data source in a results folder."""

    folder: Path
    source: str
    _looks: dict[Path, Look] = field(default_factory=dict, init=False, repr=False, compare=False)

    def path_of(self, experiment: str) -> Path:
        """Return the file that holds the records of one experiment."""
        return self.folder / self.source / f"{experiment}.jsonl"

    def read(self, experiment: str) -> list[Record | Diverged]:
        """Read the records of one experiment; none if there is no file.

        A last line that was cut off while it was written is left out, and the next `append`
        removes it. Raises `InputError` with file and line for any other damage, and with field and
        value for a record that cannot be true.
        """
        path = self.path_of(experiment)
        return [record for _, record in self._once(content_of(path), path, experiment)]

    def of_runs(self, runs: Iterable[Run]) -> dict[Key, Record | Diverged]:
        """Return the records of `runs` that exist, by key.

        Raises `InputError` for a record that was made by another recipe of the same hash or by a
        network of another size, or whose posteriors are of other images.
        """
        wanted = {run.key(self.source): run.experiment for run in runs}
        found = {}
        for experiment in {e.id: e for e in wanted.values()}.values():
            path = self.path_of(experiment.id)
            made_by = experiment.id, experiment.recipe, experiment.build
            for number, record, fault in self._judged(content_of(path), path, *made_by):
                if record.key not in wanted:
                    continue
                if fault:
                    raise refusal(path, number, fault)
                found[record.key] = record
        return found

    def append(self, record: Record | Diverged) -> bool:
        """Add a record to its file; False if the run is there already, which stays as it is.

        Of the file, what was added since this store's last look is read, or all of it if it is
        another file than then.
        """
        path = self.path_of(record.experiment)
        with self._locked(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            is_there(path)
            with open(path, "a+b") as file:
                look, last = self._look(file, path, record.experiment)
                if record.key in look.keys:
                    return False
                file.truncate(look.size + len(last))  # without a record that was never finished
                file.write((b"\n" if last else b"") + line_of(record))
                file.flush()
                os.fsync(file.fileno())
        return True

    def check_writable(self, runs: Iterable[Run]) -> None:
        """Refuse files of the records of `runs` that may not be written, before any is trained."""
        for experiment in {run.experiment.id for run in runs}:
            path = self.path_of(experiment)
            there = next(place for place in (path, *path.parents) if os.path.lexists(place))
            if not os.access(there, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                raise _cannot_write(path, PermissionError(errno.EACCES, "Permission denied"))

    def move_aside(self, keys: set[Key]) -> Path | None:
        """Move the records of the runs `keys` to a new folder beside this one, and return it.

        Records of other runs stay where they are. None if there was nothing to move.
        """
        now = f"{datetime.datetime.now():%Y%m%d-%H%M%S-%f}"
        aside = RecordStore(self.folder, f"{self.source}-before-{now}")
        for experiment in sorted({key[0] for key in keys}):
            path = self.path_of(experiment)
            if not is_there(path):
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
                        f"another process trains into {short(place)}: waiting for its end, then "
                        "what is still missing is trained",
                        file=sys.stderr,
                        flush=True,
                    )
                    stack.enter_context(lock.acquire())
            except OSError as error:
                raise _cannot_write(place, error) from error
            with self._locked(place):
                self._clear()
            yield

    def _clear(self) -> None:
        """Remove the files that a process was killed over before they were in their place."""
        for folder in (self.source, f"{self.source}-before-*"):
            for left in self.folder.glob(f"{folder}/**/*.jsonl{NEW}"):
                left.unlink(missing_ok=True)

    @functools.lru_cache(2048)  # noqa: B019 - a process reads the same bytes once
    def _once(
        self, data: bytes, path: Path, experiment: str
    ) -> list[tuple[int, Record | Diverged]]:
        """Return the records in the content of a file with the numbers of their lines."""
        found = {}
        for number, record in self._parse(data, path, experiment).records:
            first, other = found.setdefault(record.key, (number, record))
            if other is not record and not _same_run(other, record):
                raise InputError(
                    f"{short(path)}, lines {first} and {number} are of one run and differ: move "
                    "one of them out of the file."
                )
        return list(found.values())

    @functools.lru_cache(2048)  # noqa: B019 - nor are they judged twice
    def _judged(
        self, data: bytes, path: Path, experiment: str, recipe: Recipe, build: Callable
    ) -> list[tuple[int, Record | Diverged, InputError | None]]:
        """Return the records of one recipe, each with what speaks against it."""
        return [
            (number, record, fault_of(record, recipe, build))
            for number, record in self._once(data, path, experiment)
            if record.recipe_hash == recipe.hash
        ]

    def _parse(self, data: bytes, path: Path, experiment: str, first: int = 1) -> Lines:
        # Records that were moved aside lie in the folder of another name.
        return parse(data, path, experiment, self.source.split("-before-")[0], first)

    def _look(self, file: BinaryIO, path: Path, experiment: str) -> tuple[Look, bytes]:
        """Look at what was added to a file; also return a last record without the end of its line.

        Raises `InputError` for damage in it.
        """
        look = self._looks.get(path)
        if look is None or not look.is_of(file):
            status = os.fstat(file.fileno())
            look = self._looks[path] = Look((status.st_dev, status.st_ino))
        file.seek(look.size)
        data = file.read()
        added = self._parse(data, path, experiment, look.lines + 1)
        keys = {record.key for _, record in added.records}
        if len(keys | look.keys) < len(added.records) + len(look.keys):
            self.read(experiment)  # refuses two records of one run that differ
        end = data.rfind(b"\n", 0, added.size) + 1
        look.keys |= keys
        look.size += end
        look.lines += data.count(b"\n", 0, end)
        look.tail = (look.tail + data[:end])[-64:]
        return look, data[end : added.size]

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
        raise core.fault(error, folder, "written", "--results or --figures") from error


def _cannot_write(path: Path, error: OSError) -> InputError:
    told = str(core.fault(error, path, "written", "--results")).rstrip(".")
    return InputError(f"{told}; records written so far are kept.")


def _same_run(one: Record | Diverged, other: Record | Diverged) -> bool:
    """Say whether two records of one run tell the same; times and machines may differ."""
    if isinstance(one, Diverged) or isinstance(other, Diverged):
        return type(one) is type(other)
    return one.model_dump(exclude=OF_MACHINE) == other.model_dump(exclude=OF_MACHINE)


def _replace(path: Path, records: list[Record | Diverged]) -> None:
    """Replace `path` by a file of `records`, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, lasting=True, locked=True) as file:
        file.write(b"".join(map(line_of, records)))
