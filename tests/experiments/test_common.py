"""The common protocol: every distinct network once, alike in all but its learning rate."""

from digits.analysis.findings import TWO_BRANCHES
from digits.experiments import common
from digits.experiments.chosen import CHOSEN
from digits.experiments.registry import EXPERIMENTS, SEARCHES, designs, select

COMPARED = select("common/*")


def test_every_distinct_network_of_the_reports_takes_part():
    own = {
        experiment.id
        for experiment in select("*")
        if experiment.protocol == "own" and experiment.variant in common.NETWORKS
    }
    assert {experiment.network for experiment in COMPARED} == own - common.LEFT_OUT
    assert len(COMPARED) == 44
    assert {experiment.protocol for experiment in COMPARED} == {"common"}


def test_only_the_learning_rate_and_the_auxiliary_loss_differ():
    for experiment in COMPARED:
        own = EXPERIMENTS[experiment.network]
        recipe = experiment.recipe
        weight = 1.0 if own.recipe.auxiliary_weight else 0.0
        rate = recipe.learning_rate
        assert recipe == common.PROTOCOL.but(learning_rate=rate, auxiliary_weight=weight)
        assert recipe.standardised and recipe.loss == "cross_entropy"
        if own.report != "damachi":
            assert experiment.build is own.build


def test_learning_rates_are_of_the_grid_or_for_the_deep_networks_their_authors():
    behind_the_answer = {cell for design in TWO_BRANCHES for cell in design.cells}
    for experiment in COMPARED:
        if "deep" in experiment.tags:
            assert experiment.id not in SEARCHES
            own = EXPERIMENTS[experiment.network].recipe
            assert experiment.recipe.learning_rate == own.learning_rate
        else:
            wide = experiment.id in behind_the_answer and experiment.report != "damachi"
            search = SEARCHES[experiment.id]
            assert search.settings == (common.WIDE_GRID if wide else common.GRID)
            assert search.rounds == (3 if wide else 1)
            assert experiment.recipe.learning_rate in {rate for _, rate, _ in search.settings}
            # Every one of them is chosen: the protocol's own is for networks that are new.
            assert experiment.recipe.learning_rate == CHOSEN.rates[experiment.id]
    searched = {name for name, search in SEARCHES.items() if search.experiment.protocol == "common"}
    assert searched == {e.id for e in COMPARED if "deep" not in e.tags}


def test_designs_are_those_of_the_reports_whose_networks_take_part():
    taking_part = {experiment.network for experiment in COMPARED}
    expected = [d for d in designs("own") if set(d.cells) <= taking_part]
    found = designs("common")
    assert [(d.report, d.model, d.variant, d.baseline) for d in found] == [
        (d.report, d.model, d.variant, d.baseline) for d in expected
    ]
    for design, own in zip(found, expected, strict=True):
        assert [EXPERIMENTS[cell].network for cell in design.cells] == list(own.cells)
        assert design.name == f"common/{own.name}"
        losses = [EXPERIMENTS[cell].recipe.auxiliary_weight for cell in design.cells]
        assert losses == [0, 0, 1, 1]
