"""run_all.py as a person uses it: it trains, goes on, refuses bad input, and survives a kill."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import run_all
from digits import notebooks, paths, records
from digits.study import Study

RUN_ALL = paths.ROOT / "run_all.py"


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
    assert not paths.figures_dir().exists()


def test_fresh_trains_again_and_keeps_what_was_there(capsys):
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--seeds", "0"]
    run_all.main(options)
    first = {f.name: f.read_text() for f in (paths.results_dir() / "sample").rglob("*.jsonl")}
    assert run_all.main([*options, "--fresh"]) == 0
    assert "existing records were moved" in capsys.readouterr().out
    (aside,) = paths.results_dir().glob("sample-before-*")
    assert {f.name: f.read_text() for f in aside.rglob("*.jsonl")} == first
    assert len(list((paths.results_dir() / "sample").rglob("*.jsonl"))) == 14


def test_train_only_needs_no_jupyter_package():
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('papermill', 'nbconvert', 'nbformat')));"
        "import run_all; sys.exit(run_all.main(['--profile', 'smoke', '--train-only', '--only',"
        "'05_zadoks', '--seeds', '0', '--jobs', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on_to_the_same_records(tmp_path):
    options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--jobs", "2"]
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    assert call(*options, "--results", undisturbed).returncode == 0
    process = subprocess.Popen(
        [sys.executable, RUN_ALL, *options, "--results", killed],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not any(f.stat().st_size for f in killed.rglob("*.jsonl")):  # the first are written
        time.sleep(0.02)
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = sum(len(f.read_bytes().splitlines()) for f in killed.rglob("*.jsonl"))
    assert 0 < before < 22
    assert call(*options, "--results", killed).returncode == 0

    def content(folder):
        return {
            record.key: (record.weights, record.decisions, record.curves)
            for run in Study(profile="smoke").runs("zadoks/*")
            for record in records.read(folder, run.experiment.id, "sample")
        }

    assert content(killed) == content(undisturbed)
    assert len(content(killed)) == 22


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
    source = json.loads((paths.NOTEBOOKS / "05_zadoks.ipynb").read_text())
    for cell in source["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [line.replace("seeds", "seed") for line in cell["source"]]
    (tmp_path / "05_zadoks.ipynb").write_text(json.dumps(source))
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path)
    with pytest.raises(run_all.InputError, match="05_zadoks takes the parameters .*seed, source"):
        notebooks.check(["05_zadoks"])
    with pytest.raises(run_all.InputError, match="there is no notebook '06_other'"):
        notebooks.check(["06_other"])


def test_every_notebook_is_run():
    assert sorted(run_all.NOTEBOOKS) == sorted(p.stem for p in paths.NOTEBOOKS.glob("*.ipynb"))
