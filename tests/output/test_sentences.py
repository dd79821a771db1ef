"""Sentences say what the records say, whatever records there are."""

import re

import numpy as np
import pandas as pd
import pytest

from digits.analysis.claims import ClaimResult
from digits.analysis.findings import EQUAL_WIDTH, TWO_BRANCHES
from digits.experiments.beyond import BASELINE, BEST, LARGER_BUDGET, ORACLE, id_of
from digits.experiments.registry import CLAIMS, EXPERIMENTS, REPORTS
from digits.output import sentences
from digits.output.tables.claims import result_text
from digits.study.study import Study


def test_one_round_of_everything_says_that_it_cannot_say(found_of_one_round):
    answer = sentences.answer(found_of_one_round)
    assert "nan" not in answer
    assert "cannot say what the two options are worth" in answer
    assert "shortened" in answer


def test_the_answer_holds_the_pooled_effects_with_their_intervals(found):
    answer = sentences.answer(found)
    for effect in ("weight sharing alone", "auxiliary loss alone", "both"):
        for pooled in (found.pooled, found.pooled_all):
            row = pooled.set_index("effect").loc[effect]
            assert f"{row['mean']:+.1f} points ({row.low:+.2f} to {row.high:+.2f})" in answer
    assert f"over {len(TWO_BRANCHES)} networks with one branch" in answer
    assert f"({len(EQUAL_WIDTH)} in all)" in answer
    claims = re.search(r"Claims: (.*?)\.$", answer)[1]
    assert sum(int(n) for n in re.findall(r"\d+", claims)) == len(CLAIMS)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-2.0, -1.0, "-1.5 points (-2.00 to -1.00): together more than their sum."),
        (1.0, 2.0, "+1.5 points (+1.00 to +2.00): together less than their sum."),
        (-1.0, 2.0, "+0.5 points (-1.00 to +2.00), which leaves open whether"),
        (np.nan, np.nan, "Whether the two add up is left open."),
    ],
)
def test_the_answer_says_whether_the_options_add_up(found, low, high, text):
    mine = found.pooled.effect == "interaction"
    middle = 0.0 if np.isnan(low) else (low + high) / 2
    limits = {"mean": middle, "low": low, "high": high}
    pooled = found.pooled.assign(
        **{name: found.pooled[name].mask(mine, n) for name, n in limits.items()}
    )
    assert text in sentences.answer(found._replace(pooled=pooled))


def test_sentences_about_one_report_count_its_own(found):
    summary = sentences.summary(found).set_index("report")
    assert list(summary.index) == list(REPORTS)
    for report in REPORTS:
        sentence = sentences.numbers_sentence(found, report)
        assert [
            summary[f"errors reproduced {reading}"][report]
            for reading in ("as written", "as published")
        ] == re.findall(r"(\d+ of \d+ \(.*?\)) by", sentence)
        claims = sentences.claims_sentence(found, report)
        mine = [result for result in found.claims if result.claim.report == report]
        assert sum(int(n) for n in re.findall(r"\d+", claims)) == len(mine)
        counted = summary.loc[report, [name for name in summary if name.startswith("claims: ")]]
        assert counted.sum() == len(mine)


def test_all_reports_together_reproduce_what_each_does(found):
    def counts(report=None):
        sentence = sentences.numbers_sentence(found, report)
        return np.array([int(n) for n in re.findall(r"(\d+) (?:of|within)", sentence)])

    assert (counts() == sum(counts(report) for report in REPORTS)).all()
    assert "by what the reports say" in sentences.numbers_sentence(found)
    assert "by what its code did" in sentences.numbers_sentence(found, "kqiku")


def test_what_cannot_be_compared_is_not_counted_among_the_errors(found):
    rows = found.numbers[found.numbers.report == "zadoks"]
    known = found._replace(numbers=rows.assign(verdict="reproduced", why="", difference=0.5))
    sentence = sentences.numbers_sentence(known, "zadoks")
    assert "1 of 1 (1 within a point) by what its code did" in sentence
    unknown = found._replace(numbers=rows.assign(verdict="not comparable", why="no records"))
    sentence = sentences.numbers_sentence(unknown, "zadoks")
    assert "0 of 0 (0 within a point; 1 not comparable here) by what its code did" in sentence


