"""Train runs in worker processes of this machine, with one progress bar."""

import functools
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from digits import core
from digits.progress import ProgressBar
from digits.runs import Outcome, Run, attempt

# joblib says so of every interruption; what was in flight is trained again by the next call.
warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed", UserWarning)
# loky renews a worker whose memory has grown, which the twenty-layer networks do to theirs.
warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)

# A worker's memory comes in large pages and stays with it. Measured in three pairs of runs: steps
# of damachi/cnn+aux 3 to 8 % faster, others within the noise, and the same bits. Only what is
# started from here on reads it; elsewhere than in glibc it means nothing.
os.environ.setdefault(
    "GLIBC_TUNABLES",
    "glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=4294967296:"
    "glibc.malloc.mmap_threshold=33554432:glibc.malloc.top_pad=67108864",
)

Result = TypeVar("Result")

ATTEMPTS = 2  # of a run whose worker process is ended from outside


def train_runs(runs: list[Run], source: str, jobs: int) -> Iterator[Outcome]:
    """Train `runs` in `jobs` processes of one thread each; yield what comes of each as it comes.

    The order in is the order of starting. If a worker process is ended from outside, what was in
    flight is tried once more, then reported.
    """
    workers = min(jobs, len(runs))
    lost: Counter[str] = Counter()
    with (
        ProgressBar(runs, workers) as bar,
        joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1),
    ):
        left = {str(run): run for run in runs}
        while left:
            try:
                for outcome in _in_processes(list(left.values()), source, bar):
                    yield outcome
                    bar.ended(outcome.run)  # when the caller has recorded it
                    del left[str(outcome.run)]
            except TerminatedWorkerError:
                lost.update(list(bar.running))
                for name in [name for name in bar.running if lost[name] == ATTEMPTS]:
                    yield Outcome(
                        left[name],
                        None,
                        f"{name}: its worker process was ended from outside {ATTEMPTS} times (out "
                        "of memory?); the same command tries it again, with fewer --jobs if it "
                        "recurs",
                    )
                    bar.ended(left.pop(name))
                bar.running.clear()


def in_worker(driver: int, do: Callable[..., Result], *arguments) -> Result:
    """Do something in a worker process that ends when the process `driver` has ended.

    By itself a worker would go on, and then wait for minutes. (With one job, the driver itself
    is the worker.)
    """
    if os.getpid() != driver:
        _end_with(driver)
    return do(*arguments)


@functools.cache
def _end_with(driver: int) -> None:
    def watch():
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _train(run: Run, source: str, data_dir: str) -> Outcome:
    """Train one run in a worker, which may have been started with another data folder."""
    os.environ["DIGITS_DATA"] = data_dir
    return attempt(run, source)


def _in_processes(runs: list[Run], source: str, bar: ProgressBar) -> Iterator[Outcome]:
    def tasks():
        for run in runs:
            bar.started(run)
            yield joblib.delayed(in_worker)(os.getpid(), _train, run, source, str(core.data_dir()))

    parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
    yield from parallel(tasks())
