"""The searches for hyper-parameters: their grids, and what a candidate leaves as it is."""

import pytest

from digits.experiments.experiment import FOLDS, grid, setting_of
from digits.experiments.registry import EXPERIMENTS, SEARCHES, select


def of(report, protocol="own"):
    return [
        search
        for search in SEARCHES.values()
        if (search.experiment.report, search.experiment.protocol) == (report, protocol)
    ]


def test_a_grid_has_every_setting_once():
    found = grid({"adam": (0.1, 0.01), "sgd": (1.0,)}, (16, 32))
    assert found == (
        ("adam", 0.1, 16),
        ("adam", 0.1, 32),
        ("adam", 0.01, 16),
        ("adam", 0.01, 32),
        ("sgd", 1.0, 16),
        ("sgd", 1.0, 32),
    )


def test_jauberts_grid_is_complete_and_holds_what_was_published():
    assert len(of("jaubert")) == 10
    for search in of("jaubert"):
        network = search.experiment.id
        assert len(select(f"search/{network}@*")) == len(search.settings) == 12
        full = EXPERIMENTS[network].recipe
        published = EXPERIMENTS[f"search/{network}@{setting_of(full)}"].recipe
        assert published == full.but(folds=5, curve_step=25, precise_pairs=1000)


def test_damachi_searches_the_rates_of_gradient_descent_and_of_adam_alike():
    found = of("damachi")
    names = {search.experiment.name for search in found}
    assert names == {"logreg", "nn", "logreg@adam", "nn@adam"}
    for search in found:
        optimizer = "adam" if search.experiment.variant else "sgd"
        assert {setting[0] for setting in search.settings} == {optimizer}
        rates = [0.1, 0.01, 0.001, 0.0001, *([0.00001] if search.experiment.variant else [])]
        assert [rate for _, rate, _ in search.settings] == rates
        assert {size for *_, size in search.settings} == {search.experiment.recipe.batch_size}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=list(SEARCHES))
def test_a_candidate_is_the_searched_network_with_folds_and_another_setting(search):
    own = search.experiment
    candidates = [e for e in EXPERIMENTS.values() if e.setting and e.searched == own.id]
    assert len(candidates) == len(search.settings)
    for candidate in candidates:
        assert candidate.build is own.build and candidate.rounds == search.rounds
        assert candidate.setting == setting_of(candidate.recipe)
        change = ("optimizer", "learning_rate", "batch_size")
        set_here = {name: getattr(candidate.recipe, name) for name in change}
        assert tuple(set_here.values()) in search.settings
        assert candidate.recipe == own.recipe.but(
            **set_here, folds=FOLDS, curve_step=own.recipe.epochs, precise_pairs=1000
        )
        assert candidate.tags == search.tags | {"search"}
        assert not candidate.published
