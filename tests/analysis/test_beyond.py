"""The ablation, heads, learning curves, variance: made-up rows with known answers, and records."""

import numpy as np
import pandas as pd
import pytest

from digits import core
from digits.analysis import beyond
from digits.experiments.beyond import (
    BASELINE,
    BEST,
    HEADS,
    LARGER_BUDGET,
    STEPS,
    folds_id_of,
    id_of,
)
from digits.study.frames import tidy
from digits.study.store import RecordStore


def rows(name, errors, folds=None, **more):
    return [
        {
            "experiment": name,
            "seed": seed,
            "precise_error": error,
            "test_error": error,
            "train_pairs": 1000,
            "precise_fold_errors": folds,
            "epochs": 25,
            "seconds": 40.0,
            "parameters": 9574,
            "precision": "float32",
            "precise_pairs": 20_000,
            "shortened": False,
        }
        | more
        for seed, error in enumerate(errors)
    ]


@pytest.fixture
def frame():
    """An ablation: each kept step halves the error; the noise of a round is common to all."""
    noise = np.array([0.0, 0.2, 0.4])
    uneven = np.array([0.1, 0.0, -0.1])
    found = rows(BASELINE, 8.0 + noise) + rows(folds_id_of("baseline"), [0], (8.0, 10.0))
    error = 8.0
    for step in STEPS:
        own = error / 2 if step.kept else error * 2
        if step.rounds:
            found += rows(id_of(step.name), own + noise + uneven * (step.name == "one-cycle"))
        if step.fold_rounds:
            found += rows(folds_id_of(step.name), [0], (own, own + 2))
        error = own if step.kept else error
    return pd.DataFrame(found)


def test_a_step_is_compared_with_the_kept_one_before(frame):
    found = beyond.steps(frame).set_index("step")
    assert list(found.index) == ["baseline", *(step.name for step in STEPS)]
    assert found.loc["baseline", "mean"] == pytest.approx(8.2)
    assert np.isnan(found.loc["baseline", "change"]) and np.isnan(
        found.loc["baseline", "fold_change"]
    )
    assert found.loc["standardised", "change"] == pytest.approx(-4.0)
    # Differences of -1.9, -2.0 and -2.1: by hand, t of two degrees of freedom is 4.303.
    half = 4.303 * 0.1 / np.sqrt(3)
    bounds = found.loc["one-cycle", ["change_low", "change_high"]].tolist()
    assert bounds == pytest.approx([-2 - half, -2 + half], abs=1e-3)
    error = 8.0
    for step in STEPS:
        row = found.loc[step.name]
        own = error / 2 if step.kept else error * 2
        assert row.cross_validated == (step.fold_rounds > 0)
        if row.cross_validated:
            assert row.fold_change == pytest.approx(own - error)
            assert row.fold == pytest.approx(own + 1)
        else:
            assert np.isnan(row.fold)
        if step.rounds:
            assert row.change == pytest.approx(own - error) and row.change_n == 3
        else:
            assert np.isnan(row["n"])
        error = own if step.kept else error


def test_folds_are_compared_fold_by_fold_in_the_rounds_that_both_have():
    below, above = folds_id_of("baseline"), folds_id_of("standardised")
    found = rows(below, [0, 0, 0], (8.0, 10.0))
    found += [row | {"seed": row["seed"] + 1} for row in rows(above, [0, 0, 0], (7.0, 9.5))]
    row = beyond.steps(pd.DataFrame(found)).set_index("step").loc["standardised"]
    assert (row.fold_n, row.fold_change_n) == (3, 2)  # rounds 1 to 3, and 1 and 2
    # Differences of -1 and -0.5, twice each: t of three degrees of freedom is 3.182.
    half = 3.182 * np.std([-1, -0.5] * 2, ddof=1) / 2
    assert row.fold_change == pytest.approx(-0.75)
    assert [row.fold_change_low, row.fold_change_high] == pytest.approx(
        [-0.75 - half, -0.75 + half], abs=1e-3
    )


