"""One round of one network: draw the pairs, train, score, and return what was measured.

The same seed gives the same bits in any process: every source of randomness is a named stream, a
round runs on one thread, and the caller's random state is put back.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from digits.data.pairs import Pairs, RoundPairs, draw_round
from digits.data.seeds import child, streams
from digits.data.sources import Digits
from digits.models.blocks import TwoBranch
from digits.models.summary import parameter_count
from digits.training.checkpoint import NO_CHECKPOINT, Checkpoint
from digits.training.device import CPU, Device
from digits.training.evaluation import (
    dead_units,
    error_on_many_pairs,
    evaluate,
    first_layer_gradient,
    posteriors_of,
    shift_changes,
)
from digits.training.loop import DivergenceError, fit, initial
from digits.training.recipe import Recipe
from digits.training.record import Curves, pack, pack_posteriors, weights_hash

Streams = dict[str, np.random.SeedSequence]


def train(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    seed: int,
    digits: Digits,
    device: Device = CPU,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> dict[str, Any]:
    """Train a network for one round and measure it.

    Parameters
    ----------
    build : callable
        Makes the network; called within the round's random stream for initial weights.
    recipe : Recipe
        How it is trained and scored.
    seed : int
        The round.
    digits : Digits
        Where the pairs are drawn from.
    device : Device
        What it computes on; a seed gives the same bits again on the same kind of machine.
    checkpoint : Checkpoint
        Where its trainings go on from and are kept.

    Returns
    -------
    dict
        What was measured, by the names of a `Record`'s fields: errors in per cent, seconds.

    Raises
    ------
    InputError
        For a bad seed, more pairs than the pools hold, or a recipe that does not fit the network
        (see `loop.check_fits`), before training.
    DivergenceError
        If the loss stops being finite.
    """
    start, before = time.perf_counter(), checkpoint.spent
    stream = streams(seed, recipe.varies)
    pairs = draw_round(digits, recipe.draw, stream["pairs"]).to(device.kind)
    with device.deterministic():
        measured = _train(build, recipe, stream, pairs, digits, device, checkpoint)
    seconds = before + time.perf_counter() - start
    return measured | {"seconds": round(seconds, 3)}


def _train(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    stream: Streams,
    pairs: RoundPairs,
    digits: Digits,
    device: Device,
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    fitted_pairs = pairs.train[: recipe.fitted_pairs]
    watched = {"train": fitted_pairs, "test": pairs.test} | _held_out(pairs, recipe)
    fitted = fit(build, recipe, fitted_pairs, stream, watched, device, checkpoint)
    model, scores = fitted.model, fitted.scores
    curves = {
        name: tuple(float(f"{value:.6g}") for value in values)
        for name, values in fitted.curves.items()
    }
    measured = {
        "parameters": parameter_count(model),
        "train_error": scores["train"].error,
        "test_error": scores["test"].error,
        "precise_error": large_sample_error(model, pairs.large, recipe, device),
        "train_digit_accuracy": scores["train"].digit_accuracy,
        "test_digit_accuracy": scores["test"].digit_accuracy,
        "curves": Curves(**curves),
        "decisions": pack(scores["test"].decisions.numpy()),
        "weights": weights_hash(model),
        "train_seconds": round(fitted.seconds, 3),
    }
    if recipe.validation_share:
        measured["validation_error"] = scores["validation"].error
        measured["kept_epoch"] = fitted.kept_epoch
    if recipe.count_dead_units:
        measured["dead_units"] = dead_units(model, fitted_pairs, device)
    if recipe.score_shifted:
        measured["shift_changes"] = shift_changes(model, pairs.test, recipe, device)
    if recipe.compare_gradients:
        with device.random_state_kept():
            for when, network in (("start", initial(build, stream, device)), ("end", model)):
                found = first_layer_gradient(network, fitted_pairs, recipe, device)
                measured[f"gradient_at_{when}"] = found
    if recipe.keep_posteriors and not recipe.folds:
        images = (digits.test.images.to(device.kind) - pairs.mean) / pairs.sd
        measured["test_posteriors"] = pack_posteriors(posteriors_of(model, images, device))
    if recipe.score_in_training_mode:  # changes running statistics, so nothing is scored after it
        noisy = evaluate(model, pairs.test, recipe, device, training_mode=True)
        measured["test_error_training_mode"] = noisy.error
    if recipe.folds:
        measured |= cross_validate(build, recipe, pairs.train, stream, device, checkpoint)
    return measured


def _held_out(pairs: RoundPairs, recipe: Recipe) -> dict[str, Pairs]:
    return {"validation": pairs.train[recipe.fitted_pairs :]} if recipe.validation_share else {}


def train_network(
    build: Callable[[], nn.Module], recipe: Recipe, seed: int, digits: Digits, device: Device = CPU
) -> tuple[nn.Module, RoundPairs]:
    """Train a network as `train` does, to the same bits, and return it with its pairs."""
    stream = streams(seed, recipe.varies)
    pairs = draw_round(digits, recipe.draw, stream["pairs"]).to(device.kind)
    with device.deterministic():
        # Scoring leaves no trace; only validation pairs have a say in what is kept.
        held_out = _held_out(pairs, recipe)
        fitted = fit(build, recipe, pairs.train[: recipe.fitted_pairs], stream, held_out, device)
    return fitted.model, pairs


def large_sample_error(
    model: nn.Module, pairs: Pairs, recipe: Recipe, device: Device = CPU
) -> float:
    """Return the error on the pairs of the large-sample test, in per cent.

    The images stand in several pairs, so a network of one branch that takes both images in one
    batch looks at each only once.
    """
    if isinstance(model, TwoBranch) and model.branches.one_batch:
        return error_on_many_pairs(model, pairs, device)
    return evaluate(model, pairs, recipe, device).error


def cross_validate(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    pairs: Pairs,
    stream: Streams,
    device: Device = CPU,
    checkpoint: Checkpoint = NO_CHECKPOINT,
) -> dict[str, tuple[float, ...] | str]:
    """Train a network on all folds but one, for each fold, and return what a record keeps.

    That is its errors on the fold left out. Folds are consecutive, as scikit-learn's KFold cuts
    them without shuffling. The networks have other streams than each other and than the one of all
    pairs. (With `precise_folds` the mixed pairs of the first three start at the seeds that drew the
    pairs of the round, but point into other images.)
    """
    errors, large, in_training_mode, posteriors = [], [], [], []
    all_pairs = np.arange(len(pairs))
    for fold, held_out in enumerate(np.array_split(all_pairs, recipe.folds)):
        kept = np.delete(all_pairs, held_out)
        own = {name: child(sequence, fold) for name, sequence in stream.items()}
        try:
            keep = {"device": device, "checkpoint": checkpoint, "part": f"fold {fold + 1}"}
            model = fit(build, recipe, pairs[kept], own, **keep).model
        except DivergenceError as error:
            error.fold = fold + 1
            raise
        scores = evaluate(model, pairs[held_out], recipe, device)
        errors.append(scores.error)
        posteriors.append(scores.posteriors)
        if recipe.precise_folds:
            rng = np.random.default_rng(own["pairs"])
            mixed = pairs[held_out].reusing_images(recipe.precise_pairs, rng)
            large.append(large_sample_error(model, mixed, recipe, device))
        if recipe.score_in_training_mode:
            noisy = evaluate(model, pairs[held_out], recipe, device, training_mode=True)
            in_training_mode.append(noisy.error)
    found = {"fold_errors": tuple(errors)}
    if recipe.precise_folds:
        found["precise_fold_errors"] = tuple(large)
    if recipe.score_in_training_mode:
        found["fold_errors_training_mode"] = tuple(in_training_mode)
    if recipe.keep_posteriors:
        found["fold_posteriors"] = pack_posteriors(torch.cat(posteriors).numpy())
    return found
