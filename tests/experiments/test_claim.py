"""Claims as values: each stands on networks and quantities that there are."""

import itertools
import json
import re
from fnmatch import fnmatchcase

import pytest

from digits import core
from digits.core import InputError
from digits.experiments import jaubert
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
from digits.experiments.registry import CLAIMS, EXPERIMENTS, OF_CLAIMS, REPORTS, comparisons, select
from digits.output.names import plain_name
from digits.output.tables import deviation_table
from digits.output.tables.claims import deviations

CRITERIA = list(
    itertools.chain.from_iterable((*claim.criteria, *claim.second_criteria) for claim in CLAIMS)
)
BY_ID = {claim.id: claim for claim in CLAIMS}


def test_claims_are_numbered_report_by_report_without_the_one_that_another_reading_has():
    counts = {"kqiku": 12, "cadei": 17, "jaubert": 13, "damachi": 14, "zadoks": 8}
    numbered = [f"C{place}.{k + 1}" for place, n in enumerate(counts.values()) for k in range(n)]
    assert [claim.id for claim in CLAIMS] == [name for name in numbered if name != "C0.10"]
    assert all(int(claim.id[1]) == REPORTS[claim.report].NUMBER for claim in CLAIMS)
    assert "gradients" in BY_ID["C0.4"].reading


def test_every_criterion_names_experiments_and_quantities_that_exist(committed):
    for criterion in CRITERIA:
        assert all(EXPERIMENTS[name].protocol == "own" for name in criterion.experiments)
        for quantity in (criterion.quantity, criterion.minus_quantity):
            assert quantity is None or quantity in committed.columns
        assert criterion.range.low < criterion.range.high
        assert (criterion.quantity == "parameters") <= (criterion.minus is not None)
        assert criterion.factor == 1 or criterion.minus is not None


def test_every_claim_has_criteria():
    assert all(claim.criteria for claim in CLAIMS)


def test_claims_of_ours_and_second_readings_are_few_and_said():
    assert [claim.id for claim in CLAIMS if claim.ours] == ["C1.15", "C4.5"]
    twice = [claim.id for claim in CLAIMS if claim.second_criteria]
    of_jaubert = ["C2.4", "C2.7", "C2.12", "C2.13"]
    assert twice == ["C0.9", "C1.14", "C1.16", "C1.17", *of_jaubert, "C3.14", "C4.1", "C4.8"]
    assert all(bool(claim.second_criteria) == bool(claim.second_reading) for claim in CLAIMS)


def test_the_experiments_of_claims_are_all_that_their_criteria_name():
    assert set(OF_CLAIMS) == {name for part in CRITERIA for name in part.experiments}
    assert len(set(OF_CLAIMS)) == len(OF_CLAIMS)
    reports = {experiment.id for experiment in select("*")}
    beyond = ["beyond/twinnet+ws+aux@one-cycle", "beyond/twinnet+ws+aux@sum"]
    assert [name for name in OF_CLAIMS if name not in reports] == beyond
    learned, summed = (EXPERIMENTS[name].recipe for name in beyond)
    assert learned == summed  # the two heads of C4.6 are trained alike


def test_a_claim_of_a_printed_number_rests_on_one_that_the_report_prints():
    printed_errors = {}
    for claim in CLAIMS:
        for part in (*claim.criteria, *claim.second_criteria):
            if part.published:
                own = [n for n in EXPERIMENTS[part.of].published if n.quantity == part.quantity]
                assert len(own) == 1  # neither none nor several
                assert part == printed(part.of, quantity=part.quantity)
                printed_errors.setdefault(claim.id, []).append(own[0].mean)
    assert printed_errors == {
        "C1.1": [2.96],
        "C2.4": [3.91, 3.48],
        "C2.6": [3.91, 3.48, *[6] * len(jaubert.DIGIT_ACCURACY)],
        "C4.1": [4.78, 4.78],
    }


def test_of_a_fact_that_two_claims_state_one_alone_has_the_criteria():
    claims = {}
    for claim in CLAIMS:
        if claim.criteria:
            assert claims.setdefault(claim.criteria, claim.id) == claim.id


def test_a_criterion_never_compares_two_reports_with_one_another():
    for criterion in CRITERIA:
        assert len({EXPERIMENTS[name].report for name in criterion.experiments}) == 1


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
        (printed("a"), "test_error", None, -inf, inf),
        (printed("a", quantity="digit_error"), "digit_error", None, -inf, inf),
        (steadier("a", than="b"), "precise_error", "b", -inf, 0),
        (fewer_parameters("a", than="b", share=0.5), "parameters", "b", -inf, 0.5),
    ):
        assert (criterion.of, criterion.quantity, criterion.minus) == ("a", quantity, minus)
        assert (criterion.range.low, criterion.range.high) == (low, high)
        assert criterion.spread == (criterion == steadier("a", than="b"))
        said = "equivalent or typical" if criterion.published else criterion.range.text
        assert criterion.claimed == said and "inf" not in said
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
    without += [between("a", "b", -1, 1), level("a", 1), printed("a"), *times("a", "b", 1, 2)]
    without += [higher("a", than="b", quantity="fold_sd")]
    assert {criterion.margin for criterion in without} == {None}


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_says_where_our_runs_leave_its_text(report):
    """Each with a reason, and with experiments that exist."""
    found = deviations(report)
    assert 5 <= len(found) <= 20
    for deviation in found:
        assert set(deviation) == {"text", "ours", "why", "other"}
        assert all(deviation[name].endswith(".") for name in ("text", "ours", "why"))
        assert set(deviation["other"]) <= set(EXPERIMENTS)
        assert all(EXPERIMENTS[name].report in (report, "beyond") for name in deviation["other"])
    table = deviation_table(report)
    assert len(table) == len(found)
    assert table.map(lambda cell: bool(cell.strip())).all(axis=None)
    assert "nowhere" in set(table[OTHERWISE])
    assert not table.duplicated().any()


def test_what_notebooks_compare_exists_and_each_pair_differs():
    for report in REPORTS:
        for change, (before, after) in comparisons(report).items():
            assert before != after and {before, after} <= set(EXPERIMENTS), change
    assert comparisons("zadoks") == {}
    assert len(comparisons("cadei")) == 21


OTHERWISE = "run otherwise in (may differ elsewhere too)"


@pytest.mark.parametrize("report", REPORTS)
def test_experiments_without_records_are_not_run_in_a_table_of_deviations(report):
    others = [deviation["other"] for deviation in deviations(report)]
    known = {name for other in others for name in other}
    every = deviation_table(report)[OTHERWISE].tolist()
    assert deviation_table(report, known)[OTHERWISE].tolist() == every
    assert set(deviation_table(report, set())[OTHERWISE]) == {"nowhere"}
    lacking = max(known)
    table = deviation_table(report, known - {lacking})
    for cell, other in zip(table[OTHERWISE], others, strict=True):
        named = [plain_name(name) for name in other if name != lacking]
        assert cell == ("; ".join(named) or "nowhere")


@pytest.mark.parametrize("report", REPORTS)
def test_the_notebook_of_a_report_looks_for_records_of_all_that_its_deviations_name(report):
    (path,) = core.NOTEBOOKS.glob(f"*_{report}.ipynb")
    cells = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
    (cell,) = [cell for cell in cells if "deviation_table" in cell]
    patterns = re.findall(r'"([^"]*)"', cell.splitlines()[0].partition("study.recorded(")[2])
    for name in {name for deviation in deviations(report) for name in deviation["other"]}:
        assert any(fnmatchcase(name, pattern) for pattern in patterns), name
    assert select(*patterns)
