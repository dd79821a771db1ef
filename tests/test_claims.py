"""Claims: that each stands on networks there are, and that the logic of verdicts is sound."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits.claims import BY_REPORT, CLAIMS, Claim, decide, decide_again
from digits.claims.deciding import combine
from digits.claims.parts import (
    QUANTITIES,
    VERDICTS,
    Between,
    Parameters,
    Range,
    alike,
    higher,
    level,
    lower,
    steadier,
)
from digits.experiments import EXPERIMENTS, REPORTS
from digits.frames import tidy
from digits.tables import claim_table, part_table, verdict_counts


def frame(errors: dict[str, list[float]], **columns):
    return pd.concat(
        pd.DataFrame(
            {"experiment": name, "seed": range(len(values)), "precise_error": values}
            | {"shortened": False}
            | columns
        )
        for name, values in errors.items()
    )


def claim(*parts):
    return Claim(id="C", report="a", claim="it is so", parts=parts)


def test_claims_are_numbered_without_gaps_report_by_report():
    counts = {"kqiku": 11, "cadei": 15, "jaubert": 13, "damachi": 12, "zadoks": 7}
    assert list(BY_REPORT) == [report.__name__.rpartition(".")[2] for report in REPORTS]
    for place, (report, n) in enumerate(counts.items()):
        start = 1
        names = [c.id for c in CLAIMS if c.report == report]
        assert names == [f"C{place}.{number}" for number in range(start, start + n)]
    assert len(CLAIMS) == sum(counts.values())


def test_every_part_names_experiments_and_quantities_that_exist():
    design_arguments = {c.id for c in CLAIMS if not c.parts}
    assert design_arguments == {"C0.11", "C2.12", "C2.13", "C4.6", "C4.7"}
    for part in itertools.chain.from_iterable(c.parts for c in CLAIMS):
        assert all(EXPERIMENTS[name].protocol == "own" for name in part.experiments)
        assert part.value in QUANTITIES
        assert part.claimed.low < part.claimed.high
        if isinstance(part, Between):
            assert part.minus_value in QUANTITIES
        if isinstance(part, Parameters):
            assert {part.of, part.against} <= set(EXPERIMENTS)


def test_differences_of_one_claim_compare_networks_of_equal_protocol_or_say_what_differs():
    """A part never compares two reports with one another."""
    for part in itertools.chain.from_iterable(c.parts for c in CLAIMS):
        assert len({EXPERIMENTS[name].report for name in part.experiments}) <= 1


def test_a_difference_by_hand():
    runs = frame({"a": [10.0, 11.0, 12.0], "b": [8.0, 8.0, 11.0]})
    finding = lower("b", than="a").find(runs)
    # -2, -3, -1: mean -2, SD 1, t interval -2 +- 4.3027 / sqrt(3)
    assert (finding.mean, finding.n) == (-2, 3)
    assert (finding.low, finding.high) == pytest.approx((-4.4841, 0.4841), abs=1e-3)
    assert finding.verdict == "undecided"
    assert lower("b", than="a", by=-1).find(runs).verdict == "supported"
    assert higher("b", than="a", by=1).find(runs).verdict == "contradicted"
    assert alike("a", "b", within=5).find(runs).verdict == "supported"


def test_level_spread_and_two_values_of_one_run_by_hand():
    runs = frame({"a": [10.0, 11.0, 12.0], "b": [8.0, 11.0, 14.0]}, test_error=2.0, digit_error=3.0)
    assert level("a", low=5, high=20).find(runs).verdict == "supported"
    assert level("a", low=20).find(runs).verdict == "contradicted"
    spread = steadier("a", than="b").find(runs)
    assert spread.mean == pytest.approx((1 + 0 + 1) / 3 - (3 + 0 + 3) / 3)
    between = Between(
        of="a", value="test_error", minus_value="digit_error", claimed=Range(high=0.0)
    ).find(runs)
    assert (between.mean, between.n) == (-1, 3)


def test_only_rounds_that_both_networks_have_count():
    runs = frame({"a": [10.0, 11.0, 12.0, 90.0], "b": [8.0, 8.0, 11.0]})
    assert lower("b", than="a").find(runs).n == 3


def test_without_records_or_with_shortened_ones_there_is_no_verdict():
    runs = frame({"a": [10.0, 11.0, 12.0]})
    decision = decide(claim(lower("b", than="a")), runs)
    assert (decision.verdict, decision.deciding) == ("no records", None)
    assert decision.held == "0 of 1, 1 without records"
    both = frame({"a": [10.0, 11.0, 12.0], "b": [8.0, 8.0, 8.0]})
    assert decide(claim(lower("b", than="a")), both).verdict == "supported"
    assert decide(claim(lower("b", than="a")), both.assign(shortened=True)).verdict == "no records"


def test_one_round_decides_nothing():
    assert decide(claim(lower("b", than="a")), frame({"a": [9.0], "b": [1.0]})).verdict == (
        "undecided"
    )


FOUND = st.sampled_from([v for v in VERDICTS if v != "design argument"])


@given(st.lists(FOUND, min_size=1, max_size=6))
def test_a_claim_is_as_strong_as_its_weakest_part(verdicts):
    whole = combine(verdicts)
    assert whole in VERDICTS
    assert combine(reversed(verdicts)) == whole == combine(verdicts * 2)
    assert (whole == "supported") == (set(verdicts) == {"supported"})
    assert (whole == "contradicted") == ("contradicted" in verdicts)
    assert (whole == "no records") == (set(verdicts) == {"no records"})
    assert combine([*verdicts, "contradicted"]) == "contradicted"
    assert combine([*verdicts, "supported"]) in (whole, "undecided")


@given(st.floats(-20, 20), st.floats(0, 10), st.floats(-20, 20), st.floats(0, 10))
def test_a_range_judges_an_interval_by_where_it_lies(middle, half, centre, width):
    low, high = middle - half, middle + half
    where = Range(low=centre - width, high=centre + width)
    verdict = where.verdict(low, high)
    inside = [where.low <= x <= where.high for x in np.linspace(low, high, 7)]
    if verdict == "supported":
        assert all(inside) and where.slack(low, high) >= 0
    elif verdict == "contradicted":
        assert not any(inside)
    else:
        assert where.slack(low, high) < 0
    # A wider interval is never surer, a wider range is never contradicted instead.
    wider = where.verdict(low - 1, high + 1)
    assert wider in (verdict, "undecided")
    looser = Range(low=where.low - 1, high=where.high + 1).verdict(low, high)
    assert verdict != "supported" or looser == "supported"


@given(st.lists(st.floats(0, 50), min_size=2, max_size=8), st.floats(0, 5))
def test_lower_and_higher_exclude_each_other(errors, by):
    runs = frame({"a": errors, "b": [e + (-1) ** i for i, e in enumerate(errors)]})
    verdicts = {lower("b", than="a").find(runs).verdict, higher("b", than="a").find(runs).verdict}
    assert verdicts in ({"undecided"}, {"supported", "contradicted"})
    if lower("b", than="a", by=by).find(runs).verdict == "supported":
        assert lower("b", than="a").find(runs).verdict == "supported"


def test_a_true_part_is_contradicted_in_at_most_2_5_of_100_studies():
    """Two networks of equal mean: "lower" holds just so; the promise of the module's docstring."""
    generator = np.random.default_rng(0)
    part, wrong = lower("b", than="a"), 0
    for _ in range(600):
        runs = frame({"a": generator.normal(10, 1, 5), "b": generator.normal(10, 1, 5)})
        wrong += part.find(runs).verdict == "contradicted"
    assert wrong / 600 < 0.04


