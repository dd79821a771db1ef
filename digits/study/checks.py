"""What must be true between the fields of a record; one in which it is not is refused.

Not everything can be told from a record alone: its weights, its losses, and errors that change
together with the curves. `verify` finds those.
"""

import functools
import math
import reprlib
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np

from digits.core import InputError
from digits.data.sources import OTHER
from digits.models.summary import summary_of
from digits.training.recipe import Recipe
from digits.training.record import Curves, Diverged, Record, is_packed, is_packed_posteriors

AGAIN = "move that line out of the file; its run is then trained again."


class Source(NamedTuple):
    """What is known of a data source: its checksum, and the images of its two pools."""

    checksum: str
    train_images: int
    test_images: int


#: So that records can be checked where MNIST is not installed.
KNOWN = {
    "sample": Source("846f6cad587fea38", 2_500, 2_500),
    "mnist": Source("c65580678af93f1e", 60_000, 10_000),
    OTHER: Source("6ebb3d2fee246a4e", 1_085, 712),
}


class Expected(NamedTuple):
    """What the records of a recipe have in common.

    recipe_hash. fields: which of those that not every record has. points: of each curve. sizes:
    the fields that are shares, and of how many pairs or images each of their numbers is one.
    parts: curves of errors and of losses, of how many pairs they are, and how much a loss is at
    least for each percentage point of error.
    """

    recipe_hash: str
    fields: dict[str, bool]
    points: dict[str, int]
    sizes: list[tuple[str, tuple[int, ...]]]
    parts: list[tuple[str, str, int, float]]


