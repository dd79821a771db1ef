"""The common protocol: every distinct network once, alike in all but its learning rate."""

from digits import common
from digits.experiments import COMMON_DESIGNS, COMPARED, DESIGNS, EXPERIMENTS, SEARCHES


def test_every_distinct_network_of_the_reports_takes_part():
    own = {
        name
        for name, experiment in EXPERIMENTS.items()
        if experiment.protocol == "own" and experiment.variant in common.NETWORKS
    }
    assert {e.id.removeprefix("common/") for e in COMPARED} == own - common.LEFT_OUT
    assert len(COMPARED) == 44


def test_only_the_learning_rate_and_the_auxiliary_loss_differ():
    for experiment in COMPARED:
        own = EXPERIMENTS[experiment.id.removeprefix("common/")]
        recipe = experiment.recipe
        weight = 1.0 if own.recipe.auxiliary_weight else 0.0
        rate = recipe.learning_rate
        assert recipe == common.PROTOCOL.but(learning_rate=rate, auxiliary_weight=weight)
        assert recipe.standardised and recipe.loss == "cross_entropy"
        assert experiment.report == own.report and experiment.variant == own.variant
        if own.report != "damachi":
            assert experiment.build is own.build


def test_learning_rates_are_of_the_grid_or_for_the_deep_networks_their_authors():
    rates = {rate for _, rate, _ in common.GRID}
    for experiment in COMPARED:
        own = EXPERIMENTS[experiment.id.removeprefix("common/")]
        if own.size == "deep":
            assert experiment.id not in SEARCHES
            assert experiment.recipe.learning_rate == own.recipe.learning_rate
        else:
            assert SEARCHES[experiment.id] == common.GRID
            assert experiment.recipe.learning_rate in rates
    assert set(common.LEARNING_RATES) <= {e.id.removeprefix("common/") for e in COMPARED}


def test_designs_are_those_of_the_reports_whose_networks_take_part():
    assert {design.name.removeprefix("common/") for design in COMMON_DESIGNS} == {
        design.name
        for design in DESIGNS
        if not {cell.partition("@")[2] for cell in design.cells} - {"", "wide", "unshared"}
    }
    for design in COMMON_DESIGNS:
        losses = [EXPERIMENTS[cell].recipe.auxiliary_weight for cell in design.cells]
        assert losses == [0, 0, 1, 1]
