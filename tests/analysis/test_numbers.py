"""Every published number has a verdict, on runs of its own kind and experiment."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from digits.analysis.equivalence import OURS, PRINTED
from digits.analysis.numbers import (
    CODE,
    FIXED,
    RATIO,
    TEXT,
    TIME,
    all_numbers,
    published_against_ours,
    published_numbers,
    tally,
)
from digits.core import InputError
from digits.experiments.experiment import margin_of
from digits.experiments.registry import EXPERIMENTS, select

OWN = [e for e in select("*") if e.protocol == "own"]


def runs(experiment, errors, **changes):
    """Tidy rows of one experiment, as far as verdicts read them."""
    return pd.DataFrame(
        {"experiment": experiment, "seed": range(len(errors)), "test_error": errors}
        | {"shortened": False, "train_seconds": 1.0, "train_error": 0.0}
    ).assign(**changes)


def published(
    experiment, mean, sd, n, kind="rounds", quantity="test_error", new_pairs=np.nan, about=0.0
):
    row = {"experiment": experiment, "quantity": quantity, "mean": mean, "sd": sd, "n": n}
    row |= {"new_pairs": new_pairs, "about": about}
    margin = margin_of(quantity, mean)
    return pd.DataFrame([row | {"margin": margin, "kind": kind, "row": "a row"}])


def judged(frame, *number, **kind):
    (row,) = published_against_ours(frame, published(*number, **kind)).itertuples()
    return row


def test_each_published_number_is_set_against_its_own_experiment():
    frame = pd.concat([runs("a/net", [1.0, 2.0, 3.0]), runs("a/net+ws", [20.0, 21.0, 22.0])])
    row = judged(frame, "a/net+ws", 20.0, 1.0, 10)
    assert (row.ours, row.difference, row.n) == (21, 1, 3)
    assert (row.verdict, row.why) == ("cannot tell", OURS)


def test_a_number_without_runs_or_with_shortened_ones_is_not_run():
    frame = runs("a/net", [1.0, 2.0, 3.0])
    row = judged(frame, "a/other", 2.0, 1.0, 10)
    assert (row.verdict, row.sd_verdict, row.n) == ("not run", "not run", 0)
    row = judged(frame.assign(shortened=True), "a/net", 2.0, None, 1, kind="run")
    assert (row.verdict, row.why, row.sd_verdict) == ("not run", "our runs were shortened", None)


def test_rounds_that_are_close_by_luck_vary_at_least_as_their_pairs_do():
    frame = runs("a/net", [18.0, 19.0])
    assert judged(frame, "a/net", 11.9, 4.3, 10).verdict == "different"
    row = judged(frame, "a/net", 11.9, 4.3, 10, new_pairs=100)
    assert row.verdict == "cannot tell" and row.ours_sd == pytest.approx(0.5**0.5)
    # An SD of 3.88, of two rounds and 100 pairs, and Welch's degrees of freedom.
    ours, theirs = 18.5 * 81.5 / 100 / 2, 4.3**2 / 10
    half = stats.t.ppf(0.975, (ours + theirs) ** 2 / (ours**2 + theirs**2 / 9))
    assert row.high == pytest.approx(6.6 + half * (ours + theirs) ** 0.5)
    # Errors that vary more than that keep their SD, and so do those of fitted pairs.
    wide = runs("a/net", [10.0, 12.0, 14.0])
    rows = [judged(wide, "a/net", 12.0, 1.5, 10, new_pairs=pairs) for pairs in (1000, np.nan)]
    assert rows[0].high == rows[1].high
    # A printed SD can be lucky as well: 0.05 over three runs, where 0.6 is the least.
    rows = [judged(wide, "a/net", 3.7, 0.05, 3, new_pairs=pairs) for pairs in (1000, np.nan)]
    assert rows[0].high > rows[1].high
    assert row.why.endswith("our SD taken as 3.9, of drawing 100 pairs")


def test_a_number_printed_as_about_is_the_one_of_its_range_that_is_nearest_to_ours():
    generator = np.random.default_rng(0)
    frame = runs("a/net", generator.normal(4.0, 1.0, 40))
    number = {"kind": "trainings on one draw", "new_pairs": np.nan}
    exact = judged(frame, "a/net", 6.0, 0.9, 20, **number)
    low, mean = exact.low, frame.test_error.mean()
    for about in (0.5, 2.5):  # the interval follows the number, as far as ours
        row = judged(frame, "a/net", 6.0, 0.9, 20, about=about, **number)
        moved = pytest.approx(min(about, 6.0 - mean))
        assert row.low - low == row.difference - exact.difference == moved
        assert row.why.endswith(f"printed as about, within {about:g}")
    assert exact.verdict == "not typical" and row.verdict == "typical"
    above = judged(frame, "a/net", 2.0, 0.9, 20, about=0.5, **number)
    assert above.high == pytest.approx(judged(frame, "a/net", 2.5, 0.9, 20, **number).high)


def test_false_differences_are_rarer_than_one_in_twenty_with_two_rounds():
    """Of 100 validation pairs; by the SD of two rounds alone they are 7 in 100."""
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        theirs, ours = (rng.binomial(100, 0.12, n).astype(float) for n in (10, 2))
        number = theirs.mean(), theirs.std(ddof=1), 10
        frame = runs("a/net", ours)
        found.append([judged(frame, "a/net", *number, new_pairs=m).verdict for m in (np.nan, 100)])
    wrong = (np.array(found) == "different").mean(axis=0)
    assert wrong[1] < 0.02 < 0.04 < wrong[0]


def test_new_pairs_are_those_of_the_test_and_of_validation():
    table = published_numbers([EXPERIMENTS["cadei/siamese"], EXPERIMENTS["damachi/cnn"]])
    new = table.groupby("quantity").new_pairs.first()
    assert new[["test_error", "validation_error"]].tolist() == [1000, 100]
    assert new.drop(["test_error", "validation_error"]).isna().all()


def test_sds_of_train_errors_are_not_compared_whatever_they_are_of():
    frame = pd.concat(runs(f"a/net{of}", np.arange(20.0)) for of in ("", "@one-draw"))
    frame = frame.assign(train_error=frame.test_error)
    for kind in ("rounds", "trainings on one draw"):
        number = {"kind": kind, "quantity": "train_error"}
        row = judged(frame, "a/net", 9.0, 0.1, 10, **number)
        assert (row.sd_verdict, row.sd_why) == (
            *("cannot tell", "train errors are too skewed to compare SDs"),
        )
    row = judged(frame, "a/net", 9.0, 0.1, 10, kind="trainings on one draw")
    assert (row.sd_verdict, row.sd_why) == (
        *("different", "ours spread higher; on one draw ours is 5.92"),
    )


def test_rounds_that_failed_are_left_out_where_the_printed_sd_shows_none():
    generator = np.random.default_rng(0)
    errors = np.append(generator.normal(11.7, 1.0, 58), [55.8, 55.2])
    frame = runs("a/net", errors, train_error=np.repeat([0.5, 54.0], [58, 2]))
    for kind in ("rounds", "trainings on one draw"):
        row = judged(frame, "a/net", 18.1, 1.1, 10, kind=kind)
        assert row.n == 58 and row.ours == pytest.approx(errors[:58].mean())
        assert row.verdict in ("different", "not typical")
        assert row.why == (
            "ours lower; 2 failed rounds of ours left out, the printed SD shows none"
        )
    # One failure among ten would make the SD at least 37 / root of 10; half of that is 5.9.
    assert judged(frame, "a/net", 18.1, 5.7, 10).n == 58
    assert judged(frame, "a/net", 18.1, 6.1, 10).n == 60
    assert judged(frame, "a/net", 18.1, None, 10, kind="trainings on one draw").n == 60
    assert judged(frame, "a/net", 18.1, None, 1, kind="run").n == 60  # one run shows no spread
    assert judged(frame.assign(train_error=54.0), "a/net", 18.1, 1.1, 10).n == 60  # all failed
    assert judged(frame.assign(train_error=0.5), "a/net", 18.1, 1.1, 10).n == 60  # none


@pytest.mark.parametrize(
    ("quantity", "mean", "margin"),
    [
        *[("test_error", 20.0, 1.0), ("fold_error", 5.0, 1.0), ("digit_error", 6.0, 1.0)],
        *[("test_error", 4.0, 0.8), ("test_error", 0.5, 0.25), ("train_error", 12.0, 0.5)],
    ],
)
def test_margins_are_declared_by_the_printed_number(quantity, mean, margin):
    assert margin_of(quantity, mean) == pytest.approx(margin)


def test_like_stands_beside_like():
    """A mean over rounds beside a mean, one run by its rank, an SD beside SDs of its kind."""
    errors = np.linspace(18, 22, 40)
    frame = runs("a/net", errors, fold_error=errors, fold_sd=errors / 10, test_error_sd=1.0)
    mean = judged(frame, "a/net", 20.0, 1.2, 200)
    assert (mean.verdict, mean.sd_verdict) == ("equivalent", "equivalent")
    assert mean.low < 0 < mean.high
    run = judged(frame, "a/net", 21.0, None, 1, kind="run")
    assert (run.verdict, run.why, run.sd_verdict) == ("typical", "30 of our 40 lower", None)
    folds = judged(frame, "a/net", 21.0, 9.0, 5, kind="folds", quantity="fold_error")
    assert (folds.verdict, folds.sd_verdict) == ("typical", "not typical")
    chain = judged(frame, "a/net", 30.0, 1.0, 10, kind="trainings in a row")
    assert (chain.verdict, chain.sd_verdict) == ("not typical", "typical")
    draw = judged(frame, "a/net", 20.0, 1.0, 20, kind="trainings on one draw")
    assert (draw.verdict, draw.sd_verdict) == ("typical", "not run")
    frame = pd.concat([frame, runs("a/net@one-draw", 5 + errors / 2)])
    draw = judged(frame, "a/net", 20.0, 0.6, 200, kind="trainings on one draw")
    assert (draw.ours, draw.n) == (20, 40)  # the mean is still ours over draws
    assert (draw.verdict, draw.sd_verdict) == ("typical", "equivalent")


def test_the_verdict_says_who_is_too_imprecise():
    few = runs("a/net", [18.0, 20.0, 22.0])
    assert judged(few, "a/net", 20.0, 0.3, 20).why == OURS
    assert judged(few, "a/net", 20.0, 5.0, 4).why == PRINTED


def every(test_error=20.0, seeds=3):
    """Runs of all experiments that have published errors, with as many rounds each."""
    quantities = {n.quantity for e in OWN for n in e.published}
    parts = []
    quantities |= {"fold_sd", "fold_sd_training_mode", "train_error_sd", "test_error_sd"}
    for experiment in OWN:
        errors = test_error + np.arange(seeds)
        parts.append(runs(experiment.id, errors).assign(**dict.fromkeys(quantities, 20.0)))
        for quantity in quantities:
            parts[-1][quantity] = errors
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def numbers():
    return all_numbers(every(), OWN)


def test_every_published_number_has_a_verdict_with_its_reading(numbers):
    assert len(numbers) == (
        sum(len(e.published) for e in OWN)
        + 7
        + 7  # parameters in both tables of cadei
        + 10
        + 2  # of jaubert's table and text
        + 6  # of damachi's networks
        + 10
        + 9  # jaubert's times, and their ratios to the first
    )
    assert not numbers.duplicated(["report", "row", "quantity", "reading"]).any()
    assert numbers.verdict.notna().all()
    readings = numbers.set_index("experiment").reading.groupby(level=0).agg(set)
    assert readings["kqiku/fcc@published"] == {CODE}
    assert readings["kqiku/fcc+ws@repaired"] == {FIXED}
    assert readings["damachi/cnn"] == {TEXT, CODE}  # evaluated both ways
    counts = numbers[numbers.quantity == "parameters"]
    assert not counts.report.isin(["kqiku", "zadoks"]).any()  # their texts print none
    misprints = counts[counts.verdict == "different"].set_index("row")
    assert misprints.ours.to_dict() == {"resnet, Table II": 2_746_626, "model_2+aux2": 171_166}
    assert misprints.published.to_dict() == {"resnet, Table II": 274_626, "model_2+aux2": 171_116}
    assert misprints.why.str.startswith("misprint").all()
    assert set(counts.verdict) == {"equivalent", "different"}


def test_the_tally_counts_every_published_number_once_a_reading(numbers):
    counts = tally(numbers)
    printed = {"kqiku": 16, "cadei": 42, "jaubert": 11, "damachi": 18, "zadoks": 1}
    for report, n in printed.items():
        assert counts.loc[(report, TEXT), "all"] == counts.loc[(report, CODE), "all"] == n
    assert (counts.drop(columns="all").sum(axis=1) == counts["all"]).all()
    # Its code has another network there: a leaky ReLU on the logits.
    assert counts.loc[("jaubert", CODE), "not run"] == counts.loc[("jaubert", TEXT), "not run"] + 1
    sds = tally(numbers, "sd_verdict")
    printed = {"kqiku": 16, "cadei": 42, "jaubert": 10, "damachi": 6, "zadoks": 1}
    assert {report: sds.loc[(report, TEXT), "all"] for report in printed} == printed


def test_a_changed_run_changes_the_numbers_of_its_experiment_and_no_other(numbers):
    changed = every()
    changed.loc[changed.experiment == "jaubert/model_1", "test_error"] += 5
    both = (numbers, all_numbers(changed, OWN))
    before, after = (table.drop(columns=["published_sd"]) for table in both)
    differ = ~((before == after) | (before.isna() & after.isna())).all(axis=1)
    assert set(before.experiment[differ]) == {"jaubert/model_1"}
    assert set(before.quantity[differ]) == {"test_error"}


def test_times_are_compared_as_ratios_within_rounds_and_not_in_seconds():
    rounds = np.arange(1.0, 9.0)
    seconds = {"jaubert/model_0": rounds, "jaubert/model_1": 1.7 * rounds}
    frame = pd.concat([runs(n, rounds, train_seconds=s) for n, s in seconds.items()])
    frame["digit_error"] = 5.0
    numbers = all_numbers(frame, [e for e in OWN if e.report == "jaubert"])
    (row,) = numbers[numbers.row == "model_1 / model_0"].itertuples()
    assert (row.quantity, row.ours, row.n) == (RATIO, pytest.approx(1.7), 8)
    assert row.published == pytest.approx(5.1 / 3.1)
    assert row.verdict == "equivalent"  # 1.7 against 1.65, in every round
    (other,) = numbers[numbers.row == "model_2 / model_0"].itertuples()
    assert other.verdict == "not run"
    (time,) = numbers[(numbers.row == "model_1") & (numbers.quantity == TIME)].itertuples()
    assert (time.published, time.ours) == (5.1, pytest.approx(1.7 * 4.5))
    assert (time.verdict, time.why) == ("not compared", "other hardware")


def test_published_numbers_are_those_of_the_experiments():
    numbers = published_numbers(select("damachi/cnn"))
    assert numbers.quantity.tolist() == [
        "fold_error",
        "test_error",
        "fold_median",
        "fold_error_training_mode",
        "test_error_training_mode",
        "fold_median_training_mode",
    ]


def test_a_count_that_differs_without_a_misprint_is_our_fault_and_refused():
    (experiment,) = select("zadoks/twinnet+ws+aux")
    wrong = experiment.model_copy(update={"reported_parameters": 9_575})
    with pytest.raises(InputError, match="has 9574 parameters, but its report 9575"):
        all_numbers(every(), [wrong])
