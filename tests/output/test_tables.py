"""Tables say what the records say, in three formats, and the scope of what they show."""

import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from digits import core
from digits.analysis import beyond
from digits.analysis.choices import chosen_settings
from digits.analysis.effects import factorial_effects
from digits.analysis.numbers import published_against_ours, published_numbers
from digits.analysis.statistics import with_holm
from digits.experiments.beyond import BASELINE, BEST, STEPS, id_of
from digits.experiments.registry import CLAIMS, EXPERIMENTS, REPORTS, designs, select
from digits.output import tables
from digits.output.tables.format import difference, interval, mean_sd, number, span, with_minus
from digits.output.tables.numbers import DIFFERENCE
from digits.study.frames import tidy
from digits.study.study import Study


def rows(**changes):
    row = {
        "experiment": "zadoks/twinnet+ws+aux",
        "network": "zadoks/twinnet+ws+aux",
        "setting": "",
        "parameters": 9574,
        "seed": 0,
        "source": "mnist",
        "epochs": 25,
        "trainings": 1,
        "train_pairs": 1000,
        "report": "zadoks",
        "shortened": False,
        "precision": "float32",
        "digits": "of the study",
        "train_error": 1.0,
        "test_error": 5.0,
        "precise_error": 5.5,
        "test_digit_accuracy": 96.0,
        "train_seconds": 2.0,
    }
    return pd.DataFrame([row, row | {"seed": 1, "test_error": 7.0}]).assign(**changes)


def test_error_table_of_a_case_by_hand():
    (row,) = tables.error_table(rows()).to_dict("records")
    # 6 +- 12.706 * 1.4142 / sqrt(2)
    assert row["test error (95 % interval)"] == "6.0 ± 1.4 (-6.7 to 18.7)"
    assert row["n"] == 2
    assert row["published test error"] == "4.78 ± 0.62"
    assert row["digit accuracy"] == "96.0"


def test_one_round_shows_a_mean_without_spread():
    (row,) = tables.error_table(rows().iloc[:1]).to_dict("records")
    assert row["test error (95 % interval)"] == "5.0"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "n = 2 rounds, 25 epochs, 1000 training pairs a round, all of MNIST"),
        ({"source": "sample"}, "n = 2 rounds, 25 epochs, 1000 training pairs a round, the 5,000"),
        ({"trainings": 10}, "n = 2 rounds, 250 epochs"),
        ({"seed": 3}, "n = 1 round, 25 epochs"),
        (
            {"shortened": True, "epochs": 2},
            "n = 2 rounds, 2 epochs, 1000 training pairs a round, all of MNIST; shortened: "
            "1 of zadoks's networks to 2 epochs",
        ),
        (
            {"shortened": True, "epochs": 2, "train_pairs": 60},
            "n = 2 rounds, 2 epochs, 60 training pairs a round, all of MNIST; shortened: "
            "1 of zadoks's networks to 2 epochs of 60 pairs",
        ),
        (
            {"shortened": True, "experiment": "kqiku/fcc@published", "trainings": 2},
            "n = 2 rounds, 50 epochs, 1000 training pairs a round, all of MNIST; shortened: "
            "1 of zadoks's networks to 2 trainings",
        ),
        (
            {"shortened": True, "experiment": "kqiku/fcc@published", "trainings": 2, "epochs": 3},
            "n = 2 rounds, 6 epochs, 1000 training pairs a round, all of MNIST; shortened: "
            "1 of zadoks's networks to 2 trainings of 3 epochs",
        ),
        (
            {"digits": "scikit-learn"},
            "n = 2 rounds, 25 epochs, 1000 training pairs a round, scikit-learn's 1,797 digits",
        ),
        (
            {"precision": "bfloat16"},
            "n = 2 rounds, 25 epochs, 1000 training pairs a round, all of MNIST; in bfloat16: "
            "1 of zadoks's networks",
        ),
    ],
)
def test_scope_says_rounds_epochs_pairs_and_source(changes, text):
    found = tables.scope(rows(**changes))
    assert found.startswith(text)
    assert found == text or not ("shortened" in text or "bfloat16" in text)


