"""Claims as values: each stands on networks and quantities that there are."""

import itertools

import pytest

from digits.core import InputError
from digits.experiments.claim import (
    Criterion,
    Range,
    below,
    between,
    fewer_parameters,
    higher,
    level,
    lower,
    steadier,
)
from digits.experiments.registry import CLAIMS, EXPERIMENTS, REPORTS

CRITERIA = list(itertools.chain.from_iterable(claim.criteria for claim in CLAIMS))


def test_claims_are_numbered_without_gaps_report_by_report():
    counts = {"kqiku": 11, "cadei": 15, "jaubert": 13, "damachi": 12, "zadoks": 7}
    for place, (report, n) in enumerate(counts.items()):
        names = [claim.id for claim in CLAIMS if claim.report == report]
        assert names == [f"C{place}.{number}" for number in range(1, n + 1)]
        assert [claim.id for claim in REPORTS[report].CLAIMS] == names
    assert len(CLAIMS) == sum(counts.values())


def test_every_criterion_names_experiments_and_quantities_that_exist(committed):
    design_arguments = {claim.id for claim in CLAIMS if not claim.criteria}
    assert design_arguments == {"C0.11", "C2.12", "C2.13", "C4.6", "C4.7"}
    for criterion in CRITERIA:
        assert all(EXPERIMENTS[name].protocol == "own" for name in criterion.experiments)
        for quantity in (criterion.quantity, criterion.minus_quantity):
            assert quantity is None or quantity in committed.columns
        assert criterion.range.low < criterion.range.high
        assert criterion.minus is None or criterion.minus_quantity is None
        assert (criterion.quantity == "parameters") <= (criterion.minus is not None)


def test_a_criterion_never_compares_two_reports_with_one_another():
    for criterion in CRITERIA:
        assert len({EXPERIMENTS[name].report for name in criterion.experiments}) == 1


def test_a_claim_without_criteria_says_why_nothing_decides_it():
    assert all(claim.reading for claim in CLAIMS if not claim.criteria)


def test_each_word_is_a_quantity_and_a_range():
    inf = float("inf")
    for criterion, quantity, minus, low, high in (
        (lower("a", than="b"), "precise_error", "b", -inf, 0),
        (lower("a", than="b", by=2, quantity="gap"), "gap", "b", -inf, -2),
        (higher("a", than="b", by=2), "precise_error", "b", 2, inf),
        (between("a", "b", -1, 1), "precise_error", "b", -1, 1),
        (level("a", 1, 3, quantity="train_error"), "train_error", None, 1, 3),
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
