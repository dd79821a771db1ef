"""The search for hyper-parameters: its grid, and that only held-out folds decide."""

import pandas as pd

from digits import search, tables
from digits.experiments import CANDIDATES, EXPERIMENTS, SEARCHES, select
from digits.profiles import PROFILES
from digits.reports.jaubert import NOT_SEARCHED
from digits.study import Study


def test_the_grid_is_complete_and_holds_what_was_published():
    searched = [name for name in SEARCHES if name.startswith("jaubert/")]
    assert len(searched) == 10
    for network in searched:
        assert len(select(f"search/{network}@*")) == 12
        full = EXPERIMENTS[network].recipe
        published = CANDIDATES[f"search/{network}@{search.setting_of(full)}"].recipe
        assert published == full.but(folds=5, curve_step=25, precise_pairs=1000)
    assert {c.recipe.optimizer for c in CANDIDATES.values()} == {"adam", "sgd"}


def test_patterns_of_experiments_find_no_candidates():
    assert all(not experiment.id.startswith("search/") for experiment in select("*"))


def test_profiles_search_what_they_say_even_with_seeds_of_ones_own():
    searched = {run.experiment.id.split("@")[0] for run in Study(seeds=[7]).runs("search/*")}
    assert searched == {"search/jaubert/model_1+ws+aux"}
    full = {run.experiment.id.rpartition("@")[0] for run in Study(profile="paper").runs("search/*")}
    assert full == {f"search/{name}" for name in SEARCHES} - {f"search/{n}" for n in NOT_SEARCHED}
    assert len(Study(profile="paper").runs("search/jaubert/*")) == 5 * 12
    assert len(select("search/jaubert/*")) == 120
    assert PROFILES["quick"].recipe(CANDIDATES["search/jaubert/model_0@sgd-0.01-32"]).epochs == 1


def frame(errors, tests):
    network = "jaubert/model_1+ws+aux"
    rows = [
        {"experiment": f"search/{network}@{setting}", "seed": seed, "fold_error": error + seed}
        | {"test_error": tests[setting]}
        for setting, error in errors.items()
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows)


def test_the_lowest_mean_fold_error_is_chosen_whatever_the_test_says():
    errors = {"sgd-0.01-32": 30.0, "adam-0.003-16": 6.0, "adam-0.002-32": 5.0}
    used = {"jaubert/model_1+ws+aux": "adam-0.003-16"}
    for tests in ({s: 1.0 for s in errors}, {s: -e for s, e in errors.items()}):
        (choice,) = search.choices(frame(errors, tests), used).to_dict("records")
        assert (choice["chosen"], choice["fold_error"]) == ("adam-0.002-32", 5.5)
        assert (choice["used_fold_error"], choice["rank"], choice["of"]) == (6.5, 2, 3)
    (row,) = tables.search_table(pd.DataFrame([choice])).to_dict("records")
    assert (row["its rank"], row["fold error"], row["n"]) == ("2 of 3", "5.50", 2)