def test_scope_of_unequal_rounds_says_so():
    both = pd.concat([rows(), rows(experiment="zadoks/twinnet").iloc[:1]])
    assert tables.scope(both).startswith("n = 1 to 2 rounds")


def test_the_settings_of_a_search_are_one_shortened_network():
    settings = select("search/jaubert/model_1+ws+aux@*")[:3]
    runs = [
        rows(experiment=e.id, network=e.network, setting=e.setting, report=e.report)
        for e in settings
    ]
    short = pd.concat(runs).assign(epochs=1, shortened=True)
    assert tables.scope(short).endswith("; shortened: 1 of jaubert's networks to 1 epochs")


def test_a_network_with_missing_rounds_is_named_with_how_many_it_has():
    both = pd.concat([rows(), rows(experiment="zadoks/twinnet").iloc[:1]])
    assert "missing" not in tables.scope(both)  # nobody says how many are wanted
    both.attrs["wanted"] = {
        "zadoks/twinnet": {0, 1},
        "zadoks/twinnet+ws+aux": {0, 1},
        "kqiku/fcc": {4},
    }
    assert tables.scope(both).endswith("; rounds are missing: zadoks/twinnet (1 of 2)")
    complete = both[both.experiment == "zadoks/twinnet+ws+aux"]
    assert "missing" not in tables.scope(complete)


def test_networks_in_bfloat16_are_counted_and_those_in_part_are_named():
    all_rounds = rows(experiment="zadoks/twinnet", precision="bfloat16")
    some = rows(precision=["float32", "bfloat16"])
    told = tables.scope(pd.concat([all_rounds, some]))
    assert told.endswith("; in bfloat16: 2 of zadoks's networks, zadoks/twinnet+ws+aux in part")
    assert "bfloat16" not in tables.scope(rows())


def test_runs_that_diverged_are_named_with_the_networks_of_their_report():
    frame = rows()
    frame.attrs["diverged"] = {"zadoks/twinnet #3": "zadoks/twinnet", "kqiku/fcc #1": "kqiku/fcc"}
    assert tables.scope(frame).endswith("; without results: zadoks/twinnet #3")


def test_what_a_summary_lacks_is_blank():
    assert (number(1.234), number(None), number(float("nan"), "{:.0f}")) == ("1.23", "", "")
    summary = {"mean": 5.1, "sd": np.nan, "low": np.nan, "high": np.nan, "n": 1}
    assert (mean_sd(summary), interval(summary), difference(summary)) == ("5.1", "", "+5.1")
    summary |= {"sd": 0.8, "low": -1.2, "high": 3.4}
    assert (mean_sd(summary), interval(summary)) == ("5.1 ± 0.8", "-1.2 to 3.4")
    assert interval(summary, "+") == "-1.2 to +3.4"
    assert difference(summary, unit="points", also="n = 2") == "+5.1 points (-1.2 to +3.4; n = 2)"


def test_other_quantities_of_a_summary_are_named():
    summary = {"ours": 5.0, "ours_sd": 0.5, "change": -1.0, "change_low": -2.0, "change_high": 0.5}
    assert mean_sd(summary, "ours") == "5.0 ± 0.5"
    assert mean_sd(summary, "ours", decimals=2) == "5.00 ± 0.50"
    assert interval(summary, "+", "change") == "-2.0 to +0.5"
    assert difference(summary, of="change") == "-1.0 (-2.0 to +0.5)"
    assert interval(summary, of="fold_change") == ""
    assert (span(pd.Series([3, 10])), span(pd.Series([3, 3]))) == ("3 to 10", "3")


