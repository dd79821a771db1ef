"""Folders, faults of files, and streams: what a machine lacks is named, or does no harm."""

import errno
import os
import shutil
import stat
import subprocess
import sys

import pytest

from digits import core


def test_an_empty_variable_is_an_unset_one_and_a_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DIGITS_RESULTS", "")
    assert core.results_dir() == core.ROOT / "results"
    monkeypatch.setenv("DIGITS_RESULTS", "~/r")
    monkeypatch.setenv("DIGITS_DATA", "~/d")
    assert (core.results_dir(), core.data_dir()) == (tmp_path / "r", tmp_path / "d")


def test_installed_without_a_checkout_the_current_folder_is_used(tmp_path):
    package, here = tmp_path / "site" / "digits", tmp_path / "here"
    package.mkdir(parents=True)
    here.mkdir()
    for name in ("__init__.py", "core.py"):
        shutil.copy(core.ROOT / "digits" / name, package)
    code = "from digits import core; print(core.results_dir().absolute(), core.__file__)"
    environment = {k: v for k, v in os.environ.items() if k != "DIGITS_RESULTS"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=here,
        env=environment | {"PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [str(here / "results"), str(package / "core.py")], done.stderr


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (errno.ENOSPC, "free the disk or name another folder with --results"),
        (errno.EACCES, "change its permissions or name another folder"),
        (errno.EISDIR, "move it away or name another folder"),
        (errno.ENOENT, "check its name or name another folder"),
        (errno.EMFILE, "raise the limit of open files (ulimit -n) or use fewer --jobs"),
        (errno.EAGAIN, "raise the limit of processes (ulimit -u) or use fewer --jobs"),
    ],
)
def test_a_fault_of_a_file_names_it_its_true_cause_and_the_way_out(number, says, monkeypatch):
    monkeypatch.chdir("/")
    cause = os.strerror(number)
    told = str(core.fault(OSError(number, cause, "/a/file")))
    assert told.startswith(f"a/file cannot be used ({cause}): {says}") and told.endswith(".")
    assert "\n" not in str(core.fault(OSError(number, cause, "/a/two\nlines")))
    assert "a file or a process cannot be used" in str(core.fault(OSError(number, cause)))


def test_what_is_no_fault_of_a_file_is_raised_again():
    with pytest.raises(ConnectionRefusedError):
        core.fault(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))


def test_what_cannot_be_a_folder_is_named_with_its_true_cause(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "linked").symlink_to(tmp_path)
    for place in ("file", "file/a/b"):
        assert core.obstacle(tmp_path / place) == "file is a file"
    for link in ("dangling", "loop"):
        assert core.obstacle(tmp_path / link / "a") == f"{link} is a link that leads nowhere"
    assert core.obstacle(tmp_path / "caf\udce9") == r"'caf\udce9' is not valid text"
    for place in ("", "new", "new/er", "linked/new", "a" * 300):
        assert core.obstacle(tmp_path / place) == ""


def test_a_path_is_told_in_one_line_wherever_it_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert core.short(tmp_path / "a" / "b c") == os.path.join("a", "b c")
    assert core.short(tmp_path / "two\nlines") == r"'two\nlines'"

    def other_drive(path):
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    monkeypatch.setattr(os.path, "relpath", other_drive)
    assert core.short(tmp_path / "a") == str(tmp_path / "a")


def test_a_file_is_written_in_one_step_or_stays_as_it_was(tmp_path, monkeypatch):
    file = tmp_path / "page.html"
    core.write(file, "old ≤")
    assert file.read_text(encoding="utf-8") == "old ≤"
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o666 & ~mask
    with pytest.raises(UnicodeEncodeError):
        core.write(file, "new \udce9")
    assert file.read_text(encoding="utf-8") == "old ≤"

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        core.write(file, "new")
    assert file.read_text(encoding="utf-8") == "old ≤"
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture
def closed_pipe():
    """A text stream to a pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w", encoding="ascii") as stream:
        yield stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_output_that_nobody_reads_any_more_stops_nothing(closed_pipe, monkeypatch):
    monkeypatch.setattr(sys, "stdout", closed_pipe)
    with core.lasting_streams():
        for _ in range(3):
            print("≤" * 100_000, flush=True)  # which has no letter in ASCII either
    assert sys.stdout is closed_pipe


def test_streams_that_are_closed_are_replaced_for_the_time(monkeypatch, capfd):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with core.lasting_streams():
        print("out")
        print("err", file=sys.stderr)
    assert sys.stdout is sys.stderr is None
    assert capfd.readouterr() == ("out\n", "err\n")  # whoever holds their descriptors


def test_a_full_disk_below_a_stream_is_told_once(monkeypatch):
    if not os.path.exists("/dev/full"):
        pytest.skip("this machine has no /dev/full")
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with core.lasting_streams(), pytest.raises(OSError, match="No space left"):
            print("text", flush=True)


@pytest.mark.parametrize(
    "command", ["-m digits | true", pytest.param("-m digits >&- 2>&-", marks=pytest.mark.weekly)]
)
def test_a_command_whose_output_nobody_reads_ends_quietly(command):
    script = f"set -o pipefail; '{sys.executable}' {command}"
    env = os.environ | {"LC_ALL": "C"}  # bash warns of a locale that is not there
    done = subprocess.run(
        ["bash", "-c", script], cwd=core.ROOT, env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_letter_that_the_terminal_lacks_is_replaced():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from digits import core\nwith core.lasting_streams(): print('a ≤ b')",
        ],
        cwd=core.ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "a ? b")
