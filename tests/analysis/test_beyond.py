"""The ablation, heads, learning curves, variance: made-up rows with known answers, and records."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from digits import core
from digits.analysis import beyond
from digits.analysis.posteriors import crossed_interval
from digits.analysis.statistics import summarise
from digits.experiments.beyond import (
    BASELINE,
    BEST,
    FRESH,
    HEADS,
    LARGER_BUDGET,
    STEPS,
    folds_id_of,
    id_of,
)
from digits.experiments.registry import select
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
    # Differences of -1 and -0.5, twice each: t of three degrees of freedom is 3.182. Of two folds,
    # a test set is as large as a training set, so the variance is times (1/2 + 1) / 2 rounds.
    half = 3.182 * np.std([-1, -0.5] * 2, ddof=1) * np.sqrt((1 / 2 + 1) / 2)
    assert row.fold_change == pytest.approx(-0.75)
    assert [row.fold_change_low, row.fold_change_high] == pytest.approx(
        [-0.75 - half, -0.75 + half], abs=1e-3
    )


def test_the_corrected_interval_of_five_folds_by_hand():
    found = beyond.corrected(np.array([[-1.0, -2.0, -3.0, -4.0, -5.0]]))
    # t of four degrees of freedom is 2.776; SD 1.5811; 1/5 + 1/4.
    half = 2.776 * 1.5811 * np.sqrt(0.45)
    assert (found["n"], found["mean"]) == (5, -3)
    assert [found.low, found.high] == pytest.approx([-3 - half, -3 + half], abs=2e-3)
    again = beyond.corrected(np.array([[-1.0, -2.0, -3.0, -4.0, -5.0]] * 2))
    half = 2.262 * np.std([1, 2, 3, 4, 5] * 2, ddof=1) * np.sqrt((1 / 5 + 1 / 4) / 2)
    assert again.high == pytest.approx(-3 + half, abs=2e-3)
    assert np.isnan(beyond.corrected(np.full((2, 5), -1.0)).low)  # no spread, no interval


@pytest.mark.parametrize("rounds", [1, 2, 10])
def test_the_corrected_interval_covers_where_folds_share_training_pairs(rounds):
    """Differences of five folds that are correlated by a fifth, as the method takes it."""
    random, studies = np.random.default_rng(0), 300
    common = random.normal(size=(studies, rounds, 1))
    own = random.normal(size=(studies, rounds, 5))
    differences = 0.3 + np.sqrt(0.2) * common + np.sqrt(0.8) * own
    found = [beyond.corrected(study) for study in differences]
    naive = [summarise(study.ravel()) for study in differences]
    covered, without = (sum(s.low <= 0.3 <= s.high for s in all_of) for all_of in (found, naive))
    assert covered >= stats.binom.ppf(0.001, studies, 0.95) > without
    assert covered <= stats.binom.ppf(0.999, studies, 0.97)  # and is not too wide either


@pytest.mark.parametrize(
    ("folds", "errors", "verdict"),
    [
        ((7.0, 8.9), (9.0, 9.5), "undecided"),
        ((3.0, 5.001), (9.0, 9.5), "gain"),
        ((12.0, 14.001), (1.0, 1.5), "loss"),
        ((7.0, 9.0), (1.0, 1.5), ""),  # both folds by the same, so no interval
        (None, (1.0, 1.5), ""),
    ],
)
def test_a_cross_validated_step_is_judged_by_its_folds_and_not_by_its_test(folds, errors, verdict):
    found = rows(BASELINE, [8.0, 8.2]) + rows(folds_id_of("baseline"), [0], (8.0, 10.0))
    found += rows(id_of("standardised"), errors)
    found += rows(folds_id_of("standardised"), [0], folds) if folds else []
    table = beyond.steps(pd.DataFrame(found)).set_index("step").verdict
    assert table["standardised"] == verdict
    assert table["baseline"] == "" and (table[["sum", "long"]] == "").all()


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [
        ([0.5, 0.61, 0.7], "gain"),
        ([1.5, 1.61, 1.7], "loss"),
        ([0.8, 1.1, 1.1], "undecided"),
        ([0.5], ""),
    ],
)
def test_a_larger_budget_is_judged_by_the_test_error_of_the_same_rounds(errors, verdict):
    found = rows(id_of(BEST), [0.9, 1.0, 1.1]) + rows(id_of("long"), errors)
    assert beyond.steps(pd.DataFrame(found)).set_index("step").verdict["long"] == verdict


def test_fresh_rounds_are_in_no_step(frame):
    fresh = frame[frame.experiment == id_of(BEST)]
    fresh = fresh.assign(seed=FRESH[: len(fresh)], precise_error=50.0)
    both = pd.concat([frame, fresh], ignore_index=True)
    both.attrs["wanted"] = {id_of(BEST): {0, 1, 2, *FRESH}}
    assert beyond.looked_at(both).attrs["wanted"] == {id_of(BEST): {0, 1, 2}}
    assert not beyond.looked_at(both).seed.isin(FRESH).any()
    pd.testing.assert_frame_equal(beyond.steps(both), beyond.steps(frame))
    assert len(beyond.rows_of_steps(both)) == len(frame)


def test_fresh_rounds_of_the_best_networks_have_a_row_of_their_own():
    """Rounds 0 to 2 and 100 were looked at, 10 and 11 were not."""
    seeds, errors = (0, 1, 2, 100, 10, 11), (0.7, 0.8, 0.9, 0.8, 1.0, 1.2)
    runs = pd.DataFrame(rows(id_of(BEST), errors)).assign(seed=seeds)
    runs = pd.concat([runs, pd.DataFrame(rows(id_of(LARGER_BUDGET), [0.5, 0.6]))])
    random = np.random.default_rng(0)
    by_image = {
        BEST: {seed: random.exponential(0.8, 500) for seed in seeds},
        LARGER_BUDGET: {seed: random.exponential(0.5, 500) for seed in (0, 1)},
    }
    found = beyond.best_networks(runs.sample(frac=1, random_state=0), by_image)
    assert found.fresh.tolist() == [False, True, False]
    assert found["n"].tolist() == [4, 2, 2]
    assert found["mean"].tolist() == pytest.approx([0.8, 1.1, 0.55])
    looked_at, fresh, _ = found.to_dict("records")
    for row, of in ((looked_at, (0, 1, 2, 100)), (fresh, (10, 11))):
        means = [by_image[BEST][seed].mean() for seed in of]
        alone = stats.t.interval(0.95, len(of) - 1, np.mean(means), stats.sem(means))
        assert row["exact"] == pytest.approx(np.mean(means))
        assert [row["rounds_low"], row["rounds_high"]] == pytest.approx(alone)
        both = crossed_interval([by_image[BEST][seed] for seed in of])
        # The order of the rounds matters to the random numbers, and to no more than that.
        assert row["exact_low"] == pytest.approx(both.low, abs=0.02)
        assert row["exact_high"] == pytest.approx(both.high, abs=0.02)
    assert "exact" not in beyond.best_networks(runs)


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
    found = beyond.best_networks(frame[frame.seed.isin(beyond.CHOSEN_ON)]).set_index("experiment")
    assert (found.n == 10).all() and (found.precision == "bfloat16").all()
    seconds = frame.groupby("experiment").seconds.max()
    # On one core; the larger budget is of two, which train two rounds at once.
    assert seconds[id_of(BEST)] < 300 and seconds[id_of(LARGER_BUDGET)] / 2 < 300
    printed = min(p.mean for e in select("*") for p in e.published if p.quantity == "test_error")
    assert found.loc[id_of(LARGER_BUDGET), "high"] < found.loc[id_of(BEST), "low"]
    assert found.loc[id_of(BEST), "high"] < printed / 3
    assert found.loc[id_of(BEST), "epochs"] == 25
    assert (frame.train_pairs == 1000).all() and (frame.source == "mnist").all()


def test_heads_are_compared_in_the_rounds_that_all_have():
    found = rows(id_of("sharper"), [1.0, 1.0, 1.0])
    for name in ("detached", *HEADS):
        found += rows(f"beyond/deepnet@{name}", [2.0, 2.0])
    heads = beyond.heads(pd.DataFrame(found))
    assert set(heads.seed) == {0, 1} and heads["head"].nunique() == 5
    assert heads.groupby("head").size().eq(2).all()
    frame = pd.DataFrame(found)
    frame.attrs["wanted"] = {name: {0, 1, 2, 3} for name in frame.experiment.unique()}
    wanted = beyond.heads(frame).attrs["wanted"]
    assert set(wanted) == set(frame.experiment) and set(map(frozenset, wanted.values())) == {
        frozenset({0, 1})
    }


def test_of_what_is_not_there_there_are_no_rows_and_no_fault():
    """As of a study that has trained the reports' networks alone."""
    none = pd.DataFrame(rows(BASELINE, [5.0, 6.0])).iloc[:0]
    for found in (
        beyond.best_networks(none),
        beyond.options_by_pairs(none),
        beyond.variance_by_source(none),
    ):
        assert found.empty and len(found.columns) >= 3
    steps = beyond.steps(pd.DataFrame(rows(BASELINE, [5.0, 6.0])))
    assert steps["mean"].notna().sum() == 1
    assert steps[["fold", "change", "fold_change_high"]].isna().all(axis=None)


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
        assert table[pairs, "weight sharing, given the digit loss"] == -4
        assert table[pairs, "digit loss alone"] == -5
        assert table[pairs, "digit loss, given weight sharing"] == -7
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