def test_every_experiment_is_listed_with_its_counts():
    every = list(EXPERIMENTS.values())
    table = tables.experiment_table(select("*")).set_index("experiment")
    assert len(table) == sum(not experiment.on_request for experiment in every)
    assert table.parameters["kqiku/cnn"] == "90790"
    assert table.epochs["kqiku/cnn@published"] == "10x25"
    misprinted = table.parameters.str.contains("misprint")
    assert table[misprinted].parameters.to_dict() == {
        "cadei/resnet@augmented": "2746626 (misprinted: 274626)",
        "jaubert/model_2+aux2": "171166 (misprinted: 171116)",
    }
    told = table.parameters.str.extract(r"\((.*)\)")[0]
    assert (told == "as printed").sum() > 30
    of_report = table.index.str.partition("/").get_level_values(0)
    assert set(of_report[told == "as by the code"]) == {"kqiku", "zadoks"}
    assert not (told == "as printed")[of_report.isin(["kqiku", "zadoks"])].any()
    assert not told.dropna().str.startswith(("printed:", "by the code:")).any()
    assert list(tables.experiment_table(select("beyond/*")).experiment) == [
        experiment.id for experiment in every if experiment.report == "beyond"
    ]


def test_the_weights_of_losses_are_listed_where_there_are_any():
    table = tables.experiment_table(select("zadoks/twinnet", "zadoks/twinnet+ws+aux"))
    assert list(table["loss weights"]) == ["", "1, 1"]
    assert "loss weights" not in tables.experiment_table(select("zadoks/twinnet"))


def saved(table, folder, caption="Caption of 5 %."):
    tables.save(table, folder, "t", caption)
    return (
        (folder / f"t.{suffix}").read_text(encoding="utf-8") for suffix in ("md", "html", "tex")
    )


def test_a_table_is_saved_in_three_formats(tmp_path):
    table = pd.DataFrame({"a_b": ["x & y", None], "share (%)": ["1.00 ± 0.10", "≤ 3"]})
    markdown, html, latex = saved(table, tmp_path)
    assert "| x & y" in markdown and "nan" not in markdown.lower() and "None" not in markdown
    assert "1.00 ± 0.10" in html and "Caption of 5 %." in html and 'charset="utf-8"' in html
    assert r"x \& y" in latex and r"$\pm$" in latex and r"a\_b" in latex and r"5 \%." in latex
    assert r"$\leq$ 3" in latex and r"share (\%)" in latex
    assert f"tab:{tmp_path.name}-t" in latex


def test_gaps_are_empty_and_numbers_right_in_every_format(tmp_path):
    table = pd.DataFrame({"text": ["a", None], "n": [7, 8], "share": [0.5, np.nan]})
    markdown, html, latex = saved(table, tmp_path)
    assert markdown.splitlines()[1:4] == [
        "|:-------|----:|--------:|",
        "| a      |   7 |     0.5 |",
        "|        |   8 |         |",
    ]
    for column, right in enumerate((False, True, True)):
        assert (f".col{column} {{\n  text-align: right;" in html) == right
    for text in (markdown, html, latex):
        assert not re.search(r"\bnan\b|None", text)


def test_whatever_latex_reads_as_a_command_is_escaped(tmp_path):
    table = pd.DataFrame({"a#b": ["{x}", "p^2 ~ $3"]})
    *_, latex = saved(table, tmp_path, "50 % of a_b & #1.")
    assert r"a\#b" in latex and r"\{x\}" in latex and r"\$3" in latex
    assert r"\caption{50 \% of a\_b \& \#1.}" in latex
    assert not re.search(r"(?<!\\)[%#~^$]", latex)


