"""Rungs, heads, sizes and streams: from made-up rows whose answers are known, and the real ones."""

import numpy as np
import pandas as pd
import pytest

from digits import beyond, core, ladder, tables
from digits.beyond import BEST, FOOT, RUNGS, TOP, folds_id_of, id_of
from digits.frames import tidy
from digits.statistics import binomial_sd, spread
from digits.study import Study


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
    """A ladder whose error halves on every kept rung, the noise of a round being common to all."""
    noise = np.array([0.0, 0.2, 0.4])
    uneven = np.array([0.1, 0.0, -0.1])
    found = rows(FOOT, 8.0 + noise) + rows(folds_id_of("foot"), [0], (8.0, 10.0))
    error = 8.0
    for rung in RUNGS:
        own = error / 2 if rung.kept else error * 2
        if rung.rounds:
            found += rows(id_of(rung.name), own + noise + uneven * (rung.name == "one-cycle"))
        if rung.fold_rounds:
            found += rows(folds_id_of(rung.name), [0], (own, own + 2))
        error = own if rung.kept else error
    return pd.DataFrame(found)


def test_a_rung_is_compared_with_the_kept_one_below(frame):
    found = ladder.rungs(frame).set_index("rung")
    assert list(found.index) == ["foot", *(rung.name for rung in RUNGS)]
    assert found.loc["foot", "mean"] == pytest.approx(8.2)
    assert np.isnan(found.loc["foot", "change"]) and np.isnan(found.loc["foot", "fold_change"])
    assert found.loc["standardised", "change"] == pytest.approx(-4.0)
    # Differences of -1.9, -2.0 and -2.1: by hand, t of two degrees of freedom is 4.303.
    half = 4.303 * 0.1 / np.sqrt(3)
    bounds = found.loc["one-cycle", ["change_low", "change_high"]].tolist()
    assert bounds == pytest.approx([-2 - half, -2 + half], abs=1e-3)
    error = 8.0
    for rung in RUNGS:
        row = found.loc[rung.name]
        own = error / 2 if rung.kept else error * 2
        assert row.weighed == (rung.fold_rounds > 0)
        if row.weighed:
            assert row.fold_change == pytest.approx(own - error)
            assert row.fold == pytest.approx(own + 1)
        else:
            assert np.isnan(row.fold)
        if rung.rounds:
            assert row.change == pytest.approx(own - error) and row.change_n == 3
        else:
            assert np.isnan(row["n"])
        error = own if rung.kept else error


def test_folds_are_compared_fold_by_fold_in_the_rounds_that_both_have():
    below, above = folds_id_of("foot"), folds_id_of("standardised")
    found = rows(below, [0, 0, 0], (8.0, 10.0))
    found += [row | {"seed": row["seed"] + 1} for row in rows(above, [0, 0, 0], (7.0, 9.5))]
    row = ladder.rungs(pd.DataFrame(found)).set_index("rung").loc["standardised"]
    assert (row.fold_n, row.fold_change_n) == (3, 2)  # rounds 1 to 3, and 1 and 2
    # Differences of -1 and -0.5, twice each: t of three degrees of freedom is 3.182.
    half = 3.182 * np.std([-1, -0.5] * 2, ddof=1) / 2
    assert row.fold_change == pytest.approx(-0.75)
    assert [row.fold_change_low, row.fold_change_high] == pytest.approx(
        [-0.75 - half, -0.75 + half], abs=1e-3
    )


def test_one_round_has_no_spread_and_no_limits_but_is_shown():
    frame = pd.DataFrame(rows("zadoks/twinnet", [10]) + rows(FOOT, [5]) + rows(id_of(BEST), [1]))
    assert ladder.by_stream(frame).set_index("stream").loc["all streams", "sd"].isna().all()
    table = tables.limit_table(ladder.limits_of_ten(frame))
    assert len(table) == 3 and (table["SD, precise test"] == "").all()
    assert ladder.heads(frame.assign(precise_error=1.0))["head"].nunique() == 1


def test_shortened_runs_are_told_and_meet_no_target(frame):
    assert ladder.note(frame) == ""
    short = frame.assign(shortened=True)
    assert "Shortened here" in ladder.note(short) and "target" not in ladder.answer(short)


def test_only_rounds_that_both_have_are_compared(frame):
    few = frame[(frame.experiment != id_of("sum")) | (frame.seed == 1)]
    found = ladder.rungs(few).set_index("rung")
    assert (found.loc["sum", "n"], found.loc["sum", "change_n"]) == (1, 1)
    assert found.loc["deep", "change_n"] == 1


