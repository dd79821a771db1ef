"""The search for hyper-parameters, as a stage of its own.

Every setting of a grid is trained by 5-fold cross-validation on the training pairs of a round, and
the setting with the lowest error on the held-out folds is chosen. No test pair has a say. (A sixth
network is trained on all pairs, as in every run, and not used.)
"""

from itertools import product

import pandas as pd

from digits.experiment import Experiment
from digits.recipe import Recipe

FOLDS = 5
#: Optimiser, learning rate and batch size of each setting.
Grid = tuple[tuple[str, float, int], ...]


def grid(optimizers: dict[str, tuple[float, ...]], batch_sizes: tuple[int, ...]) -> Grid:
    """Return every setting of some learning rates by optimiser, and of some batch sizes."""
    rates = [(name, rate) for name, rates in optimizers.items() for rate in rates]
    return tuple((*optimizer, size) for optimizer, size in product(rates, batch_sizes))


def candidates(experiment: Experiment, settings: Grid) -> list[Experiment]:
    """Return one experiment per setting: the network of `experiment`, cross-validated."""
    recipe = experiment.recipe
    recipes = [
        recipe.but(
            optimizer=optimizer,
            learning_rate=rate,
            batch_size=batch_size,
            folds=FOLDS,
            curve_step=recipe.epochs,  # one point: only the folds count
            precise_pairs=1000,
        )
        for optimizer, rate, batch_size in settings
    ]
    return [
        Experiment(
            id=f"search/{experiment.id}@{setting_of(candidate)}",
            build=experiment.build,
            recipe=candidate,
            rounds=1,
            size="search",
        )
        for candidate in recipes
    ]


def setting_of(recipe: Recipe) -> str:
    """Return how a setting is written in an id, such as "adam-0.001-50"."""
    return f"{recipe.optimizer}-{recipe.learning_rate:g}-{recipe.batch_size}"


def choices(frame: pd.DataFrame, used: dict[str, str]) -> pd.DataFrame:
    """Return one row per network: the setting that the folds choose, and the one that is used.

    frame: tidy rows of candidates. used: the setting of the experiment by its id (see
    `setting_of`). Columns: network, n (rounds), chosen, its fold error in per cent, used, its fold
    error, the used one's rank and of how many.
    """
    rows = []
    names = frame.experiment.str.removeprefix("search/").str.rsplit("@", n=1, expand=True)
    for network, runs in frame.assign(network=names[0], setting=names[1]).groupby(
        "network", sort=False
    ):
        errors = runs.groupby("setting").fold_error.mean().sort_values(kind="stable")
        setting = used[network]
        rows.append(
            {
                "network": network,
                "n": runs.seed.nunique(),
                "chosen": errors.index[0],
                "fold_error": errors.iloc[0],
                "used": setting,
                "used_fold_error": errors[setting],
                "rank": list(errors.index).index(setting) + 1,
                "of": len(errors),
            }
        )
    return pd.DataFrame(rows)