def test_long_tables_are_folded_and_short_ones_shown(tmp_path):
    long = pd.DataFrame({"a": range(21)})
    assert (
        tables.save(long.head(20), tmp_path, "short", "It. More.")._repr_html_().count("<tr") > 20
    )
    folded = tables.save(long, tmp_path, "long", "<What>: more. And more.")._repr_html_()
    assert folded.startswith("<details><summary>&lt;What&gt; (21 rows)</summary><style")
    assert folded.count("<tr") > 21 and folded.endswith("</table>\n</details>")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-0.72 (-1.13 to -0.31)", "−0.72 (−1.13 to −0.31)"),
        ("a/b - c/d", "a/b − c/d"),
        ("gain: -2, **-3**", "gain: −2, **−3**"),
        ("zadoks/twinnet@8000-pairs, 25-epoch, project-1-DL, 2026-11-30", None),
    ],
)
def test_a_minus_is_a_minus_and_a_hyphen_a_hyphen(text, says):
    assert with_minus(text) == (says or text)


def test_no_committed_table_has_more_than_eight_columns():
    for path in (core.ROOT / "figures" / "paper").glob("*/*.md"):
        head = path.read_text(encoding="utf-8").splitlines()[0]
        assert head.count("|") - 1 <= 8, path.name


def test_the_scope_of_no_runs_is_said(frame):
    assert tables.scope(frame[:0]) == "no runs"


def test_a_click_sorts_the_page_of_a_table_in_the_order_of_its_numbers(tmp_path):
    _, html, _ = saved(pd.DataFrame({"a": [1]}), tmp_path)
    script = html.partition("<script>")[2].partition("</script></body>")[0]
    assert 'addEventListener("click"' in script and "width=device-width" in html
    if not shutil.which("node"):
        pytest.skip("a browser does the rest, and here is nothing like one")
    columns = [
        ["87", "950", "1,234", "12,000", ""],
        ["−12.0", "−2.5 (−3.0 to −2.0)", "−0.3", "+0.45", "+0.5", "+2.0", "kqiku/cnn", ""],
        ["7", "about 80", "about 1,200", "cnn", "fcc", "net2", "net10"],
    ]
    tries = f"""
    const document = {{querySelectorAll: () => []}};
    {script}
    for (const column of {json.dumps(columns)})
      for (const order of [1, -1])
        console.log(JSON.stringify([...column].reverse().sort((a, b) => compare(a, b, order))));
    """
    found = subprocess.run(["node", "-e", tries], capture_output=True, text=True, check=True)
    sorted_columns = iter(map(json.loads, found.stdout.splitlines()))
    for column in columns:
        up, down = next(sorted_columns), next(sorted_columns)
        told = [cell for cell in column if cell]
        assert up == column and down == told[::-1] + [""] * (len(column) - len(told))


def test_changing_one_record_changes_its_row_and_no_other(frame):
    runs = frame[frame.experiment.isin(["zadoks/twinnet+aux", "zadoks/twinnet+ws+aux"])]
    before = tables.error_table(runs).set_index("experiment")
    one = runs.index == runs.index[runs.experiment == "zadoks/twinnet+aux"][0]
    after = runs.assign(test_error=runs.test_error.mask(one, 99.0))
    after = tables.error_table(after).set_index("experiment")
    changed = before.index[(before != after).any(axis=1)]
    assert list(changed) == ["zadoks/twinnet+aux"]


def test_agreement_and_effects_in_words():
    numbers = published_numbers(select("zadoks/twinnet+ws+aux"))
    (row,) = tables.agreement_table(published_against_ours(rows(), numbers)).to_dict("records")
    assert list(row)[1] == "verdict"
    assert row["published"] == "4.78 ± 0.62 (n = 16)"
    assert row["ours"] == "6.0 ± 1.4 (n = 2)"
    assert re.fullmatch(r"\+1\.2 \(-\d.* to \+\d.*; margin 0\.96\)", row[DIFFERENCE])
    assert row["verdict"] == "cannot tell: our rounds too few"  # two rounds: a wide interval
    shortened = published_against_ours(rows(shortened=True), numbers)
    (row,) = tables.agreement_table(shortened).to_dict("records")
    assert row["verdict"] == row["verdict on the SD"] == "not run: our runs were shortened"
    effects = pd.DataFrame(
        [
            {"design": "a", "baseline": "two branches", "effect": "both", "n": 3}
            | {"mean": -2.0, "low": -3.5, "high": -0.5, "below": 1.0, "p_holm": 0.25}
        ]
    )
    assert list(tables.effect_table(effects)["p (Wilcoxon, Holm)"]) == ["0.25"]
    three = tables.effect_table(with_holm(effects.assign(p=0.25)))
    assert list(three["p (Wilcoxon, Holm)"]) == [""]  # of three rounds
    (row,) = tables.effect_table(effects).to_dict("records")
    assert (row["points of error (95 % interval)"], row["n"]) == ("-2.0 (-3.5 to -0.5)", 3)


