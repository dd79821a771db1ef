"""Claims as values: each stands on networks and quantities that there are."""

import itertools

import pytest

from digits.core import InputError
from digits.experiments.claim import (
    EQUAL,
    ERRORS,
    Criterion,
    Range,
    below,
    between,
    fewer_parameters,
    higher,
    level,
    lower,
    printed,
    steadier,
    times,
)
from digits.experiments.registry import CLAIMS, EXPERIMENTS, OF_CLAIMS, REPORTS, select
from digits.output.tables import deviation_table
from digits.output.tables.claims import deviations

CRITERIA = list(
    itertools.chain.from_iterable((*claim.criteria, *claim.second_criteria) for claim in CLAIMS)
)
BY_ID = {claim.id: claim for claim in CLAIMS}


def test_claims_are_numbered_without_gaps_report_by_report():
    counts = {"kqiku": 12, "cadei": 17, "jaubert": 13, "damachi": 14, "zadoks": 8}
    for place, (report, n) in enumerate(counts.items()):
        names = [claim.id for claim in CLAIMS if claim.report == report]
        assert names == [f"C{place}.{number}" for number in range(1, n + 1)]
        assert [claim.id for claim in REPORTS[report].CLAIMS] == names
    assert len(CLAIMS) == sum(counts.values())


def test_every_criterion_names_experiments_and_quantities_that_exist(committed):
    for criterion in CRITERIA:
        assert all(EXPERIMENTS[name].protocol == "own" for name in criterion.experiments)
        for quantity in (criterion.quantity, criterion.minus_quantity):
            assert quantity is None or quantity in committed.columns
        assert criterion.range.low < criterion.range.high
        assert criterion.minus is None or criterion.minus_quantity is None
        assert (criterion.quantity == "parameters") <= (criterion.minus is not None)
        assert criterion.factor == 1 or criterion.minus is not None


def test_claims_without_criteria_are_not_run_but_for_the_one_that_no_measurement_decides():
    without = {claim.id for claim in CLAIMS if not claim.criteria}
    assert without == {"C0.10", "C0.11", "C2.12", "C2.13", "C3.13", "C4.7"}
    assert [claim.id for claim in CLAIMS if not claim.measurable] == ["C0.10"]


def test_claims_of_ours_and_second_readings_are_few_and_said():
    assert [claim.id for claim in CLAIMS if claim.ours] == ["C1.15", "C4.5"]
    assert [claim.id for claim in CLAIMS if claim.second_criteria] == ["C1.14"]
    assert all(bool(claim.second_criteria) == bool(claim.second_reading) for claim in CLAIMS)


def test_the_experiments_of_claims_are_all_that_their_criteria_name():
    assert set(OF_CLAIMS) == {name for part in CRITERIA for name in part.experiments}
    assert len(set(OF_CLAIMS)) == len(OF_CLAIMS)
    reports = {experiment.id for experiment in select("*")}
    beyond = ["beyond/twinnet+ws+aux@one-cycle", "beyond/twinnet+ws+aux@sum"]
    assert [name for name in OF_CLAIMS if name not in reports] == beyond
    learned, summed = (EXPERIMENTS[name].recipe for name in beyond)
    assert learned == summed  # the two heads of C4.6 are trained alike


def test_the_same_printed_number_has_the_same_tolerance_as_among_the_numbers():
    numbers = {n.row: n for e in EXPERIMENTS.values() for n in e.published}
    best = numbers["Table II, siamese+aux"]
    for claim, number in (("C1.1", best), ("C4.1", numbers["abstract"])):
        (criterion,) = BY_ID[claim].criteria
        where = (criterion.range.low, criterion.range.high)
        assert where == (number.mean - number.margin, number.mean + number.margin)
    digits = [part for part in BY_ID["C2.6"].criteria if part.quantity == "digit_error"]
    assert [(part.range.low, part.range.high) for part in digits] == [(5, 7), (5, 7)]
    assert BY_ID["C2.4"].criteria[1].range.high == 4.8


