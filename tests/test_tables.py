"""Tables say what the records say, in three formats, and the scope of what they show."""

import pandas as pd
import pytest

from digits import core, findings, readme, tables
from digits.experiments import DESIGNS, EXPERIMENTS, select
from digits.frames import tidy
from digits.models.blocks import parameter_count
from digits.statistics import factorial_effects
from digits.study import Study
from digits.verdicts import published_against_ours, published_numbers


def frame(**changes):
    row = {
        "experiment": "zadoks/twinnet+ws+aux",
        "parameters": 9574,
        "seed": 0,
        "source": "mnist",
        "epochs": 25,
        "trainings": 1,
        "train_pairs": 1000,
        "report": "zadoks",
        "shortened": False,
        "precision": "float32",
        "train_error": 1.0,
        "test_error": 5.0,
        "precise_error": 5.5,
        "test_digit_accuracy": 96.0,
        "train_seconds": 2.0,
    }
    return pd.DataFrame([row, row | {"seed": 1, "test_error": 7.0}]).assign(**changes)


def test_error_table_of_a_case_by_hand():
    (row,) = tables.error_table(frame()).to_dict("records")
    assert row["test error"] == "6.00 ± 1.41"
    assert row["95 % interval"] == "-6.71 to 18.71"  # 6 +- 12.706 * 1.4142 / sqrt(2)
    assert row["n"] == 2
    assert row["published test error"] == "4.78 ± 0.62"
    assert row["digit accuracy"] == "96.0"


def test_one_round_shows_a_mean_without_spread():
    (row,) = tables.error_table(frame().iloc[:1]).to_dict("records")
    assert (row["test error"], row["95 % interval"]) == ("5.00", "")


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
            {"precision": "bfloat16"},
            "n = 2 rounds, 25 epochs, 1000 training pairs a round, all of MNIST; in bfloat16: "
            "1 of zadoks's networks",
        ),
    ],
)
def test_scope_says_rounds_epochs_pairs_and_source(changes, text):
    assert tables.scope(frame(**changes)).startswith(text)


def test_scope_of_unequal_rounds_says_so():
    both = pd.concat([frame(), frame(experiment="zadoks/twinnet").iloc[:1]])
    assert tables.scope(both).startswith("n = 1 to 2 rounds")


def test_a_network_with_missing_rounds_is_named_with_how_many_it_has():
    """Of networks whose protocol has 16 rounds, both ran some and one lacks a round."""
    both = pd.concat([frame(), frame(experiment="zadoks/twinnet").iloc[:1]])
    assert tables.scope(both).endswith("; rounds are missing: zadoks/twinnet (1 of 2)")
    assert "missing" not in tables.scope(frame())
    # A protocol of fewer rounds lacks none.
    few = pd.concat([frame(experiment="zadoks/twinnet", seed=[5, 20]), frame(seed=[5, 5]).iloc[:1]])
    assert "missing" not in tables.scope(few)


def test_layers_add_up_to_the_model_and_a_shared_one_counts_once():
    for name in ("kqiku/cnn+aux", "kqiku/cnn+ws+aux", "zadoks/twinnet+ws"):
        model = EXPERIMENTS[name].build()
        assert tables.layer_table(model).parameters.sum() == parameter_count(model)
    layers = tables.layer_table(EXPERIMENTS["zadoks/twinnet+ws"].build())
    convolutions = layers[layers.kind == "Conv2d"]
    assert convolutions.output.tolist() == ["16x12x12", "32x4x4"]
    assert convolutions.parameters.tolist() == [160, 4640]
    assert convolutions.applied.tolist() == [2, 2]
    assert layers.applied.iloc[-1] == 1  # the comparison sees the pair
    separate = tables.layer_table(EXPERIMENTS["zadoks/twinnet"].build())
    assert (separate.applied == 1).all()


def test_every_experiment_is_listed_with_its_counts():
    table = tables.experiment_table(select("*")).set_index("experiment")
    assert len(table) == len(EXPERIMENTS)
    assert table.parameters["kqiku/cnn"] == 90_790
    assert table.epochs["kqiku/cnn@published"] == "10x25"
    misprint = table.loc["jaubert/model_2+aux2"]
    assert (misprint.parameters, misprint.reported) == (171_166, "171116 (misprint)")
    reported = table[(table.reported != "") & (table.index != misprint.name)]
    assert len(reported) > 40
    assert (reported.parameters.astype(str) == reported.reported).all()


