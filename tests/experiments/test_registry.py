"""The one table of experiments: ids, designs, selection."""

from collections import Counter

import pytest

from digits.core import InputError
from digits.experiments import beyond, handwriting
from digits.experiments.registry import DESIGNS, EXPERIMENTS, REPORTS, SEARCHES, designs, select


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("kqiku/fcc", ("kqiku", "fcc", (), "", "own", "")),
        (
            "zadoks/twinnet+ws+aux@published",
            ("zadoks", "twinnet", ("ws", "aux"), "published", "own", ""),
        ),
        ("common/jaubert/model_2+ws@wide", ("jaubert", "model_2", ("ws",), "wide", "common", "")),
        ("beyond/deepnet@oracle", ("beyond", "deepnet", (), "oracle", "own", "")),
        (
            "search/jaubert/model_0@sgd-0.01-32",
            ("jaubert", "model_0", (), "", "own", "sgd-0.01-32"),
        ),
        (
            "search/common/damachi/cnn@unshared@adam-0.003-50",
            ("damachi", "cnn", (), "unshared", "common", "adam-0.003-50"),
        ),
    ],
)
def test_an_id_is_made_of_an_experiments_fields(name, fields):
    of = ("report", "model", "options", "variant", "protocol", "setting")
    assert tuple(getattr(EXPERIMENTS[name], field) for field in of) == fields


def test_names_of_a_network_whatever_the_protocol():
    candidate = EXPERIMENTS["search/common/damachi/cnn@unshared@adam-0.003-50"]
    own = EXPERIMENTS["damachi/cnn@unshared"]
    assert candidate.network == own.network == own.id
    assert candidate.name == own.name == "cnn@unshared" and own.cell == "cnn"
    assert candidate.searched == "common/damachi/cnn@unshared"


def test_no_experiment_hides_another_of_the_same_id():
    own = [experiment for report in REPORTS.values() for experiment in report.experiments()]
    compared = [e for e in EXPERIMENTS.values() if e.protocol == "common" and not e.setting]
    settings = sum(len(search.settings) for search in SEARCHES.values())
    total = len(own) + len(compared) + len(beyond.experiments()) + settings
    total += len(handwriting.experiments())
    assert len(EXPERIMENTS) == total
    assert all(name == experiment.id for name, experiment in EXPERIMENTS.items())


def test_every_report_has_its_experiments_with_their_rounds():
    rounds = {name: experiment.rounds for name, experiment in EXPERIMENTS.items()}
    own = [e for e in select("*") if e.protocol == "own"]
    counts = {"kqiku": 44, "cadei": 24, "jaubert": 41, "damachi": 14, "zadoks": 36}
    assert Counter(e.report for e in own) == counts
    assert list(REPORTS) == list(counts)  # in the order of their numbers
    assert rounds["cadei/mlp"] == 40
    assert rounds["cadei/mlp@augmented"] == 20 and rounds["cadei/resnet@augmented"] == 3
    jaubert = [e for e in own if e.report == "jaubert"]
    assert all(e.rounds == (20 if e.variant else 40) for e in jaubert)
    assert rounds["zadoks/twinnet+aux"] == 60
    assert rounds["zadoks/twinnet+ws+aux@tanh"] == 16
    assert rounds["zadoks/twinnet+aux@published"] == 32
    assert {e.rounds for e in own if e.report == "kqiku"} == {10, 20, 60}


def test_select_takes_patterns_and_names_what_it_does_not_know():
    assert [e.id for e in select("kqiku/fcc")] == ["kqiku/fcc"]
    assert {e.protocol for e in select("*/twinnet")} == {"own", "common"}
    found = select("*")
    assert len(found) == len({e.id for e in found}) == 159 + 44
    with pytest.raises(InputError, match="'kqiku/mlp'"):
        select("kqiku/fcc", "kqiku/mlp")


def test_what_is_beyond_the_reports_or_searched_is_found_by_its_own_patterns_alone():
    assert {(e.report in REPORTS, e.setting) for e in select("*")} == {(True, "")}
    beyond_reports = {e.id for e in EXPERIMENTS.values() if e.report == "beyond"}
    assert {e.id for e in select("beyond/*")} == beyond_reports
    candidates = {e.id for e in EXPERIMENTS.values() if e.setting}
    assert {e.id for e in select("search/*")} == candidates
    assert [e.id for e in select("*/twinnet", "beyond/*@oracle")] == [
        "zadoks/twinnet",
        "common/zadoks/twinnet",
        "beyond/deepnet@oracle",
    ]


def test_designs_name_experiments_whose_losses_are_what_their_cells_say():
    assert (len(designs("own")), len(designs("common"))) == (14, 10)
    all_of_them = designs("own") + designs("common") + handwriting.DESIGNS
    assert all_of_them == list(DESIGNS.values())
    for name, design in DESIGNS.items():
        assert name == design.name
        assert {EXPERIMENTS[cell].protocol for cell in design.cells} == {design.protocol}
        recipes = [EXPERIMENTS[cell].recipe for cell in design.cells]
        assert [recipe.auxiliary_weight > 0 for recipe in recipes] == [False, False, True, True]
        assert len({recipe.epochs for recipe in recipes}) == 1
