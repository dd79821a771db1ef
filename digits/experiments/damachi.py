"""Damachi, Volpini: six networks by cross-validation and test, and controls."""

from functools import partial

from digits.experiments.chosen import CHOSEN
from digits.experiments.experiment import Design, Experiment, Published, Search, grid, named
from digits.models import damachi as networks
from digits.training.recipe import Recipe

NUMBER = 3
AUTHORS = "Damachi, Volpini"
#: What pictures call the models; the others by their id.
NAMES = {"linreg": "linear", "logreg": "logistic", "nn": "dense net", "cnn": "CNN"}
IN_SHORT = (
    "Convolutional networks are best, around 15 % error; two losses help them and hurt dense "
    "networks; simple models vary most."
)

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

#: Gradient descent, which the report holds to be worse than Adam: the rates that are searched.
SGD_RATES = (0.1, 0.01, 0.001, 0.0001)
TUNED = ("logreg", "nn")
#: The same rates for Adam, since a tuned optimiser is compared with a tuned one; and a lower one,
#: since the lowest of those is chosen.
ADAM_RATES = (*SGD_RATES, 0.00001)
#: By what a round costs: 60 where it takes seconds, 40 about a minute; the CNNs take minutes,
#: and of the dense net's other optimisers not all are there.
ROUNDS = {"linreg": 60, "logreg": 60, "nn": 40, "nn+aux": 40, "nn@sgd": 10, "nn@adam": 10}


def experiments() -> list[Experiment]:
    """Return the six rows of Tables I and II, and controls that are tested only.

    @unshared: the CNN with a branch for each image. @no-dropout: without dropout. @sgd: gradient
    descent instead of Adam; @adam: Adam, with a rate that is searched as that of @sgd is.

    The report ran one cross-validation and one test a network; the rounds are our choice. Its
    epochs, batch sizes, learning rate and weights are the code's. It never left training mode: the
    CNNs are scored both ways.
    """
    rows = [
        _row(name, published=tuple(_printed(name)), reported_parameters=TABLES[name][3])
        for name in TABLES
    ]
    controls = [
        _row(name, "unshared", build=partial(networks.cnn, shared=False, auxiliary=auxiliary))
        for name, auxiliary in (("cnn", False), ("cnn+aux", True))
    ]
    controls += [
        _row(name, "sgd", optimizer="sgd", learning_rate=CHOSEN.rates[f"damachi/{name}"])
        for name in TUNED
    ]
    controls += [
        _row(name, "adam", learning_rate=CHOSEN.rates[f"damachi/{name}@adam"]) for name in TUNED
    ]
    controls += [
        _row(name, "no-dropout", build=partial(TABLES[name][0], dropout=0.0))
        for name in ("cnn", "cnn+aux")
    ]
    return rows + controls


def _printed(name: str):
    """Yield the printed numbers, of the convolutional networks by both ways of scoring."""
    folds, sd, test = (100 - TABLES[name][4][0], *TABLES[name][4][1:])
    for suffix in ("", "_training_mode") if name.startswith("cnn") else ("",):
        for quantity, mean, spread, n, kind, place in (
            ("fold_error", folds, sd, 5, "folds", "Table I"),
            ("test_error", 100 - test, None, 1, "run", "Table II"),
            ("fold_median", 100 - MEDIANS[name], None, 5, "folds", "Figure 7"),
        ):
            yield Published(
                quantity=quantity + suffix,
                mean=round(mean, 1),
                sd=spread,
                n=n,
                kind=kind,
                row=f"{place}, {name}",
            )


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
    cost = "large" if convolutional else None
    return Experiment(
        **named("damachi", name, variant),
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
        rounds=ROUNDS.get(f"{name}@{variant}", ROUNDS.get(name, 10)),
        tags=frozenset({cost} if cost else ()),
        **fields,
    )


def searches(rows: list[Experiment]) -> list[Search]:
    """Return the search for the learning rates of gradient descent, and that for Adam's."""
    by_id = {row.name: row for row in rows}
    return [
        Search(by_id[name + variant], grid({optimizer: rates}, (by_id[name].recipe.batch_size,)))
        for optimizer, rates, variant in (("sgd", SGD_RATES, ""), ("adam", ADAM_RATES, "@adam"))
        for name in TUNED
    ]


DESIGNS = [
    Design(
        report="damachi",
        model="cnn",
        cells=tuple(f"damachi/cnn{of}" for of in ("@unshared", "", "+aux@unshared", "+aux")),
        baseline="two branches",
    )
]
