"""Worker processes of this machine or of a Dask cluster, and one loop over their futures."""

import asyncio
import contextlib
import os
import sys
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, TypeVar

from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from digits import core
from digits.core import InputError
from digits.data.sources import load
from digits.study.runs import Run, execute, expected_seconds
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
ATTEMPTS = 2  # of a task whose worker process is ended from outside
TIMEOUT = 10  # seconds, for the answer of a Dask scheduler
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
    with contextlib.closing(train_runs(runs, store.source, jobs, scheduler)) as trained:
        for run, future in trained:
            if error := future.exception():
                failures.append(Failed(run, failure_of(run, error), recorded=False))
                continue
            record = future.result()
            store.append(record)
            if isinstance(record, Diverged):
                failures.append(Failed(run, str(record), recorded=True))
    return failures


def train_runs(
    runs: list[Run], source: str, jobs: int, scheduler: str | None = None
) -> Iterator[tuple[Run, Future]]:
    """Train `runs` and yield each with its finished future, as they come.

    The order in is the order of starting. A future's result is a `Record` or `Diverged`.
    jobs: worker processes of one thread each. scheduler: the address of a Dask cluster to use
    instead. Raises `InputError` if no scheduler answers there, or it has no workers.
    """

    def do(run: Run):
        return _train, run, source

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            workers = min(jobs, len(runs))
            tasks = in_processes(do, runs, workers, lambda run: bar.started(run))
        else:
            client, workers = stack.enter_context(_cluster(scheduler))
            pool = client.get_executor(pure=False)
            tasks = _loop(lambda: pool, do, runs, len(runs), lambda run: bar.started(run))
        bar = stack.enter_context(ProgressBar(runs, workers))
        stack.enter_context(contextlib.closing(tasks))
        for run, future in tasks:
            if run is not None:
                yield run, future
                bar.ended(run)  # when the caller has recorded it
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
    from outside, what was in flight is tried once more.
    """

    def pool() -> Executor:
        # Another one only if this one broke or its environment changed.
        return get_reusable_executor(
            jobs,
            timeout=300,
            initializer=_end_with,
            initargs=(os.getpid(),),
            env=ENVIRONMENT | {"DIGITS_DATA": str(core.data_dir())},
        )

    ended = False
    try:
        yield from _loop(pool, do, tasks, jobs, started)
        ended = True
    finally:
        if not ended:
            pool().shutdown(wait=True, kill_workers=True)


def _loop(
    pool: Callable[[], Executor],
    do: Callable[[Task], tuple],
    tasks: Iterable[Task],
    window: int,
    started: Callable[[Task], None],
) -> Iterator[tuple[Task | None, Future | None]]:
    """Keep `window` tasks in flight; see `in_processes`."""
    waiting, running, ends = deque(tasks), {}, Counter()
    while waiting or running:
        while waiting and len(running) < window:
            task = waiting.popleft()
            running[pool().submit(*do(task))] = task
            started(task)
        done, _ = wait(running, timeout=1, return_when=FIRST_COMPLETED)
        if not done:
            yield None, None
        for future in done:
            task = running.pop(future)
            if isinstance(future.exception(), TerminatedWorkerError):
                ends[str(task)] += 1
                if ends[str(task)] < ATTEMPTS:
                    waiting.appendleft(task)
                    continue
            yield task, future


def failure_of(task: object, error: BaseException | None) -> str:
    """Say in one sentence why a task has no result, "" if there is no `error`."""
    if isinstance(error, TerminatedWorkerError):
        return (
            f"{task}: its worker process was ended from outside {ATTEMPTS} times (out of memory?); "
            "the same command tries it again, with fewer --jobs if it recurs"
        )
    if isinstance(error, InputError):
        return str(error)
    return f"{task}: {type(error).__name__}: {error}" if error else ""


def _train(run: Run, source: str) -> Record | Diverged:
    with _ONE_AT_A_TIME:
        return execute(run, load(source))


def _end_with(driver: int) -> None:
    """End this worker process when the process `driver` has ended; by itself it would go on."""

    def watch():
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _cluster(scheduler: str):
    """Connect to a Dask scheduler ("tcp://host:8786"): the client, and how many workers it has.

    Its workers need this package, and MNIST in their own `DIGITS_DATA`. A worker that dies costs
    its runs in flight, which go to another one.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            "a Dask cluster needs the package distributed: pip install -c constraints.txt "
            "-e '.[cluster]'."
        ) from error
    try:
        # A client that finds no scheduler lives on in its thread. When that one is collected just
        # while the next starts, both wait for one lock: so knock first, and make none in vain. In
        # a thread, since a notebook has an event loop of its own.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(asyncio.run, _knock(scheduler)).result()
        client = Client(scheduler, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"no Dask scheduler answers at {scheduler}: start one with `dask scheduler`, and name "
            "the address that it prints, such as tcp://host:8786."
        ) from error
    with client:
        workers = len(client.scheduler_info(n_workers=-1)["workers"])
        if not workers:
            raise InputError(
                f"the Dask scheduler at {scheduler} has no workers: start some with "
                f"`dask worker {scheduler} --nthreads 1`, one for each core."
            )
        yield client, workers


async def _knock(address: str) -> None:
    """Ask who is there; raise `OSError` or `ValueError` if it is no scheduler, or nobody."""
    from distributed import Security, rpc

    arguments = Security().get_connection_args("client")
    async with asyncio.timeout(TIMEOUT), rpc(address, TIMEOUT, connection_args=arguments) as there:
        if (await there.identity())["type"] != "Scheduler":
            raise ValueError(f"{address} is no scheduler")


class ProgressBar(tqdm):
    """What is done, what runs now, and the time left by expected cost.

    On a terminal the line is renewed every second; elsewhere (a log, a notebook) a line is added
    every twenty seconds at most.
    """

    def __init__(self, runs: list[Run], workers: int):
        self.runs, self.done, self.workers = len(runs), 0, workers
        self.running: dict[str, None] = {}  # in order of starting
        super().__init__(
            total=sum(expected_seconds(run.experiment) for run in runs),
            desc=f"trained 0/{self.runs}",
            bar_format="{desc} |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0,
            mininterval=0.2 if sys.stderr.isatty() else 20,
        )

    def started(self, run: Run) -> None:
        """Show that `run` is under way; said again of a run that starts anew."""
        self.running[str(run)] = None
        self._describe()

    def ended(self, run: Run) -> None:
        """Show that `run` is done and recorded."""
        self.running.pop(str(run))
        self.done += 1
        self._describe()
        # Sums of many costs differ in the last digits.
        self.update(min(expected_seconds(run.experiment), self.total - self.n))

    def _describe(self) -> None:
        self.set_description_str(f"trained {self.done}/{self.runs}", refresh=False)
        # A worker may have begun its next run before the last one's record is here.
        now = ", ".join(list(self.running)[-self.workers :])
        self.set_postfix_str(f"now {now}" if now else "", refresh=False)
