"""Kqiku, Soydinc, Noguerón: eight networks by the text, by their code, and by the code repaired."""

from functools import partial

from digits.experiments.experiment import CELLS, Experiment, Published, design_of, named, two_by_two
from digits.models import kqiku as networks
from digits.training.recipe import Recipe

NUMBER = 0
AUTHORS = "Kqiku, Soydinc, Noguerón"
#: What pictures call the models; the others by their id.
NAMES = {"fcc": "dense net", "cnn": "CNN"}
IN_SHORT = (
    "A Siamese CNN beats a dense network; weight sharing improves both; the auxiliary loss alone "
    "worsens them, and helps only beside weight sharing (best: 12.8 % error)."
)

#: Of the report's networks; of their variants by the network: a round of what the code did with the
#: CNNs takes minutes, so those have fewer.
ROUNDS, FURTHER_ROUNDS = 60, {"fcc": 60, "cnn": 10}
#: Network: how the text lists it, how the code has it, and the number of parameters it prints.
NETWORKS = {
    "fcc": (networks.fcc, networks.published_fcc, 483_618),
    "cnn": (networks.cnn, networks.published_cnn, 135_480),
}
#: Row: mean and SD of the train error, mean and SD of the test error, in %; n = 10.
TABLE = {
    "fcc": (0.17, 0.4, 17.45, 0.82),
    "fcc+ws": (0.06, 0.13, 13.84, 0.67),
    "fcc+aux": (0.08, 0.22, 18.11, 1.06),
    "fcc+ws+aux": (0.02, 0.06, 13.94, 0.76),
    "cnn": (1.65, 1.85, 15.10, 0.95),
    "cnn+ws": (2.45, 0.98, 14.10, 1.18),
    "cnn+aux": (2.9, 4.02, 15.6, 2.25),
    "cnn+ws+aux": (2.53, 1.58, 12.8, 1.72),
}
CONTROL = frozenset({"control"})
#: At most, of the controls that have no counterpart in the report.
CONTROL_ROUNDS = 20
#: All hidden layers of a network, as multiples of the report's.
WIDTHS = {"half": 0.5, "double": 2}


def experiments() -> list[Experiment]:
    """Return eight sets, by the table of section "Results" and the code (batch 100).

    By the text: pairs shuffled in every epoch (the code never does), independent rounds, auxiliary
    loss on. published: what the code did, ten trainings of one network in a row, without re-
    initialising it and without the auxiliary loss; it gave both the plain and the "+aux" rows of
    the table, which therefore stand at one experiment. repaired: the code's networks and order with
    these two bugs fixed. no-final-relu: by the text, but for the ReLU on the two logits. one-draw:
    by the text, trainings on the pairs of round 0. fixed-order: by the text, with the order of the
    code. half, double: without the final ReLU, of that width.
    """
    written = Recipe(epochs=25, batch_size=100, learning_rate=0.01)
    as_coded = written.but(order="fixed")
    sets = {"": [], "published": [], "repaired": [], "no-final-relu": [], "one-draw": []}
    sets |= {"fixed-order": []} | {name: [] for name in WIDTHS}
    for model, (as_listed, in_code, count) in NETWORKS.items():
        printed = {cell: _published(model + cell) for cell in CELLS}
        rounds = FURTHER_ROUNDS[model]
        sets[""] += two_by_two("kqiku", model, as_listed, written, ROUNDS, published=printed)
        sets["published"] += [
            Experiment(
                **named("kqiku", model + cell, "published"),
                build=partial(in_code, shared=bool(cell), auxiliary=False),
                recipe=as_coded.but(trainings=10),
                rounds=rounds,
                published=tuple(
                    number.model_copy(update={"kind": "trainings in a row"})
                    for number in printed[cell] + printed[f"{cell}+aux"]
                ),
                reported_parameters=count,
                counted="by the code",
            )
            for cell in ("", "+ws")
        ]
        sets["one-draw"] += two_by_two(
            *("kqiku", model, as_listed, written.but(varies="all but pairs"), 20),
            variant="one-draw",
            tags=frozenset({"one draw"}),
        )
        sets["repaired"] += two_by_two(
            *("kqiku", model, in_code, as_coded, rounds),
            variant="repaired",
            published=printed,
            reported=lambda shared, count=count: count,
            tags=CONTROL,
        )
        sets["no-final-relu"] += two_by_two(
            *("kqiku", model, partial(as_listed, final_relu=False), written, rounds),
            variant="no-final-relu",
            tags=CONTROL,
        )
        few = min(rounds, CONTROL_ROUNDS)
        sets["fixed-order"] += [
            experiment
            for experiment in two_by_two(
                *("kqiku", model, as_listed, as_coded, few), variant="fixed-order", tags=CONTROL
            )
            if experiment.options in ((), ("ws", "aux"))
        ]
        plain = partial(as_listed, shared=False, auxiliary=False, final_relu=False)
        for name, width in WIDTHS.items():
            sets[name].append(
                Experiment(
                    **named("kqiku", model, name),
                    build=partial(plain, width=width),
                    recipe=written,
                    rounds=few,
                    tags=CONTROL,
                )
            )
    return [experiment for experiments in sets.values() for experiment in experiments]


def _published(row: str) -> tuple[Published, ...]:
    """Return the printed numbers of a row; all rounds of the report share one draw of pairs."""
    train, train_sd, test, test_sd = TABLE[row]
    kind = {"n": 10, "kind": "trainings on one draw", "row": row}
    return (
        Published(quantity="train_error", mean=train, sd=train_sd, **kind),
        Published(quantity="test_error", mean=test, sd=test_sd, **kind),
    )


DESIGNS = [
    design_of([e for e in experiments() if (e.model, e.variant) == (model, variant)])
    for variant in ("", "repaired")
    for model in NETWORKS
]
