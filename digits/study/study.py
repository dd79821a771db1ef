"""A study: which runs are wanted, those that are missing, and their records as one tidy table.

A notebook and run_all.py both hold a `Study`; its fields are exactly the parameters of a notebook.
Training happens in worker processes of one thread each, and one writer appends their records, so a
study that is cut short loses at most the runs in flight.
"""

from pathlib import Path

import pandas as pd

from digits import core
from digits.core import InputError
from digits.experiments.registry import select
from digits.study import checkpoints
from digits.study.frames import tidy
from digits.study.parameters import Parameters
from digits.study.profiles import PROFILES
from digits.study.runs import Order, Run, check_data, in_order, shard_of
from digits.study.store import RecordStore, Shard
from digits.study.workers import Failed, record_runs
from digits.training.device import best_device
from digits.training.record import Diverged, Record

#: The shard that is all there is.
WHOLE = (1, 1)


class Study(Parameters):
    """The plan of what `Parameters` say: which runs are wanted, and what is there of them."""

    @property
    def store(self) -> RecordStore:
        """The records of this study's source."""
        return RecordStore(core.results_dir(), self.source)

    @property
    def shown(self) -> "Study":
        """What notebooks show: this study, or the one that a replication is put beside."""
        if not PROFILES[self.profile].replicates:
            return self
        return Study(**self.model_dump(include={"jobs", "device", "precision"}))

    @property
    def at_hand(self) -> "Study":
        """The study whose networks train in seconds on any machine: the replication of this one.

        Of a study that is itself short, this one.
        """
        if self.profile != "paper":
            return self
        return Study(profile="quick", **self.model_dump(include={"jobs", "device", "precision"}))

    def runs(self, *patterns: str) -> list[Run]:
        """Return the wanted runs of the experiments that match `patterns` (see `select`).

        Without those that need more pairs than the source has.
        """
        profile, runs = PROFILES[self.profile], []
        for experiment in select(*patterns):
            own = profile.seeds(experiment)
            if not own or (self.source == "sample" and "more pairs" in experiment.tags):
                continue
            wanted = experiment.model_copy(update={"recipe": profile.recipe(experiment)})
            device = best_device(self.device, self.precision, profile.in_bf16(experiment))
            runs += [Run(wanted, seed, device) for seed in self.seeds or own]
        return runs

    def missing(self, *patterns: str, shard: Shard = WHOLE, order: Order = "longest") -> list[Run]:
        """Return the wanted runs that have no record yet, in the order of training.

        shard: (i, n) for the i-th of n parts of equal cost. The parts are cut from all wanted
            runs, so several machines agree on them whatever each has done so far.
        order: the longest first, the cheapest first, or round 0 of everything first.
        """
        wanted = shard_of(self.runs(*patterns), shard)
        done = self.store.of_runs(wanted)
        return in_order([run for run in wanted if run.key(self.source) not in done], order)

    def train_missing(
        self,
        *patterns: str,
        shard: Shard = WHOLE,
        order: Order = "longest",
        scheduler: str | None = None,
    ) -> list[Failed]:
        """Train the wanted runs that have no record (see `missing`) and return those that failed.

        Two processes with one results folder and one shard train one after the other.
        scheduler: the address of a Dask cluster to train on; None for processes of this machine.
        Raises `InputError` before any training if the data or the number of pairs do not fit.
        """
        part = {"shard": shard, "order": order}
        if not (missing := self.missing(*patterns, **part)):
            return []
        check_data(missing, self.source)
        self.store.check_writable(missing)
        with self.store.alone(shard):
            missing = self.missing(*patterns, **part)  # another process may have done some
            # A process that was killed just after a record has left the checkpoint of that run.
            recorded = [run for run, _ in self.recorded(*patterns)]
            checkpoints.remove(self.store.folder, recorded, self.source)
            return record_runs(missing, self.store, self.n_jobs, scheduler)

    def move_aside(self, *patterns: str, shard: Shard = WHOLE) -> Path | None:
        """Move the records of the wanted runs to a folder of their own, and return it.

        None if there are none. Raises `InputError` before that if the data or pairs do not fit.
        """
        wanted = shard_of(self.runs(*patterns), shard)
        check_data(wanted, self.source)
        return self.store.move_aside({run.key(self.source) for run in wanted})

    def recorded(self, *patterns: str) -> list[tuple[Run, Record | Diverged]]:
        """Return the wanted runs that have a record, and it."""
        wanted = self.runs(*patterns)
        done = self.store.of_runs(wanted)
        return [(run, done[key]) for run in wanted if (key := run.key(self.source)) in done]

    def diverged(self, *patterns: str) -> list[Diverged]:
        """Return the records of the wanted runs whose loss stopped being finite."""
        return [record for _, record in self.recorded(*patterns) if isinstance(record, Diverged)]

    def records(self, *patterns: str) -> list[Record]:
        """Return the records of the wanted runs that are there, by experiment and seed.

        Those that diverged are left out. Raises `InputError` if there is none.
        """
        return self._results(*patterns)[0]

    def table(self, *patterns: str) -> pd.DataFrame:
        """Return one row per wanted run that has a record (see `tidy`); nothing is trained.

        A run whose loss stopped being finite has no row, but captions name it, as they do networks
        with fewer rounds than are wanted.
        """
        records, diverged = self._results(*patterns)
        return tidy(records, diverged, self.runs(*patterns))

    def _results(self, *patterns: str) -> tuple[list[Record], list[Diverged]]:
        found = [record for _, record in self.recorded(*patterns)]
        records = [record for record in found if isinstance(record, Record)]
        if records:
            return records, [record for record in found if isinstance(record, Diverged)]
        named = f"{', '.join(patterns)} in profile {self.profile!r} on {self.source!r}"
        if found:
            raise InputError(f"no run of {named} has a result; {found[0]}: choose others.")
        if self.runs(*patterns):
            raise InputError(f"no run of {named} has a record: run_all.py trains what is missing.")
        raise InputError(f"there are no runs of {named}: choose other experiments.")
