"""The search for hyper-parameters, as a stage of its own.

Every setting of a grid is trained by 5-fold cross-validation on the training pairs of a round, and
the setting with the lowest error on the held-out folds is chosen. No test pair has a say. (A sixth
network is trained on all pairs, as in every run, and not used.)
"""

from itertools import product

import pandas as pd

from digits.experiment import Experiment

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
    return [
        Experiment(
            id=f"search/{experiment.id}@{optimizer}-{rate:g}-{batch_size}",
            build=experiment.build,
            recipe=recipe.but(
                optimizer=optimizer,
                learning_rate=rate,
                batch_size=batch_size,
                folds=FOLDS,
                curve_step=recipe.epochs,  # one point: only the folds count
                precise_pairs=1000,
            ),
            rounds=1,
            size="search",
        )
        for optimizer, rate, batch_size in settings
    ]


def choices(frame: pd.DataFrame, published: dict[str, str]) -> pd.DataFrame:
    """Return one row per network: the setting that the folds choose, and the published one.

    frame: tidy rows of candidates. published: the published setting by network, as in the ids.
    Columns: network, n (rounds), chosen, its fold error in per cent, published, its fold error,
    the published one's rank and of how many.
    """
    rows = []
    names = frame.experiment.str.removeprefix("search/").str.rsplit("@", n=1, expand=True)
    for network, runs in frame.assign(network=names[0], setting=names[1]).groupby(
        "network", sort=False
    ):
        errors = runs.groupby("setting").fold_error.mean().sort_values(kind="stable")
        setting = published[network]
        rows.append(
            {
                "network": network,
                "n": runs.seed.nunique(),
                "chosen": errors.index[0],
                "fold_error": errors.iloc[0],
                "published": setting,
                "published_fold_error": errors[setting],
                "rank": list(errors.index).index(setting) + 1,
                "of": len(errors),
            }
        )
    return pd.DataFrame(rows)
