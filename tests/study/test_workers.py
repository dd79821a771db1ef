"""Worker processes: one that is ended from outside costs little, and is told."""

import os
import time

import psutil
import pytest
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError

from digits.core import InputError
from digits.study import workers
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
    do = dying(tmp_path, {"b": 1, "c": 2})
    found = list(workers.in_processes(do, "abcd", 1, started.append))
    found = {task: future for task, future in found if task is not None}
    assert [found[task].result() for task in "abd"] == ["a after 0", "b after 1", "d after 0"]
    assert isinstance(found["c"].exception(), TerminatedWorkerError)
    assert started == list("abbccd")
    told = workers.failure_of("c", found["c"].exception())
    assert told.startswith("c: its worker process was ended from outside 2 times (out of memory?)")
    assert "\n" not in told


def test_errors_become_sentences():
    assert workers.failure_of("a #0", None) == ""
    assert workers.failure_of("a #0", InputError("no such pool.")) == "no such pool."
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
    assert 2 <= len(found) <= 4


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
        bar.started(runs[3])
        for run in runs[1:]:
            bar.ended(run)
    assert capsys.readouterr().err.rpartition("\r")[2].startswith(f"trained 4/4 |{'█' * 20}|")
