"""One fair comparison: every distinct network of the reports under one common protocol.

The reports differ in epochs, batches, learning rates, losses and input, so their tables do not
compare networks. Here all see the same pairs of a round, standardised, for 25 epochs of batches of
50 with Adam and cross entropy; an auxiliary output adds its loss with weight 1. Only the learning
rate is a network's own, chosen by cross-validation on the training pairs of the first rounds (see
`Search`). Networks of twenty convolutions or more keep the rate of their authors: a search would
take days. Those get fewer rounds, and compute in bfloat16 where the processor multiplies it (see
`device`).
"""

from functools import partial

from digits.experiments.chosen import CHOSEN
from digits.experiments.experiment import Design, Experiment, Search, grid
from digits.models import damachi
from digits.training.recipe import Recipe

PROTOCOL = Recipe(epochs=25, batch_size=50, learning_rate=0.001, standardised=True, curve_step=5)
ROUNDS, DEEP_ROUNDS = 10, 3
GRID = grid({"adam": (0.0003, 0.001, 0.003, 0.01, 0.03)}, (PROTOCOL.batch_size,))
WIDE_GRID = grid({"adam": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)}, (PROTOCOL.batch_size,))
#: The models that are searched on the wide grid, and on so many rounds: those that the answer rests
#: on, but for damachi/cnn, whose networks take over an hour a round. Others are searched on one.
SEARCH_ROUNDS = {"kqiku/fcc": 3, "kqiku/cnn": 3, "zadoks/twinnet": 3}
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


def experiments(rows: list[Experiment]) -> list[Experiment]:
    """Return the experiments of the comparison: the networks among `rows`, the reports' own."""
    return [
        _under_the_protocol(row, AS_LOGITS.get(row.id, row.build))
        for row in rows
        if row.variant in NETWORKS and row.id not in LEFT_OUT
    ]


def _under_the_protocol(row: Experiment, build) -> Experiment:
    deep = row.tags & {"deep"}
    # A network that is new has the protocol's rate until it is searched; a test then asks for it.
    own = CHOSEN.rates.get(f"common/{row.network}", PROTOCOL.learning_rate)
    recipe = PROTOCOL.but(
        learning_rate=row.recipe.learning_rate if deep else own,
        auxiliary_weight=float(bool(row.recipe.auxiliary_weight)),
    )
    return Experiment(
        **{name: getattr(row, name) for name in ("report", "model", "options", "variant")},
        protocol="common",
        build=build,
        recipe=recipe,
        rounds=DEEP_ROUNDS if deep else ROUNDS,
        tags=deep | {"common"},
    )


def searches(compared: list[Experiment]) -> list[Search]:
    """Return the search of every network whose learning rate is searched."""
    searched = [(row, f"{row.report}/{row.model}") for row in compared if "deep" not in row.tags]
    return [
        Search(row, WIDE_GRID, rounds=SEARCH_ROUNDS[model])
        if model in SEARCH_ROUNDS
        else Search(row, GRID)
        for row, model in searched
    ]


def designs(of_reports: list[Design], rows: list[Experiment]) -> list[Design]:
    """Return the 2x2 designs whose networks all take part; rows: the reports' own."""
    common = {row.id: f"common/{row.network}" for row in rows if row.variant in NETWORKS}
    return [
        design.model_copy(
            update={"protocol": "common", "cells": tuple(common[cell] for cell in design.cells)}
        )
        for design in of_reports
        if set(design.cells) <= set(common)
    ]
