"""run_all.py as a person uses it: it trains, goes on, refuses bad input, and survives kills."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import run_all
from digits import core
from digits.experiments.registry import select
from digits.study import study as module
from digits.study.store import RecordStore
from digits.study.study import Study

RUN_ALL = core.ROOT / "run_all.py"
#: A few small networks: Zadoks' by his code, and those without dropout or batch norm.
FEW = "zadoks/*@[np]*"
OPTIONS = ["--profile", "smoke", "--train-only", "--experiments", FEW]
RUNS = 8  # in one round


def test_train_only_trains_goes_on_and_says_when_nothing_is_left(capsys):
    options = [*OPTIONS, "--jobs", "1"]
    assert run_all.main([*options, "--seeds", "0"]) == 0
    assert "8 runs have no record" in capsys.readouterr().out
    assert run_all.main([*options, "--seeds", "0,1"]) == 0
    assert "8 runs have no record" in capsys.readouterr().out  # the new round alone
    assert run_all.main(options) == 0
    assert "nothing to train" in capsys.readouterr().out
    assert not core.figures_dir().exists()


def test_fresh_trains_again_and_keeps_what_was_there(capsys, smoke_results):
    options = [*OPTIONS, "--seeds", "0", "--jobs", "1"]
    results = core.results_dir()
    shutil.copytree(smoke_results / "sample" / "zadoks", results / "sample" / "zadoks")
    first = {run: lines_of(run) for run in Study(profile="smoke").runs(FEW)}
    assert run_all.main([*options, "--fresh"]) == 0
    printed = capsys.readouterr().out
    assert "existing records were moved" in printed and "8 runs have no record" in printed
    (folder,) = results.glob("sample-before-*")
    aside = RecordStore(results, folder.name)
    for run, (before, *_) in first.items():
        if run.seed == 0:
            assert aside.read(run.experiment.id) == [before]
            assert [record.seed for record in lines_of(run)][-1] == 0  # trained again, at the end
        else:
            assert any(record.seed == run.seed for record in lines_of(run))  # not asked for: stays
    assert len(list(aside.folder.glob(f"{folder.name}/zadoks/*.jsonl"))) == RUNS


def lines_of(run):
    return Study(profile="smoke").store.read(run.experiment.id)


def test_train_only_needs_no_jupyter_package(smoke_results):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('papermill', 'nbconvert', 'nbformat')));"
        f"import run_all; sys.exit(run_all.main({OPTIONS}))"
    )
    environment = os.environ | {"DIGITS_RESULTS": str(smoke_results)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=core.ROOT, env=environment, capture_output=True
    )
    assert done.returncode == 0, done.stderr


def start(results, *options):
    """Start the training of one small family, in a process group of its own."""
    command = [sys.executable, RUN_ALL, *OPTIONS, "--seeds", "0", "--results", results, *options]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that a shell runs in the background ignore interrupts, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def lines_in(folder):
    """Return every finished line, by file; a file begun a moment ago has none and is left out."""
    lines = {file.name: file.read_bytes().split(b"\n")[:-1] for file in folder.rglob("*.jsonl")}
    return {name: found for name, found in lines.items() if found}


def wait_for_a_new_record(results, process):
    before = lines_in(results)
    while lines_in(results) == before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)


def workers_of(process):
    """Return the worker processes of a driver, without the helpers that loky starts beside."""
    children = psutil.Process(process.pid).children()
    return [child for child in children if "popen_loky" in " ".join(child.cmdline())]


def runs_on(pid):
    """Say whether a process is there and no zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def group_of(pid):
    with contextlib.suppress(ProcessLookupError):
        return os.getpgid(pid)


def alive(group):
    """Say whether any process of the group is left."""
    return any(group_of(pid) == group and runs_on(pid) for pid in psutil.pids())


def ends_by_itself(group, seconds=60):
    deadline = time.monotonic() + seconds
    while alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(group)


def kill(process):
    with contextlib.suppress(ProcessLookupError):  # it has come to its end
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def content(folder):
    store = RecordStore(folder, "sample")
    return {
        record.key: record.model_dump(exclude={"train_seconds", "seconds", "commit"})
        for run in Study(profile="smoke", seeds=(0,)).runs(FEW)
        for record in store.read(run.experiment.id)
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, train_record):
    """The content of the records without any disturbance."""
    store = RecordStore(tmp_path_factory.mktemp("undisturbed"), "sample")
    for run in Study(profile="smoke", seeds=(0,)).runs(FEW):
        store.append(train_record(run.experiment, run.seed))
    return content(store.folder)


def assert_each_run_is_there_once(results, undisturbed):
    assert content(results) == undisturbed
    assert sum(map(len, lines_in(results).values())) == len(undisturbed) == RUNS
    kinds = {file.suffix for file in results.rglob("*") if file.is_file()}
    assert kinds <= {".jsonl", ".lock", ""}  # .lock itself has no suffix


