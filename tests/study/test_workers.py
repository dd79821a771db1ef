"""Worker processes: one that is ended from outside costs little, and is told."""

import errno
import os
import time

import psutil
import pytest
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from digits import core
from digits.core import InputError
from digits.study import workers
from digits.study.runs import Run
from digits.study.store import RecordStore
from digits.study.study import Study


@pytest.fixture
def light(monkeypatch):
    """Start worker processes that do not import torch, which takes seconds."""
    monkeypatch.setattr(workers, "_end_with", lambda driver: None)
    yield
    get_reusable_executor(kill_workers=True).shutdown(wait=True, kill_workers=True)


def dying(folder, deaths):
    """Return what `in_processes` asks for: tasks whose process dies as often as `deaths` says."""

    def work(task, times):
        before = len(list(folder.glob(f"{task}-*")))
        if before < times:
            (folder / f"{task}-{before}").touch()
            os._exit(1)
        return f"{task} after {before}"

    return lambda task: (work, task, deaths.get(task, 0))


def test_a_task_whose_process_ends_is_tried_again_then_reported_and_the_others_go_on(
    light, tmp_path
):
    started = []
    do = dying(tmp_path, {"b": 1, "c": workers.ATTEMPTS})
    found = list(workers.in_processes(do, "abcd", 1, started.append))
    found = {task: future for task, future in found if task is not None}
    assert [found[task].result() for task in "abd"] == ["a after 0", "b after 1", "d after 0"]
    assert isinstance(found["c"].exception(), TerminatedWorkerError)
    assert started == list("abbcccd")
    told = workers.failure_of("c", found["c"].exception())
    assert told.startswith("c: its worker process was ended from outside 3 times (out of memory?)")
    assert "\n" not in told


def test_a_task_that_ends_its_process_fails_alone_not_those_beside_it(light, tmp_path):
    started = []

    def work(task):
        if task == "b":
            os._exit(1)
        time.sleep(0.5)  # in flight while b ends, twice
        return task

    found = dict(workers.in_processes(lambda task: (work, task), "abcd", 4, started.append))
    assert [found[task].result() for task in "acd"] == ["a", "c", "d"]
    assert isinstance(found["b"].exception(), TerminatedWorkerError)
    assert started.count("b") == workers.ATTEMPTS


def test_errors_become_sentences():
    assert workers.failure_of("a #0", None) == ""
    assert workers.failure_of("a #0", InputError("no such pool.")) == "a #0: no such pool."
    assert workers.failure_of("a #0", OSError("no luck")) == "a #0: OSError: no luck"


def test_an_error_in_a_task_ends_that_task_alone(light):
    def work(task):
        if task == "b":
            raise OSError("no luck")
        return task, os.getpid()

    found = dict(workers.in_processes(lambda task: (work, task), "abc", 1))
    found.pop(None, None)
    assert workers.failure_of("b", found["b"].exception()) == "b: OSError: no luck"
    (a, first), (c, last) = found["a"].result(), found["c"].result()
    assert (a, c) == ("a", "c") and first == last != os.getpid()  # its process goes on


@pytest.mark.parametrize("fault", [KeyboardInterrupt, InputError])
def test_what_stops_the_caller_ends_the_workers_in_the_middle_of_their_tasks(light, fault):
    def work(task):
        time.sleep(600 * task)
        return psutil.Process().ppid(), os.getpid()

    before = set(psutil.Process().children())
    with pytest.raises(fault):  # noqa: PT012
        for _, future in workers.in_processes(lambda task: (work, task), [0, 1, 1], 2):
            if future is not None:
                assert future.result()[0] == os.getpid()
                raise fault
    left = [p for p in psutil.Process().children() if p not in before and _works(p)]
    assert left == []


def _works(process):
    try:
        return "popen_loky" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return False


def test_without_an_end_it_comes_back_every_second(light):
    found = list(workers.in_processes(lambda task: (time.sleep, task), [2.5], 1))
    assert found[0] == (None, None) and found[-1][0] == 2.5
    assert len(found) > 1


def test_tasks_start_in_order_and_no_more_at_once_than_there_are_workers(light):
    events = []
    tasks = workers.in_processes(lambda task: (str, task), range(5), 2, events.append)
    for task, _ in tasks:
        if task is not None:
            events.append(f"{task} ended")
    starts = [event for event in events if isinstance(event, int)]
    assert starts == list(range(5))
    for place, event in enumerate(events):
        ended = sum(isinstance(e, str) for e in events[:place])
        assert not isinstance(event, int) or event < ended + 2


