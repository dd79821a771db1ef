"""A recipe refuses what cannot be trained, and its hash means what records rely on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn.model_selection import KFold

from digits.core import InputError
from digits.recipe import Recipe

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
