"""What cross-validation chooses: the lowest error on held-out folds, whatever the test says."""

import numpy as np
import pandas as pd
import pytest

from digits import core
from digits.analysis import beyond
from digits.analysis.choices import chosen, chosen_settings
from digits.core import InputError
from digits.experiments.chosen import CHOSEN
from digits.experiments.experiment import setting_of
from digits.experiments.registry import EXPERIMENTS, SEARCHES, select
from digits.output.tables import search_table
from digits.study.frames import tidy
from digits.study.store import RecordStore


def frame(errors, tests):
    network = "jaubert/model_1+ws+aux"
    rows = [
        {"experiment": f"search/{network}@{setting}", "setting": setting, "seed": seed}
        | {"fold_error": error + seed, "test_error": tests[setting]}
        | {"learning_rate": float(setting.split("-")[1])}
        for setting, error in errors.items()
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("best", ["adam-0.002-32", "sgd-0.01-32"])
def test_the_lowest_mean_fold_error_is_chosen_whatever_the_test_says(best):
    errors = {"sgd-0.01-32": 30.0, "adam-0.003-16": 6.0, "adam-0.002-32": 8.0} | {best: 5.0}
    for tests in ({s: 1.0 for s in errors}, {s: -e for s, e in errors.items()}):
        (choice,) = chosen_settings(frame(errors, tests)).to_dict("records")
        assert (choice["chosen"], choice["fold_error"]) == (best, 5.5)
        assert choice["rate"] == float(best.split("-")[1]) and choice["n"] == 2
        assert (choice["used"], choice["used_fold_error"]) == ("adam-0.003-16", 6.5)
        assert (choice["rank"], choice["of"]) == (2, 3)


@pytest.mark.parametrize(
    ("network", "higher", "lower"),
    [
        ("jaubert/model_1+ws+aux", "adam-0.003-16", "adam-0.002-32"),
        ("damachi/logreg@adam", "adam-0.1-1000", "adam-1e-05-1000"),  # by name it comes later
    ],
)
@pytest.mark.parametrize("errors", ([20.4, 0.0, 25.2], [17.0, 12.4, 16.2]))
def test_of_settings_that_do_equally_well_the_lower_rate_is_chosen(network, higher, lower, errors):
    """Also if the same sum of wrong pairs has means that differ in the last bits."""
    rows = [(higher, seed, error) for seed, error in enumerate(errors)]
    rows += [(lower, seed, error) for seed, error in enumerate([17.0, 12.4, 16.2])]
    rows = pd.DataFrame(rows, columns=["setting", "seed", "fold_error"])
    rows["experiment"] = f"search/{network}@" + rows.setting
    rows["learning_rate"] = rows.setting.map({higher: 2.0, lower: 1.0})
    (choice,) = chosen_settings(rows).to_dict("records")
    assert (choice["chosen"], choice["rate"]) == (lower, 1.0)


def test_settings_are_compared_in_the_rounds_that_all_of_them_have():
    errors = {"adam-0.003-16": 6.0, "adam-0.002-32": 7.0}
    rows = frame(errors, errors)
    lucky = rows[rows.setting == "adam-0.002-32"].assign(seed=2, fold_error=0.0)
    (choice,) = chosen_settings(pd.concat([rows, lucky])).to_dict("records")
    assert (choice["chosen"], choice["n"], choice["fold_error"]) == ("adam-0.003-16", 2, 6.5)


def test_a_search_that_is_not_finished_has_no_setting_in_use_or_is_in_no_table():
    errors = {"adam-0.003-16": 6.0, "adam-0.002-32": 7.0}
    rows = frame(errors, errors)
    other = chosen_settings(rows[rows.setting == "adam-0.002-32"])
    assert (other.chosen[0], other.used[0]) == ("adam-0.002-32", None)
    (told,) = search_table(other).to_dict("records")
    assert (told["used"], told["its fold error"], told["its rank"]) == ("", "", "")
    apart = rows[(rows.setting == "adam-0.002-32") == (rows.seed == 0)]
    assert chosen_settings(apart).empty


@pytest.fixture(scope="module")
def searches():
    """Tidy rows of the committed candidates of the searches that set a learning rate."""
    store = RecordStore(core.ROOT / "results", "mnist")
    candidates = [e for e in select("search/*") if SEARCHES[e.searched].in_use]
    return tidy([record for e in candidates for record in store.read(e.id)])


@pytest.fixture(scope="module")
def folds():
    """Tidy rows of the committed cross-validations of steps."""
    store = RecordStore(core.ROOT / "results", "mnist")
    return tidy([record for e in select("beyond/*-folds") for record in store.read(e.id)])


def test_the_table_of_what_is_chosen_is_what_the_committed_folds_choose(searches, folds):
    assert chosen(searches, folds) == CHOSEN


def test_nothing_is_chosen_from_a_part_of_a_grid(searches, folds):
    name = "common/zadoks/twinnet"
    whole = len(SEARCHES[name].settings)
    one = searches.experiment[searches.experiment.str.startswith(f"search/{name}@")].iloc[0]
    with pytest.raises(InputError, match=rf"{name} has {whole - 1} of {whole} settings in common"):
        chosen(searches[searches.experiment != one], folds)


def test_the_learning_rates_in_use_are_those_that_the_committed_folds_choose(searches):
    found = chosen_settings(searches).set_index("network")
    assert set(found.index) == set(CHOSEN.rates)
    assert (found.chosen == found.used).all() and (found["rank"] == 1).all()
    assert found.n.to_dict() == {name: SEARCHES[name].rounds for name in found.index}
    for name, row in found.iterrows():
        experiment = EXPERIMENTS[name]
        if row.chosen.startswith("sgd"):  # that of a network's control by gradient descent
            experiment = EXPERIMENTS[f"{name}@sgd"]
        assert row.used == setting_of(experiment.recipe)


def test_a_step_is_kept_if_it_lowers_the_error_on_held_out_folds(folds):
    found = beyond.steps(folds)
    for row in found[found.cross_validated].iloc[1:].itertuples():
        assert np.isfinite(row.fold_change) and row.kept == (row.fold_change < 0), row.step