#: The notebooks of the reports.
OF_REPORTS = {path.stem: name for name in REPORTS for path in core.NOTEBOOKS.glob(f"*_{name}.*")}


@pytest.fixture(scope="session")
def committed_tables(made):
    """Some tables of every kind, made of the committed records, by where they are committed."""
    found = made.found
    everything = pd.concat([found.own, found.common])
    chains = published_numbers(select("kqiku/*@published"))
    return {
        "08_networks/errors": tables.error_table(found.own),
        "08_networks/effects": tables.effect_table(factorial_effects(found.own, designs("own"))),
        "07_comparison/numbers": tables.numbers_table(found.numbers),
        "07_comparison/tally": tables.tally_table(found.numbers),
        "07_comparison/claims": tables.claim_table(found.claims, found.again),
        "07_comparison/criteria": tables.criterion_table(found.claims),
        "07_comparison/ranking": tables.ranking_table(found.ranking),
        "07_comparison/tally_sds": tables.tally_table(found.numbers, "sd_verdict"),
        "07_comparison/pooled": tables.pooled_table(found.pooled),
        "07_comparison/pooled_all": tables.pooled_table(found.pooled_all),
        **{
            f"{notebook}/experiments": tables.experiment_table(select(f"{report}/*"))
            for notebook, report in OF_REPORTS.items()
        },
        "01_kqiku/table_code": tables.agreement_table(published_against_ours(everything, chains)),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("08_networks/errors", "08_networks/effects", "01_kqiku/table_code"),
        *("07_comparison/numbers", "07_comparison/tally", "07_comparison/claims"),
        *("07_comparison/criteria", "07_comparison/ranking", "07_comparison/pooled"),
        *("07_comparison/pooled_all", "07_comparison/tally_sds"),
        *(f"{notebook}/experiments" for notebook in OF_REPORTS),
    ],
)
def test_committed_tables_are_those_of_the_committed_records(name, committed_tables, made):
    folder = core.ROOT / "figures" / made.study.figures_folder.name
    committed = (folder / f"{name}.md").read_text(encoding="utf-8")
    text = tables.markdown(committed_tables[name])
    assert committed.startswith(text + "\n"), f"make {name} again"