def test_a_table_is_saved_in_three_formats(tmp_path):
    table = pd.DataFrame({"a_b": ["x & y", None], "share (%)": ["1.00 ± 0.10", "≤ 3"]})
    tables.save(table, tmp_path, "t", "Caption of 5 %.")
    markdown, html, latex = ((tmp_path / f"t.{s}").read_text() for s in ("md", "html", "tex"))
    assert "| x & y" in markdown and "nan" not in markdown.lower() and "None" not in markdown
    assert "1.00 ± 0.10" in html and "Caption of 5 %." in html and 'charset="utf-8"' in html
    assert r"x \& y" in latex and r"$\pm$" in latex and r"a\_b" in latex and r"5 \%." in latex


def test_changing_one_record_changes_its_row_and_no_other():
    study = Study(profile="smoke")
    study.train_missing("zadoks/twinnet*aux")
    found = study.records("zadoks/twinnet*aux")
    before = tables.error_table(tidy(found)).set_index("experiment")
    found[0] = found[0].model_copy(update={"test_error": 99.0})
    after = tables.error_table(tidy(found)).set_index("experiment")
    changed = before.index[(before != after).any(axis=1)]
    assert list(changed) == [found[0].experiment]


def test_agreement_and_effects_in_words():
    numbers = published_numbers(select("zadoks/twinnet+ws+aux"))
    (row,) = tables.agreement_table(published_against_ours(frame(), numbers)).to_dict("records")
    assert row["published"] == "4.78 ± 0.62"
    assert row["ours"] == "6.00 ± 1.41"
    assert row["ours - published"] == "+1.22"
    assert row["holds 0"] == "yes"  # two rounds: a wide interval
    assert row["under 1 point"] == "no"
    (row,) = tables.agreement_table(published_against_ours(frame(shortened=True), numbers)).to_dict(
        "records"
    )
    assert (row["holds 0"], row["under 1 point"]) == ("shortened", "shortened")
    effects = pd.DataFrame(
        [
            {"design": "a", "baseline": "two branches", "effect": "both", "n": 3}
            | {"mean": -2.0, "low": -3.5, "high": -0.5, "below": 1.0, "p_holm": 0.25}
        ]
    )
    (row,) = tables.effect_table(effects).to_dict("records")
    assert (row["points of error"], row["95 % interval"], row["n"]) == (
        "-2.00",
        "-3.50 to -0.50",
        3,
    )


def test_committed_tables_are_those_of_the_committed_records(monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
    study = readme.study()
    everything = tidy(study.records("*"))
    found = findings.find(everything)
    chains = published_numbers(select("kqiku/*@published"))
    for name, table in {
        "08_networks/errors": tables.error_table(found.own),
        "08_networks/effects": tables.effect_table(factorial_effects(found.own, DESIGNS)),
        "07_comparison/numbers": tables.numbers_table(found.numbers),
        "07_comparison/claims": tables.claim_table(found.decisions, found.again),
        "07_comparison/ranking": tables.ranking_table(found.ranking),
        "01_kqiku/table_as_published": tables.agreement_table(
            published_against_ours(everything, chains)
        ),
    }.items():
        folder = core.ROOT / "figures" / study.figures_folder.name
        committed = (folder / f"{name}.md").read_text(encoding="utf-8")
        assert committed.startswith(tables.markdown(table) + "\n"), f"remake {name}"


def test_a_difference_in_words_says_when_there_is_no_interval():
    summary = {"mean": -1.234, "low": -2.0, "high": -0.5, "n": 3.0}
    assert tables.points(summary) == "-1.23 points (95 % interval -2.00 to -0.50; n = 3)"
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
    assert row["cross-validation"] == "18.00 ± 3.00"  # population SDs 2 and 4
    assert row["cross-validation, training mode"] == "18.00 ± 0.00"
    assert (row["published median"], row["median"]) == ("18.5", "18.0")


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
            {"difference": "x", "first": "a", "second": "b", "n": 2.0}
            | {"mean": 1.0, "sd": 0.1, "low": 0.5, "high": 1.5, "below": 0.25, "p_holm": 0.012345}
        ]
    )
    (row,) = tables.difference_table(differences).to_dict("records")
    assert row["points of error"] == "+1.00" and row["95 % interval"] == "+0.50 to +1.50"
    assert (row["lower in"], row["p (Wilcoxon, Holm)"], row["n"]) == ("25%", "0.012", 2)
