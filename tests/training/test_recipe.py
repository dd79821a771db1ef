"""A recipe refuses what cannot be trained, and its hash means what records rely on."""

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.model_selection import KFold

from digits.core import InputError
from digits.training.recipe import Recipe

GOOD = {"epochs": 25, "batch_size": 100, "learning_rate": 0.01}


def test_a_missing_field_is_named():
    with pytest.raises(InputError, match="needs the field 'epochs'"):
        Recipe(batch_size=10, learning_rate=0.1)


def test_a_recipe_is_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        Recipe(**GOOD).epochs = 3


def test_but_changes_and_validates():
    assert Recipe(**GOOD).but(epochs=3) == Recipe(**GOOD | {"epochs": 3})
    with pytest.raises(InputError):
        Recipe(**GOOD).but(epochs=0)


def test_the_hash_is_stable_and_ignores_fields_at_their_default():
    assert Recipe(**GOOD).hash == "a088844fbea7"  # committed records rest on it
    assert Recipe(**GOOD, order="shuffled", trainings=1).hash == Recipe(**GOOD).hash


def test_sizes_of_an_epoch():
    recipe = Recipe(**GOOD)
    assert recipe.epoch_sizes == (1000,)
    held_out = recipe.but(validation_share=0.1)
    assert (held_out.validation_pairs, held_out.epoch_sizes) == (100, (900,))
    assert held_out.but(augmentation="re-pairing").epoch_sizes == (1800,)
    odd = recipe.but(train_pairs=11, batch_size=5, folds=2, augmentation="re-pairing")
    assert odd.epoch_sizes == (22, 10, 12)
    folds = [len(kept) for kept, _ in KFold(3).split(range(1000))]
    assert recipe.but(folds=3).epoch_sizes == (1000, *folds)


@given(epochs=st.integers(1, 999), batch=st.integers(2, 99), rate=st.floats(1e-6, 1))
def test_any_change_changes_the_hash(epochs, batch, rate):
    fields = {"epochs": epochs, "batch_size": batch, "learning_rate": rate, "train_pairs": 4950}
    if 4950 % batch == 1:
        return
    recipe = Recipe(**fields)
    assert recipe.but(epochs=epochs + 1).hash != recipe.hash
    assert recipe.but(learning_rate=rate * 2).hash != recipe.hash
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


FIELDS = [
    ({"epochs": 0}, "epochs = 0"),
    ({"epochs": 2.5}, "epochs = 2.5"),
    ({"epochs": "25"}, "epochs = '25'"),
    ({"batch_size": 1}, "batch_size = 1"),
    ({"batch_size": 1001}, "batch_size = 1001 is more than train_pairs = 1000"),
    ({"batch_size": 333}, "leaves one of 1000 pairs"),
    ({"learning_rate": 0}, "learning_rate = 0"),
    ({"learning_rate": float("nan")}, "learning_rate = nan"),
    ({"learning_rate": float("inf")}, "learning_rate = inf"),
    ({"auxiliary_weight": -0.1}, "auxiliary_weight = -0.1"),
    ({"order": "random"}, "order = 'random'"),
    ({"trainings": 0}, "trainings = 0"),
    ({"train_pairs": 1}, "train_pairs = 1"),
    ({"test_pairs": 0}, "test_pairs = 0"),
    ({"precise_pairs": 0}, "precise_pairs = 0"),
    ({"optimizer": "rmsprop"}, "optimizer = 'rmsprop'"),
    ({"weight_decay": -1.0}, "weight_decay = -1.0"),
    ({"loss": "hinge"}, "loss = 'hinge'"),
    ({"target_weight": 0.0}, "target_weight = 0.0"),
    ({"standardised": 1}, "standardised = 1"),
    ({"augmentation": "rotation"}, "augmentation = 'rotation'"),
    ({"validation_share": 1.0}, "validation_share = 1.0"),
    ({"validation_share": 0.0001}, "validation_share = 0.0001 of 1000 pairs holds out 0"),
    (
        {"validation_share": 0.95},
        "batch_size = 100 is more than the 50 that validation_share = 0.95 leaves of "
        "train_pairs = 1000",
    ),
    ({"validation_share": 0.1, "batch_size": 31}, "leaves one of 900 pairs"),
    ({"validation_share": 0.1, "folds": 5}, "leave trainings and folds"),
    ({"folds": 1}, "folds = 1 does not cut 1000 training pairs"),
    ({"folds": 501}, "folds = 501 does not cut 1000 training pairs"),
    ({"folds": -1}, "folds = -1"),
    ({"folds": 3, "batch_size": 74}, "leaves one of 667 pairs"),
    ({"precise_folds": True}, "precise_folds = True has no fold to score"),
    ({"undistorted_share": 0.2}, "undistorted_share = 0.2 has no distortion to end"),
    ({"as_classes": True, "score_shifted": True}, "as_classes = True leaves no images to distort"),
    ({"as_classes": True, "keep_posteriors": True}, "as_classes = True leaves no images"),
    ({"as_classes": True, "distortion": "affine"}, "as_classes = True leaves no images"),
    ({"undistorted_share": 1.0, "distortion": "affine"}, "undistorted_share = 1.0"),
    ({"label_smoothing": 0.1}, "label_smoothing = 0.1 has no digit loss to smooth"),
    (
        {"label_smoothing": 0.1, "auxiliary_weight": 1.0, "loss": "mean_squared_error"},
        "label_smoothing = 0.1 has no digit loss to smooth",
    ),
    (
        {"score_in_training_mode": True, "test_pairs": 1},
        "score_in_training_mode = True of test_pairs = 1 has no batch statistics",
    ),
    ({"curve_step": 10}, "curve_step = 10 does not divide epochs = 25"),
    ({"learning_rte": 0.1}, "no field 'learning_rte'"),
    ({"score_in_training_mode": "no"}, "score_in_training_mode = 'no'"),
    ({"curve_step": 0}, "curve_step = 0"),
    ({"epochs": None}, "epochs = None"),
    ({"epochs": True}, "epochs = True"),
]


@pytest.mark.parametrize(("change", "sentence"), FIELDS)
def test_a_wrong_field_is_told_in_one_sentence_with_its_value(change, sentence):
    with pytest.raises(InputError) as error:
        Recipe(**GOOD | change)
    text = str(error.value)
    assert sentence in text
    assert "\n" not in text and text.endswith(".") and len(text) < 400


@given(
    st.sampled_from(sorted(Recipe.model_fields)),
    st.one_of(st.text(max_size=5), st.lists(st.integers()), st.binary(max_size=3), st.none()),
)
def test_a_field_of_another_type_is_named_with_its_value(field, value):
    if value in typing.get_args(Recipe.model_fields[field].annotation):
        return
    with pytest.raises(InputError, match=f"^{field} = "):
        Recipe(**GOOD | {field: value})