def test_every_claim_is_in_the_tables_with_its_interval_and_n(made):
    claims = made.found.claims
    table = tables.claim_table(claims, claims)
    assert list(table)[:2] == ["claim", "verdict"]
    ours = table.claim[table.claim.str.endswith(", ours")].tolist()
    assert ours == ["C1.15, cadei, ours", "C4.5, zadoks, ours"]
    table["claim"] = table.claim.str.partition(",")[0]
    assert table.claim.tolist() == [claim.id for claim in CLAIMS]
    without = r"(?:; )?without rounds that fail: .*"
    learned = table[table["second reading"].str.contains(without)].claim.tolist()
    assert learned == [r.claim.id for r in claims if r.learned != r.verdict] and learned
    second = table["second reading"].str.replace(without, "", regex=True)
    second = second[second != ""].set_axis(table.claim[second != ""])
    assert second["C1.14"] == "against two towers: supported (2 of 2)"
    assert list(second.index) == [c.id for c in CLAIMS if c.second_criteria]
    measured = table[table.verdict.isin(["supported", "contradicted", "no difference"])]
    assert len(measured) > 10
    assert measured["decided by"].str.contains(r"n = \d+|parameters").all()
    parts = tables.criterion_table(claims)
    read = [(*claim.criteria, *claim.second_criteria) for claim in CLAIMS]
    assert len(parts) == sum(len(criteria) for criteria in read)
    again = {f"{name}, second reading" for name in second.index}
    assert set(parts.claim) - set(table.claim) == again
    effect, units = parts["effect (simultaneous 95 % interval)"], parts.set_index("criterion").unit
    level = parts[parts.criterion == "train error, kqiku/fcc"]
    assert not level.empty and level.unit.eq("%").all()
    assert not effect[level.index].str.contains(r"[+]").any()
    apart = parts.criterion.str.contains(" - ") & ~parts.criterion.str.contains(
        "parameters|time|epochs"
    )
    assert parts.unit[apart].isin(["points", ""]).all()
    assert effect[apart & (effect != "")].str.match(r"[+-]").all()
    assert units["SD over folds, damachi/logreg - damachi/cnn"] == "points"
    assert set(parts.claimed.str.extract(r"margin ([\d.]+)")[0].dropna()) == {"0.5"}
    assert parts.criterion.str.contains(" - 4 x cadei/", regex=False).sum() == 1
    to_decide = parts["rounds to decide"]
    assert to_decide[parts.verdict != "undecided"].eq("").all()
    assert to_decide[to_decide != ""].str.fullmatch(r"(about|over) [\d,]+").all()
    of_another = (
        "error, jaubert/comparison@true-digits, minus error on digits, jaubert/model_1+ws+aux"
    )
    assert (parts.criterion == of_another).sum() == 1
    printed = parts[parts.criterion.str.contains("minus the printed one")]
    assert set(printed.claimed) == {"equivalent or typical"}
    assert not any("part" in name for name in (*table, *parts))
    counts = tables.verdict_counts(claims).set_index("report")
    assert (counts.drop(columns="all").sum(axis=1) == counts["all"]).all()
    assert counts["all"].sum() == len([claim for claim in CLAIMS if not claim.ours])


def test_numbers_that_are_no_errors_are_written_as_what_they_are(made):
    table = tables.numbers_table(made.found.numbers)
    assert "bugs fixed" not in " ".join(table.columns)
    assert set(table.reading) == {"following the text", "following the code"}
    ours, difference = "ours", DIFFERENCE
    table = table[(table[ours] != "") & (table.reading == "following the text")]
    count = table[table.number == "parameters"].iloc[0]
    assert count[ours].isdecimal() and count["published"].isdecimal()
    time = table[table.number == "training time"].iloc[0]
    assert re.fullmatch(r"\d+\.\d s", time[ours]) and time[difference] == ""
    assert time["verdict"] == "not compared: other hardware"
    ratio = table[table.number == "ratio of training times"].iloc[0]
    assert re.fullmatch(r"\d+\.\d", ratio[ours]) and ratio[difference] == ""
    rounds = table["report's row"].str.startswith("cadei")  # those of kqiku are one draw
    assert (
        not table[difference][table["report's row"].str.startswith("kqiku")]
        .str.contains("margin")
        .any()
    )
    error = table[(table.number == "test") & rounds].iloc[0]
    assert re.fullmatch(r"\d+\.\d ± \d+\.\d \(n = \d+\)", error[ours])
    assert re.fullmatch(r"[+-]\d+\.\d+ \(.* to .*; margin 1\)", error[difference])


def test_a_difference_in_words_says_when_there_is_no_interval():
    summary = {"mean": -1.234, "low": -2.0, "high": -0.5, "n": 3.0}
    assert tables.points(summary) == "-1.2 points (95 % interval -2.0 to -0.5; n = 3)"
    alone = summary | {"low": float("nan"), "high": float("nan"), "n": 1.0}
    assert tables.points(alone) == "-1.23 points (too few rounds for an interval; n = 1)"