@functools.lru_cache(4096)
def expected_of(recipe: Recipe) -> Expected:
    """Return what the records of a recipe have in common."""
    validation, noisy = bool(recipe.validation_share), recipe.score_in_training_mode
    folds, posteriors = bool(recipe.folds), recipe.keep_posteriors
    fields = {
        "validation_error": validation,
        "kept_epoch": validation,
        "fold_errors": folds,
        "precise_fold_errors": recipe.precise_folds,
        "test_error_training_mode": noisy,
        "fold_errors_training_mode": noisy and folds,
        "dead_units": recipe.count_dead_units,
        "shift_changes": recipe.score_shifted,
        "gradient_at_start": recipe.compare_gradients,
        "gradient_at_end": recipe.compare_gradients,
        "test_posteriors": posteriors and not folds,
        "fold_posteriors": posteriors and folds,
    }
    points = recipe.trainings * recipe.epochs // recipe.curve_step
    names = {name: validation or not name.startswith("validation") for name in Curves.model_fields}
    fitted, test, held = recipe.fitted_pairs, recipe.test_pairs, recipe.validation_pairs
    epoch, *epochs_of_folds = recipe.epoch_sizes
    held_out = tuple(fitted - pairs * fitted // epoch for pairs in epochs_of_folds)
    sizes = {
        "train_error": (fitted,),
        "test_error": (test,),
        "precise_error": (recipe.precise_pairs,),
        "train_digit_accuracy": (2 * fitted,),
        "test_digit_accuracy": (2 * test,),
        "validation_error": (held,),
        "test_error_training_mode": (test,),
        "fold_errors": held_out,
        "fold_errors_training_mode": held_out,
        "precise_fold_errors": (recipe.precise_pairs,) * recipe.folds,
    }
    # A wrong decision costs at least this much: that of a logit of 0, or of a score of one half.
    least = math.log(2) if recipe.loss == "cross_entropy" else 0.25
    least *= 0.01 - 1e-6  # curves are rounded
    parts = [
        ("train_error", "train_loss", fitted, least),
        ("test_error", "test_loss", test, least),
        ("validation_error", "validation_loss", held, least * recipe.target_weight),
    ]
    return Expected(
        recipe.hash,
        fields,
        {name: points * has for name, has in names.items()},
        [(name, of) for name, of in sizes.items() if fields.get(name, True)],
        parts if validation else parts[:2],
    )


def check(record: Record | Diverged) -> None:
    """Raise `InputError`, with field and value, for a record that cannot be true."""
    recipe, source, expected = record.recipe, KNOWN[record.source], expected_of(record.recipe)
    pools = KNOWN[recipe.digits_of(record.source)]
    if record.source_checksum != source.checksum:
        _refuse(record, "source_checksum", f"that of {record.source} is {source.checksum}")
    if record.recipe_hash != expected.recipe_hash:
        _refuse(record, "recipe_hash", f"that of its recipe is {expected.recipe_hash}")
    if 2 * recipe.train_pairs > pools.train_images:
        _refuse(recipe, "train_pairs", f"there are {pools.train_images} images for them")
    if 2 * recipe.test_pairs > pools.test_images:
        _refuse(recipe, "test_pairs", f"there are {pools.test_images} images for them")
    if isinstance(record, Diverged):
        _check_place(record)
        return
    _check_presence(record, expected)
    _check_shares(record, expected)
    _check_curves(record.curves, expected)
    _check_kept_network(record)
    if not is_packed(record.decisions, recipe.test_pairs):
        _refuse(record, "decisions", f"it is not a bit for each of {recipe.test_pairs} pairs")
    if record.train_seconds > record.seconds:
        _refuse(record, "train_seconds", f"the whole run took {record.seconds}")


def _refuse(of: Any, name: str, reason: str) -> NoReturn:
    field = f"curves.{name}" if isinstance(of, Curves) else name
    raise InputError(f"{field} = {reprlib.repr(getattr(of, name))} is not allowed: {reason}.")


def _check_place(record: Diverged) -> None:
    """Check in which fold, epoch and step the loss stopped being finite."""
    recipe = record.recipe
    if record.fold is not None and record.fold > recipe.folds:
        _refuse(record, "fold", f"its recipe has {recipe.folds}")
    if record.epoch > recipe.trainings * recipe.epochs:
        _refuse(record, "epoch", f"its recipe has {recipe.trainings * recipe.epochs}")
    steps = -(-recipe.epoch_sizes[record.fold or 0] // recipe.batch_size)
    if record.step > steps:
        _refuse(record, "step", f"an epoch of its recipe has {steps}")


def _check_presence(record: Record, expected: Expected) -> None:
    """Check that the record has what its recipe measures, and no more."""
    for name, measured in expected.fields.items():
        if (getattr(record, name) is not None) != measured:
            _refuse(record, name, f"such a run has {'one' if measured else 'none'}")
    if (record.train_digit_accuracy is None) != (record.test_digit_accuracy is None):
        _refuse(record, "test_digit_accuracy", "it goes with train_digit_accuracy")
    for name, points in expected.points.items():
        if len(getattr(record.curves, name) or ()) != points:
            _refuse(record.curves, name, f"such a run has {points} points")


def _check_shares(record: Record, expected: Expected) -> None:
    """Check that errors and accuracies are whole numbers of pairs or images."""
    for name, sizes in expected.sizes:
        values = getattr(record, name)
        if values is None:  # the digits of a network that does not name them
            continue
        values = values if isinstance(values, tuple) else (values,)
        if len(values) != len(sizes):
            _refuse(record, name, f"its recipe has {len(sizes)} folds")
        for value, n in zip(values, sizes, strict=True):
            if value != 100 * round(value * n / 100) / n:
                _refuse(record, name, f"of {n} pairs or images it is no whole number")


@functools.cache
def _possible(n: int) -> np.ndarray:
    """Return the errors (n + 1,) that n pairs can have, to the six digits of a curve."""
    return np.array([float(f"{100 * wrong / n:.6g}") for wrong in range(n + 1)])


def _check_curves(curves: Curves, expected: Expected) -> None:
    """Check that errors are whole numbers of pairs, and that losses fit them."""
    for error, loss, n, least in expected.parts:
        errors, losses = np.array(getattr(curves, error)), np.array(getattr(curves, loss))
        if (errors != _possible(n)[np.round(errors * n / 100).astype(int)]).any():
            _refuse(curves, error, f"of {n} pairs it is no whole number")
        if (least * errors > losses).any():
            _refuse(curves, loss, "so many wrong pairs cost more")


def _check_kept_network(record: Record) -> None:
    """Check that the final errors are those of the curves where the network was kept."""
    curves, kept, step = record.curves, record.kept_epoch, record.recipe.curve_step
    if kept is not None:
        if kept > record.recipe.epochs:
            _refuse(record, "kept_epoch", f"its recipe has {record.recipe.epochs} epochs")
        if kept % step:
            return  # the curves have no point there
        losses = curves.validation_loss
        if losses[kept // step - 1] > min(losses):
            _refuse(record, "kept_epoch", "the validation loss is lower in another")
        # The oldest records scored the kept network once more, and the authors' dropout, which is
        # on while scoring, gave other errors.
        if record.processor is None:
            return
    for name in ("train_error", "test_error", "validation_error"):
        error, points = getattr(record, name), getattr(curves, name)
        if error is not None:
            there = points[(kept // step if kept else len(points)) - 1]
            if float(f"{error:.6g}") != there:
                _refuse(record, name, f"the curve has {there} there")


def fault_of(record: Record | Diverged, recipe: Recipe, build: Callable) -> InputError | None:
    """Return what is wrong with a record of another recipe or network, or with its posteriors."""
    parameters = summary_of(build).parameters
    of_network = isinstance(record, Diverged) or record.parameters == parameters
    if record.recipe != recipe or not of_network:
        size = "" if of_network else f" (parameters = {record.parameters}, not {parameters})"
        return InputError(
            f"is a record of {record.experiment} #{record.seed} by another recipe or network{size} "
            "than this version has: run_all.py --fresh trains it again and keeps the record aside."
        )
    try:
        if isinstance(record, Record):
            _check_posteriors(record)
    except InputError as fault:
        return InputError(f"is not a record ({str(fault).rstrip('.')}): {AGAIN}")
    return None


def _check_posteriors(record: Record) -> None:
    """Refuse posteriors of fewer or more images than they should be of.

    Apart from `check`, since unpacking them takes a quarter as long as reading all records.
    """
    images = {
        "test_posteriors": KNOWN[record.recipe.digits_of(record.source)].test_images,
        "fold_posteriors": 2 * record.recipe.train_pairs,
    }
    for name, n in images.items():
        packed = getattr(record, name)
        if packed is not None and not is_packed_posteriors(packed, n):
            _refuse(record, name, f"it does not unpack to posteriors of {n} images")
