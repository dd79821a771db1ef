"""Every printed number of three reports stands at its network; what a report consists of."""

import pytest

import run_all
from digits import core
from digits.experiments import DESIGNS, EXPERIMENTS, REPORTS
from digits.plots.common import COLOURS

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
        assert (experiment.rounds, experiment.recipe.epochs) == (n, 25 if n == 10 else 200)
        assert experiment.recipe.augmentation == ("none" if n == 10 else "re-pairing")


def test_cadeis_protocol_and_weights():
    for experiment in EXPERIMENTS.values():
        if experiment.report != "cadei" or experiment.protocol == "common":
            continue
        recipe = experiment.recipe
        slow = any(name in experiment.id for name in ("/mlp", "/convnet", "/resnet"))
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
    assert [(p.quantity, p.mean) for p in digits] == [("digit_error", 6)] * ("ws+aux" in name)
    assert number.mean == pytest.approx(100 - accuracy)
    assert number.sd == pytest.approx(sd, abs=0.006)
    assert experiment.reported_seconds == seconds
    recipe = experiment.recipe
    assert (recipe.learning_rate, recipe.auxiliary_weight, recipe.batch_size) == (rate, weight, 16)
    assert (recipe.standardised, recipe.order, experiment.rounds) == (True, "fixed", 20)


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
    printed = {p.quantity: (p.mean, p.sd, p.n) for p in experiment.published}
    assert printed["fold_error"] == (pytest.approx(100 - folds), sd, 1)
    assert printed["test_error"] == (pytest.approx(100 - test), None, 1)
    both = "cnn" in name
    assert printed["fold_median"] == (100 - median, None, 1)
    assert len(printed) == (6 if both else 3)
    recipe = experiment.recipe
    assert recipe.score_in_training_mode == both
    assert (recipe.epochs, recipe.batch_size, recipe.target_weight) == (epochs, batch, weight)
    assert (recipe.loss, recipe.folds, recipe.learning_rate) == ("mean_squared_error", 5, 0.001)


def test_a_report_is_a_model_file_a_file_of_rows_a_colour_and_a_notebook():
    names = [report.__name__.rpartition(".")[2] for report in REPORTS]
    assert set(COLOURS) == {*names, "beyond"}
    for name in names:
        assert (core.ROOT / "digits" / "models" / f"{name}.py").is_file()
        (notebook,) = (n for n in run_all.NOTEBOOKS if n.endswith(f"_{name}"))
        assert f"{name}/*" in run_all.NOTEBOOKS[notebook]
        assert (core.NOTEBOOKS / f"{notebook}.ipynb").is_file()


def test_designs_name_experiments_whose_losses_are_what_their_cells_say():
    assert len({design.name for design in DESIGNS}) == len(DESIGNS) == 14
    for design in DESIGNS:
        recipes = [EXPERIMENTS[cell].recipe for cell in design.cells]
        assert [recipe.auxiliary_weight > 0 for recipe in recipes] == [False, False, True, True]
        assert len({recipe.epochs for recipe in recipes}) == 1
