"""A real Dask scheduler and two worker processes on this machine, one of them killed."""

import os
import socket
import subprocess
import sys
import threading
import time

import pytest

from digits import cluster, core, records
from digits.core import InputError
from digits.study import Study

distributed = pytest.importorskip("distributed")

QUIET = {"DASK_LOGGING__DISTRIBUTED": "error"}


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        env=os.environ | QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def worker_of(address):
    return start("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")


@pytest.fixture
def scheduler(tmp_path):
    """Start a scheduler and return its address; whatever it runs ends with the test."""
    file = tmp_path / "scheduler.json"
    process = start(
        *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
        *("--scheduler-file", str(file)),
    )
    try:
        for _ in range(300):
            if file.exists() and file.read_text().rstrip().endswith("}"):
                break
            assert process.poll() is None
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            yield client
    finally:
        process.kill()
        process.wait()


def command(address, results, *options):
    return [
        *(sys.executable, str(core.ROOT / "run_all.py"), "--profile", "smoke", "--train-only"),
        *("--only", "05_zadoks", "--results", str(results), "--backend", "dask"),
        *("--scheduler", address, *options),
    ]


@pytest.mark.slow
def test_a_cluster_gives_the_records_of_one_machine_though_a_worker_is_killed(
    scheduler, tmp_path, smoke_results
):
    address = scheduler.scheduler.address
    workers = [worker_of(address) for _ in range(2)]
    results = tmp_path / "cluster"
    try:
        scheduler.wait_for_workers(2, timeout=60)
        driver = subprocess.Popen(
            command(address, results), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while not list(results.glob("sample/zadoks/*.jsonl")):
            assert driver.poll() is None, driver.communicate()
            time.sleep(0.05)
        workers[0].kill()
        out, err = driver.communicate(timeout=300)
        assert driver.returncode == 0, err
        assert f"training on the cluster of {address}" in out and ", 0 failed" in out
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    for run in Study(profile="smoke").runs("zadoks/*"):
        wanted, found = (
            [record.weights for record in records.read(folder, run.experiment.id, "sample")]
            for folder in (smoke_results, results)
        )
        assert sorted(wanted) == sorted(found) and found


def test_a_cluster_without_workers_is_refused(scheduler):
    with pytest.raises(InputError, match="has no workers: start some with `dask worker tcp"):
        next(cluster.train_runs([], "sample", scheduler.scheduler.address))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here", ""])
def test_an_address_without_a_scheduler_is_refused(monkeypatch, address):
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    before = set(threading.enumerate())
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        next(cluster.train_runs([], "sample", address))
    assert set(threading.enumerate()) <= before  # no client left over to lock up the next one


def test_a_listener_that_says_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(InputError, match="no Dask scheduler answers at"):
            next(cluster.train_runs([], "sample", address))


def test_the_address_of_a_worker_is_refused(scheduler):
    worker = worker_of(scheduler.scheduler.address)
    try:
        scheduler.wait_for_workers(1, timeout=60)
        (address,) = scheduler.scheduler_info()["workers"]
        with pytest.raises(InputError, match=f"no Dask scheduler answers at {address}"):
            next(cluster.train_runs([], "sample", address))
    finally:
        worker.kill()
        worker.wait()


def test_a_worker_that_cannot_load_the_run_is_reported_not_waited_for(scheduler, monkeypatch):
    # As on a worker without this package: the run fails there, outside what `attempt` can catch.
    worker = worker_of(scheduler.scheduler.address)

    def lacking(run, source):
        raise ImportError("No module named 'digits'")

    monkeypatch.setattr(cluster, "_one_at_a_time", lacking)
    try:
        scheduler.wait_for_workers(1, timeout=60)
        runs = Study(profile="smoke", seeds=(0, 1)).runs("zadoks/twinnet")
        found = list(cluster.train_runs(runs, "sample", scheduler.scheduler.address))
    finally:
        worker.kill()
        worker.wait()
    assert {outcome.failure for outcome in found} == {
        f"zadoks/twinnet #{seed}: No module named 'digits'" for seed in (0, 1)
    }