def test_folds_beside_the_printed_ones_by_hand():
    folds = pd.DataFrame(
        {
            "experiment": "damachi/cnn",
            "seed": [0, 0, 1, 1],
            "fold_error": [10.0, 14.0, 20.0, 28.0],
            "fold_error_training_mode": [12.0, 12.0, 24.0, 24.0],
        }
    )
    numbers = published_numbers(select("damachi/cnn"))
    (row,) = tables.fold_table(folds, numbers).to_dict("records")
    assert row["published"] == "18.40 ± 2.29"
    assert row["cross-validation"] == "18.0 ± 3.0"  # population SDs 2 and 4
    assert row["cross-validation, training mode"] == "18.0 ± 0.0"
    assert (row["published median"], row["median"]) == ("18.5", "18.0")
    unscored = folds.assign(fold_error_training_mode=np.nan)
    (row,) = tables.fold_table(unscored, numbers).to_dict("records")
    assert row["cross-validation, training mode"] == ""


def test_times_as_ratios_to_one_network():
    runs = pd.DataFrame(
        {
            "experiment": ["jaubert/model_0"] * 3 + ["jaubert/model_1"] * 3,
            "seed": [0, 1, 2] * 2,
            "train_seconds": [1.0, 2.0, 30.0, 3.0, 6.0, 9.0],
        }
    )
    table = tables.time_table(runs, "jaubert/model_0").set_index("experiment")
    assert list(table.index) == ["jaubert/model_0", "jaubert/model_1"]  # the report's table
    row = table.loc["jaubert/model_1"]
    assert row["published (s)"] == "5.1"
    # 3, 3 and 0.3: one round in which the machine did something else does not count.
    assert (row["published ratio"], row["our ratio, median"]) == ("1.6", "3.0")


def test_every_difference_has_its_interval_and_n():
    differences = pd.DataFrame(
        [
            {"difference": "x", "first": "a", "second": "b", "n": 6.0}
            | {"mean": 1.0, "sd": 0.1, "low": 0.5, "high": 1.5, "below": 0.25, "p_holm": 0.012345}
        ]
    )
    (row,) = tables.difference_table(differences).to_dict("records")
    assert row["points of error (95 % interval)"] == "+1.00 (+0.50 to +1.50)"
    assert (row["lower in"], row["p (Wilcoxon, Holm)"], row["n"]) == ("25%", "0.012", 6)


def test_what_the_folds_choose_in_words():
    errors = {"sgd-0.01-32": 30.0, "adam-0.003-16": 6.0, "adam-0.002-32": 5.0}
    runs = pd.DataFrame(
        {"experiment": f"search/jaubert/model_1+ws+aux@{setting}", "setting": setting}
        | {"seed": seed, "fold_error": error + seed, "learning_rate": 0.1}
        for setting, error in errors.items()
        for seed in (0, 1)
    )
    (row,) = tables.search_table(chosen_settings(runs)).to_dict("records")
    assert (row["best by folds"], row["fold error"], row["n"]) == ("adam-0.002-32", "5.50", 2)
    own = EXPERIMENTS["jaubert/model_1+ws+aux"].recipe
    assert row["used"] == f"adam-{own.learning_rate:g}-{own.batch_size}"
    assert (row["its fold error"], row["its rank"]) == ("6.50", "2 of 3")


@pytest.fixture
def steps(smoke_results, monkeypatch):
    """Every step of the ablation in the smoke profile."""
    monkeypatch.setenv("DIGITS_RESULTS", str(smoke_results))
    return beyond.steps(tidy(Study(profile="smoke").records("beyond/*", BASELINE)))


