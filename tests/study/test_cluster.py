"""A Dask scheduler and its workers: the same records, and what cannot train is told at once."""

import http.server
import os
import socket
import subprocess
import sys
import threading
import time

import pytest

import run_all
from digits.core import InputError
from digits.study import cluster as dask
from digits.study import workers
from digits.study.store import RecordStore
from digits.study.study import Study

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """A scheduler in this process, without workers at first."""
    # Its pages are at any free port: at their usual one another test process has its own.
    options = {"protocol": "tcp", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(
        n_workers=0, processes=False, threads_per_worker=1, silence_logs=50, **options
    ) as cluster:
        yield cluster


@pytest.fixture
def worker(cluster):
    """The address of a worker in this process."""
    cluster.scale(1)
    cluster.wait_for_workers(1, timeout=60)
    (address,) = cluster.scheduler.workers
    yield address
    cluster.scale(0)
    while cluster.scheduler.workers:
        time.sleep(0.01)


def train(address):
    runs = Study(profile="smoke", seeds=(0, 1)).runs("zadoks/twinnet")
    return list(workers.train_runs(runs, "sample", 1, address))


def test_a_cluster_without_workers_is_refused(cluster):
    with pytest.raises(InputError, match="has no workers: start some with `dask worker tcp"):
        train(cluster.scheduler_address)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense://here", ""])
def test_an_address_without_a_scheduler_is_refused(monkeypatch, address):
    monkeypatch.setattr(dask, "TIMEOUT", 1)
    before = set(threading.enumerate())
    with pytest.raises(InputError, match="no Dask scheduler answers at"):
        train(address)
    assert set(threading.enumerate()) <= before  # no client left over to lock up the next one


def test_a_listener_that_says_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(dask, "TIMEOUT", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(InputError, match="no Dask scheduler answers at"):
            train(address)


@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_a_port_that_speaks_another_protocol_is_refused(scheme, monkeypatch):
    class Silent(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

    monkeypatch.setattr(dask, "TIMEOUT", 2)
    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"{scheme}://127.0.0.1:{server.server_port}"
        with pytest.raises(InputError, match=f"no Dask scheduler answers at {address}") as told:
            train(address)
        server.shutdown()
    assert ("client.cert" in str(told.value)) == (scheme == "tls")


def test_a_scheduler_that_ends_during_training_is_named():
    options = {"protocol": "tcp", "host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(
        n_workers=1, processes=False, threads_per_worker=1, silence_logs=50, **options
    ) as own:
        address = own.scheduler_address
        runs = Study(profile="smoke", seeds=tuple(range(20))).runs("zadoks/twinnet")
        trained = workers.train_runs(runs, "sample", 1, address)
        next(found for found in trained if found[0] is not None)
        own.close()
        with pytest.raises(InputError, match=f"at {address} does not answer any more"):
            list(trained)


class Client:
    """A client that counts the workers it is given, and raises the error that follows."""

    def __init__(self, *counts):
        self.counts = list(counts)

    def scheduler_info(self, n_workers):
        if not self.counts:
            raise OSError("Timed out trying to connect")
        return {"workers": dict.fromkeys(range(self.counts.pop(0)))}


def test_workers_that_end_are_told_once_until_there_are_new_ones():
    there = dask.Cluster("tcp://here:1", Client(1, 0, 0, 2, 0))
    told = [there.news() for _ in range(5)]
    assert [bool(text) for text in told] == [False, True, False, False, True]
    assert "tcp://here:1 has no workers any more: waiting for new ones" in told[1]
    with pytest.raises(InputError, match="tcp://here:1 does not answer any more; what is recorded"):
        there.news()


def test_the_address_of_a_worker_is_refused(worker):
    with pytest.raises(InputError, match=f"no Dask scheduler answers at {worker}"):
        train(worker)


def test_a_run_that_fails_on_a_worker_is_reported_not_waited_for(cluster, worker, monkeypatch):
    def lacking(run, source, folder=None):
        raise ImportError("No module named\n    'digits'")

    monkeypatch.setattr(workers, "_train", lacking)
    found = train(cluster.scheduler_address)
    assert {workers.failure_of(run, future.exception()) for run, future in found} == {
        f"zadoks/twinnet #{seed}: ImportError: No module named 'digits'" for seed in (0, 1)
    }


def process(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "distributed.cli.dask_" + arguments[0], *arguments[1:]],
        env=os.environ | {"DASK_LOGGING__DISTRIBUTED": "error"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.slow
def test_a_cluster_gives_the_records_of_one_machine_though_a_worker_is_killed(
    tmp_path, train_record, capsys
):
    file, results = tmp_path / "scheduler.json", tmp_path / "results"
    members = [
        process(
            *("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"),
            *("--scheduler-file", str(file)),
        )
    ]

    def kill():
        while not list(results.glob("sample/zadoks/*.jsonl")):
            time.sleep(0.02)
        members[1].kill()

    try:
        members += [
            process(
                *("worker", "--scheduler-file", str(file), "--nthreads", "1"),
                *("--no-nanny", "--no-dashboard"),
            )
            for _ in range(2)
        ]
        while not (file.exists() and file.read_text().rstrip().endswith("}")):
            assert members[0].poll() is None
            time.sleep(0.05)
        with distributed.Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
            address = client.scheduler.address
        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        options = ["--profile", "smoke", "--train-only", "--only", "05_zadoks", "--seeds", "0"]
        code = run_all.main([*options, "--backend", "dask", "--scheduler", address])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        assert (
            f"training on the cluster of {address}" in printed.out and ", 0 failed" in printed.out
        )
        assert not killer.is_alive() and members[1].wait() < 0
    finally:
        for member in members:
            member.kill()
            member.wait()
    store = RecordStore(results, "sample")
    for run in Study(profile="smoke", seeds=(0,)).runs("zadoks/*"):
        (record,) = store.read(run.experiment.id)
        assert record.weights == train_record(run.experiment).weights