def test_rungs_in_words(frame):
    table = tables.rung_table(ladder.rungs(frame)).set_index("rung")
    assert table.loc["standardised pixels", "change"] == "-4.00"
    kept = table["in the best network"].value_counts()
    assert kept["no"] == sum(rung.fold_rounds > 0 and not rung.kept for rung in RUNGS)
    assert kept["larger budget"] == 3 and kept["yes"] == 1 + sum(rung.kept for rung in RUNGS)
    for rung in RUNGS:
        assert (table.loc[rung.says, "precise test error"] == "") == (rung.rounds == 0)
    assert table["change on folds"].iloc[0] == ""


def committed(*patterns):
    """Tidy rows of the committed records, in as many rounds as there are of each experiment."""
    return Study(source="mnist", profile="paper").records(*patterns)


@pytest.fixture
def folder(monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))


def test_what_is_kept_is_what_lowers_the_error_on_held_out_folds(folder):
    found = ladder.rungs(tidy(committed("beyond/*-folds")))
    for row in found[found.weighed].iloc[1:].itertuples():
        assert np.isfinite(row.fold_change) and row.kept == (row.fold_change < 0), row.rung


def test_the_best_networks_have_ten_rounds_on_the_full_data(folder):
    frame = tidy(committed(id_of(BEST), id_of(TOP)))
    found = ladder.targets(frame).set_index("experiment")
    assert (found.n >= 10).all()
    seconds = frame.groupby("experiment").seconds.max()
    # On one core; the larger budget is of two, which train two rounds at once.
    assert seconds[id_of(BEST)] < 300 and seconds[id_of(TOP)] / 2 < 300
    assert found.loc[id_of(BEST), "mean"] <= 1.0 and found.loc[id_of(TOP), "mean"] <= 0.6
    assert found.loc[id_of(BEST), "epochs"] == 25
    assert (frame.train_pairs == 1000).all() and (frame.source == "mnist").all()


def test_the_answer_says_whether_a_target_is_met(frame):
    answer = ladder.answer(frame)
    assert answer.count("missed") + answer.count("met") == 2
    assert ladder.answer(frame.assign(precise_error=9.0)).count("is missed") == 2
    low = frame.assign(precise_error=frame.precise_error.where(frame.experiment == FOOT, 0.2))
    assert ladder.answer(low).count("is met") == 2
    assert answer.startswith("Within 25 epochs the best network errs on **")
    assert "With a larger budget a committee of two errs on **" in answer
    assert "The twin net that the ladder starts from errs on 8.20 %" in ladder.answer(low)


def test_heads_are_compared_in_the_rounds_that_all_have():
    found = rows(id_of("sharper"), [1.0, 1.0, 1.0])
    for name in ("detached", *beyond.HEADS):
        found += rows(f"beyond/deepnet@{name}", [2.0, 2.0])
    heads = ladder.heads(pd.DataFrame(found))
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
    table = ladder.options_by_pairs(pd.DataFrame(found)).set_index(["train_pairs", "effect"])[
        "mean"
    ]
    for pairs in (125, 1000):
        assert table[pairs, "weight sharing alone"] == -2
        assert table[pairs, "weight sharing beside the digit loss"] == -4
        assert table[pairs, "digit loss alone"] == -5
        assert table[pairs, "digit loss beside weight sharing"] == -7
    assert len(table) == 8


def test_spreads_are_of_the_stream_that_they_name():
    found = rows("zadoks/twinnet", [10, 12, 14]) + rows(FOOT, [5, 6]) + rows(id_of(BEST), [1, 2])
    found += rows("beyond/twinnet@only-init", [10, 10.2, 10.4])
    table = ladder.by_stream(pd.DataFrame(found)).set_index(["network", "stream"])
    assert table.loc[("twin net", "all streams"), "sd"] == pytest.approx(2.0)
    assert table.loc[("twin net", "init"), "sd"] == pytest.approx(0.2)
    drawn = table.loc[("twin net", "1000 test pairs"), "sd"]
    assert drawn == pytest.approx(100 * np.sqrt(0.12 * 0.88 / 1000))
    assert ("twin net", "order") not in table.index
    limits = ladder.limits_of_ten(pd.DataFrame(found)).set_index("network")
    assert limits.loc["twin net", "half"] == pytest.approx(2.262 * 2 / np.sqrt(10), rel=1e-3)


def test_the_interval_of_a_spread_holds_it_as_often_as_it_says():
    random = np.random.default_rng(0)
    found = [spread(random.normal(0, 3, size=8)) for _ in range(2000)]
    assert np.mean([row["low"] <= 3 <= row["high"] for row in found]) == pytest.approx(
        0.95, abs=0.02
    )
    assert np.isnan(spread([1.0])["sd"])
    wrong = random.binomial(1000, 0.07, size=4000) / 10
    assert binomial_sd(7.0, 1000) == pytest.approx(wrong.std(), rel=0.04)