def test_steps_in_words(steps):
    changes = {"change": -4.0, "change_low": -4.5, "change_high": -3.5}
    first = steps.step == STEPS[0].name
    steps = steps.assign(**{name: steps[name].mask(first, n) for name, n in changes.items()})
    table = tables.step_table(steps).set_index("step")
    row = table.loc[STEPS[0].says]
    assert row["change (95 % interval)"] == "-4.0 (-4.5 to -3.5)"
    kept = table["in the best network"].value_counts()
    assert kept["no"] == sum(step.fold_rounds > 0 and not step.kept for step in STEPS)
    assert kept["larger budget"] == 3 and kept["yes"] == 1 + sum(step.kept for step in STEPS)
    for step in STEPS:
        assert (table.loc[step.says, "large-sample test error"] == "") == (step.rounds == 0)
    assert table["its change (corrected interval)"].iloc[0] == table.verdict.iloc[0] == ""
    assert table.verdict.tolist() == steps.verdict.tolist()


def test_steps_without_folds_or_tests_are_blank(steps):
    without = steps.drop(columns=[name for name in steps if name.startswith(("fold", "change"))])
    table = tables.step_table(without)
    for name in ("cross-validation error", "its change (corrected interval)"):
        assert (table[name] == "").all()
    assert (table["change (95 % interval)"] == "").all()


def test_the_best_networks_have_both_intervals():
    row = {"experiment": id_of(BEST), "says": "best network", "fresh": False, "n": 10}
    row |= {"mean": 0.73, "sd": 0.06, "low": 0.69, "high": 0.78, "precise_pairs": 20_000}
    row |= {"exact": 0.75, "exact_low": 0.62, "exact_high": 0.88}
    row |= {"rounds_low": 0.71, "rounds_high": 0.79, "epochs": 25, "seconds": 51.7}
    row |= {"parameters": 418_634, "precision": "bfloat16"}
    fresh = row | {"fresh": True, "n": 1} | dict.fromkeys(("exact_low", "rounds_low"), np.nan)
    table = tables.best_table(pd.DataFrame([row, fresh]))
    assert table.rounds.tolist() == ["10 looked at", "1 fresh"]
    exact = table["error over all pairs (95 % interval, rounds and images)"]
    assert exact.tolist() == ["0.75 (0.62 to 0.88)", "0.75"]
    assert table["95 % interval, rounds alone"].tolist() == ["0.71 to 0.79", ""]
    assert table["large-sample test error"][0] == "0.73 ± 0.06"
    assert table["seconds a round"][0] == "52"
    assert not any("target" in name for name in table)


def test_one_round_has_no_limits_but_is_shown():
    row = {"seed": 0, "train_pairs": 1000, "precise_pairs": 20_000}
    errors = {"zadoks/twinnet": 10.0, BASELINE: 5.0, id_of(BEST): 1.0}
    frame = pd.DataFrame(
        row | {"experiment": name, "precise_error": error, "test_error": error}
        for name, error in errors.items()
    )
    table = tables.limit_table(beyond.limits_of_ten(frame))
    assert len(table) == 3 and (table["SD, large-sample test"] == "").all()


def test_an_option_has_a_column_and_a_number_of_pairs_a_row():
    found = pd.DataFrame(
        {"train_pairs": pairs, "effect": effect, "n": n, "mean": mean, "low": low, "high": 1.0}
        for pairs, effect, n, mean, low in [
            *((125, "digit loss alone", 3, -2.0, -5.0), (125, "weight sharing alone", 2, 1.0, 1.0)),
            (1000, "digit loss alone", 1, -4.0, np.nan),
        ]
    )
    table = tables.option_table(found).set_index("training pairs")
    assert table["digit loss alone"].tolist() == ["-2.0 (-5.0 to +1.0)", "-4.0"]
    assert table.n.tolist() == [2, 1]


def test_a_loss_without_bound_is_called_so():
    row = {"error": 0.5, "calibration": 1.25, "loss": 0.0213}
    found = tables.calibration_table({"as trained": row, "compared": row | {"loss": np.inf}})
    assert found["log loss"].tolist() == ["0.0213", "no bound"]
    assert found["error over all pairs"].tolist() == ["0.500", "0.500"]