def test_the_bar_tells_what_is_done_and_what_runs(capsys):
    runs = Study(profile="smoke", seeds=(0, 1)).runs("zadoks/twinnet", "zadoks/twinnet+ws")
    with workers.ProgressBar(runs, 2) as bar:
        for run in runs[:3]:
            bar.started(run)
        bar.ended(runs[0])
        bar.started(runs[1])  # anew, after its process was ended
        bar.refresh()
        line = capsys.readouterr().err.rpartition("\r")[2]
        assert line.startswith("trained 1/4 |████")
        assert "left, now zadoks/twinnet #1, zadoks/twinnet+ws #0" in line
        bar.started(runs[3])  # a cluster is told of all runs before it begins with the first
        bar.refresh()
        line = capsys.readouterr().err.rpartition("\r")[2]
        assert "left, now zadoks/twinnet #1, zadoks/twinnet+ws #0" in line
        for run in runs[1:]:
            bar.ended(run)
    assert capsys.readouterr().err.rpartition("\r")[2].startswith(f"trained 4/4 |{'█' * 20}|")


def no_semaphores(*_, **__):
    raise OSError(errno.ENOSYS, "Function not implemented")  # without /dev/shm


def test_without_worker_processes_all_is_done_here_one_by_one_and_said_once(monkeypatch, capsys):
    monkeypatch.setattr(workers, "get_reusable_executor", no_semaphores)
    events = []

    def work(task):
        events.append(task)
        if task == "b":
            raise OSError("no luck")
        return os.getpid()

    for task, future in workers.in_processes(lambda task: (work, task), "abc", 2):
        told = workers.failure_of(task, future.exception())
        events.append(told or future.result())
    # Each is there for the caller, who records it, before the next begins.
    assert events == ["a", os.getpid(), "b", "b: OSError: no luck", "c", os.getpid()]
    err = capsys.readouterr().err
    assert err.count("starts no worker processes ([Errno 38] Function not implemented)") == 1


def test_without_worker_processes_the_bits_are_the_same(monkeypatch, train_record):
    monkeypatch.setattr(workers, "get_reusable_executor", no_semaphores)
    runs = Study(profile="smoke", seeds=(0,)).runs("zadoks/twinnet")
    ((_, future),) = workers.train_runs(runs, "sample", 2)
    assert future.result().weights == train_record(runs[0].experiment).weights


def test_an_interrupt_here_ends_the_task_at_once(monkeypatch):
    def interrupted(task):
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "get_reusable_executor", no_semaphores)
    with pytest.raises(KeyboardInterrupt):
        list(workers.in_processes(lambda task: (interrupted, task), "ab", 1))


class Pool:
    """A pool whose `submit` raises what it is given, then does the call."""

    def __init__(self, *errors):
        self.errors = list(errors)

    def submit(self, function, *arguments):
        if self.errors:
            raise self.errors.pop(0)
        return workers._Here().submit(function, *arguments)

    def shutdown(self, **_):
        pass


def test_a_pool_that_breaks_while_it_is_handed_a_task_is_tried_again(monkeypatch):
    for breaks, result in ((2, "done"), (3, None)):
        pool = Pool(*(TerminatedWorkerError("gone") for _ in range(breaks)))
        monkeypatch.setattr(workers, "get_reusable_executor", lambda *_, pool=pool, **__: pool)
        ((task, future),) = workers.in_processes(lambda task: (str, "done"), "a", 1)
        if result:
            assert future.result() == result
        else:
            assert "was ended from outside 3 times" in workers.failure_of(task, future.exception())


def test_a_limit_of_processes_or_threads_is_a_fault_of_the_machine(monkeypatch):
    for error in (
        BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)),
        RuntimeError("can't start new thread"),
    ):
        pool = Pool(error)
        monkeypatch.setattr(workers, "get_reusable_executor", lambda *_, pool=pool, **__: pool)
        with pytest.raises(BlockingIOError) as told:
            list(workers.in_processes(lambda task: (str, task), "a", 1))
        assert "raise the limit of processes (ulimit -u)" in str(core.fault(told.value))


def test_a_run_that_raises_is_named(light, monkeypatch):
    def fails(run, source, folder=None):
        raise ValueError("no luck")

    monkeypatch.setattr(workers, "_train", fails)
    runs = Study(profile="smoke", seeds=(0,)).runs("zadoks/twinnet")
    ((run, future),) = (found for found in workers.train_runs(runs, "sample", 1) if found[0])
    assert workers.failure_of(run, future.exception()) == "zadoks/twinnet #0: ValueError: no luck"


def test_a_run_that_another_process_has_recorded_meanwhile_is_told(
    tmp_path, tiny_experiment, capsys
):
    run, store = Run(tiny_experiment("zadoks/twinnet"), 0), RecordStore(tmp_path, "sample")
    assert [workers.record_runs([run], store, 1) for _ in range(2)] == [[], []]
    told = "zadoks/twinnet #0 was trained by another process as well: the record there stays"
    assert capsys.readouterr().err.count(told) == 1
    assert len(store.read(run.experiment.id)) == 1
