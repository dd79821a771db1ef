"""Worker processes: one that is ended from outside costs little, and is told."""

import subprocess
import sys
import time

import psutil
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError

from digits import core, records, workers
from digits.runs import Outcome
from digits.study import Study


def dying(deaths, monkeypatch):
    """Make the process of the runs named in `deaths` die as often as it says."""

    def in_processes(runs, source, bar):
        for run in runs:
            bar.started(run)
            if deaths.get(str(run), 0):
                deaths[str(run)] -= 1
                raise TerminatedWorkerError("SIGKILL")
            yield Outcome(run, None, "done")

    monkeypatch.setattr(workers, "_in_processes", in_processes)
    runs = Study(profile="smoke", seeds=(0, 1, 2)).runs("zadoks/twinnet")
    return [(o.run.seed, o.failure) for o in workers.train_runs(runs, "sample", 1)]


def test_a_run_whose_process_is_ended_once_is_tried_again(monkeypatch):
    found = dying({"zadoks/twinnet #1": 1}, monkeypatch)
    assert found == [(0, "done"), (1, "done"), (2, "done")]


def test_a_run_whose_process_is_ended_twice_is_reported_and_the_others_go_on(monkeypatch):
    found = dict(dying({"zadoks/twinnet #1": 2}, monkeypatch))
    assert found[0] == found[2] == "done"
    assert found[1].startswith("zadoks/twinnet #1: its worker process was ended from outside 2")


@pytest.mark.slow
def test_a_killed_worker_process_costs_only_time(tmp_path):
    results = tmp_path / "results"
    command = [sys.executable, str(core.ROOT / "run_all.py"), "--profile", "smoke"]
    command += ["--only", "05_zadoks", "--train-only", "--jobs", "2", "--results", str(results)]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        while not list(results.glob("sample/zadoks/*.jsonl")):
            time.sleep(0.1)
            assert driver.poll() is None
        training = [
            child
            for child in psutil.Process(driver.pid).children()
            if "popen_loky" in " ".join(child.cmdline())
        ]
        training[0].kill()
        out, err = driver.communicate(timeout=300)
    finally:
        driver.kill()
    assert driver.returncode == 0, err
    assert ", 0 failed" in out
    wanted = Study(profile="smoke").runs("zadoks/*")
    found = {r.key for run in wanted for r in records.read(results, run.experiment.id, "sample")}
    assert len(found) == len(wanted)
