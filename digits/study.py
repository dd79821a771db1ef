"""A study: which runs are wanted, train those that are missing, give back one tidy table.

A notebook and run_all.py both hold a `Study`; what it is made of are exactly the parameters of a
notebook. Training happens in worker processes of one thread each, and one writer appends their
records, so a study that is cut short loses at most the runs in flight.
"""

import contextlib
import functools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError
from pydantic import Field, field_validator
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from digits import paths, records
from digits.data import SOURCES, load
from digits.errors import InputError
from digits.experiments import PROFILES, Experiment, select
from digits.recipe import Value
from digits.records import Record
from digits.seeds import streams
from digits.training import Diverged, draw_round, train

#: What a row of the tidy table takes from its record as it is.
COPIED = (
    "precise_error",
    "train_digit_accuracy",
    "test_digit_accuracy",
    "train_seconds",
    "seconds",
)


class Run(NamedTuple):
    """One round of one experiment; the experiment's recipe is that of the study's profile."""

    experiment: Experiment
    seed: int

    def __str__(self) -> str:
        return f"{self.experiment.id} round {self.seed}"


class Failure(NamedTuple):
    """A run that ended without a record, and why."""

    run: Run
    reason: str


class Study(Value):
    """What to run, how much of it, on which digits. All of it can be a notebook's parameter.

    source: "sample" or "mnist".
    profile: "smoke", "quick" or "paper".
    seeds: the rounds of every experiment; None for those of the profile. A text such as
        "[0, 1, 2]", which is what Papermill's -p hands over, is read as the list it spells.
    jobs: worker processes; None for one per core.
    """

    source: str = "sample"
    profile: str = "quick"
    seeds: tuple[int, ...] | None = None
    jobs: int | None = Field(default=None, ge=1)

    @field_validator("source")
    @classmethod
    def _known_source(cls, source):
        return _one_of("data source", source, SOURCES)

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, profile):
        return _one_of("profile", profile, tuple(PROFILES))

    @field_validator("seeds", mode="before")
    @classmethod
    def _list_of_seeds(cls, seeds):
        if seeds is None:
            return None
        given = seeds
        if isinstance(seeds, str):
            with contextlib.suppress(json.JSONDecodeError):
                seeds = json.loads(seeds)
        if not isinstance(seeds, (list, tuple)) or not seeds:
            raise InputError(
                f"seeds = {given!r} is not a list of whole numbers: write it as [0, 1, 2]."
            )
        for seed in seeds:
            streams(seed)  # refuses what is not a seed
        if len(set(seeds)) < len(seeds):
            raise InputError(
                f"seeds = {given!r} names a seed twice: rounds must differ in their seed."
            )
        return tuple(seeds)

    @property
    def n_jobs(self) -> int:
        """Worker processes to use."""
        return self.jobs or joblib.cpu_count()

    def runs(self, *patterns: str) -> list[Run]:
        """Return the wanted runs of the experiments that match `patterns` (see `select`)."""
        profile = PROFILES[self.profile]
        return [
            Run(experiment.model_copy(update={"recipe": profile.recipe(experiment)}), seed)
            for experiment in select(*patterns)
            for seed in (self.seeds or profile.seeds(experiment))
        ]

    def missing(self, *patterns: str) -> list[Run]:
        """Return the wanted runs that have no record yet, longest first."""
        wanted = self.runs(*patterns)
        done = self._read(wanted)
        return sorted(
            (run for run in wanted if self._key(run) not in done),
            key=lambda run: -expected_seconds(run.experiment),
        )

    def train_missing(self, *patterns: str, share: tuple[int, int] = (1, 1)) -> list[Failure]:
        """Train the wanted runs that have no record and return those that failed.

        share: (i, n) trains only the i-th of n equal parts of the missing runs, for use on
            several machines.

        Raises `InputError` before any training if the data or the number of pairs do not fit.
        """
        index, parts = share
        missing = self.missing(*patterns)[index - 1 :: parts]
        if not missing:
            return []
        digits = load(self.source)
        for recipe in {
            run.experiment.recipe.hash: run.experiment.recipe for run in missing
        }.values():
            draw_round(digits, recipe, streams(0)["pairs"])  # refuses more pairs than there are
        folder = paths.results_dir()
        failures = []
        with _progress(missing) as progress:
            for outcome in _outcomes(missing, self.source, self.n_jobs, progress):
                if isinstance(outcome, Failure):
                    failures.append(outcome)
                else:
                    records.append(folder, outcome)
        return failures

    def ensure(self, *patterns: str) -> pd.DataFrame:
        """Return one row per wanted run (see `tidy`), training first what has no record.

        Raises `InputError` if a run fails: no table is made of fewer rounds than were asked.
        """
        failures = self.train_missing(*patterns)
        if failures:
            raise InputError(f"{len(failures)} runs failed, the first: {failures[0].reason}.")
        return tidy(self.records(*patterns))

    def records(self, *patterns: str) -> list[Record]:
        """Return the records of the wanted runs, in the order of the table and of the seeds.

        Raises `InputError` if one is missing.
        """
        wanted = self.runs(*patterns)
        done = self._read(wanted)
        lacking = [run for run in wanted if self._key(run) not in done]
        if lacking:
            raise InputError(
                f"{len(lacking)} of {len(wanted)} runs have no record, the first: {lacking[0]}; "
                "run_all.py trains what is missing."
            )
        return [done[self._key(run)] for run in wanted]

    def figures(self, notebook: str) -> Path:
        """Return the folder for the pictures and tables of `notebook`, made if need be."""
        folder = paths.figures_dir() / self.profile / notebook
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _key(self, run: Run) -> tuple[str, str, int, str]:
        return run.experiment.id, run.experiment.recipe.hash, run.seed, self.source

    def _read(self, runs: list[Run]) -> dict[tuple, Record]:
        names = dict.fromkeys(run.experiment.id for run in runs)
        found = (records.read(paths.results_dir(), name, self.source) for name in names)
        return {record.key: record for file in found for record in file}


