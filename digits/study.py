"""A study: which runs are wanted, train those that are missing, give back one tidy table.

A notebook and run_all.py both hold a `Study`; what it is made of are exactly the parameters of a
notebook. Training happens in worker processes of one thread each, and one writer appends their
records, so a study that is cut short loses at most the runs in flight.
"""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, Literal

import joblib
import pandas as pd
from pydantic import Field, field_validator

from digits import cluster, core, records, workers
from digits.compute import DEVICES, PRECISIONS, Compute, device_named, has_bf16
from digits.core import Frozen, InputError
from digits.data import SOURCES, load
from digits.experiments import select
from digits.frames import tidy
from digits.models.blocks import parameters_built_by
from digits.profiles import PROFILES
from digits.records import Failure, Record
from digits.runs import Outcome, Run, expected_seconds
from digits.seeds import streams
from digits.training import draw_round


class Study(Frozen):
    """What to run, how much of it, on which digits. All of it can be a notebook's parameter.

    source: "sample" or "mnist".
    profile: "smoke", "quick" or "paper".
    seeds: the rounds of every experiment; None for those of the profile. A text such as
        "[0, 1, 2]", which is what Papermill's -p hands over, is read as the list it spells.
    jobs: worker processes; None for one per core.
    light: leave out the networks of twenty convolutions and more under their reports' own
        protocols, which take days on a CPU at full length.
    device: "cpu"; "cuda", one graphics card; or "auto", the card if there is one.
    precision: "fp32" or "bf16" (see `Compute`); None for what the profile says, which is bf16 for
        the deep networks of some, where the device multiplies bfloat16 itself.
    """

    source: Literal[*SOURCES] = "sample"
    profile: Literal[*PROFILES] = "quick"
    seeds: tuple[int, ...] | None = None
    jobs: int | None = Field(default=None, ge=1)
    light: bool = False
    device: Literal[*DEVICES] = "cpu"
    precision: Literal[*PRECISIONS] | None = None

    @classmethod
    def of_notebook(cls, names: dict[str, Any]) -> "Study":
        """Return the study that a notebook's parameters describe: `Study.of_notebook(globals())`.

        Raises `InputError` for a parameter that a study does not have. Papermill only warns of a
        misspelt one, and would run with the default. In a notebook that has its study already,
        the names that its cells have made since are let pass.
        """
        given = {name: names[name] for name in cls.model_fields if name in names}
        if "study" in names:
            return cls(**given)
        plain = (type(None), bool, int, float, str, list, dict, tuple)
        for name, value in names.items():
            of_jupyter = name.startswith("_") or name in ("In", "Out")
            if isinstance(value, plain) and not of_jupyter and name not in given:
                raise InputError(
                    f"{name} = {value!r} is not a parameter of this notebook: choose among "
                    f"{', '.join(cls.model_fields)}."
                )
        return cls(**given)

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
                f"seeds = {given!r} is not a list of whole numbers: write it as [0, 1, 2], "
                "or 0,1,2 for run_all.py."
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
        """Return the wanted runs of the experiments that match `patterns` (see `select`).

        Without those that want more pairs than the source has.
        """
        profile = PROFILES[self.profile]
        runs = []
        for experiment in select(*patterns):
            seeds = profile.seeds(experiment)
            too_long = self.light and experiment.size == "deep"
            too_many = self.source == "sample" and experiment.size.startswith("more pairs")
            if not seeds or too_long or too_many:
                continue
            wanted = experiment.model_copy(update={"recipe": profile.recipe(experiment)})
            compute = self._compute(experiment.size in profile.bf16)
            runs += [Run(wanted, seed, compute) for seed in self.seeds or seeds]
        return runs

    def _compute(self, bf16_pays: bool) -> Compute:
        """Return what a run computes on: what was asked for, or what suits profile and device."""
        device = device_named(self.device)
        if self.precision == "bf16" and not has_bf16(device):
            raise InputError(
                "precision 'bf16' is slower than float32 here, since this device does not multiply "
                "bfloat16 itself: choose 'fp32'."
            )
        own = "bf16" if bf16_pays and has_bf16(device) else "fp32"
        return Compute(device=device, precision=self.precision or own)

    def missing(self, *patterns: str, share: tuple[int, int] = (1, 1)) -> list[Run]:
        """Return the wanted runs that have no record yet, longest first.

        share: (i, n) for the i-th of n parts of equal cost. The parts are cut from all wanted
            runs, so several machines agree on them whatever each has done so far.
        """
        wanted = self._part(share, *patterns)
        done = self._read(wanted)
        return [run for run in wanted if self._key(run) not in done]

    def train_missing(
        self, *patterns: str, share: tuple[int, int] = (1, 1), scheduler: str | None = None
    ) -> list[Outcome]:
        """Train the wanted runs that have no record (see `missing`) and return those that failed.

        Two processes with one results folder and one share train one after the other.
        scheduler: the address of a Dask cluster to train on; None for processes of this machine.
        Raises `InputError` before any training if the data or the number of pairs do not fit.
        """
        missing = self.missing(*patterns, share=share)
        if not missing:
            return []
        self._check_data(missing)
        folder = core.results_dir()
        with records.alone(folder, self.source, share):
            missing = self.missing(*patterns, share=share)  # another process may have done some
            if not missing:
                return []
            if scheduler is None:
                outcomes = workers.train_runs(missing, self.source, self.n_jobs)
            else:
                outcomes = cluster.train_runs(missing, self.source, scheduler)
            failures = []
            for outcome in outcomes:
                if outcome.failure:
                    failures.append(outcome)
                if outcome.record is not None:
                    records.append(folder, outcome.record)
        return failures

    def ensure(self, *patterns: str) -> pd.DataFrame:
        """Return one row per wanted run (see `tidy`), training first what has no record.

        A run whose loss stopped being finite has no row, but `tables.scope` names it. Raises
        `InputError` if a run fails otherwise: no table is made of fewer rounds than were asked.
        """
        lost = [o for o in self.train_missing(*patterns) if o.record is None]
        if lost:
            raise InputError(f"{len(lost)} runs failed, the first: {lost[0].failure}.")
        found = self._all(*patterns)
        kept = [record for record in found if isinstance(record, Record)]
        if not kept:
            raise InputError(f"no run has a result; {found[0]}: choose other experiments.")
        return tidy(kept, [record for record in found if isinstance(record, Failure)])

    def records(self, *patterns: str) -> list[Record]:
        """Return the records of the wanted runs, in the order of the table and of the seeds.

        Those that diverged are left out (see `diverged`). Raises `InputError` if one is missing.
        """
        return [record for record in self._all(*patterns) if isinstance(record, Record)]

    def diverged(self, *patterns: str) -> list[Failure]:
        """Return what those of the wanted runs left behind whose loss stopped being finite."""
        found = self.recorded(*patterns)
        return [record for _, record in found if isinstance(record, Failure)]

    def recorded(self, *patterns: str) -> list[tuple[Run, Record | Failure]]:
        """Return the wanted runs that have left something behind, and what."""
        wanted = self.runs(*patterns)
        done = self._read(wanted)
        return [(run, done[self._key(run)]) for run in wanted if self._key(run) in done]

    def _all(self, *patterns: str) -> list[Record | Failure]:
        wanted = self.runs(*patterns)
        if not wanted:
            raise InputError(
                f"profile {self.profile!r} runs nothing of {', '.join(patterns)}"
                f"{' with light' if self.light else ''}: choose other experiments."
            )
        done = self._read(wanted)
        lacking = [run for run in wanted if self._key(run) not in done]
        if lacking:
            raise InputError(
                f"{len(lacking)} of {len(wanted)} runs have no record, the first: {lacking[0]}; "
                "run_all.py trains what is missing."
            )
        return [done[self._key(run)] for run in wanted]

    def left_out(self, *patterns: str) -> str:
        """Say which experiments `light` leaves out, "" if none."""
        here = {run.experiment.id for run in self.runs(*patterns)}
        deep = [experiment.id for experiment in select(*patterns) if experiment.size == "deep"]
        lacking = [name for name in deep if name not in here]
        if not lacking:
            return ""
        return (
            f"Left out here, because they take days on a CPU at full length: {len(lacking)} "
            f"experiments with twenty convolutions and more ({', '.join(lacking)})."
        )

    @property
    def figures_folder(self) -> Path:
        """The folder of this profile; its name tells a source or runs that are not the usual.

        So a few rounds, or the sample, never overwrite the figures of the full protocol.
        """
        name = self.profile
        if self.source != PROFILES[self.profile].usual_source:
            name += f"-{self.source}"
        if self.seeds is not None:
            name += "-seeds"
        if self.light:
            name += "-light"
        return core.figures_dir() / name

    def figures(self, notebook: str) -> Path:
        """Return the folder for the pictures and tables of `notebook`, made if need be."""
        folder = self.figures_folder / notebook
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _key(self, run: Run) -> tuple[str, str, int, str]:
        return run.experiment.id, run.experiment.recipe.hash, run.seed, self.source

    def _read(self, runs: list[Run]) -> dict[tuple, Record | Failure]:
        """Return the records of `runs` that exist, by key.

        Raises `InputError` for a record that was made by another recipe of the same hash, or by
        a network of another size.
        """
        wanted = {self._key(run): run.experiment for run in runs}
        found = {}
        for experiment in {run.experiment.id: run.experiment for run in runs}.values():
            parameters = parameters_built_by(experiment.build)
            for record in records.read(core.results_dir(), experiment.id, self.source):
                if record.key not in wanted:
                    continue
                same = isinstance(record, Failure) or record.parameters == parameters
                if record.recipe != experiment.recipe or not same:
                    raise InputError(
                        f"the record of {experiment.id} #{record.seed} in "
                        f"{os.path.relpath(core.results_dir() / self.source)} was made by another "
                        "recipe or network than this version has: run_all.py --fresh trains it "
                        "again and keeps the record aside."
                    )
                found[record.key] = record
        return found

    def move_aside(self, *patterns: str, share: tuple[int, int] = (1, 1)) -> Path | None:
        """Move the records of the wanted runs to a folder of their own, and return it.

        None if there are none. Raises `InputError` before that if the data or pairs do not fit.
        """
        wanted = self._part(share, *patterns)
        self._check_data(wanted)
        keys = {self._key(run) for run in wanted}
        return records.move_aside(core.results_dir(), keys, self.source)

    def _part(self, share: tuple[int, int], *patterns: str) -> list[Run]:
        index, parts = share
        wanted = sorted(self.runs(*patterns), key=lambda run: -expected_seconds(run.experiment))
        return wanted[index - 1 :: parts]

    def _check_data(self, runs: list[Run]) -> None:
        """Refuse a source that cannot be loaded, and more pairs than its pools hold."""
        digits = load(self.source)
        for recipe in {run.experiment.recipe.hash: run.experiment.recipe for run in runs}.values():
            draw_round(digits, recipe, streams(0)["pairs"])
