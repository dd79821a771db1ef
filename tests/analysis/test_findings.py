"""Findings rest on the runs that they are about, and on no others."""

import pandas as pd

from digits.analysis import findings
from digits.analysis.findings import EQUAL_WIDTH, TWO_BRANCHES, find
from digits.experiments.registry import REPORTS


def changed(frame, experiment):
    after = frame.copy()
    after.loc[after.experiment == experiment, ["precise_error", "test_error"]] += 30.0
    return find(after)


def test_no_network_counts_in_two_designs():
    cells = [cell for design in EQUAL_WIDTH for cell in design.cells]
    assert len(set(cells)) == len(cells)
    assert {design.baseline for design in EQUAL_WIDTH} == {"two branches", "one stacked net"}
    assert {design.baseline for design in TWO_BRANCHES} == {"two branches"}
    assert EQUAL_WIDTH[: len(TWO_BRANCHES)] == TWO_BRANCHES


def test_rows_are_split_by_protocol_and_none_is_lost(as_if_full, found):
    assert set(found.own.protocol) == {"own"} and set(found.common.protocol) == {"common"}
    assert len(found.own) + len(found.common) == as_if_full.report.isin(REPORTS).sum()
    assert set(found.ranking.experiment) == set(found.common.experiment)


def test_the_pooled_effects_are_over_the_designs_that_are_named(found):
    for names, pooled in findings.means(found).values():
        assert (pooled.n == len(names)).all()
    cells = {cell for design in EQUAL_WIDTH for cell in design.cells}
    assert set(findings.designs_of(found).experiment) == cells


def test_without_enough_rounds_all_designs_are_what_a_caption_speaks_of(as_if_full):
    few = find(as_if_full[as_if_full.seed < 2])
    cells = {cell for design in EQUAL_WIDTH for cell in design.cells}
    assert set(findings.designs_of(few).experiment) == cells


def test_the_best_network_of_a_report_is_its_first_in_the_ranking(found):
    for report in REPORTS:
        mine = found.ranking[found.ranking.report == report]
        assert findings.best_of(found, report)["mean"] == mine["mean"].min()
    assert findings.best_of(found, "nobody") is None


def test_changing_a_network_in_its_own_protocol_changes_its_reports_claims_alone(as_if_full, found):
    other = changed(as_if_full, "zadoks/twinnet+ws")
    pd.testing.assert_frame_equal(found.ranking, other.ranking)  # of the common protocol
    pd.testing.assert_frame_equal(found.pooled, other.pooled)
    differ = [
        old.claim.id
        for old, new in zip(found.claims, other.claims, strict=True)
        if repr(old.results) != repr(new.results)  # NaN is not equal to itself
    ]
    assert "C4.5" in differ
    assert all(name.startswith("C4") for name in differ)


def test_changing_a_network_under_the_common_protocol_changes_no_verdict_by_the_reports(
    as_if_full, found
):
    other = changed(as_if_full, "common/zadoks/twinnet+ws")
    assert other.numbers.equals(found.numbers)
    assert [result.verdict for result in other.claims] == [
        result.verdict for result in found.claims
    ]
    assert other.pooled["mean"][0] > found.pooled["mean"][0]
    assert not other.ranking.equals(found.ranking)


def test_designs_of_the_reports_own_protocols_share_no_network_and_are_those_that_are_run(
    as_if_full, found
):
    names = found.as_reported.design.unique()
    assert {"kqiku/cnn@repaired", "zadoks/twinnet@published", "damachi/cnn"} <= set(names)
    assert "jaubert/model_1@wide" in names and "jaubert/model_1" not in names
    assert not any(name.startswith("common/") for name in names)
    lacking = find(as_if_full[as_if_full.experiment != "damachi/cnn@unshared"]).as_reported
    assert set(names) - set(lacking.design) == {"damachi/cnn"}


def test_rounds_that_fail_are_left_out_of_the_second_verdict_alone(as_if_full, found):
    """One net of Zadoks' fails in one round: only the verdicts over all rounds know it."""
    learns = as_if_full.assign(train_error=as_if_full.train_error.clip(upper=30.0))
    before = find(learns)
    assert all(result.learned == result.verdict for result in before.claims)
    mine = (learns.experiment == "zadoks/twinnet+ws") & (learns.seed == 0)
    changes = {"train_error": 45.0, "test_error": 48.0, "precise_error": 4000.0}
    after = find(learns.assign(**{k: learns[k].mask(mine, v) for k, v in changes.items()}))
    decided = find(learns[~mine])
    assert [r.learned for r in after.claims] == [r.verdict for r in decided.claims]
    assert [repr(r.results) for r in after.claims] != [repr(r.results) for r in decided.claims]


def test_shortened_runs_under_the_common_protocol_are_left_out_where_others_are_whole(as_if_full):
    zadoks = as_if_full[as_if_full.report == "zadoks"]
    one = zadoks.experiment == "common/zadoks/twinnet+ws"
    ranking = find(zadoks.assign(shortened=one)).ranking
    assert len(ranking) == 3 and "common/zadoks/twinnet+ws" not in set(ranking.experiment)
    assert len(find(zadoks.assign(shortened=True)).ranking) == 4