def tidy(records: list[Record]) -> pd.DataFrame:
    """Make one row per record. Errors and digit accuracy in per cent, times in seconds.

    Of a run of several trainings, train_error and test_error are the means over the errors after
    each, which is how the table that this protocol comes from was averaged (kqiku, P0.1).
    """
    experiments = {experiment.id: experiment for experiment in select("*")}
    rows = []
    for record in records:
        experiment = experiments[record.experiment]
        row = {
            "experiment": record.experiment,
            "report": experiment.report,
            "architecture": experiment.architecture,
            "ws": "ws" in experiment.options,
            "aux": "aux" in experiment.options,
            "variant": experiment.variant,
            "seed": record.seed,
            "parameters": record.parameters,
            "epochs": record.recipe.epochs,
        }
        for error in ("train_error", "test_error"):
            after_each = record.after_each_training(error)
            row[error] = sum(after_each) / len(after_each)
        row |= {name: getattr(record, name) for name in COPIED}
        rows.append(row)
    return pd.DataFrame(rows).astype({"train_digit_accuracy": float, "test_digit_accuracy": float})


def curves(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and epoch: experiment, seed, epoch from 1, and every curve."""
    return pd.concat(
        (
            pd.DataFrame(record.curves.model_dump()).assign(
                experiment=record.experiment,
                seed=record.seed,
                epoch=range(1, len(record.curves.objective) + 1),
            )
            for record in records
        ),
        ignore_index=True,
    )


@functools.cache
def _flops_a_pair(build) -> float:
    images = torch.zeros(2, 2, 14, 14)
    with torch.random.fork_rng(devices=[]), FlopCounterMode(display=False) as counter:
        build().eval()(images)
    return counter.get_total_flops() / len(images)


def expected_seconds(experiment: Experiment) -> float:
    """Guess how long a run takes, for ordering and for the time left; only ratios matter."""
    recipe = experiment.recipe
    steps = -(-recipe.train_pairs // recipe.batch_size)
    # A training pair costs three forward passes, a pair of the curves one; 20 GFLOP/s on one core.
    passes = 3 * recipe.train_pairs + recipe.train_pairs + recipe.test_pairs
    epoch = steps * 1.5e-3 + passes * _flops_a_pair(experiment.build) / 2e10
    return recipe.trainings * recipe.epochs * epoch


def _attempt(run: Run, source: str, data_dir: str) -> Record | Failure:
    """Train one run in a worker process."""
    os.environ["DIGITS_DATA"] = data_dir
    try:
        return train(run.experiment, run.seed, load(source))
    except (Diverged, InputError) as error:
        return Failure(run, str(error))
    except Exception as error:  # a fault of one run must not end the others
        return Failure(run, f"{run}: {type(error).__name__}: {error}")


def _outcomes(
    runs: list[Run], source: str, jobs: int, progress: "_Progress"
) -> Iterator[Record | Failure]:
    """Train `runs` in worker processes and yield what comes of each as it comes."""

    def tasks():
        for run in runs:
            progress.started(run)
            yield joblib.delayed(_attempt)(run, source, str(paths.data_dir()))

    workers = min(jobs, len(runs))
    with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        parallel = joblib.Parallel(
            return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1
        )
        try:
            for outcome in parallel(tasks()):
                progress.ended(outcome)
                yield outcome
        except TerminatedWorkerError as error:
            raise InputError(
                "a worker process was ended from outside (out of memory?): the records written so "
                "far are kept; run the same command again to go on, with fewer --jobs if it recurs."
            ) from error


class _Progress:
    """One bar: what is done, what runs now, the time left by expected cost."""

    def __init__(self, runs: list[Run]):
        self.total, self.done, self.running = len(runs), 0, {}
        self.expected = {(r.experiment.id, r.seed): expected_seconds(r.experiment) for r in runs}
        self.bar = tqdm(
            total=sum(self.expected.values()),
            bar_format="{desc} |{bar:20}| {elapsed} elapsed, {remaining} left{postfix}",
            dynamic_ncols=True,
            smoothing=0,
            mininterval=0.2 if sys.stderr.isatty() else 20,
            file=sys.stderr,
        )
        self._show()

    def started(self, run: Run) -> None:
        self.running[run.experiment.id, run.seed] = run
        self._show()

    def ended(self, outcome: Record | Failure) -> None:
        if isinstance(outcome, Failure):
            key = (outcome.run.experiment.id, outcome.run.seed)
        else:
            key = (outcome.experiment, outcome.seed)
        self.running.pop(key, None)
        self.done += 1
        self._show()
        self.bar.update(self.expected[key])

    def _show(self) -> None:
        self.bar.set_description_str(f"trained {self.done}/{self.total}", refresh=False)
        now = ", ".join(f"{name} #{seed}" for name, seed in list(self.running))
        self.bar.set_postfix_str(f"now {now}" if now else "", refresh=False)


@contextlib.contextmanager
def _progress(runs: list[Run]) -> Iterator[_Progress]:
    progress = _Progress(runs)
    try:
        yield progress
    finally:
        progress.bar.close()


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise InputError(f"{what} {value!r} is unknown: choose one of {', '.join(allowed)}.")
    return value
