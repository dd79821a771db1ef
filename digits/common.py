"""One fair comparison: every distinct network of the reports under one common protocol.

The reports differ in epochs, batches, learning rates, losses and input, so their tables do not
compare networks. Here all see the same pairs of a round, standardised, for 25 epochs of batches of
50 with Adam and cross entropy; an auxiliary output adds its loss with weight 1. Only the learning
rate is a network's own, chosen by cross-validation on the training pairs of round 0 (see
`search`). The networks of twenty convolutions keep the rate that their authors chose on validation
pairs: a search would take days. Those get fewer rounds, and compute in bfloat16 where the processor
multiplies it (see `compute`).
"""

from functools import partial

from digits.experiment import Design, Experiment
from digits.models import damachi
from digits.recipe import Recipe
from digits.search import grid

PROTOCOL = Recipe(epochs=25, batch_size=50, learning_rate=0.001, standardised=True, curve_step=5)
ROUNDS, DEEP_ROUNDS = 10, 3
GRID = grid({"adam": (0.0003, 0.001, 0.003, 0.01, 0.03)}, (PROTOCOL.batch_size,))
#: Before the id of a network, its id in this comparison.
PREFIX = "common/"

#: Variants that are networks of their own; the others change the protocol, or details in the code.
NETWORKS = ("", "text", "wide", "unshared")
#: Without its score the same network as logistic regression.
LEFT_OUT = {"damachi/linreg"}
#: Networks that end with scores, rebuilt to end with logits.
AS_LOGITS = {
    "damachi/logreg": partial(damachi.linear, "logit"),
    "damachi/nn": partial(damachi.dense, auxiliary=False, kind="logit"),
    "damachi/nn+aux": partial(damachi.dense, auxiliary=True, kind="logit"),
    "damachi/cnn": partial(damachi.cnn, auxiliary=False, kind="logit"),
    "damachi/cnn+aux": partial(damachi.cnn, auxiliary=True, kind="logit"),
    "damachi/cnn@unshared": partial(damachi.cnn, shared=False, auxiliary=False, kind="logit"),
    "damachi/cnn+aux@unshared": partial(damachi.cnn, shared=False, auxiliary=True, kind="logit"),
}

#: The learning rates that the folds choose; a test compares them with the records of the search.
_CHOSEN = {
    0.0003: (
        "kqiku/fcc",
        "jaubert/model_1+ws@wide",
        "jaubert/model_2+aux1",
        "jaubert/model_2+ws",
        "jaubert/model_2+ws@wide",
    ),
    0.001: (
        "kqiku/fcc+aux",
        "kqiku/fcc+ws",
        "kqiku/fcc+ws+aux",
        "cadei/convnet",
        "cadei/mlp",
        "jaubert/model_2@text",
        "damachi/logreg",
        "damachi/nn",
    ),
    0.003: (
        "kqiku/cnn+ws",
        "kqiku/cnn+ws+aux",
        "jaubert/model_0",
        "jaubert/model_1",
        "jaubert/model_1+aux2",
        "jaubert/model_1+ws",
        "jaubert/model_1@text",
        "jaubert/model_2",
        "jaubert/model_2+aux2",
        "jaubert/model_2+ws+aux@text",
        "damachi/cnn+aux",
        "damachi/cnn+aux@unshared",
        "damachi/cnn@unshared",
        "zadoks/twinnet",
    ),
    0.01: (
        "kqiku/cnn",
        "kqiku/cnn+aux",
        "jaubert/model_1+ws+aux",
        "jaubert/model_1+ws+aux@text",
        "jaubert/model_2+ws+aux",
        "damachi/nn+aux",
        "zadoks/twinnet+ws",
        "zadoks/twinnet+ws+aux",
    ),
    0.03: (
        "damachi/cnn",
        "zadoks/twinnet+aux",
    ),
}
LEARNING_RATES = {name: rate for rate, names in _CHOSEN.items() for name in names}


def experiments(rows: list[Experiment]) -> list[Experiment]:
    """Return the experiments of the comparison: the networks among `rows`, the reports' own."""
    return [
        _under_the_protocol(row, AS_LOGITS.get(row.id, row.build))
        for row in rows
        if row.variant in NETWORKS and row.id not in LEFT_OUT
    ]


def _under_the_protocol(row: Experiment, build) -> Experiment:
    deep = row.size == "deep"
    # A network that is new has the protocol's rate until it is searched; a test then asks for it.
    rate = row.recipe.learning_rate if deep else LEARNING_RATES.get(row.id, PROTOCOL.learning_rate)
    auxiliary = bool(row.recipe.auxiliary_weight)
    return Experiment(
        id=PREFIX + row.id,
        build=build,
        recipe=PROTOCOL.but(learning_rate=rate, auxiliary_weight=float(auxiliary)),
        rounds=DEEP_ROUNDS if deep else ROUNDS,
        size="deep comparison" if deep else "comparison",
    )


def searches(compared: list[Experiment]) -> dict[str, tuple]:
    """Return the grid by id of every network whose learning rate is searched."""
    return {experiment.id: GRID for experiment in compared if experiment.size == "comparison"}


def designs(of_reports: list[Design]) -> list[Design]:
    """Return the 2x2 designs of the reports among these networks."""
    return [
        Design(
            name=PREFIX + design.name,
            cells=tuple(PREFIX + cell for cell in design.cells),
            baseline=design.baseline,
        )
        for design in of_reports
        if all(cell.partition("@")[2] in NETWORKS for cell in design.cells)
    ]
