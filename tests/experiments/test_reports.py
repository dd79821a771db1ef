"""Every printed number of the reports stands at its network; what a report consists of."""

import nbformat
import pytest

from digits import core
from digits.experiments.registry import CLAIMS_OF, EXPERIMENTS, REPORTS, select
from digits.output.plots.style import COLOURS


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
        assert (train.n, test.n) == (10, 10)
        assert train.kind == test.kind == "trainings on one draw"


def test_the_published_chain_stands_for_the_rows_with_and_without_auxiliary_loss():
    rows = [number.row for number in EXPERIMENTS["kqiku/fcc+ws@published"].published]
    assert rows == ["fcc+ws", "fcc+ws", "fcc+ws+aux", "fcc+ws+aux"]
    kinds = {n.kind for n in EXPERIMENTS["kqiku/fcc+ws@published"].published}
    assert kinds == {"trainings in a row"}


CADEI = {  # error in %: train, validation, test of Table I, then of Table II, with SDs
    "mlp": ("5.46 4.335 22.39 5.48 22 2.05", "4.7 0.52 7.99 1.73 8.9 0.65"),
    "convnet": ("11.74 1.99 25.2 3.22 24.04 1.02", "11.74 1.26 12 2 13.33 1.55"),
    "deepconvnet": ("8.52 3.15 18.99 4.66 21.31 1.64", "4.22 0.22 4.99 1 4.93 0.37"),
    "resnet": ("19.42 14.07 30.1 10.28 32.59 7.28", "9.11 1.05 7.66 1.52 9.7 1.45"),
    "deepconvnet+aux": ("6.86 6.06 20.1 5.58 19.7 3.1", "2.29 0.55 3.66 2.08 3.73 0.05"),
    "siamese": ("7.36 1.93 13 3.65 14.96 1.64", "3.96 1.68 6 1.73 6.43 2.83"),
    "siamese+aux": ("4.44 0.78 11.9 4.3 12.21 1.46", "1.4 0.84 1.66 1.52 2.96 1.06"),
}


@pytest.mark.parametrize("name", CADEI)
def test_cadeis_tables_stand_at_their_networks(name):
    for variant, n, row in zip(("", "@augmented"), (10, 3), CADEI[name], strict=True):
        experiment = EXPERIMENTS[f"cadei/{name}{variant}"]
        printed = [value for p in experiment.published for value in (p.mean, p.sd)]
        assert printed == pytest.approx([float(value) for value in row.split()])
        assert [p.quantity for p in experiment.published] == [
            "train_error",
            "validation_error",
            "test_error",
        ]
        assert {p.n for p in experiment.published} == {n}
        light = {10: {"mlp": 40, "convnet": 40}, 3: {"mlp": 20}}
        rounds = light[n].get(name, n)
        assert (experiment.rounds, experiment.recipe.epochs) == (rounds, 25 if n == 10 else 200)
        assert experiment.recipe.augmentation == ("none" if n == 10 else "re-pairing")


def test_cadeis_protocol_and_weights():
    for experiment in select("cadei/*"):
        recipe = experiment.recipe
        slow = experiment.model in ("mlp", "convnet", "resnet")
        expected = (1e-4, 0.1) if slow else (1e-3, 0.001)
        assert (recipe.learning_rate, recipe.weight_decay) == expected
        assert (recipe.validation_pairs, recipe.order) == (100, "fixed")
        assert recipe.batch_size == (25 if experiment.variant == "figure3" else 50)

    def weights(name):
        recipe = EXPERIMENTS[f"cadei/siamese+aux{name}"].recipe
        return recipe.auxiliary_weight, recipe.target_weight

    assert weights("") == weights("@augmented") == weights("@unshared") == (0.3, 0.4)
    assert weights("@published") == weights("@augmented-published") == (0.15, 0.85)
    assert weights("@figure3") == (0.3, 0.7)


