"""What cross-validation on training pairs chooses: settings of a search, steps of the ablation."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from digits.analysis import beyond
from digits.core import InputError
from digits.experiments.chosen import Chosen
from digits.experiments.experiment import setting_of
from digits.experiments.registry import EXPERIMENTS, SEARCHES


def chosen_settings(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per searched experiment: the setting that the folds choose, the one in use.

    Of settings that do equally well that of the lowest rate is chosen.

    frame: tidy rows of candidates. Columns: network (its id), n (rounds), chosen, its fold error in
    per cent, used, its fold error, the used one's rank and of how many; rate, of the chosen one.
    None of the used one if it is not among those that were tried.
    """
    rows = []
    searched = [EXPERIMENTS[name].searched for name in frame.experiment]
    for network, runs in frame.assign(searched=searched).groupby("searched", sort=False):
        # Settings are compared on the same folds: in the rounds that all of them have.
        shared = set.intersection(*runs.groupby("setting").seed.agg(set))
        runs = runs[runs.seed.isin(shared)]
        # Equal numbers of wrong pairs may have means that differ in the last bits.
        settings = runs.groupby("setting").agg(
            error=("fold_error", "mean"), rate=("learning_rate", "first")
        )
        settings = settings.round({"error": 9}).sort_values(["error", "rate"], kind="stable")
        errors = settings.error
        if errors.empty:
            continue  # its settings have no round in common yet
        used = _used(network, set(errors.index))
        rows.append(
            {
                "network": network,
                "n": runs.seed.nunique(),
                "chosen": errors.index[0],
                "fold_error": errors.iloc[0],
                "used": used,
                "used_fold_error": errors.get(used),
                "rank": list(errors.index).index(used) + 1 if used else None,
                "of": len(errors),
                "rate": settings.rate.iloc[0],
            }
        )
    columns = ["network", "n", "chosen", "fold_error", "used", "used_fold_error", "rank", "of"]
    return pd.DataFrame(rows, columns=[*columns, "rate"])


def _used(network: str, settings: set[str]) -> str | None:
    """Return the setting in use of an experiment; that of its control if it is searched for one.

    None if it is none of `settings`.
    """
    experiment = EXPERIMENTS[network]
    users = [experiment] + [
        other
        for other in EXPERIMENTS.values()
        if (other.report, other.cell, other.protocol)
        == (experiment.report, experiment.cell, experiment.protocol)
        and not other.setting
    ]
    return next(filter(settings.__contains__, (setting_of(e.recipe) for e in users)), None)


def chosen(searches: pd.DataFrame, folds: pd.DataFrame) -> Chosen:
    """Return what the folds choose, by tidy rows of candidates and of cross-validated steps.

    Raises `InputError` if a search in use lacks a candidate in all rounds: no choice is a grid's
    without the whole grid.
    """
    found = chosen_settings(searches)
    tried = dict(zip(found.network, found["of"], strict=True))
    for name, search in SEARCHES.items():
        if search.in_use and tried.get(name, 0) < len(search.settings):
            raise InputError(
                f"the search of {name} has {tried.get(name, 0)} of {len(search.settings)} settings "
                f"in common rounds: train search/{name}@* first."
            )
    steps = beyond.steps(folds)
    steps = steps[steps.cross_validated & steps.fold_change.notna()]
    return Chosen(
        rates=dict(sorted(zip(found.network, found.rate, strict=True))),
        kept={row.step: bool(row.fold_change < 0) for row in steps.itertuples()},
    )


class Searched(NamedTuple):
    """How the learning rates of some experiments were searched.

    edge: how many of these n have a rate at the edge of their grid; rounds: those that each was
    chosen on.
    """

    n: int
    edge: int
    rounds: list[int]


def searched_among(names: Iterable[str]) -> Searched:
    """Return how those experiments were searched that were; names: ids."""
    searched = [SEARCHES[name] for name in names if name in SEARCHES]
    edges = 0
    for search in searched:
        rates = [rate for _, rate, _ in search.settings]
        edges += search.experiment.recipe.learning_rate in (min(rates), max(rates))
    return Searched(len(searched), edges, [search.rounds for search in searched])