@pytest.mark.slow
def test_killed_three_times_it_goes_on_to_the_same_records(tmp_path, undisturbed):
    results, kept = tmp_path / "results", []

    def nothing_is_lost_or_written_again():
        kept.append(lines_in(results))
        return all(kept[-1][name][: len(old)] == old for name, old in kept[-2].items())

    kept.append(lines_in(results))
    process = start(results, "--jobs", "1")
    time.sleep(random.Random(0).uniform(0, 2))  # while it begins
    kill(process)
    assert nothing_is_lost_or_written_again()

    process = start(results, "--jobs", "1")
    wait_for_a_new_record(results, process)
    kill(process)
    assert nothing_is_lost_or_written_again()

    process = start(results, "--jobs", "2")
    wait_for_a_new_record(results, process)
    process.kill()  # the driver alone: its workers end by themselves
    process.communicate()
    assert ends_by_itself(process.pid)
    assert nothing_is_lost_or_written_again() and 2 <= len(kept[-1]) < RUNS

    # Two at once, one of them started by a shell that ends; each run is trained once.
    command = [sys.executable, str(RUN_ALL), *OPTIONS, "--seeds", "0", "--jobs", "1"]
    shell = 'log=$1; shift; "$@" >"$log" 2>&1 & echo $!'
    log = tmp_path / "log"
    of_shell = subprocess.run(
        ["sh", "-c", shell, "sh", log, *command, "--results", results],
        capture_output=True,
        text=True,
        check=True,
    )
    other = start(results, "--jobs", "1")
    _, err = other.communicate(timeout=300)
    first = int(of_shell.stdout)
    while runs_on(first):
        time.sleep(0.05)
    assert other.returncode == 0 and ", 0 failed" in log.read_text()
    assert (err + log.read_text()).count("waiting for its end") == 1
    assert_each_run_is_there_once(results, undisturbed)


@pytest.mark.weekly
def test_killed_at_twenty_moments_it_goes_on_to_the_same_records(tmp_path, undisturbed):
    results, moments = tmp_path / "killed", random.Random(0)
    results.mkdir()
    for number in range(20):
        before = lines_in(results)
        process = start(results, "--jobs", "2")
        # Half of the kills come after a new record, so that training does go on.
        deadline = time.monotonic() + moments.uniform(0, 4)
        while process.poll() is None and (
            lines_in(results) == before if number % 2 else time.monotonic() < deadline
        ):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.2))
        kill(process)
        after = lines_in(results)
        assert all(after[name][: len(lines)] == lines for name, lines in before.items())
    process = start(results, "--jobs", "2")
    process.communicate()
    assert process.returncode == 0
    assert_each_run_is_there_once(results, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "number"),
    [
        ("all", signal.SIGINT),
        pytest.param("driver", signal.SIGINT, marks=pytest.mark.weekly),
        pytest.param("all", signal.SIGTERM, marks=pytest.mark.weekly),
        pytest.param("driver", signal.SIGHUP, marks=pytest.mark.weekly),
    ],
)
def test_a_killed_worker_costs_only_time_and_an_interrupt_ends_the_others(tmp_path, to, number):
    process = start(tmp_path / "results", "--jobs", "1")
    wait_for_a_new_record(tmp_path, process)
    (worker,) = workers_of(process)
    worker.kill()
    wait_for_a_new_record(tmp_path, process)  # by the next worker
    # A terminal sends the signal to all of them, `kill -INT` to one.
    (os.killpg if to == "all" else os.kill)(process.pid, number)
    _, err = process.communicate(timeout=60)  # it waits for no run in flight to end by itself
    assert process.returncode == 128 + number
    done = sum(map(len, lines_in(tmp_path).values()))
    assert f"{done} of {RUNS} runs were trained and recorded" in err
    assert "run_all.py: interrupted; what is recorded stays, the same command goes on" in err
    assert "Traceback" not in err, err
    assert ends_by_itself(process.pid)


DRIVER = """
import os, sys
from pathlib import Path
import run_all
from digits import core

core.NOTEBOOKS = Path({folder!r})
sys.exit(run_all.main(["--profile", "smoke", "--jobs", "1"]))
"""