def test_contradicted_claims_are_told_with_their_reading_and_what_decides(found):
    told = [claim for report in REPORTS for claim in sentences.contradicted(found, report)]
    contradicted = [result for result in found.claims if result.verdict == "contradicted"]
    assert len(told) == len(contradicted) > 0
    for (claim, reading, decides), result in zip(told, contradicted, strict=True):
        assert claim == f"{result.claim.id}: {result.claim.claim}"
        assert reading == result.claim.reading
        assert decides == result_text(result.deciding) and "claimed" in decides


def test_verdicts_without_a_claim_are_not_told(found):
    some = [ClaimResult(claim, "supported", ()) for claim in CLAIMS[:3]]
    assert sentences.claims_sentence(found._replace(claims=some)) == "Claims: 3 supported."


def test_the_ranking_is_told_by_its_ends(found):
    sentence = sentences.ranking_sentence(found)
    first, second, last = (found.ranking.iloc[place] for place in (0, 1, -1))
    assert f"First of {len(found.ranking)} is `{first.network}`" in sentence
    assert f"`{second.network}`, {second.above:+.2f} points ({second.above_low:+.2f}" in sentence
    assert sentence.endswith(f"last is `{last.network}` with {last['mean']:.2f} %.")


def test_errors_are_told_by_options_and_by_cost(found):
    sentence = sentences.cost_sentence(found)
    groups = re.findall(r"([\d.]+) % ([a-z ]+) \((\d+)\)", sentence)
    assert [name for _, name, _ in groups] == [
        *("plain", "with weight sharing", "with a digit loss", "with both")
    ]
    assert sum(int(n) for *_, n in groups) == len(found.ranking)
    both = found.ranking[found.ranking.shared & found.ranking.auxiliary]
    assert groups[-1] == (f"{both['mean'].mean():.1f}", "with both", str(len(both)))
    # Errors that go with the number of parameters.
    ordered = found.ranking.assign(mean=found.ranking.parameters.rank(method="first"))
    assert re.search(
        r"parameters is \+(1\.00|0\.9\d)", sentences.cost_sentence(found._replace(ranking=ordered))
    )


@pytest.fixture
def best():
    """Three rounds of the twin net, the best network and the one with a larger budget."""
    errors = {BASELINE: 8.2, id_of(BEST): 0.9, id_of(LARGER_BUDGET): 0.7}
    row = {"train_pairs": 1000, "epochs": 25, "seconds": 40.0, "parameters": 9574}
    row |= {"precision": "float32", "shortened": False}
    return pd.DataFrame(
        row | {"experiment": name, "seed": seed, "precise_error": error + (seed - 1) / 100}
        for name, error in errors.items()
        for seed in range(3)
    )


def test_the_best_networks_are_told_with_whether_they_meet_their_target(best):
    text = sentences.best_networks(best)
    assert text.startswith("Within 25 epochs the best network errs on **0.90 ± 0.01 %**")
    assert "With a larger budget a committee of two errs on **0.70 ± 0.01 %**" in text
    assert "the target of 1.00 % is met" in text and "the target of 0.60 % is missed" in text
    assert "The twin net that the ladder starts from errs on 8.20 %" in text
    assert sentences.best_networks(best.assign(precise_error=9.0)).count("is missed") == 2
    assert sentences.best_networks(best.assign(precise_error=0.2)).count("is met") == 2


def test_one_round_of_the_best_networks_has_no_interval(best):
    text = sentences.best_networks(best[best.seed == 1])
    assert "**0.90 %** of the pairs (n = 1; 25 epochs" in text and "nan" not in text


def test_the_network_of_all_digits_is_told_where_there_is_one(best):
    assert "all digits of the training set" not in sentences.best_networks(best)
    oracle = best[best.seed == 0].iloc[:1].assign(experiment=ORACLE, precise_error=0.3)
    text = sentences.best_networks(pd.concat([best, oracle]))
    assert text.endswith("the best network errs on 0.30 % (n = 1).")


def test_shortened_runs_are_told_and_meet_no_target(best):
    assert sentences.shortened_note(best) == ""
    short = best.assign(shortened=True)
    assert "Shortened here" in sentences.shortened_note(short)
    assert "target" not in sentences.best_networks(short)


def test_what_light_leaves_out_is_named():
    whole = Study(source="mnist", profile="paper")
    assert sentences.left_out(whole, "cadei/*") == ""
    text = sentences.left_out(whole.model_copy(update={"light": True}), "cadei/*")
    deep = [e.id for e in EXPERIMENTS.values() if "deep" in e.tags and not e.setting]
    deep = [name for name in deep if EXPERIMENTS[name].protocol == "own"]
    assert f"{len(deep)} experiments" in text and ", ".join(deep) in text
