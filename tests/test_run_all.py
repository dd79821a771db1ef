"""run_all.py as a person uses it: it trains, goes on, refuses bad input, and survives a kill."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

import run_all
from digits import core, notebooks, records
from digits.study import Study

RUN_ALL = core.ROOT / "run_all.py"


def call(*options, **kwargs):
    return subprocess.run(
        [sys.executable, RUN_ALL, *options], capture_output=True, text=True, **kwargs
    )


def test_train_only_trains_goes_on_and_says_when_nothing_is_left(capsys):
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--jobs", "2"]
    assert run_all.main([*options, "--seeds", "0"]) == 0
    assert "14 runs have no record" in capsys.readouterr().out
    assert run_all.main([*options, "--seeds", "0,1"]) == 0
    assert "14 runs have no record" in capsys.readouterr().out  # the new round alone
    assert run_all.main(options) == 0
    assert "nothing to train" in capsys.readouterr().out
    assert not core.figures_dir().exists()


def test_fresh_trains_again_and_keeps_what_was_there(capsys):
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--seeds", "0"]
    run_all.main(options)
    first = {f.name: f.read_text() for f in (core.results_dir() / "sample").rglob("*.jsonl")}
    assert run_all.main([*options, "--fresh"]) == 0
    assert "existing records were moved" in capsys.readouterr().out
    (aside,) = core.results_dir().glob("sample-before-*")
    assert {f.name: f.read_text() for f in aside.rglob("*.jsonl")} == first
    assert len(list((core.results_dir() / "sample").rglob("*.jsonl"))) == 14


def test_train_only_needs_no_jupyter_package():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('papermill', 'nbconvert', 'nbformat')));"
        "import run_all; sys.exit(run_all.main(['--profile', 'smoke', '--train-only', '--only',"
        "'05_zadoks', '--seeds', '0', '--jobs', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=core.ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr


def start(results, *options):
    """Start the training of one small family on two workers, in a process group of its own."""
    command = [sys.executable, RUN_ALL, "--profile", "smoke", "--train-only", "--jobs", "2"]
    return subprocess.Popen(
        [*command, "--only", "05_zadoks", "--results", results, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Tests that a shell runs in the background ignore interrupts, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def lines_in(folder):
    """Return every finished line, by file; the last may be torn."""
    return {file.name: file.read_bytes().split(b"\n")[:-1] for file in folder.rglob("*.jsonl")}


def content(folder):
    return {
        record.key: record.model_dump(exclude={"train_seconds", "seconds"})
        for run in Study(profile="smoke").runs("zadoks/*")
        for record in records.read(folder, run.experiment.id, "sample")
    }


def alive(group):
    """Say whether any process of the group is left."""
    return any(
        process.info["status"] != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) == group
        for process in psutil.process_iter(["status"])
        if psutil.pid_exists(process.pid)
    )


@pytest.mark.slow
def test_killed_at_twenty_moments_it_goes_on_to_the_same_records(tmp_path):
    undisturbed = tmp_path / "undisturbed"
    assert call(*start_options(undisturbed)).returncode == 0
    results, moments = tmp_path / "killed", random.Random(0)
    results.mkdir()
    for kill in range(20):
        before = lines_in(results)
        process = start(results)
        # Half of the kills come after a new record, so that training does go on.
        deadline = time.monotonic() + moments.uniform(0, 4)
        while process.poll() is None and (
            lines_in(results) == before if kill % 2 else time.monotonic() < deadline
        ):
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.2))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        after = lines_in(results)
        # Nothing that was written is lost or written again.
        assert all(after[name][: len(lines)] == lines for name, lines in before.items())
    assert call(*start_options(results)).returncode == 0
    found = content(results)
    assert found == content(undisturbed) and len(found) == 22
    assert sum(map(len, lines_in(results).values())) == 22
    kinds = {file.suffix for file in results.rglob("*") if file.is_file()}
    assert kinds <= {".jsonl", ".lock", ""}  # .lock itself has no suffix


def start_options(results):
    return ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--results", results]


@pytest.mark.slow
@pytest.mark.parametrize("to", ["all", "driver"])
def test_interrupted_it_ends_its_workers_and_says_how_to_go_on(tmp_path, to):
    process = start(tmp_path / "results")
    while not any(lines_in(tmp_path).values()):
        time.sleep(0.01)
        assert process.poll() is None
    # A terminal sends the signal to all of them, `kill -INT` to one.
    (os.killpg if to == "all" else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)  # it waits for no run in flight to end by itself
    assert process.returncode == 130
    done = sum(map(len, lines_in(tmp_path).values()))
    assert f"{done} of 22 runs were trained and recorded" in err
    assert "run_all.py: interrupted; what is recorded stays, the same command goes on" in err
    assert "Traceback" not in err
    while alive(process.pid):
        time.sleep(0.1)


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_driver(tmp_path):
    process = start(tmp_path / "results")
    while not any(lines_in(tmp_path).values()):
        time.sleep(0.01)
        assert process.poll() is None
    process.kill()
    process.communicate()
    for _ in range(600):
        if not alive(process.pid):
            return
        time.sleep(0.1)
    raise AssertionError("a worker process is left")


@pytest.mark.slow
def test_with_one_job_it_outlives_the_shell_that_started_it(tmp_path):
    script = '"$@" >/dev/null 2>&1 & until grep -rqs . "$0"; do sleep 0.1; done'
    command = [sys.executable, RUN_ALL, *start_options(tmp_path), "--jobs", "1"]
    subprocess.run(["sh", "-c", script, tmp_path / "sample", *command], check=True)
    deadline = time.monotonic() + 120
    while sum(map(len, lines_in(tmp_path).values())) < 22:
        assert time.monotonic() < deadline, "it ended with its shell"
        time.sleep(0.1)


@pytest.mark.slow
def test_killed_while_notebooks_run_it_leaves_no_process_and_goes_on(tmp_path, smoke_results):
    command = [sys.executable, RUN_ALL, "--profile", "smoke", "--results", smoke_results]
    command += ["--figures", tmp_path, "--only", "00_exploration", "--only", "05_zadoks"]
    driver = subprocess.Popen(
        [*command, "--jobs", "2"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    family, commands = [], ""
    while "ipykernel_launcher" not in commands:
        assert driver.poll() is None
        time.sleep(0.01)
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ended just now
            family = psutil.Process(driver.pid).children(recursive=True)
            commands = " ".join(word for member in family for word in member.cmdline())
    driver.kill()
    driver.wait()
    _, left = psutil.wait_procs(family, timeout=30)
    assert not left
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and "2 of 2 notebooks executed" in done.stdout, done.stderr


@pytest.mark.slow
def test_two_at_once_train_each_run_once(tmp_path):
    results = tmp_path / "results"
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--jobs", "1"]
    both = [
        subprocess.Popen(
            [sys.executable, RUN_ALL, *options, "--results", results],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    printed = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("waiting for its end" in err for _, err in printed) == 1
    lines = [line for f in results.rglob("*.jsonl") for line in f.read_text().splitlines()]
    assert len(lines) == 22
    assert len({json.loads(line)["weights"] for line in lines}) == 22


def test_a_run_that_diverged_is_told_again(capsys, monkeypatch):
    import digits.study as module

    original = module.select

    def select(*patterns):
        bad = original("zadoks/twinnet")[0]
        return [bad.model_copy(update={"recipe": bad.recipe.but(learning_rate=1e30)})]

    monkeypatch.setattr(module, "select", select)
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--seeds", "0"]
    assert run_all.main(options) == 1
    assert "failed: zadoks/twinnet #0 diverged in epoch 1" in capsys.readouterr().err
    assert run_all.main(options) == 0
    assert "1 of the runs have no result, the first: zadoks/twinnet #0" in capsys.readouterr().out


def test_a_notebook_with_other_parameters_is_refused(tmp_path, monkeypatch):
    source = json.loads((core.NOTEBOOKS / "05_zadoks.ipynb").read_text())
    for cell in source["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [line.replace("seeds", "seed") for line in cell["source"]]
    (tmp_path / "05_zadoks.ipynb").write_text(json.dumps(source))
    monkeypatch.setattr(core, "NOTEBOOKS", tmp_path)
    with pytest.raises(run_all.InputError, match="05_zadoks takes the parameters .*seed, source"):
        notebooks.check(["05_zadoks"])
    with pytest.raises(run_all.InputError, match="there is no notebook '06_other'"):
        notebooks.check(["06_other"])


def test_every_notebook_is_run():
    assert sorted(run_all.NOTEBOOKS) == sorted(p.stem for p in core.NOTEBOOKS.glob("*.ipynb"))
