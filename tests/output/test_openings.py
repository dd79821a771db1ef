"""A notebook opens with what was found of its report, and with the records that it shows."""

import re

import pytest
from pandas.testing import assert_frame_equal

from digits import core
from digits.analysis import findings
from digits.analysis.effects import factorial_effects
from digits.experiments.registry import DESIGNS, REPORTS
from digits.output import openings, sentences
from digits.output.names import plain_name
from digits.output.tables.format import with_minus
from digits.study.study import Study


@pytest.fixture
def study(monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
    return Study()


@pytest.fixture
def whole(made):
    return made.found


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_is_judged_as_in_the_comparison(report, study, whole):
    """Though from its own records and those that its claims name alone."""
    judged = findings.verdicts(study.table(*findings.patterns_of(report)), report)
    theirs = whole.numbers[whole.numbers.report == report]
    columns = ["experiment", "quantity", "reading", "verdict", "difference", "low", "high"]
    both = (table[columns].reset_index(drop=True) for table in (judged.numbers, theirs))
    assert_frame_equal(*both)
    claims = [result for result in whole.claims if result.claim.report == report]
    assert [(r.claim.id, r.verdict) for r in judged.claims] == [
        (r.claim.id, r.verdict) for r in claims
    ]
    printed, decided, worth = openings.opening(study, report).split("\n")
    assert sentences.numbers_sentence(whole, report) in printed
    assert sentences.claims_sentence(whole, report) in decided
    for claim, _, found in sentences.contradicted(whole, report):
        assert with_minus(f"“{claim}” ({found})") in decided
    assert worth.startswith("- **The two options**")


def test_the_two_options_are_told_design_by_design_with_their_intervals(study):
    frame = study.table("zadoks/*")
    (design,) = (d for d in DESIGNS.values() if d.name == "zadoks/twinnet")
    effects = factorial_effects(frame, [design]).set_index("effect")
    line = openings.opening(study, "zadoks").splitlines()[-1]
    assert "nan" not in line and "following the code" not in line
    for effect in ("weight sharing alone", "digit loss alone", "both"):
        mean, low, high = (f"{effects.loc[effect][x]:+.1f}" for x in ("mean", "low", "high"))
        assert f"{mean} ({low} to {high})".replace("-", "−") in line
    assert f"n = {effects.n.max():.0f}" in line
    # At equal width alone, where a report has both.
    assert openings.opening(study, "jaubert").count("equal width") == 2
    assert not re.search(r"-\d", openings.opening(study, "jaubert").splitlines()[-1])


def test_too_few_rounds_or_networks_are_said_to_be_too_few(monkeypatch, smoke_results):
    monkeypatch.setenv("DIGITS_RESULTS", str(smoke_results))
    study = Study(profile="smoke", seeds=(0,))
    told = "Not known yet: this takes two rounds in which all four versions"
    assert told in openings.opening(study, "zadoks")
    table = study.table("zadoks/*")
    some = table[table.experiment != "zadoks/twinnet+ws"]
    monkeypatch.setattr(Study, "table", lambda self, *patterns: some)
    assert told in openings.opening(study, "zadoks")


def test_a_notebook_says_what_it_shows_what_is_missing_and_what_that_costs(
    monkeypatch, smoke_results
):
    study = Study(profile="smoke", seeds=(0, 7))
    ids = {run.experiment.id for run in study.runs("zadoks/*")}
    text = openings.records_shown(study, "zadoks/*")
    assert f"shows 0 of {2 * len(ids)} runs of the smoke profile on the 5,000 sample digits" in text
    command = "run_all.py --profile smoke --seeds 0,7"
    assert f"{2 * len(ids)} are missing; training them with `{command}` takes roughly" in text
    other = openings.records_shown(Study(profile="paper", source="sample"), "zadoks/*")
    assert "with `run_all.py --profile paper --data sample` takes" in other
    assert f"Not run: {len(ids)} experiments" in text and all(
        plain_name(name) in text for name in ids
    )
    monkeypatch.setenv("DIGITS_RESULTS", str(smoke_results))
    text = openings.records_shown(study, "zadoks/*")  # round 7 has no records
    assert f"shows {len(ids)} of {2 * len(ids)} runs" in text
    assert f"{len(ids)} are missing" in text and "Not run" not in text
    text = openings.records_shown(Study(profile="smoke", seeds=(0,)), "zadoks/*")
    assert text.endswith("from their records, without training them again.")


@pytest.mark.parametrize(
    ("seconds", "says"),
    [(0.2, "1 second"), (119, "119 seconds"), (120, "2 minutes"), (3 * 86_400, "3 days")],
)
def test_a_duration_is_told_in_its_largest_unit(seconds, says):
    assert openings._duration(seconds) == says
