"""The table of experiments: ids, profiles, published numbers, selection."""

from collections import Counter

import pytest

from digits.beyond import BEST, TOP, folds_id_of, id_of
from digits.core import InputError
from digits.experiments import BEYOND, EXPERIMENTS, select
from digits.profiles import PROFILES


def test_ids_read_report_model_options_variant():
    experiment = EXPERIMENTS["zadoks/twinnet+ws+aux@published"]
    assert experiment.report == "zadoks"
    assert experiment.options == {"ws", "aux"}
    assert experiment.variant == "published"
    assert EXPERIMENTS["kqiku/fcc"].options == set()


def test_every_report_has_its_experiments_with_their_rounds():
    rounds = {name: experiment.rounds for name, experiment in EXPERIMENTS.items()}
    reports = Counter(e.report for e in EXPERIMENTS.values() if e.protocol == "own")
    assert reports == {"kqiku": 28, "cadei": 24, "jaubert": 21, "damachi": 10, "zadoks": 14}
    assert rounds["cadei/mlp"] == 10
    assert rounds["cadei/mlp@augmented"] == 3
    assert {n for name, n in rounds.items() if name.startswith("jaubert")} == {20}
    assert rounds["zadoks/twinnet+aux"] == 16
    assert rounds["zadoks/twinnet+aux@published"] == 32
    assert {n for name, n in rounds.items() if name.startswith("kqiku")} == {10}


def test_protocols_as_written_and_as_published():
    written = EXPERIMENTS["zadoks/twinnet+ws+aux"].recipe
    coded = EXPERIMENTS["zadoks/twinnet+ws+aux@published"].recipe
    assert (written.batch_size, written.order) == (25, "shuffled")
    assert (coded.batch_size, coded.order) == (128, "fixed")
    chain = EXPERIMENTS["kqiku/cnn+ws@published"].recipe
    assert (chain.trainings, chain.epochs, chain.auxiliary_weight) == (10, 25, 0)


def test_published_numbers_are_errors_in_per_cent():
    (number,) = EXPERIMENTS["zadoks/twinnet+ws+aux"].published
    assert (number.mean, number.sd, number.n) == (4.78, 0.62, 16)
    train, test = EXPERIMENTS["kqiku/cnn+ws+aux"].published
    assert (train.quantity, train.mean, train.sd) == ("train_error", 2.53, 1.58)
    assert (test.quantity, test.mean, test.sd) == ("test_error", 12.8, 1.72)


KQIKU = {  # the report's table: train error, SD, test error, SD
    "fcc": (0.17, 0.4, 17.45, 0.82),
    "fcc+ws": (0.06, 0.13, 13.84, 0.67),
    "fcc+aux": (0.08, 0.22, 18.11, 1.06),
    "fcc+ws+aux": (0.02, 0.06, 13.94, 0.76),
    "cnn": (1.65, 1.85, 15.10, 0.95),
    "cnn+ws": (2.45, 0.98, 14.10, 1.18),
    "cnn+aux": (2.9, 4.02, 15.6, 2.25),
    "cnn+ws+aux": (2.53, 1.58, 12.8, 1.72),
}


@pytest.mark.parametrize("row", KQIKU)
def test_every_number_of_kqikus_table_stands_at_its_network(row):
    for variant in ("", "@repaired"):
        train, test = EXPERIMENTS[f"kqiku/{row}{variant}"].published
        assert (train.mean, train.sd, test.mean, test.sd) == KQIKU[row]
        assert train.n == test.n == 10


def test_the_published_chain_stands_for_the_rows_with_and_without_auxiliary_loss():
    rows = [number.row for number in EXPERIMENTS["kqiku/fcc+ws@published"].published]
    assert rows == ["fcc+ws", "fcc+ws", "fcc+ws+aux", "fcc+ws+aux"]
    assert {n.n for n in EXPERIMENTS["kqiku/fcc+ws@published"].published} == {1}


def test_quick_profile_keeps_the_epochs_and_takes_few_rounds():
    quick = PROFILES["quick"]
    assert quick.seeds(EXPERIMENTS["zadoks/twinnet"]) == (0, 1, 2)
    assert quick.seeds(EXPERIMENTS["kqiku/fcc@published"]) == (0,)  # several trainings a run
    full = EXPERIMENTS["kqiku/fcc"].recipe
    assert quick.recipe(EXPERIMENTS["kqiku/fcc"]) == full.but(precise_pairs=2000)


def test_a_short_profile_scores_each_epoch_or_the_last_alone():
    quick = PROFILES["quick"]
    assert quick.recipe(EXPERIMENTS["damachi/cnn"]).curve_step == 1
    for name in (id_of(BEST), id_of(TOP), id_of("sum"), folds_id_of(BEST)):
        recipe = quick.recipe(BEYOND[name])
        assert recipe.curve_step == recipe.epochs < BEYOND[name].recipe.epochs
    best, top = (quick.recipe(BEYOND[id_of(name)]) for name in (BEST, TOP))
    assert best.epochs * best.train_pairs < top.epochs * top.train_pairs  # the larger budget


def test_paper_profile_is_the_experiment_as_it_stands():
    for experiment in EXPERIMENTS.values():
        assert PROFILES["paper"].recipe(experiment) == experiment.recipe
        assert PROFILES["paper"].seeds(experiment) == tuple(range(experiment.rounds))


def test_smoke_profile_limits_and_never_raises_a_field():
    brief = ("deep", "change", "comparison", "deep comparison")
    for experiment in EXPERIMENTS.values():
        recipe, full = PROFILES["smoke"].recipe(experiment), experiment.recipe
        assert recipe.epochs == 1 if experiment.size in brief else 2
        assert recipe.trainings == min(2, full.trainings)
        assert recipe.batch_size == min(full.batch_size, recipe.fitted_pairs)
        kept = {"learning_rate", "optimizer", "weight_decay", "loss", "auxiliary_weight", "folds"}
        assert recipe.model_dump(include=kept) == full.model_dump(include=kept)


def test_select_takes_patterns_and_names_what_it_does_not_know():
    assert [e.id for e in select("kqiku/fcc")] == ["kqiku/fcc"]
    assert len(select("zadoks/*")) == 14
    assert {e.protocol for e in select("*/twinnet")} == {"own", "common"}
    assert len(select("*")) == len(EXPERIMENTS)
    with pytest.raises(InputError, match="'kqiku/mlp'"):
        select("kqiku/fcc", "kqiku/mlp")