@pytest.mark.slow
def test_killed_while_a_notebook_runs_it_leaves_no_process_and_goes_on(
    tmp_path, own_notebooks, capsys
):
    code = (
        "import os, time\n"
        f"path = {str(tmp_path / 'begun')!r}\n"
        "again = os.path.exists(path)\n"
        "open(path, 'w').close()\n"
        "time.sleep(0 if again else 600)"
    )
    folder = own_notebooks(long=[code])
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER.format(folder=str(folder))],
        cwd=core.ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not (tmp_path / "begun").exists():
        assert driver.poll() is None
        time.sleep(0.01)
    family = psutil.Process(driver.pid).children(recursive=True)
    server = [p for p in family if "multiprocessing.forkserver" in " ".join(p.cmdline())]
    assert len(server) == 2 and server[1].ppid() == server[0].pid  # and the kernel, a fork of it
    driver.kill()
    driver.wait()
    _, left = psutil.wait_procs(family, timeout=30)
    assert not any(runs_on(process.pid) for process in left)
    assert run_all.main(["--profile", "smoke", "--jobs", "1"]) == 0
    assert "1 of 1 notebooks executed" in capsys.readouterr().out


def test_a_run_that_diverged_is_told_again(capsys, monkeypatch):
    def select_one(*patterns):
        (bad,) = select("zadoks/twinnet")
        return [bad.model_copy(update={"recipe": bad.recipe.but(learning_rate=1e30)})]

    monkeypatch.setattr(module, "select", select_one)
    options = [*OPTIONS, "--seeds", "0", "--jobs", "1"]
    assert run_all.main(options) == 1
    assert "failed: zadoks/twinnet #0 diverged in epoch 1" in capsys.readouterr().err
    assert run_all.main(options) == 0
    assert "1 of the runs have no result, the first: zadoks/twinnet #0" in capsys.readouterr().out


@pytest.fixture
def instead_of_training(monkeypatch):
    """Return a function that sets what happens where runs would be trained."""
    return lambda act: monkeypatch.setattr(Study, "train_missing", lambda *_, **__: act())


def raised(number):
    os.kill(os.getpid(), number)
    time.sleep(5)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_told_with_the_right_advice_and_a_second_cuts_nothing_off(
    number, instead_of_training, capsys, request
):
    def twice():
        try:
            raised(number)
        finally:
            raised_again = [os.kill(os.getpid(), other) for other in run_all.STOPPING]
            assert len(raised_again) == 3

    # Whoever started the tests in the background may have had signals ignored.
    usual = {signal.SIGINT: signal.default_int_handler}
    before = [signal.signal(s, usual.get(s, signal.SIG_DFL)) for s in run_all.STOPPING]
    request.addfinalizer(lambda: list(map(signal.signal, run_all.STOPPING, before)))
    now = [signal.getsignal(other) for other in run_all.STOPPING]
    instead_of_training(twice)
    assert run_all.main(OPTIONS) == 128 + number
    err = capsys.readouterr().err
    assert "0 of 12 runs were trained and recorded" in err
    assert err.endswith(
        "interrupted; what is recorded stays, the same command goes on from there.\n"
    )
    assert [signal.getsignal(other) for other in run_all.STOPPING] == now


def test_an_ignored_signal_stays_ignored(instead_of_training, capsys):
    def hang_up():
        os.kill(os.getpid(), signal.SIGHUP)
        return []

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        instead_of_training(hang_up)
        run_all.main(OPTIONS)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert "interrupted" not in capsys.readouterr().err


@pytest.mark.parametrize("when", ["during", "after"])
def test_interrupted_with_fresh_the_advice_is_what_goes_on(when, monkeypatch, capsys, tmp_path):
    def moved(*_, **__):
        if when == "during":
            raise KeyboardInterrupt
        return tmp_path

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Study, "move_aside", moved)
    monkeypatch.setattr(Study, "train_missing", interrupt)
    assert run_all.main([*OPTIONS, "--fresh"]) == 130
    again = "the same command without --fresh" if when == "after" else "the same command"
    assert f"what is recorded stays, {again} goes on" in capsys.readouterr().err


def _imports(process):
    """Say whether a process has begun to load torch, which takes most of the time."""
    maps = Path("/proc", str(process.pid), "maps")
    return not maps.exists() or "libtorch" in maps.read_text()


def test_an_interrupt_while_it_imports_ends_quietly():
    process = subprocess.Popen(
        [sys.executable, RUN_ALL, "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not _imports(process):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_records_that_vanish_while_others_are_trained_are_told(instead_of_training, capsys):
    instead_of_training(list)
    assert run_all.main(OPTIONS) == 1
    printed = capsys.readouterr()
    assert "12 runs were trained, but their records are no longer in" in printed.err


def test_the_workers_are_told_as_many_as_start(instead_of_training, capsys):
    instead_of_training(list)
    run_all.main([*OPTIONS, "--seeds", "0", "--jobs", "99999999999"])
    assert f"training on {RUNS} workers" in capsys.readouterr().out


def test_without_a_home_there_is_a_temporary_one(monkeypatch, instead_of_training):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(run_all.Path, "home", homeless)
    monkeypatch.setenv("HOME", "")
    instead_of_training(list)
    run_all.main(OPTIONS)
    assert os.path.isdir(os.environ["HOME"])
