"""Sentences say what the records say, whatever records there are."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from digits.analysis.choices import searched_among
from digits.analysis.claims import ClaimResult
from digits.analysis.equivalence import VERDICTS
from digits.analysis.findings import EQUAL_WIDTH, TWO_BRANCHES
from digits.analysis.numbers import READINGS
from digits.experiments import handwriting
from digits.experiments.registry import CLAIMS, REPORTS
from digits.output import other_digits, sentences
from digits.output.tables.claims import result_text
from digits.output.tables.format import difference, with_minus


def test_one_round_of_everything_says_that_it_cannot_say(found_of_one_round):
    answer = sentences.answer(found_of_one_round)
    assert "nan" not in answer
    assert "takes two designs with 10 rounds" in answer
    assert "shortened" in answer


def test_the_answer_holds_the_pooled_effects_with_their_intervals(found):
    answer = sentences.answer(found)
    for effect in ("weight sharing alone", "digit loss alone", "both"):
        row = found.pooled.set_index("effect").loc[effect]
        assert re.search(rf"{abs(row['mean']):.1f} percentage points \(.* to .*?\)", answer)
        assert with_minus(f"{row.least:+.1f} to {row.most:+.1f}") in answer
        row = found.pooled_all.set_index("effect").loc[effect]
        told = with_minus(f"{row['mean']:+.1f} ({row.low:+.1f} to {row.high:+.1f})")
        assert told in answer
    assert f"over {len(TWO_BRANCHES)} designs with shared or separate branches" in answer
    assert f"with {len(EQUAL_WIDTH) - len(TWO_BRANCHES)} more designs" in answer
    searched = searched_among(cell for design in TWO_BRANCHES for cell in design.cells)
    assert set(searched.rounds) == {1, 3}
    told = f"on 1 to 3 rounds ({searched.edge} of {searched.n} at the lowest or highest tried)"
    assert told in answer
    assert sentences.numbers_sentence(found) in answer
    assert sentences.claims_sentence(found) in answer


def test_which_option_is_worth_more_in_the_reports_own_protocols_is_counted(found):
    names = ["kqiku/fcc", "kqiku/cnn@repaired", "jaubert/model_1@wide", "damachi/cnn"]
    rows = pd.DataFrame({"design": names, "effect": "digit loss rather than weight sharing"})
    rows = rows.assign(low=[-2.0, 0.5, 0.1, -1.0], high=[-1.0, 3.0, 0.9, 1.0])
    other = rows.assign(effect="both", low=1.0, high=2.0)
    mine = found._replace(as_reported=pd.concat([rows, other]))
    told = sentences.as_reported(mine)
    assert told == (
        "In the reports' own protocols (at equal width, some by the text and again by the code, "
        "some with a control of ours) the digit loss alone is worth more in 1 of 4 designs, "
        "sharing alone in 2 (‘Kqiku, CNN (code, bugs fixed)’, ‘Jaubert, 2 convolutions (equal "
        "width)’); 1 leaves it open."
    )
    assert told in sentences.answer(mine)
    brief = sentences.as_reported(mine, brief=True)
    assert brief.endswith("in 1 of 4 designs, sharing alone in 2; 1 leaves it open.")
    none = mine._replace(as_reported=rows.assign(low=np.nan, high=np.nan))
    assert sentences.as_reported(none).endswith(
        "no design has rounds enough to say which is worth more."
    )


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


#: Of the models, how large their effects are beside the mean.
SHARES = {"fcc": 0.9, "cnn": 1.0, "twinnet": 1.1}


def of_both_sources(rounds, error):
    """Rows of the designs on other digits: by how much both options lower it in each round."""
    return pd.DataFrame(
        {"experiment": e.id, "seed": seed, "train_error": 0.0}
        | {"precise_error": error - SHARES[e.model] * (2.0 + seed / 10) * len(e.options)}
        for e in handwriting.experiments()
        for seed in range(rounds)
    )


def test_what_the_options_change_on_other_digits_is_told_source_by_source():
    rows = of_both_sources(10, 20.0)
    told = other_digits.changes(rows)
    both = "both −4.9 (−6.1 to −3.7) points"
    assert told.startswith(
        "Change of the test error: MNIST (3 designs): weight sharing alone −2.5 ("
    )
    assert told.count(both) == 2 and told.endswith(f"{both}.") and "Left out" not in told
    few = other_digits.changes(rows[rows.seed < 3])
    none = "no design has 10 rounds"
    assert few == f"Change of the test error: MNIST: {none}; scikit-learn's digits: {none}."
    lacking = rows[rows.experiment != "beyond/fcc@other-digits"]
    assert other_digits.changes(lacking).count("(2 designs)") == 1
    assert other_digits.changes(rows[:10]) == "No design has all its networks."


def test_rounds_that_fail_on_other_digits_are_left_out_and_told():
    rows = of_both_sources(11, 20.0)
    failing = (rows.experiment == "beyond/fcc+ws@other-digits") & (rows.seed == 0)
    rows.loc[failing, ["train_error", "precise_error"]] = 45.0, 55.0
    told = other_digits.changes(rows)
    left_out = "Left out, since they failed to learn: 1 of 264 runs (‘Kqiku's dense net, shared’)"
    assert left_out in told
    assert "sharing alone −2.5" in told.split(";")[1] and "−2.5" in told.split(";")[0]
    # 37 points more in one of 11 rounds: +3.4 in a design of three, too wide for any conclusion.
    assert told.partition(left_out)[2].startswith("; with them weight sharing alone is −1.4 (")
    assert told.endswith(") on scikit-learn's digits.")
    brief = other_digits.changes(rows, brief=True)
    without = "(Without 1 of 264 runs, which failed to learn"
    uncertain = (
        "; with them, the interval of weight sharing alone includes 0 on scikit-learn's digits"
    )
    assert brief == f"{told.partition('Left out')[0]}{without}{uncertain}.)"
    rows.loc[failing, "precise_error"] = 20.0  # an error that changes no conclusion
    assert other_digits.changes(rows).endswith(f"{left_out}.")
    assert other_digits.changes(rows, brief=True).endswith(f"{without}.)")


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


#: What a sentence says of each verdict on a printed error.
SAYS = {
    **dict.fromkeys(("equivalent", "typical"), "agree"),
    **dict.fromkeys(("different", "not typical"), "disagree"),
    "cannot tell": "cannot be decided",
    "not run": "are not run",
}


def counted(text, words):
    """The numbers before words in a text, by word."""
    text = re.sub(r"\b(1 \w+)s\b", r"\1", text).replace("1 i not", "1 are not")
    return Counter({name: int(n) for n, name in re.findall(rf"(\d+) ({'|'.join(words)})\b", text)})


def test_sentences_about_one_report_count_its_own_and_all_together_what_each_has(found):
    summary, both = sentences.summary(found).set_index("report"), [Counter(), Counter()]
    assert list(summary.index) == list(REPORTS)
    for report in REPORTS:
        parts = sentences.numbers_sentence(found, report).split(". ")
        for place, reading in enumerate(READINGS[:2]):
            cell, of_cell = summary[f"printed errors, {reading}"][report], Counter()
            for verdict, n in counted(cell, SAYS).items():
                of_cell[SAYS[verdict]] += n
            assert bool(of_cell) == (cell != "as the text")
            if of_cell.total() > 1:
                assert counted(parts[place], SAYS.values()) == of_cell
            both[place] += of_cell
    parts = sentences.numbers_sentence(found).split(". ")
    assert [counted(part, SAYS.values()) for part in parts] == both
    assert f"of {both[0].total()} printed errors" in parts[0]
    assert f"code computes {both[1].total()} of them differently; following it," in parts[1]
    assert both[0].total() == 88
    text = found.numbers[found.numbers.reading == READINGS[0]].verdict
    assert re.search(r"agree with ours \((\d+ equivalent, )?\d+ typical\)", parts[0]) or (
        "typical" not in set(text)
    )


@pytest.mark.parametrize(
    ("verdict", "told"),
    [("typical", "agrees with ours"), ("not typical", "disagrees with ours")]
    + [("cannot tell", "cannot be decided"), ("not run", "is not run")],
)
def test_the_verdict_on_a_report_s_one_number_is_told_in_words(found, verdict, told):
    rows = found.numbers[found.numbers.report == "zadoks"].assign(verdict=verdict, why="")
    assert sentences.numbers_sentence(found._replace(numbers=rows), "zadoks") == (
        f"Following the text, the one printed error {told}. Following the authors' code, it {told}."
    )
    two = pd.concat([rows, rows[rows.reading == READINGS[0]].assign(row="another")])
    assert sentences.numbers_sentence(found._replace(numbers=two), "zadoks").endswith(
        f" The one that the authors' code computes differently {told}."
    )


def test_every_verdict_on_a_printed_error_has_its_place_in_the_sentence():
    assert [v for *_, verdicts in sentences.OUTCOMES for v in verdicts] == list(SAYS)
    assert set(SAYS) <= set(VERDICTS)


def test_contradicted_claims_are_told_with_their_reading_and_what_decides(found):
    told = [claim for report in REPORTS for claim in sentences.contradicted(found, report)]
    contradicted = [r for r in found.claims if r.verdict == "contradicted" and not r.claim.ours]
    assert len(told) == len(contradicted) > 0
    for (claim, reading, decides), result in zip(told, contradicted, strict=True):
        assert (claim, reading) == (result.claim.claim, result.claim.reading)
        measured, claimed = result_text(result.deciding).partition(": ")[2].split(", claimed ")
        wanted = "and the two would have to agree"
        if not result.deciding.criterion.published:
            wanted = f"and would have to be {claimed}"
        assert f": {measured}, {wanted}" in decides
        decides, _, learned = decides.partition("; without rounds that fail to learn: ")
        assert learned == (result.learned if result.learned != result.verdict else "")
        assert (result.second is None) or decides.endswith(f": {result.second.verdict}")
        assert "/" not in decides.partition(": ")[0] or result.deciding.criterion.minus
        assert all(name not in decides for name in result.deciding.criterion.experiments)


def test_claims_are_counted_by_verdict_without_ours(found):
    names = [claim for claim in CLAIMS if not claim.ours]
    for report in (None, *REPORTS):
        sentence, _, again = sentences.claims_sentence(found, report).partition(". ")
        total, *counts = (int(n) for n in re.findall(r"\d+", sentence))
        assert total == sum(counts) == len([c for c in names if report in (None, c.report)])
        second = [r.second.verdict for r in found.claims if r.second]
        again, _, without = again.partition(" Without rounds that fail to learn, ")
        if report is None:
            assert re.findall(r"\d+", again) == [str(len(second)), str(second.count("supported"))]
            theirs = [r for r in found.claims if not r.claim.ours and r.learned != r.verdict]
            held = [r for r in theirs if r.learned == "supported"]
            assert theirs and without == (
                f"{len(theirs)} verdicts would change, {len(held)} to supported."
            )
    every = [ClaimResult(claim, "supported", ()) for claim in CLAIMS]
    ours = [r._replace(verdict="contradicted" if r.claim.ours else r.verdict) for r in every]
    told = sentences.claims_sentence(found._replace(claims=ours))
    assert told == f"Of the {len(names)} claims of the reports: {len(names)} supported."
    assert sentences.contradicted(found._replace(claims=ours), "zadoks") == []


def test_verdicts_without_a_claim_are_not_told_and_the_others_stand_in_one_order(found):
    verdicts = ["not run", "supported", "no difference", "undecided", "not run"]
    some = [ClaimResult(c, v, ()) for c, v in zip(CLAIMS, verdicts, strict=False)]
    assert sentences.claims_sentence(found._replace(claims=some), "kqiku") == (
        "Of the 5 claims of the report: 1 supported, 1 no difference, 1 undecided, 2 not run."
    )


def test_second_readings_are_counted_where_there_are_any(found):
    held = ClaimResult(CLAIMS[0], "supported", ())
    some = [ClaimResult(CLAIMS[0], "contradicted", (), held), held]
    assert sentences.claims_sentence(found._replace(claims=some)) == (
        "Of the 2 claims of the reports: 1 supported, 1 contradicted. 1 can be read in a second "
        "way; so read, 1 is supported."
    )
    more = [*some, ClaimResult(CLAIMS[0], "undecided", (), held._replace(verdict="undecided"))]
    told = sentences.claims_sentence(found._replace(claims=more))
    assert told.endswith(" 2 can be read in a second way; so read, 1 is supported.")


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


def test_rounds_that_failed_are_counted_by_kind():
    rows = pd.DataFrame({"train_error": [0.0, 39.9, 54.0]})
    told = sentences.failed_rounds({"with it": rows, "without": rows[:2]})
    assert told.endswith(": 1 of 3 rounds with it, 0 of 2 rounds without.")