JAUBERT = {  # accuracy, SD from the variance, seconds, learning rate, weight
    "model_0": (80.58, 0.97, 3.1, 0.001, 0),
    "model_1": (81.95, 1.52, 5.1, 0.002, 0),
    "model_1+ws": (81.75, 1.08, 7.1, 0.003, 0),
    "model_1+aux2": (90.54, 1.12, 9.5, 0.003, 0.5),
    "model_1+ws+aux": (96.09, 1.03, 11.0, 0.003, 0.5),
    "model_2": (82.5, 0.79, 8.1, 0.0005, 0),
    "model_2+ws": (84.64, 1.03, 11.5, 0.0005, 0),
    "model_2+aux1": (83.0, 0.65, 9.6, 0.001, 0.3),  # 93.00 in a copy of the report
    "model_2+aux2": (89.93, 1.26, 12.8, 0.002, 0.5),
    "model_2+ws+aux": (96.52, 0.65, 15.1, 0.003, 0.5),
}


@pytest.mark.parametrize("name", JAUBERT)
def test_jauberts_table_stands_at_its_networks(name):
    accuracy, sd, seconds, rate, weight = JAUBERT[name]
    experiment = EXPERIMENTS[f"jaubert/{name}"]
    number, *digits = experiment.published
    assert [(p.quantity, p.mean) for p in digits] == [("digit_error", 6)] * (
        name == "model_2+ws+aux"
    )
    assert number.mean == pytest.approx(100 - accuracy)
    assert number.sd == pytest.approx(sd, abs=0.006)
    assert {(p.n, p.kind) for p in experiment.published} == {(20, "trainings on one draw")}
    assert experiment.reported_seconds == seconds
    recipe = experiment.recipe
    assert (recipe.learning_rate, recipe.auxiliary_weight, recipe.batch_size) == (rate, weight, 16)
    assert (recipe.standardised, recipe.order, experiment.rounds) == (True, "fixed", 40)


DAMACHI = {  # cross-validation accuracy, SD, test, epochs, batch, target's weight, median of folds
    "linreg": (61.8, 7.467, 69.2, 1000, 1000, 1, 61.5),
    "logreg": (72.4, 0.860, 73.8, 1000, 1000, 1, 72.5),
    "nn": (70.5, 12.696, 80.5, 500, 1000, 1, 76.0),
    "nn+aux": (73.8, 10.419, 78.4, 1000, 1000, 10, 79.0),
    "cnn": (81.6, 2.289, 81.7, 70, 50, 1, 81.5),
    "cnn+aux": (81.9, 2.538, 83.7, 70, 50, 10, 82.0),
}


@pytest.mark.parametrize("name", DAMACHI)
def test_damachis_tables_stand_at_their_networks(name):
    folds, sd, test, epochs, batch, weight, median = DAMACHI[name]
    experiment = EXPERIMENTS[f"damachi/{name}"]
    printed = {p.quantity: (p.mean, p.sd, p.n, p.kind) for p in experiment.published}
    assert printed["fold_error"] == (pytest.approx(100 - folds), sd, 5, "folds")
    assert printed["test_error"] == (pytest.approx(100 - test), None, 1, "run")
    both = "cnn" in name
    assert printed["fold_median"] == (100 - median, None, 5, "folds")
    assert len(printed) == (6 if both else 3)
    recipe = experiment.recipe
    assert recipe.score_in_training_mode == both
    assert (recipe.epochs, recipe.batch_size, recipe.target_weight) == (epochs, batch, weight)
    assert (recipe.loss, recipe.folds, recipe.learning_rate) == ("mean_squared_error", 5, 0.001)


def test_a_report_is_files_of_networks_rows_and_claims_a_colour_and_a_notebook():
    assert set(COLOURS) == {*REPORTS, "beyond"}
    assert len(set(COLOURS.values())) == len(COLOURS)
    for number, (name, report) in enumerate(REPORTS.items()):
        assert number == report.NUMBER and report.AUTHORS and report.IN_SHORT
        assert CLAIMS_OF[name]
        for station in ("models", "experiments", "experiments/claims"):
            assert (core.ROOT / "digits" / station / f"{name}.py").is_file()
        (notebook,) = core.NOTEBOOKS.glob(f"*_{name}.ipynb")
        cells = nbformat.read(notebook, as_version=4).cells
        assert any(f'"{name}/*"' in cell.source for cell in cells)