def test_the_part_that_decides_is_the_worst_for_the_claim():
    runs = frame({"a": [10.0, 11.0, 12.0], "b": [7.0, 8.1, 9.0], "c": [20.0, 21.5, 22.0]})
    good = decide(claim(lower("b", than="a"), lower("b", than="c")), runs)
    assert good.verdict == "supported" and good.deciding.what.endswith("b - a")
    bad = decide(claim(lower("b", than="a"), lower("c", than="a")), runs)
    assert bad.verdict == "contradicted" and bad.deciding.what.endswith("c - a")
    assert bad.held == "1 of 2"


def test_counting_parameters_needs_no_records():
    decision = decide(next(c for c in CLAIMS if c.id == "C1.14"), frame({"a": [1.0]}))
    assert decision.verdict == "contradicted"
    assert decision.deciding.mean == pytest.approx(2_699_968 / 2_700_834)


def test_under_the_common_protocol_only_comparisons_of_errors_are_decided_again():
    runs = frame({"common/a": [9.0, 8.0, 9.5], "common/b": [1.0, 2.0, 1.2], "a": [1.0, 2.0, 3.0]})
    both = claim(lower("b", than="a"), level("a", high=5), lower("a", than="b", value="gap"))
    decision = decide_again(both, runs.assign(gap=0.0))
    assert [finding.mean for finding in decision.findings] == pytest.approx([-22.3 / 3, 0])
    assert decide_again(claim(level("a", high=5)), runs).findings == ()
    assert decide(claim(level("a", high=5)), runs).findings[0].mean == 2


