"""The search for hyper-parameters that jaubert's report describes, as a stage of its own.

Every setting of a grid is trained by 5-fold cross-validation on the training pairs of a round, and
the setting with the lowest error on the held-out folds is chosen. No test pair has a say.
"""

import pandas as pd

from digits.experiment import Experiment

#: Optimisers with their learning rates, as in the authors' final grid. Its one batch size was 16;
#: an earlier grid had 32 as well.
OPTIMIZERS = (
    ("adam", 0.003),
    ("adam", 0.002),
    ("adam", 0.001),
    ("adam", 0.0005),
    ("adam", 0.0001),
    ("sgd", 0.01),
)
BATCH_SIZES = (16, 32)
FOLDS = 5


def candidates(experiment: Experiment) -> list[Experiment]:
    """Return one experiment per setting of the grid: the network of `experiment`, cross-validated.

    The report trained twice per fold on one set of pairs; here a round is one training per fold.
    """
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
                curve_step=recipe.epochs,  # no curves: only the folds count
                precise_pairs=1000,
            ),
            rounds=1,
            size="search",
        )
        for optimizer, rate in OPTIMIZERS
        for batch_size in BATCH_SIZES
    ]


def choices(frame: pd.DataFrame, published: dict[str, str]) -> pd.DataFrame:
    """Return one row per network: the setting that the folds choose, and the published one.

    frame: tidy rows of candidates. published: the published setting by network, as in the ids.
    Columns: network, n (rounds), chosen, its fold error in per cent, published, its fold error,
    the published one's rank and of how many.
    """
    rows = []
    names = frame.experiment.str.removeprefix("search/").str.split("@", expand=True)
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
