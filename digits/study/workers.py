"""Worker processes of this machine or of a Dask cluster, and one loop over their futures."""

import contextlib
import errno
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from pathlib import Path
from typing import NamedTuple, TypeVar

from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from digits import core
from digits.core import InputError
from digits.data.sources import load
from digits.study import checkpoints, cluster
from digits.study.progress import ProgressBar
from digits.study.runs import Run, execute
from digits.study.store import RecordStore
from digits.training.record import Diverged, Record

# loky renews a worker whose memory has grown, which the twenty-layer networks do to theirs.
warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)

#: One thread each. A worker's memory comes in large pages and stays with it: measured in three
#: pairs of runs, steps of damachi/cnn+aux are 3 to 8 % faster, others within the noise, with the
#: same bits. Elsewhere than in glibc the last entry means nothing.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=4294967296:"
    "glibc.malloc.mmap_threshold=33554432:glibc.malloc.top_pad=67108864",
}
#: Of a task whose worker process is ended from outside. When one worker ends, loky gives up all
#: that is in flight and does not say whose worker it was: the last attempt is made alone.
ATTEMPTS = 3
#: Random streams belong to a process, so a process trains one run at a time.
_ONE_AT_A_TIME = threading.Lock()

Task = TypeVar("Task")


class Failed(NamedTuple):
    """A run without a result, and why; recorded: its record says that it diverged."""

    run: Run
    failure: str
    recorded: bool


def record_runs(
    runs: list[Run], store: RecordStore, jobs: int, scheduler: str | None = None
) -> list[Failed]:
    """Train `runs` (see `train_runs`), record each as it comes, and return those that failed."""
    failures = []
    trained = train_runs(runs, store.source, jobs, scheduler, store.folder)
    with contextlib.closing(trained):
        for run, future in trained:
            if error := future.exception():
                failures.append(Failed(run, failure_of(run, error), recorded=False))
                continue
            record = future.result()
            if not store.append(record):
                told = f"{run} was trained by another process as well: the record there stays"
                tqdm.write(told, file=sys.stderr)
            checkpoints.remove(store.folder, [run], store.source)
            if isinstance(record, Diverged):
                failures.append(Failed(run, str(record), recorded=True))
    return failures


def train_runs(
    runs: list[Run],
    source: str,
    jobs: int,
    scheduler: str | None = None,
    folder: Path | None = None,
) -> Iterator[tuple[Run, Future]]:
    """Train `runs` and yield each with its finished future, as they come.

    They are started in the order in which they are given. A future's result is a `Record` or
    `Diverged`; of its exception `failure_of` makes a sentence.
    jobs: worker processes of one thread each. scheduler: the address of a Dask cluster to use
    instead. folder: of the records, where long runs keep checkpoints, if the worker has it.
    Raises `InputError` if no scheduler answers there or it ends, or it has no workers.
    """

    def do(run: Run):
        return _train, run, source, folder and folder.resolve()

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            there, workers = None, min(jobs, len(runs))
        else:
            there = stack.enter_context(cluster.connect(scheduler))
            workers, pool = there.workers(), there.pool()
        bar = stack.enter_context(ProgressBar(runs, workers))
        if there is None:
            tasks = in_processes(do, runs, workers, bar.started)
        else:
            tasks = _loop(lambda: pool, do, runs, len(runs), bar.started)
        stack.enter_context(contextlib.closing(tasks))
        for run, future in tasks:
            if run is not None:
                if there and future.cancelled():
                    raise there.ended()
                yield run, future
                bar.ended(run)  # when the caller has recorded it
            elif there and (news := there.news()):
                bar.write(news, file=sys.stderr)
            if sys.stderr.isatty():
                bar.refresh()