def test_one_round_has_no_spread_and_no_limits_but_is_shown():
    frame = pd.DataFrame(
        rows("zadoks/twinnet", [10]) + rows(BASELINE, [5]) + rows(id_of(BEST), [1])
    )
    assert (
        beyond.variance_by_source(frame).set_index("stream").loc["all streams", "sd"].isna().all()
    )
    limits = beyond.limits_of_ten(frame)
    assert len(limits) == 3 and limits[["sd_precise", "half_precise"]].isna().all(axis=None)
    assert beyond.heads(frame.assign(precise_error=1.0))["head"].nunique() == 1


def test_only_rounds_that_both_have_are_compared(frame):
    few = frame[(frame.experiment != id_of("sum")) | (frame.seed == 1)]
    found = beyond.steps(few).set_index("step")
    assert (found.loc["sum", "n"], found.loc["sum", "change_n"]) == (1, 1)
    assert found.loc["deep", "change_n"] == 1


def test_the_best_networks_have_ten_rounds_on_the_full_data():
    store = RecordStore(core.ROOT / "results", "mnist")
    frame = tidy([r for name in (BEST, LARGER_BUDGET) for r in store.read(id_of(name))])
    found = beyond.targets(frame).set_index("experiment")
    assert (found.n >= 10).all()
    seconds = frame.groupby("experiment").seconds.max()
    # On one core; the larger budget is of two, which train two rounds at once.
    assert seconds[id_of(BEST)] < 300 and seconds[id_of(LARGER_BUDGET)] / 2 < 300
    assert found.loc[id_of(BEST), "mean"] <= 1.0
    assert found.loc[id_of(LARGER_BUDGET), "mean"] <= 0.6
    assert found.loc[id_of(BEST), "epochs"] == 25
    assert (frame.train_pairs == 1000).all() and (frame.source == "mnist").all()


def test_heads_are_compared_in_the_rounds_that_all_have():
    found = rows(id_of("sharper"), [1.0, 1.0, 1.0])
    for name in ("detached", *HEADS):
        found += rows(f"beyond/deepnet@{name}", [2.0, 2.0])
    heads = beyond.heads(pd.DataFrame(found))
    assert set(heads.seed) == {0, 1} and heads["head"].nunique() == 5
    assert heads.groupby("head").size().eq(2).all()


def test_options_are_differences_within_a_round():
    errors = {"": [10, 20, 30], "+ws": [9, 18, 27], "+aux": [6, 15, 24], "+ws+aux": [3, 11, 19]}
    found = []
    for suffix, values in errors.items():
        found += rows(f"zadoks/twinnet{suffix}", values)
        found += rows(f"beyond/twinnet{suffix}@125-pairs", [v + 5 for v in values], train_pairs=125)
        found += rows(f"beyond/twinnet{suffix}@only-pairs", values)  # of another question
    found += rows(id_of(BEST), [1, 1, 1])
    table = beyond.options_by_pairs(pd.DataFrame(found)).set_index(["train_pairs", "effect"])[
        "mean"
    ]
    for pairs in (125, 1000):
        assert table[pairs, "weight sharing alone"] == -2
        assert table[pairs, "weight sharing beside the digit loss"] == -4
        assert table[pairs, "digit loss alone"] == -5
        assert table[pairs, "digit loss beside weight sharing"] == -7
    assert len(table) == 8


def test_spreads_are_of_the_source_that_they_name():
    found = (
        rows("zadoks/twinnet", [10, 12, 14]) + rows(BASELINE, [5, 6]) + rows(id_of(BEST), [1, 2])
    )
    found += rows("beyond/twinnet@only-init", [10, 10.2, 10.4])
    table = beyond.variance_by_source(pd.DataFrame(found)).set_index(["network", "stream"])
    assert table.loc[("twin net", "all streams"), "sd"] == pytest.approx(2.0)
    assert table.loc[("twin net", "init"), "sd"] == pytest.approx(0.2)
    drawn = table.loc[("twin net", "1000 test pairs"), "sd"]
    assert drawn == pytest.approx(100 * np.sqrt(0.12 * 0.88 / 1000))
    assert ("twin net", "order") not in table.index
    limits = beyond.limits_of_ten(pd.DataFrame(found)).set_index("network")
    assert limits.loc["twin net", "half"] == pytest.approx(2.262 * 2 / np.sqrt(10), rel=1e-3)
