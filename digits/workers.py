"""Train runs in worker processes, with one progress bar. What comes of a run is a value."""

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from digits import paths
from digits.compute import CPU, Compute
from digits.data import load
from digits.errors import InputError
from digits.experiment import Experiment
from digits.fitting import Diverged
from digits.models.blocks import flops_a_pair
from digits.records import Record
from digits.training import train

# joblib says so of every interruption; what was in flight is trained again by the next call.
warnings.filterwarnings("ignore", r"\d+ tasks which were still being processed", UserWarning)
# loky renews a worker whose memory has grown, which the twenty-layer networks do to theirs.
warnings.filterwarnings("ignore", "A worker stopped while some jobs were given", UserWarning)


class Run(NamedTuple):
    """One round of one experiment; the experiment's recipe is that of the study's profile."""

    experiment: Experiment
    seed: int
    compute: Compute = CPU

    def __str__(self) -> str:
        return f"{self.experiment.id} #{self.seed}"


class Outcome(NamedTuple):
    """What came of a run: its record, or why there is none."""

    run: Run
    record: Record | None
    failure: str = ""


def expected_seconds(experiment: Experiment) -> float:
    """Guess how long a run takes, for ordering and for the time left; only ratios matter."""
    recipe = experiment.recipe
    flops = flops_a_pair(experiment.build)
    # A training pair costs three forward passes, a scored one one; 20 GFLOP/s on one core.
    epochs = recipe.trainings * recipe.epochs
    steps = sum(-(-pairs // recipe.batch_size) for pairs in recipe.epoch_sizes)
    scored = (recipe.train_pairs + recipe.test_pairs) * epochs / recipe.curve_step
    passes = 3 * sum(recipe.epoch_sizes) * epochs + scored + recipe.precise_pairs
    return epochs * steps * 1.5e-3 + passes * flops / 2e10


def train_runs(runs: list[Run], source: str, jobs: int) -> Iterator[Outcome]:
    """Train `runs` in `jobs` processes of one thread each; yield what comes of each as it comes.

    The order in is the order of starting. Raises `InputError` if a worker process is ended from
    outside; what was yielded before is done.
    """
    workers = min(jobs, len(runs))
    with _ProgressBar(runs, workers) as bar:

        def tasks():
            for run in runs:
                bar.started(run)
                yield joblib.delayed(_attempt)(run, source, str(paths.data_dir()))

        with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
            parallel = joblib.Parallel(
                return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1
            )
            try:
                for outcome in parallel(tasks()):
                    yield outcome
                    bar.ended(outcome.run)  # when the caller has recorded it
            except TerminatedWorkerError as error:
                raise InputError(
                    "a worker process was ended from outside (out of memory?): what is recorded is "
                    "kept, the same command goes on from there, with fewer --jobs if it recurs."
                ) from error


def _attempt(run: Run, source: str, data_dir: str) -> Outcome:
    """Train one run in a worker process; a fault of one run must not end the others."""
    os.environ["DIGITS_DATA"] = data_dir
    try:
        return Outcome(run, train(run.experiment, run.seed, load(source), run.compute))
    except (Diverged, InputError) as error:
        return Outcome(run, None, str(error))
    except Exception as error:
        return Outcome(run, None, f"{run}: {type(error).__name__}: {error}")


class _ProgressBar:
    """What is done, what runs now, and the time left by expected cost.

    On a terminal the line is renewed every second, however long a run takes; elsewhere (a log, a
    notebook) a line is added every twenty seconds at most.
    """

    def __init__(self, runs: list[Run], workers: int):
        self.total, self.done, self.workers = len(runs), 0, workers
        self.running: dict[str, None] = {}
        terminal = sys.stderr.isatty()
        self.bar = tqdm(
            total=sum(expected_seconds(run.experiment) for run in runs),
            desc=f"trained 0/{self.total}",
            bar_format="{desc} |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0,
            mininterval=0.2 if terminal else 20,
        )
        self.stopped = threading.Event()
        if terminal:
            threading.Thread(target=self._tick, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.bar.close()

    def started(self, run: Run) -> None:
        self.running[str(run)] = None
        self._describe()

    def ended(self, run: Run) -> None:
        self.running.pop(str(run))
        self.done += 1
        self._describe()
        left = self.bar.total - self.bar.n  # sums of many costs differ in the last digits
        self.bar.update(min(expected_seconds(run.experiment), left))

    def _describe(self) -> None:
        self.bar.set_description_str(f"trained {self.done}/{self.total}", refresh=False)
        # A worker may have begun its next run before the last one's record is here.
        now = ", ".join(list(self.running)[-self.workers :])
        self.bar.set_postfix_str(f"now {now}" if now else "", refresh=False)

    def _tick(self) -> None:
        while not self.stopped.wait(1):
            self.bar.refresh()
