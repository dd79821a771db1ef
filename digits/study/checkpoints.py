"""Checkpoints of long runs, beside their records: where a run that was cut short goes on.

`results/<source>/<experiment id>.<recipe hash>.<seed>.checkpoint`, written in one step and read
without unpickling code. It is no record, and whoever writes the record of its run removes it; on
another machine, without a common folder, it stays.
"""

import contextlib
import copy
import functools
import hashlib
import io
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from digits.core import replacing, short
from digits.data.sources import Digits
from digits.study.runs import Run, provenance_of
from digits.training.checkpoint import Checkpoint, Progress

#: Seconds from one checkpoint to the next; shorter runs have none.
EVERY = 300
SUFFIX = ".checkpoint"
#: Of the provenance of a run, what the bits of its weights depend on.
SAME = ("experiment", "recipe_hash", "seed", "source", "source_checksum", "device", "precision")
SAME += ("processor", "versions")
#: The parts of this package that they depend on as well.
CODE = ("data", "models", "training", "experiments")


def path_of(folder: Path, run: Run, source: str) -> Path:
    """Return the file of the checkpoint of a run; folder: of the records of all sources."""
    experiment = run.experiment
    name = f"{experiment.id}.{experiment.recipe.hash}.{run.seed}{SUFFIX}"
    return folder / source / name


def of_run(folder: Path, run: Run, digits: Digits) -> Checkpoint:
    """Return the checkpoint of a run; see `path_of`."""
    return Beside(path_of(folder, run, digits.source), made_by(run, digits))


def made_by(run: Run, digits: Digits) -> dict[str, Any]:
    """Return all that the bits of a run depend on: where that is the same, they are."""
    provenance = provenance_of(run, digits)
    return {name: provenance[name] for name in SAME} | {"code": code_checksum()}


@functools.cache
def code_checksum() -> str:
    """Return the checksum of the code that trains, whatever else was changed or committed.

    And of `chosen.json`: a step of the ablation that is not kept changes the networks after it.
    """
    checksum, package = hashlib.sha256(), Path(__file__).parent.parent
    files = (file for part in CODE for file in (package / part).glob("*.*"))
    for file in sorted(file for file in files if file.suffix in (".py", ".json")):
        checksum.update(file.read_bytes())
    return checksum.hexdigest()[:16]


code_checksum()  # of the code that is imported, whatever happens to its files later


def remove(folder: Path, runs: Iterable[Run], source: str) -> None:
    """Remove the checkpoints of runs that have a record, if there are any; see `path_of`."""
    done = {path_of(folder, run, source) for run in runs}
    for left in (folder / source).rglob(f"*{SUFFIX}*"):
        name = left.name.partition(SUFFIX)[0] + SUFFIX  # also of one that was never finished
        if left.with_name(name) in done:
            with contextlib.suppress(OSError):  # it costs no more than its room
                left.unlink(missing_ok=True)


def save(content: dict[str, Any], path: Path, lasting: bool = False) -> None:
    """Write tensors and what belongs to them in one step (see `core.replacing`).

    Raises `OSError`; writing to the file itself, `torch.save` would make a `RuntimeError` of it.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with replacing(path, lasting) as file:
        file.write(buffer.getbuffer())


def load(path: Path) -> Any:
    """Return what `save` wrote, on the processor; some exception if the file is damaged.

    Torch itself does not look at the checksums of its files.
    """
    with zipfile.ZipFile(path) as file:
        if damaged := file.testzip():
            raise ValueError(f"{damaged} is damaged")
    return torch.load(path, map_location="cpu", weights_only=True)


class Beside(Checkpoint):
    """The checkpoint of a run beside its record.

    path: of its file. run: what `made_by` says of the run. A file that is damaged, or of a run that
    would not give the same bits, costs a sentence and the time since the start.
    """

    def __init__(self, path: Path, run: dict[str, Any]):
        self.path, self._run = path, run
        self._parts: dict[str, Any] = {}
        self._start = self._last = time.monotonic()
        if path.is_file():
            self._read()

    def of(self, part: str) -> dict[str, Any] | None:
        """Return the state that was kept of a training, None if there is none."""
        return self._parts.get(part)

    def keep(self, part: str, progress: Progress, done: bool) -> None:
        """Keep the state of a training that is `done`, or if the last time is long ago."""
        due = time.monotonic() - self._last >= EVERY
        if done:  # what follows changes the network, as scoring in training mode does
            self._parts[part] = copy.deepcopy(progress.state())
        elif due:
            self._parts[part] = progress.state()
        if due:
            self._write()

    def _read(self) -> None:
        try:
            content = load(self.path)
            run, parts, spent = content["run"], content["parts"], float(content["spent"])
        except Exception:  # whatever a damaged file makes torch raise
            self._tell("is damaged")
            return
        differ = [name for name, own in self._run.items() if run.get(name) != own]
        if differ:
            self._tell(f"is of another {differ[0].replace('_', ' ')}")
        else:
            self._parts, self.spent = parts, spent

    def _write(self) -> None:
        spent = self.spent + time.monotonic() - self._start
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            content = {"run": self._run, "parts": self._parts, "spent": spent}
            save(content, self.path, lasting=True)
        except OSError as error:
            print(
                f"{short(self.path)} cannot be written ({error.strerror}): the run goes on without",
                file=sys.stderr,
            )
        self._last = time.monotonic()

    def _tell(self, fault: str) -> None:
        print(f"{short(self.path)} {fault}: the run starts from its beginning", file=sys.stderr)