def test_the_same_value_in_many_rounds_is_known_and_in_two_it_may_be_chance():
    part = level("a", high=1)
    assert part.find(frame({"a": [0.0] * 5})).verdict == "supported"
    assert part.find(frame({"a": [0.0] * 2})).verdict == "undecided"


def test_what_lacks_records_alone_has_no_part_that_decides():
    runs = frame({"a": [10.0, 11.0, 12.0], "b": [7.0, 8.1, 9.0]})
    decision = decide(claim(lower("b", than="a"), lower("c", than="a")), runs)
    assert (decision.verdict, decision.deciding) == ("undecided", None)
    assert decision.held == "1 of 2, 1 without records"


@pytest.fixture(scope="module")
def committed():
    from digits import core, records

    found = []
    for experiment in EXPERIMENTS.values():
        kept = records.read(core.ROOT / "results", experiment.id, "mnist")
        found += [record for record in kept if record.recipe == experiment.recipe]
    return tidy(found)


def test_changing_the_runs_of_one_network_changes_the_claims_that_rest_on_it_and_no_other(
    committed,
):
    changed = committed.copy()
    mine = changed.experiment == "jaubert/model_1+aux2"
    assert mine.sum() == 20
    for column in ("precise_error", "test_error", "gap"):
        changed.loc[mine, column] += 40.0 + changed.loc[mine, "seed"]
    before, after = ([decide(c, f) for c in CLAIMS] for f in (committed, changed))
    for old, new in zip(before, after, strict=True):
        rests = any("jaubert/model_1+aux2" in part.experiments for part in old.claim.parts)
        if not rests:
            assert old == new
    verdicts = {
        new.claim.id: (old.verdict, new.verdict) for old, new in zip(before, after, strict=True)
    }
    assert verdicts["C2.8"] == ("supported", "contradicted")
    differing = {name for name, (old, new) in verdicts.items() if old != new}
    assert differing <= {c.id for c in CLAIMS if c.report == "jaubert"}


def test_every_claim_is_in_the_tables_with_its_interval_and_n(committed):
    decisions = [decide(c, committed) for c in CLAIMS]
    table = claim_table(decisions, decisions)
    assert table.claim.tolist() == [c.id for c in CLAIMS]
    measured = table[table.verdict.isin(["supported", "contradicted"])]
    assert measured["decided by"].str.contains(r"n = \d+|parameters").all()
    parts = part_table(decisions)
    assert len(parts) == sum(len(c.parts) for c in CLAIMS)
    counts = verdict_counts(decisions).set_index("report")
    assert (counts.drop(columns="all").sum(axis=1) == counts["all"]).all()
    assert counts["all"].sum() == len(CLAIMS)