def in_processes(
    do: Callable[[Task], tuple],
    tasks: Iterable[Task],
    jobs: int,
    started: Callable[[Task], None] = lambda task: None,
) -> Iterator[tuple[Task | None, Future | None]]:
    """Do `tasks` in `jobs` worker processes; yield each with its finished future, as they come.

    do: gives the function to call and its arguments. started: told of each task that is handed to
    a worker. (None, None) is yielded every second without an end. If a worker process is ended
    from outside, what was in flight is tried again (see `ATTEMPTS`). Where no process can be
    started, as without /dev/shm, the tasks are done one by one in this one.
    """
    here = None

    def pool() -> Executor:
        nonlocal here
        try:
            # Another one only if this one broke or its environment changed.
            return here or get_reusable_executor(
                jobs,
                timeout=300,
                initializer=_end_with,
                initargs=(os.getpid(),),
                env=ENVIRONMENT | {"DIGITS_DATA": str(core.data_dir())},
            )
        except (OSError, ImportError) as error:  # no semaphores
            told = f"this machine starts no worker processes ({error}): all is done in this one"
            tqdm.write(told, file=sys.stderr)
            here = _Here()
            return here

    ended = False
    try:
        yield from _loop(pool, do, tasks, jobs, started)
        ended = True
    finally:
        if not ended:
            with contextlib.suppress(RuntimeError):  # a pool that could not start its thread
                executor = pool()
                if hasattr(executor, "_work_ids"):  # else loky looks for work it has dropped
                    executor._work_ids.queue.clear()
                executor.shutdown(wait=True, kill_workers=True)


def _loop(
    pool: Callable[[], Executor],
    do: Callable[[Task], tuple],
    tasks: Iterable[Task],
    window: int,
    started: Callable[[Task], None],
) -> Iterator[tuple[Task | None, Future | None]]:
    """Keep `window` tasks in flight; see `in_processes`."""
    waiting, running, ends = deque(tasks), {}, Counter()

    def alone(task: Task) -> bool:
        return ends[str(task)] == ATTEMPTS - 1

    while waiting or running:
        while waiting and len(running) < window:
            if running and any(map(alone, (waiting[0], *running.values()))):
                break
            task = waiting.popleft()
            started(task)
            future = _submit(pool, do(task))
            running[future] = task
            if future.done():  # it was done in this process: first for the caller, then the next
                break
        done, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
        if not done:
            yield None, None
        for future in done:
            task = running.pop(future)
            if not future.cancelled() and isinstance(future.exception(), TerminatedWorkerError):
                ends[str(task)] += 1
                if ends[str(task)] < ATTEMPTS:
                    waiting.appendleft(task)
                    continue
            yield task, future


def _submit(pool: Callable[[], Executor], call: tuple) -> Future:
    """Hand a call to a pool; one that breaks just then has lost it like a worker that ends."""
    try:
        return pool().submit(*call)
    except TerminatedWorkerError as error:
        return _failed(error)
    except (OSError, RuntimeError) as error:
        for child in multiprocessing.active_children():
            if child.name.startswith("Loky"):  # those that were started before the limit
                child.terminate()
        if "start new thread" in str(error):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
        raise


def _failed(error: Exception) -> Future:
    future = Future()
    future.set_exception(error)
    return future


class _Here(Executor):
    """Do what is submitted at once, in this process; an interruption ends it."""

    def submit(self, function, *arguments):
        try:
            future = Future()
            future.set_result(function(*arguments))
        except Exception as error:
            future = _failed(error)
        return future

    def shutdown(self, wait=True, kill_workers=False):
        pass


def failure_of(task: object, error: BaseException | None) -> str:
    """Say in one sentence why a task has no result, "" if there is no `error`."""
    if isinstance(error, TerminatedWorkerError):
        return (
            f"{task}: its worker process was ended from outside {ATTEMPTS} times (out of memory?); "
            "the same command tries it again, with fewer --jobs if it recurs"
        )
    if isinstance(error, InputError):
        return f"{task}: {error}"
    return f"{task}: {type(error).__name__}: {' '.join(str(error).split())}" if error else ""


def _train(run: Run, source: str, folder: Path | None = None) -> Record | Diverged:
    with _ONE_AT_A_TIME:
        if folder is None or not folder.is_dir():
            return execute(run, load(source))
        return execute(run, load(source), checkpoints.of_run(folder, run, load(source)))


def _end_with(driver: int) -> None:
    """End this worker process when the process `driver` has ended; by itself it would go on.

    It hears no interrupts, which a terminal sends to it too: the driver's word is enough.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch():
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    try:
        threading.Thread(target=watch, daemon=True).start()
    except RuntimeError:  # no more threads: loky would wait for this process for ever
        os._exit(1)
