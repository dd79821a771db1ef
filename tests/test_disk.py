"""Disks that are full or read-only: what is recorded stays, one sentence says what to do."""

import contextlib
import subprocess
import sys

import pytest

import run_all
from digits import core, records
from digits.core import InputError
from digits.study import Study
from digits.training import train

resource = pytest.importorskip("resource")  # of Unix

RUN_ALL = core.ROOT / "run_all.py"
NAME = "zadoks/twinnet+ws+aux"
OPTIONS = "--profile smoke --only 05_zadoks --jobs 2"


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


@pytest.fixture(scope="module")
def record(sample, tiny_experiment):
    return train(tiny_experiment(NAME), 0, sample)


def test_a_record_that_does_not_fit_is_told_and_costs_no_other(tmp_path, record):
    records.append(tmp_path, record)
    path = records.path_of(tmp_path, NAME, "sample")
    one = path.stat().st_size
    told = pytest.raises(InputError, match="cannot be written .*free the disk")
    with told as fault, full_after(one + one // 2):
        records.append(tmp_path, other(record, 1))
    assert "\n" not in str(fault.value)
    assert path.stat().st_size > one  # a part of it was written
    assert records.read(tmp_path, NAME, "sample") == [record]
    assert records.append(tmp_path, other(record, 1))
    assert records.read(tmp_path, NAME, "sample") == [record, other(record, 1)]


def test_moving_records_aside_to_a_full_disk_moves_none(tmp_path, record):
    for seed in range(3):
        records.append(tmp_path, other(record, seed))
    path = records.path_of(tmp_path, NAME, "sample")
    before = path.read_bytes()
    told = pytest.raises(InputError, match="cannot be written")
    with told, full_after(len(before) // 2):
        records.move_aside(tmp_path, {other(record, seed).key for seed in range(3)}, "sample")
    assert path.read_bytes() == before
    assert not list(tmp_path.rglob("*.new"))


def test_a_file_where_the_folder_of_records_should_be_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("DIGITS_RESULTS", str(tmp_path / "file"))
    assert run_all.main(["--profile", "smoke", "--only", "05_zadoks", "--train-only"]) == 2
    error = capsys.readouterr().err.strip()
    assert "cannot be written" in error and "--results" in error and "\n" not in error


def in_own_mounts(script, *arguments, **kwargs):
    """Run a shell script that may mount file systems that nobody else sees."""
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *arguments],
        capture_output=True,
        text=True,
        **kwargs,
    )


def mounting_is_allowed(folder):
    try:
        return in_own_mounts('mount -t tmpfs tmpfs "$1"', str(folder)).returncode == 0
    except FileNotFoundError:
        return False


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounting_is_allowed(folder):
        pytest.skip("this machine lets no user mount a file system")
    return folder


def content(folder):
    return {
        record.key: record.model_dump(exclude={"train_seconds", "seconds"})
        for run in Study(profile="smoke").runs("zadoks/*")
        for record in records.read(folder, run.experiment.id, "sample")
    }


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_middle_of_a_study(disk, tmp_path, smoke_results):
    script = f"""
        disk=$1; copies=$2; run="$3 $4 {OPTIONS} --train-only --results $disk"
        mount -t tmpfs -o size=44k tmpfs $disk
        $run; echo "ended with $?"
        cp -r $disk $copies/full
        $run; echo "ended with $?"
        mount -o remount,size=4m $disk
        $run; echo "ended with $?"
        cp -r $disk $copies/after
    """
    done = in_own_mounts(script, str(disk), str(tmp_path), sys.executable, str(RUN_ALL))
    assert done.stdout.count("ended with 2") == 2 and "ended with 0" in done.stdout, done.stderr
    assert "Traceback" not in done.stderr
    middle, at_start = (line for line in done.stderr.splitlines() if "run_all.py:" in line)
    assert "jsonl cannot be written (No space left on device): free the disk" in middle
    assert "cannot be written (No space left on device)" in at_start  # before any training
    assert done.stdout.count("training on 2 workers") == 2
    full, after = content(tmp_path / "full"), content(tmp_path / "after")
    assert 1 <= len(full) < 22 and len(after) == 22
    wanted = content(smoke_results)
    assert all(wanted[key] == record for key, record in (full | after).items())


@pytest.mark.slow
def test_figures_on_a_full_disk(disk, tmp_path, smoke_results):
    script = f"""
        mount -t tmpfs -o size=150k tmpfs $1
        $2 $3 {OPTIONS} --results $4 --figures $1; echo "ended with $?"
    """
    done = in_own_mounts(script, str(disk), sys.executable, str(RUN_ALL), str(smoke_results))
    assert "nothing to train" in done.stdout
    assert "ended with 2" in done.stdout and "Traceback" not in done.stderr, done.stderr
    (sentence,) = (line for line in done.stderr.splitlines() if "run_all.py:" in line)
    assert "05_zadoks cannot be written to" in sentence and "--figures" in sentence


@pytest.mark.slow
def test_a_read_only_folder_of_records(disk, tmp_path, smoke_results):
    """It is enough for figures; what would have to be trained is told before it is."""
    script = f"""
        mount --bind $4 $1; mount -o remount,ro,bind $1
        $2 $3 {OPTIONS} --results $1 --figures $5; echo "ended with $?"
        $2 $3 {OPTIONS} --results $1 --figures $5 --seeds 7; echo "ended with $?"
        $2 $3 {OPTIONS} --results $1 --figures $5 --fresh; echo "ended with $?"
    """
    before = content(smoke_results)
    arguments = [str(disk), sys.executable, str(RUN_ALL), str(smoke_results), str(tmp_path / "f")]
    done = in_own_mounts(script, *arguments)
    assert "nothing to train" in done.stdout and "1 of 1 notebooks executed" in done.stdout
    assert done.stdout.count("ended with 0") == 1, done.stderr
    assert done.stdout.count("ended with 2") == 2
    assert done.stderr.count("cannot be written (Read-only file system)") == 2
    assert "training on" not in done.stdout and "Traceback" not in done.stderr
    assert content(smoke_results) == before
