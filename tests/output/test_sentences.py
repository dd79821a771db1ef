"""Sentences say what the records say, whatever records there are."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from digits.analysis import beyond
from digits.analysis.claims import ClaimResult
from digits.analysis.findings import EQUAL_WIDTH, TWO_BRANCHES
from digits.analysis.numbers import READINGS
from digits.experiments.beyond import BASELINE, BEST, LARGER_BUDGET, ORACLE, STEPS, id_of
from digits.experiments.registry import CLAIMS, REPORTS
from digits.output import sentences
from digits.output.tables.claims import result_text
from digits.output.tables.format import difference, with_minus


def test_one_round_of_everything_says_that_it_cannot_say(found_of_one_round):
    answer = sentences.answer(found_of_one_round)
    assert "nan" not in answer
    assert "Too few designs with ten rounds" in answer
    assert "shortened" in answer


def test_the_answer_holds_the_pooled_effects_with_their_intervals(found):
    answer = sentences.answer(found)
    for effect in ("weight sharing alone", "auxiliary loss alone", "both"):
        row = found.pooled.set_index("effect").loc[effect]
        assert re.search(rf"{abs(row['mean']):.1f} percentage points \(.* to .*?\)", answer)
        assert with_minus(f"{row.least:+.1f} to {row.most:+.1f}") in answer
        row = found.pooled_all.set_index("effect").loc[effect]
        told = with_minus(f"{row['mean']:+.1f} ({row.low:+.1f} to {row.high:+.1f})")
        assert told in answer
    assert f"over {len(TWO_BRANCHES)} designs with shared or separate branches" in answer
    assert f"({len(EQUAL_WIDTH)} in all)" in answer
    assert sentences.numbers_sentence(found) in answer
    assert sentences.claims_sentence(found) in answer


@pytest.mark.parametrize(
    ("mean", "low", "high", "text"),
    [
        (-2.3, -3.9, -0.7, "lowers the test error by 2.3 percentage points (0.7 to 3.9)"),
        (-0.5, -1.5, 0.5, "lowers the test error by 0.5 percentage points (−0.5 to 1.5)"),
        (1.0, 0.5, 1.5, "changes the test error by +1.0 percentage points (+0.5 to +1.5)"),
    ],
)
def test_an_effect_is_told_with_its_direction(found, mean, low, high, text):
    limits = {"mean": mean, "low": low, "high": high}
    answer = sentences.answer(found._replace(pooled=found.pooled.assign(**limits)))
    amount = text.split(" by ")[1]
    assert f"alone {text}, a loss on the digits alone by {amount}, both together by" in answer


def test_the_headline_is_one_line_whatever_was_found(found):
    for mean, shown in ((-1.25, "−1.2"), (2.0, "+2.0")):
        title = sentences.headline(found._replace(pooled=found.pooled.assign(mean=mean)))
        change = f"weight sharing {shown} points, digit loss {shown}, both {shown}"
        assert title == f"Change in test error: {change}"
    unknown = sentences.headline(found._replace(pooled=found.pooled.assign(mean=np.nan)))
    assert unknown.endswith("change?")


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (-2.0, -1.0, "-1.5 (-2.0 to -1.0): it makes both together worth more than their sum."),
        (1.0, 2.0, "+1.5 (+1.0 to +2.0): it makes both together worth less than their sum."),
        (-1.0, 2.0, "+0.5 (-1.0 to +2.0): it leaves open whether"),
    ],
)
def test_the_answer_says_whether_the_options_add_up(found, low, high, text):
    mine = found.pooled.effect == "interaction"
    limits = {"mean": (low + high) / 2, "low": low, "high": high}
    pooled = found.pooled.assign(
        **{name: found.pooled[name].mask(mine, n) for name, n in limits.items()}
    )
    assert with_minus(text) in sentences.answer(found._replace(pooled=pooled))


def counted(text):
    """The numbers before verdicts in a text, by verdict."""
    words = "equivalent|typical|undecided|cannot tell|different|not typical|not run"
    found = re.findall(rf"(\d+) ({words})\b", text)
    return Counter({name.replace("undecided", "cannot tell"): int(n) for n, name in found})


def test_sentences_about_one_report_count_its_own_and_all_together_what_each_has(found):
    summary, both = sentences.summary(found).set_index("report"), [Counter(), Counter()]
    assert list(summary.index) == list(REPORTS)
    for report in REPORTS:
        sentence = sentences.numbers_sentence(found, report)
        sentence = sentence.replace("text, ", "text, 1 ").replace("code, ", "code, 1 ")
        parts = sentence.split("; ")
        for place, (part, reading) in enumerate(zip(parts, READINGS, strict=False)):
            assert counted(part) == counted(summary[f"printed errors, {reading}"][report])
            both[place] += counted(part)
    parts = sentences.numbers_sentence(found).split("; ")
    assert [counted(part) for part in parts] == both
    assert f"Of {sum(both[0].values())} printed errors" in parts[0]
    assert both[0].total() == both[1].total() == 88


def test_the_sentence_about_numbers_leads_with_what_is_known_best(found):
    rows = found.numbers[found.numbers.report == "zadoks"]
    for verdict, text in sentences.NUMBER_VERDICTS.items():
        sentence = sentences.numbers_sentence(
            found._replace(numbers=rows.assign(verdict=verdict, why="")), "zadoks"
        )
        assert sentence == (
            f"Verdict on the one printed error: following the text, {text}; following the authors' "
            f"code, {verdict}."
        )
    assert list(sentences.NUMBER_VERDICTS)[:4] == [
        *("equivalent", "typical", "cannot tell", "different")
    ]


def test_contradicted_claims_are_told_with_their_reading_and_what_decides(found):
    told = [claim for report in REPORTS for claim in sentences.contradicted(found, report)]
    contradicted = [r for r in found.claims if r.verdict == "contradicted" and not r.claim.ours]
    assert len(told) == len(contradicted) > 0
    for (claim, reading, decides), result in zip(told, contradicted, strict=True):
        assert claim == f"{result.claim.id}: {result.claim.claim}"
        assert reading == result.claim.reading
        assert decides == result_text(result.deciding) and "claimed" in decides


def test_claims_are_counted_by_verdict_without_ours(found):
    names = [claim for claim in CLAIMS if not claim.ours]
    for report in (None, *REPORTS):
        sentence = sentences.claims_sentence(found, report)
        total, *counts = (int(n) for n in re.findall(r"\d+", sentence))
        assert total == sum(counts) == len([c for c in names if report in (None, c.report)])
    every = [ClaimResult(claim, "supported", ()) for claim in CLAIMS]
    ours = [r._replace(verdict="contradicted" if r.claim.ours else r.verdict) for r in every]
    told = sentences.claims_sentence(found._replace(claims=ours))
    assert told == f"Of the {len(names)} claims of the reports: {len(names)} supported."
    assert sentences.contradicted(found._replace(claims=ours), "zadoks") == []


def test_verdicts_without_a_claim_are_not_told_and_the_others_stand_in_one_order(found):
    verdicts = ["not run", "supported", "no difference", "undecided", "not run"]
    some = [ClaimResult(c, v, ()) for c, v in zip(CLAIMS, verdicts, strict=False)]
    assert sentences.claims_sentence(found._replace(claims=some), "kqiku") == (
        "Of the 5 claims of the report: 1 supported, 1 no difference, 1 undecided, "
        "2 not tested yet."
    )


def test_the_ranking_is_told_by_its_ends(found):
    sentence = sentences.ranking_sentence(found)
    first, second, last = (found.ranking.iloc[place] for place in (0, 1, -1))
    assert f"First of {len(found.ranking)} is `{first.network}`" in sentence
    above = with_minus(difference(second, "above", "points"))
    assert re.match(r"[+−][\d.]+ points \([+−]", above)
    assert f"`{second.network}`, {above}; last" in sentence
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
    row |= {"precision": "bfloat16", "shortened": False, "precise_pairs": 20_000}
    return pd.DataFrame(
        row | {"experiment": name, "seed": seed, "precise_error": error + (seed - 1) / 100}
        for name, error in errors.items()
        for seed in range(3)
    )


def test_the_best_networks_are_told_with_how_they_were_chosen(best):
    text = sentences.best_networks(best)
    assert text.startswith(
        "Trained for 25 epochs, the best network has a test error of **0.90 ± 0.01 %** on 20,000 "
        "pairs (n = 3; 95 % interval 0.88 to 0.92 over rounds alone; computed in bfloat16, 40 "
    )
    assert "the ensemble of two networks has a test error of **0.70 ± 0.01 %**" in text
    assert "over rounds and test images" not in text
    assert "Rounds 0 to 9 were looked at while choosing" in text
    validated = [step for step in STEPS if step.fold_rounds]
    assert f"{len(validated)} variants were cross-validated and 3 larger budgets" in text
    assert "further variants were tried outside the records" in text
    lacking = "A confirmation of the best network and the ensemble of two networks on fresh rounds"
    assert f"{lacking}, on which nothing was chosen, is not run." in text
    assert "from which the ablation starts, has an error of 8.20 % on many test pairs" in text
    assert not re.search("target|met|missed|committee|ladder|errs", text)


def test_errors_by_image_give_an_interval_over_rounds_and_test_images(best):
    random = np.random.default_rng(0)
    by_image = {
        step: {seed: random.permutation(np.repeat([0.0, 50.0], [990, 10])) for seed in range(3)}
        for step in (BEST, LARGER_BUDGET)
    }
    by_image[BEST][1][:100] += 0.1
    text = sentences.best_networks(best, by_image)
    row = beyond.best_networks(best, by_image).iloc[0]
    assert "the best network has an error of **0.50 %** over all pairs of test images" in text
    both = f"{row.exact_low:.2f} to {row.exact_high:.2f} over rounds and test images"
    alone = f"{row.rounds_low:.2f} to {row.rounds_high:.2f} over rounds alone"
    assert f"95 % interval {both}, {alone}; computed in bfloat16" in text
    assert row.exact_high - row.exact_low > 10 * (row.rounds_high - row.rounds_low)


def test_fresh_rounds_confirm_the_best_network_beside_the_others(best):
    fresh = best[best.experiment == id_of(BEST)]
    fresh = fresh.assign(seed=fresh.seed + 10, precise_error=fresh.precise_error + 0.2)
    text = sentences.best_networks(pd.concat([best, fresh]))
    assert "On fresh rounds, the best network has a test error of **1.10 ± 0.01 %**" in text
    assert "the best network has a test error of **0.90 ± 0.01 %**" in text
    assert "A confirmation of the ensemble of two networks on fresh rounds" in text
    both = best[best.experiment == id_of(LARGER_BUDGET)]
    text = sentences.best_networks(pd.concat([best, fresh, both.assign(seed=both.seed + 10)]))
    assert "is not run" not in text and text.count("On fresh rounds") == 2


def test_one_round_of_the_best_networks_has_no_interval(best):
    text = sentences.best_networks(best[best.seed == 1])
    assert "**0.90 %** on 20,000 pairs (n = 1; computed in bfloat16" in text and "nan" not in text


def test_the_network_of_all_digits_is_told_where_there_is_one(best):
    assert "all digits of the training set" not in sentences.best_networks(best)
    oracle = best[best.seed == 0].iloc[:1].assign(experiment=ORACLE, precise_error=0.3)
    text = sentences.best_networks(pd.concat([best, oracle]))
    assert text.endswith("the best network has a large-sample test error of 0.30 % (n = 1).")


def test_steps_are_told_by_their_verdict_with_the_change_that_decides():
    found = pd.DataFrame(
        {"says": says, "verdict": verdict, "cross_validated": validated}
        | {"fold_change": -1.0, "fold_change_low": -2.0, "fold_change_high": 0.5}
        | {"change": 0.3, "change_low": 0.1, "change_high": 0.5}
        for says, verdict, validated in [
            ("baseline", "", True),
            ("a", "gain", True),
            ("b, c", "gain", True),
            ("long", "loss", False),
            ("d", "no measurable change", True),
        ]
    )
    assert sentences.measured_steps(found) == (
        "Measurable gains by cross-validation: a, −1.0 (−2.0 to +0.5); b, c, −1.0 (−2.0 to "
        "+0.5). Measurable losses of a larger budget, against the best network of 25 epochs, by "
        "the test error of the rounds looked at: "
        "long, +0.30 (+0.10 to "
        "+0.50). No measurable change by cross-validation: d, −1.0 (−2.0 to +0.5)."
    )
    assert sentences.measured_steps(found[found.verdict == ""]) == ""
