"""Findings: the sentences and the page say what the records say, whatever records there are."""

import re

import numpy as np
import pandas as pd
import pytest

from digits import core, findings, page, records
from digits.claims import BY_REPORT
from digits.experiments import EXPERIMENTS
from digits.frames import tidy
from digits.study import Study


@pytest.fixture(scope="session")
def frame(smoke_results):
    """Tidy rows of the smoke profile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        return tidy(Study(profile="smoke").records("*"))


def as_if_full(frame, rounds=4):
    """The same runs as if they were whole, with further rounds that differ a little."""
    generator = np.random.default_rng(0)
    parts = []
    for seed in range(rounds):
        part = frame[frame.seed == 0].assign(seed=seed, shortened=False)
        for error in ("precise_error", "test_error", "train_error"):
            part[error] = part[error] + generator.normal(0, 0.3, len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def test_one_round_of_everything_says_that_it_cannot_say(frame):
    found = findings.find(frame)
    answer = findings.answer(found)
    assert "nan" not in answer
    assert "cannot say what the two options are worth" in answer
    assert "shortened" in answer


def test_the_answer_holds_the_pooled_effects_with_their_intervals(frame):
    found = findings.find(as_if_full(frame))
    answer = findings.answer(found)
    for effect in ("weight sharing alone", "auxiliary loss alone", "both"):
        row = found.pooled.set_index("effect").loc[effect]
        assert f"{row['mean']:+.1f} points ({row.low:+.2f} to {row.high:+.2f})" in answer
    cells = [cell for design in findings.EQUAL_WIDTH for cell in design.cells]
    assert len(set(cells)) == len(cells)  # no network counts in two designs
    assert {d.baseline for d in findings.EQUAL_WIDTH} == {"two branches", "one stacked net"}
    assert f"over {len(findings.TWO_BRANCHES)} networks with one branch" in answer
    assert f"({len(findings.EQUAL_WIDTH)} in all)" in answer
    claims = re.search(r"Claims: (.*?)\.$", answer)[1]
    assert sum(int(n) for n in re.findall(r"\d+", claims)) == 58


def test_sentences_about_one_report_count_its_own(frame):
    found = findings.find(as_if_full(frame))
    summary = findings.summary(found).set_index("report")
    for report in BY_REPORT:
        sentence = findings.numbers_sentence(found, report)
        assert [
            summary[f"errors reproduced {reading}"][report]
            for reading in ("as written", "as published")
        ] == re.findall(r"(\d+ of \d+ \(.*?\)) by", sentence)
        claims = findings.claims_sentence(found, report)
        mine = [d for d in found.decisions if d.claim.report == report]
        assert sum(int(n) for n in re.findall(r"\d+", claims)) == len(mine)


def test_changing_the_runs_of_one_network_changes_what_rests_on_it_and_nothing_else(frame):
    before = as_if_full(frame)
    after = before.copy()
    after.loc[after.experiment == "zadoks/twinnet+ws", ["precise_error", "test_error"]] += 30.0
    one, other = findings.find(before), findings.find(after)
    pd.testing.assert_frame_equal(one.ranking, other.ranking)  # of the common protocol
    pd.testing.assert_frame_equal(one.pooled, other.pooled)
    differ = [
        old.claim.id
        for old, new in zip(one.decisions, other.decisions, strict=True)
        if old.findings != new.findings and "nan" not in str(old.findings)
    ]
    assert "C4.5" in differ
    assert all(name.startswith("C4") for name in differ)
    for report in set(BY_REPORT) - {"zadoks"}:
        assert page.card(one, report) == page.card(other, report)

    common = before.copy()
    common.loc[common.experiment == "common/zadoks/twinnet+ws", "precise_error"] += 30.0
    third = findings.find(common)
    assert third.numbers.equals(one.numbers)
    assert [d.verdict for d in third.decisions] == [d.verdict for d in one.decisions]
    assert third.pooled["mean"][0] > one.pooled["mean"][0]


def test_the_page_has_the_answer_and_a_card_for_every_report(frame, tmp_path):
    found = findings.find(as_if_full(frame))
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    for report, claims in BY_REPORT.items():
        assert f'id="{report}"' in html and claims.AUTHORS in html
    assert "With all else equal" in html and "**" not in html
    assert "nan" not in re.sub(r"<[^>]+>", " ", html)
    without = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert 'class="card"' not in without and "report cards appear here once" in without


def test_the_learning_rates_of_the_comparison_are_those_that_the_committed_folds_choose():
    from digits import search
    from digits.experiments import CANDIDATES, COMPARED, SEARCHES

    kept = []
    for name, candidate in CANDIDATES.items():
        if name.startswith(("search/common/", "search/damachi/")):
            kept += records.read(core.ROOT / "results", candidate.id, "mnist")
    used = {e.id: search.setting_of(e.recipe) for e in COMPARED if e.id in SEARCHES}
    used |= {
        name.removesuffix("@sgd"): search.setting_of(experiment.recipe)
        for name, experiment in EXPERIMENTS.items()
        if name.endswith("@sgd")
    }
    choices = search.choices(tidy(kept), used).set_index("network")
    assert set(choices.index) == set(used)
    assert (choices.chosen == choices.used).all()
    assert (choices.n == 1).all()
