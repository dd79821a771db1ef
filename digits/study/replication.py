"""The replication: rounds trained on this machine, to be put beside the study."""

import pandas as pd

from digits.core import InputError, short
from digits.experiments.experiment import Experiment
from digits.experiments.registry import select
from digits.study.frames import tidy
from digits.study.profiles import PROFILES
from digits.study.study import Study
from digits.training.record import Record

_NOTHING = {
    "experiment": pd.Series(dtype=str),
    "shortened": pd.Series(dtype=bool),
    "test_error": pd.Series(dtype=float),
}


def check(shown: Study) -> None:
    """Refuse a folder without records of the study that a replication is shown beside."""
    records = shown.store.folder / shown.source
    if not any(records.rglob("*.jsonl")):
        raise InputError(
            f"{short(records)} has no records, and a replication is shown beside the study: copy "
            f"the repository's results/{shown.source} there, or leave out --results."
        )


def rounds_here(*patterns: str) -> pd.DataFrame:
    """Return tidy rows of the rounds of the replication that were trained here, if any.

    patterns: of experiments (see `select`).
    """
    quick = Study(profile="quick")
    names = {run.experiment.id for run in quick.runs(*patterns)}
    seeds = {record.seed for name in names for record in quick.store.read(name)}
    found = Study(profile="quick", seeds=tuple(seeds)).recorded(*patterns) if seeds else []
    records = [record for _, record in found if isinstance(record, Record)]
    return tidy(records) if records else pd.DataFrame(_NOTHING)


def left_out(*patterns: str) -> list[Experiment]:
    """Return the reports' networks that take too long for the replication."""
    quick = PROFILES["quick"]
    return [e for e in select(*patterns) if e.follows_the_text and not quick.seeds(e)]