def test_of_a_fact_that_two_claims_state_one_alone_has_the_criteria():
    claims = {}
    for claim in CLAIMS:
        if claim.criteria:
            assert claims.setdefault(claim.criteria, claim.id) == claim.id


def test_a_criterion_never_compares_two_reports_with_one_another():
    for criterion in CRITERIA:
        assert len({EXPERIMENTS[name].report for name in criterion.experiments}) == 1


def test_a_claim_without_criteria_says_why_nothing_decides_it():
    assert all(claim.reading for claim in CLAIMS if not claim.criteria)


def test_each_word_is_a_quantity_and_a_range():
    inf = float("inf")
    three, four = times("a", "b", 3, 4)
    assert (three.factor, three.range) == (3, Range(low=0.0))
    assert (four.factor, four.range) == (4, Range(high=0.0))
    for criterion, quantity, minus, low, high in (
        (lower("a", than="b"), "precise_error", "b", -inf, 0),
        (lower("a", than="b", by=2, quantity="gap"), "gap", "b", -inf, -2),
        (higher("a", than="b", by=2), "precise_error", "b", 2, inf),
        (between("a", "b", -1, 1), "precise_error", "b", -1, 1),
        (level("a", 1, 3, quantity="train_error"), "train_error", None, 1, 3),
        (printed("a", 20.0), "precise_error", None, 19, 21),
        (printed("a", 2.5), "precise_error", None, 2, 3),  # a fifth
        (steadier("a", than="b"), "precise_error", "b", -inf, 0),
        (fewer_parameters("a", than="b", share=0.5), "parameters", "b", -inf, 0.5),
    ):
        assert (criterion.of, criterion.quantity, criterion.minus) == ("a", quantity, minus)
        assert (criterion.range.low, criterion.range.high) == (low, high)
        assert criterion.spread == (criterion == steadier("a", than="b"))
    found = below("a", "test_error", "validation_error")
    assert (found.minus, found.minus_quantity, found.range.high) == (None, "validation_error", 0)


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Range(high=0), "negative"),
        (Range(low=0), "positive"),
        (Range(high=-2), "at most -2"),
        (Range(low=0.5), "at least 0.5"),
        (Range(low=1, high=3), "1 to 3"),
    ],
)
def test_a_range_in_words(where, text):
    assert where.text == text


def test_a_misspelt_field_of_a_criterion_is_refused():
    with pytest.raises(InputError, match="no field 'than'"):
        Criterion(of="a", than="b", range=Range(high=0.0))


def test_a_difference_of_errors_has_a_margin_and_nothing_else_has():
    for quantity in ERRORS:
        assert lower("a", than="b", quantity=quantity).margin == EQUAL
        assert higher("a", than="b", quantity=quantity).margin == EQUAL
        assert below("a", quantity, "test_error").margin == EQUAL
    without = [lower("a", than="b", quantity=q) for q in ("train_seconds", "epochs_to_half")]
    without += [lower("a", than="b", by=2), lower("a", than="b", by=-1), steadier("a", than="b")]
    without += [between("a", "b", -1, 1), level("a", 1), printed("a", 9), *times("a", "b", 1, 2)]
    without += [higher("a", than="b", quantity="fold_sd")]
    assert {criterion.margin for criterion in without} == {None}


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_says_where_our_runs_leave_its_text(report):
    """Each with a reason, and with experiments that exist."""
    found = deviations(report)
    assert 5 <= len(found) <= 12
    for deviation in found:
        assert set(deviation) == {"text", "ours", "why", "other"}
        assert all(deviation[name].endswith(".") for name in ("text", "ours", "why"))
        assert set(deviation["other"]) <= set(EXPERIMENTS)
        assert all(EXPERIMENTS[name].report in (report, "beyond") for name in deviation["other"])
    table = deviation_table(report)
    assert len(table) == len(found)
    assert table.map(lambda cell: bool(cell.strip())).all(axis=None)
    assert "not run" in set(table["the other way"])
    assert not table.duplicated().any()
