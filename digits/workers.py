"""Train runs in worker processes of this machine, with one progress bar."""

import functools
import os
import threading
import time
import warnings
from collections import Counter
from collections.abc import Iterator

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from digits import paths
from digits.progress import ProgressBar
from digits.runs import Outcome, Run, attempt

# joblib says so of every interruption; what was in flight is trained again by the next call.
warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed", UserWarning)
# loky renews a worker whose memory has grown, which the twenty-layer networks do to theirs.
warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)

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


def _in_worker(run: Run, source: str, data_dir: str) -> Outcome:
    """Train one run in a worker, which may have been started with another data folder."""
    _end_with(os.getppid())
    os.environ["DIGITS_DATA"] = data_dir
    return attempt(run, source)


@functools.cache
def _end_with(parent: int) -> None:
    """End this process when its parent has ended; by itself a worker would wait for minutes."""

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _in_processes(runs: list[Run], source: str, bar: ProgressBar) -> Iterator[Outcome]:
    def tasks():
        for run in runs:
            bar.started(run)
            yield joblib.delayed(_in_worker)(run, source, str(paths.data_dir()))

    parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)
    yield from parallel(tasks())
