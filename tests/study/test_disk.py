"""Disks that are full or read-only: what is recorded stays, one sentence says what to do."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest

import run_all
from digits.core import InputError
from digits.study.store import RecordStore
from digits.study.study import Study

resource = pytest.importorskip("resource")  # of Unix

NAME = "zadoks/twinnet+ws+aux"
FEW = "zadoks/*@[np]*"  # eight networks, in twelve runs
OPTIONS = ["--profile", "smoke", "--experiments", FEW, "--train-only", "--jobs", "1"]
FULL = "cannot be written (No space left on device)"


def other(record, seed):
    return record.model_copy(update={"seed": seed})


@contextlib.contextmanager
def full_after(size):
    """Let no file of this process grow beyond a size in bytes, the tests' own output included."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_record_that_does_not_fit_is_told_and_costs_no_other(tmp_path, record):
    store = RecordStore(tmp_path, "sample")
    store.append(record)
    path = store.path_of(NAME)
    one = path.stat().st_size
    told = pytest.raises(InputError, match="cannot be written .*free the disk")
    with told as fault, full_after(one + one // 2):
        store.append(other(record, 1))
    assert "\n" not in str(fault.value)
    assert path.stat().st_size > one  # a part of it was written
    assert store.read(NAME) == [record]
    assert store.append(other(record, 1))
    assert store.read(NAME) == [record, other(record, 1)]


def test_moving_records_aside_to_a_full_disk_moves_none(tmp_path, record):
    store = RecordStore(tmp_path, "sample")
    for seed in range(3):
        store.append(other(record, seed))
    path = store.path_of(NAME)
    before = path.read_bytes()
    told = pytest.raises(InputError, match="cannot be written")
    with told, full_after(len(before) // 2):
        store.move_aside({other(record, seed).key for seed in range(3)})
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.new"))


class Disk:
    """A shell that may mount file systems which nobody else sees, and what it has mounted."""

    def __init__(self, folder):
        folder.mkdir()
        self.shell = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "sh"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.own = folder
        self.folder = Path(f"/proc/{self.shell.pid}/root{folder.resolve()}")

    def mount(self, arguments):
        """Mount something there; say whether that is allowed."""
        try:
            # Nothing stays in a buffer, which would fail once more as the shell is closed.
            os.write(
                self.shell.stdin.fileno(), f"mount {arguments} '{self.own}'; echo $?\n".encode()
            )
            return self.shell.stdout.readline().strip() == "0"
        except BrokenPipeError:
            return False


@pytest.fixture
def disk(tmp_path):
    try:
        disk = Disk(tmp_path / "disk")
    except FileNotFoundError:
        pytest.skip("this machine has no unshare")
    with disk.shell:
        if not disk.mount("-t tmpfs -o size=28k tmpfs"):
            pytest.skip("this machine lets no user mount a file system")
        yield disk


def content(folder, runs):
    store = RecordStore(folder, "sample")
    return {
        record.key: record.model_dump(exclude={"train_seconds", "seconds", "commit"})
        for run in runs
        for record in store.read(run.experiment.id)
    }


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_middle_of_a_study(
    disk, tmp_path, monkeypatch, capsys, train_record
):
    monkeypatch.setenv("DIGITS_RESULTS", str(disk.folder))
    options, runs = [*OPTIONS, "--seeds", "0"], Study(profile="smoke", seeds=(0,)).runs(FEW)
    assert run_all.main(options) == 2
    middle = capsys.readouterr()
    assert "training on 1 worker" in middle.out
    (sentence,) = (line for line in middle.err.splitlines() if "run_all.py:" in line)
    assert f".jsonl {FULL}: free the disk" in sentence and "Traceback" not in middle.err
    full = content(disk.folder, runs)
    assert 1 <= len(full) < 8

    assert run_all.main(options) == 2
    at_start = capsys.readouterr()
    assert FULL in at_start.err and "training on" not in at_start.out  # before any training
    assert content(disk.folder, runs) == full

    assert disk.mount("-o remount,size=4m")
    assert run_all.main(options) == 0
    after = content(disk.folder, runs)
    here = RecordStore(tmp_path / "here", "sample")
    for run in runs:
        here.append(train_record(run.experiment))
    assert after == content(here.folder, runs) and len(after) == 8
    assert all(after[key] == record for key, record in full.items())


@pytest.mark.slow
def test_a_read_only_folder_of_records(disk, monkeypatch, capsys, smoke_results):
    """It is enough for tables; what would have to be trained is told before it is."""
    assert disk.mount("-o remount,size=4m")
    shutil.copytree(smoke_results / "sample" / "zadoks", disk.folder / "sample" / "zadoks")
    assert disk.mount("-o remount,ro")
    monkeypatch.setenv("DIGITS_RESULTS", str(disk.folder))
    study = Study(profile="smoke")
    before = content(disk.folder, study.runs(FEW))
    assert run_all.main(OPTIONS) == 0
    assert "nothing to train" in capsys.readouterr().out
    assert len(study.table(FEW)) == 12
    for more in (["--seeds", "7"], ["--fresh"]):
        assert run_all.main([*OPTIONS, *more]) == 2
        printed = capsys.readouterr()
        assert "cannot be written (Read-only file system)" in printed.err
        assert "training on" not in printed.out
    assert content(disk.folder, study.runs(FEW)) == before


@pytest.mark.slow
def test_figures_on_a_full_disk(disk, monkeypatch, capsys, own_notebooks):
    monkeypatch.setenv("DIGITS_FIGURES", str(disk.folder))
    own_notebooks(large=["print('x' * 100_000)"])
    assert run_all.main(["--profile", "smoke", "--jobs", "1"]) == 2
    printed = capsys.readouterr()
    assert "nothing to train" in printed.out and "Traceback" not in printed.err
    (sentence,) = (line for line in printed.err.splitlines() if "run_all.py:" in line)
    assert "large cannot be written to" in sentence and "--figures" in sentence
