"""Damachi, Volpini: six networks by cross-validation and test, and controls."""

from functools import partial

from digits.experiment import Design, Experiment, Published
from digits.models import damachi as networks
from digits.recipe import Recipe
from digits.search import grid

#: Network: how it is built, epochs, batch size (1000: all pairs), parameters, accuracies in per
#: cent: mean and population SD over five folds, and on the test pairs, from one training each.
TABLES = {
    "linreg": (partial(networks.linear, "raw score"), 1000, 1000, 393, (61.8, 7.467, 69.2)),
    "logreg": (partial(networks.linear, "score"), 1000, 1000, 393, (72.4, 0.860, 73.8)),
    "nn": (partial(networks.dense, auxiliary=False), 500, 1000, 133_633, (70.5, 12.696, 80.5)),
    "nn+aux": (partial(networks.dense, auxiliary=True), 1000, 1000, 136_213, (73.8, 10.419, 78.4)),
    "cnn": (partial(networks.cnn, auxiliary=False), 70, 50, 47_803, (81.6, 2.289, 81.7)),
    "cnn+aux": (partial(networks.cnn, auxiliary=True), 70, 50, 51_733, (81.9, 2.538, 83.7)),
}

#: The medians over folds printed above the boxes of Figure 7, accuracies in per cent.
MEDIANS = dict(zip(TABLES, (61.5, 72.5, 76.0, 79.0, 81.5, 82.0), strict=True))

#: Gradient descent, which the report holds to be worse than Adam: the rates that are searched,
#: and those that the folds choose.
SGD_RATES = (0.1, 0.01, 0.001, 0.0001)
SGD = {"logreg": 0.01, "nn": 0.01}
SEARCHES = {
    f"damachi/{name}": grid({"sgd": SGD_RATES}, (batch_size,))
    for name, (_, _, batch_size, *_) in TABLES.items()
    if name in SGD
}


def experiments() -> list[Experiment]:
    """Return the six rows of Tables I and II, and controls that are tested only.

    @unshared: the CNN with a branch for each image. @sgd: gradient descent instead of Adam.

    The report ran one cross-validation and one test a network; ten rounds, and three of the CNNs,
    which take minutes each, are our choice. Its epochs, batch sizes, learning rate and weights
    are the code's. It never left training mode: the CNNs are scored both ways.
    """
    rows = [
        _row(
            name,
            published=tuple(
                Published(quantity=quantity, mean=round(100 - accuracy, 1), sd=sd, n=1, row=row)
                for quantity, accuracy, sd, row in _printed(name)
            ),
            reported_parameters=TABLES[name][3],
        )
        for name in TABLES
    ]
    controls = [
        _row(name, "@unshared", build=partial(networks.cnn, shared=False, auxiliary=auxiliary))
        for name, auxiliary in (("cnn", False), ("cnn+aux", True))
    ]
    controls += [
        _row(name, "@sgd", optimizer="sgd", learning_rate=rate) for name, rate in SGD.items()
    ]
    return rows + controls


def _printed(name: str):
    """Yield quantity, accuracy, SD and row of each printed number, by both ways of scoring."""
    folds, sd, test = TABLES[name][4]
    for suffix in ("", "_training_mode") if name.startswith("cnn") else ("",):
        yield f"fold_error{suffix}", folds, sd, f"Table I, {name}"
        yield f"test_error{suffix}", test, None, f"Table II, {name}"
        yield f"fold_median{suffix}", MEDIANS[name], None, f"Figure 7, {name}"


def _row(
    name: str,
    variant: str = "",
    *,
    build=None,
    optimizer: str = "adam",
    learning_rate: float = 0.001,
    **fields,
) -> Experiment:
    listed, epochs, batch_size, *_ = TABLES[name]
    convolutional = name.startswith("cnn")
    return Experiment(
        id=f"damachi/{name}{variant}",
        build=build or listed,
        recipe=Recipe(
            epochs=epochs,
            batch_size=batch_size,
            optimizer=optimizer,
            learning_rate=learning_rate,
            loss="mean_squared_error",
            **({"target_weight": 10.0, "auxiliary_weight": 1.0} if "+aux" in name else {}),
            folds=0 if variant else 5,
            score_in_training_mode=convolutional,
            curve_step=5 if convolutional else epochs // 100,
        ),
        rounds=3 if convolutional else 10,
        size="large" if convolutional else "medium" if name.startswith("nn") else "small",
        **fields,
    )


DESIGNS = [
    Design(
        name="damachi/cnn",
        cells=(
            "damachi/cnn@unshared",
            "damachi/cnn",
            "damachi/cnn+aux@unshared",
            "damachi/cnn+aux",
        ),
        baseline="two branches",
    )
]
