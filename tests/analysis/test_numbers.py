"""Verdicts on published numbers: known cases, properties, and what each rests on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.analysis.numbers import (
    READINGS,
    all_numbers,
    published_against_ours,
    published_numbers,
    tally,
    verdict_on_difference,
    verdict_on_ratio,
)
from digits.core import InputError
from digits.experiments.registry import select

OWN = [e for e in select("*") if e.protocol == "own"]


def runs(experiment, errors, **changes):
    """Tidy rows of one experiment, as far as verdicts read them."""
    return pd.DataFrame(
        {"experiment": experiment, "seed": range(len(errors)), "test_error": errors}
        | {"shortened": False, "train_seconds": 1.0}
    ).assign(**changes)


def published(experiment, mean, sd, n):
    return pd.DataFrame(
        [{"experiment": experiment, "quantity": "test_error", "mean": mean, "sd": sd, "n": n}]
    ).assign(row="a row")


def test_each_published_number_is_set_against_its_own_experiment():
    frame = pd.concat([runs("a/net", [1.0, 2.0, 3.0]), runs("a/net+ws", [20.0, 21.0, 22.0])])
    (row,) = published_against_ours(frame, published("a/net+ws", 20.0, 1.0, 10)).itertuples()
    assert (row.ours, row.difference, row.n, row.verdict) == (21, 1, 3, "reproduced")


def test_a_number_without_runs_or_with_shortened_ones_is_not_comparable_and_says_why():
    frame = runs("a/net", [1.0, 2.0, 3.0])
    (row,) = published_against_ours(frame, published("a/other", 2.0, 1.0, 10)).itertuples()
    assert (row.verdict, row.why, row.n) == ("not comparable", "no records", 0)
    short = frame.assign(shortened=True)
    (row,) = published_against_ours(short, published("a/net", 2.0, 1.0, 10)).itertuples()
    assert (row.verdict, row.why) == ("not comparable", "our runs were shortened")


@pytest.mark.parametrize(
    ("difference", "low", "high", "verdict"),
    [
        (0.5, 0.2, 0.8, "reproduced"),  # sure to differ, but by less than a point
        (-0.9, np.nan, np.nan, "reproduced"),
        (2.0, -0.1, 4.1, "reproduced"),  # the interval contains 0
        (2.0, 0.1, 3.9, "worse"),
        (-2.0, -3.9, -0.1, "better"),
        (2.0, np.nan, np.nan, "not comparable"),
    ],
)
def test_reproduced_means_interval_with_zero_or_less_than_a_point(difference, low, high, verdict):
    assert verdict_on_difference(difference, low, high, n=5)[0] == verdict


@given(st.floats(-50, 50), st.floats(0.001, 30))
def test_the_verdict_turns_over_with_the_sign_and_never_improves_as_intervals_narrow(middle, half):
    verdict, why = verdict_on_difference(middle, middle - half, middle + half, n=3)
    other, _ = verdict_on_difference(-middle, -middle - half, -middle + half, n=3)
    turned = {"better": "worse", "worse": "better"}
    assert other == turned.get(verdict, verdict)
    assert why == ""
    narrow, _ = verdict_on_difference(middle, middle - half / 2, middle + half / 2, n=3)
    assert narrow == verdict or verdict == "reproduced"
    assert verdict_on_difference(middle, middle - half, middle + half, n=0)[1] == "no records"
    # One round of ours says nothing, however near it is.
    assert verdict_on_difference(middle / 100, np.nan, np.nan, n=1)[0] == "not comparable"


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1, "reproduced"), (1.4, "reproduced"), (0.7, "reproduced"), (1.6, "worse"), (0.6, "better")],
)
def test_ratios_of_times_are_reproduced_within_a_factor(factor, verdict):
    assert verdict_on_ratio(factor) == verdict


def every(test_error=20.0, seeds=3):
    """Runs of all experiments that have published errors, with as many rounds each."""
    quantities = {n.quantity for e in OWN for n in e.published}
    parts = []
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
        + len({(e.report, e.cell) for e in OWN if e.reported_parameters})
        + 2  # of the networks that jaubert's text describes
        + 9  # jaubert's times, against the first
    )
    assert not numbers.duplicated(["report", "row", "quantity", "reading"]).any()
    assert numbers.verdict.notna().all()
    readings = numbers.set_index("experiment").reading.groupby(level=0).agg(set)
    assert readings["kqiku/fcc@published"] == {"as published"}
    assert readings["kqiku/fcc+ws@repaired"] == {"repaired"}
    assert readings["damachi/cnn"] == {"as written", "as published"}  # evaluated both ways
    misprints = numbers[numbers.verdict == "misprint"]
    assert misprints.experiment.tolist() == ["jaubert/model_2+aux2"]
    assert (misprints.published.item(), misprints.ours.item()) == (171_116, 171_166)
    assert set(numbers[numbers.quantity == "parameters"].verdict) == {"reproduced", "misprint"}


def test_the_tally_counts_every_published_number_once_a_reading(numbers):
    counts = tally(numbers)
    printed = {"kqiku": 16, "cadei": 42, "jaubert": 12, "damachi": 18, "zadoks": 1}
    for report, n in printed.items():
        assert counts.loc[(report, "as written"), "all"] == n
        assert counts.loc[(report, "as published"), "all"] == n
    verdicts_alone = counts.drop(columns=["all", "within a point"])
    assert (verdicts_alone.sum(axis=1) == counts["all"]).all()
    assert (counts["within a point"] <= counts.reproduced).all()


def test_a_changed_run_changes_the_numbers_of_its_experiment_and_no_other(numbers):
    changed = every()
    changed.loc[changed.experiment == "jaubert/model_1", "test_error"] += 5
    both = (numbers, all_numbers(changed, OWN))
    before, after = (table.drop(columns=["published_sd"]) for table in both)
    differ = (before.fillna(-1) != after.fillna(-1)).any(axis=1)
    assert set(before.experiment[differ]) == {"jaubert/model_1"}
    assert set(before.quantity[differ]) == {"test_error"}


def test_times_are_compared_as_ratios_within_rounds():
    seconds = {"jaubert/model_0": [1.0, 2.0], "jaubert/model_1": [2.0, 4.0]}
    frame = pd.concat([runs(n, [1.0, 2.0], train_seconds=s) for n, s in seconds.items()])
    numbers = all_numbers(frame, [e for e in OWN if e.report == "jaubert"])
    (row,) = numbers[numbers.row == "model_1 / model_0"].itertuples()
    assert (row.ours, row.n) == (pytest.approx(2.0), 2)
    assert row.published == pytest.approx(5.1 / 3.1)
    assert row.verdict == "reproduced"  # 2.0 against 1.65: within the factor
    (other,) = numbers[numbers.row == "model_2 / model_0"].itertuples()
    assert (other.verdict, other.why) == ("not comparable", "no records")


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
    assert READINGS[0] == "as written"


def test_a_count_that_differs_without_a_misprint_is_our_fault_and_refused():
    (experiment,) = select("zadoks/twinnet+ws+aux")
    wrong = experiment.model_copy(update={"reported_parameters": 9_575})
    with pytest.raises(InputError, match="has 9574 parameters, but its report 9575"):
        all_numbers(every(), [wrong])
