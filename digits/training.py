"""One round: a pure function from (experiment, seed, data) to a record.

The same seed gives the same bits in any process: every source of randomness is a named stream, a
round runs on one thread, and the caller's random state is put back.
"""

import functools
import hashlib
import platform
import subprocess
import time
from typing import NamedTuple

import numpy as np
import torch
from sklearn.model_selection import KFold
from torch import Tensor, nn

from digits import core
from digits.compute import CPU, Compute
from digits.data import Digits, Pairs, draw_pairs, draw_pairs_reusing_images
from digits.experiment import Experiment
from digits.fitting import Diverged, error_on_many_pairs, evaluate, fit, posteriors_of
from digits.models.blocks import TwoBranch, parameter_count
from digits.recipe import Recipe
from digits.records import Curves, Failure, Record, pack, pack_posteriors
from digits.seeds import child, streams, substreams


class RoundPairs(NamedTuple):
    """The pairs of one round: for training, for the protocol's test, for the precise test.

    mean, sd: what was subtracted from all pixels and what they were divided by, 0 and 1 if the
    recipe does not standardise.
    """

    train: Pairs
    test: Pairs
    precise: Pairs
    mean: Tensor
    sd: Tensor

    def to(self, device: str) -> "RoundPairs":
        """Return the pairs on `device`."""
        return RoundPairs(*(part.to(device) for part in self))


def train(
    experiment: Experiment, seed: int, digits: Digits, compute: Compute = CPU
) -> Record | Failure:
    """Train `experiment` with `seed` on pairs of `digits` and return what is to be kept.

    That is a `Failure` if the loss stops being finite.
    compute: what to compute on; a seed gives the same bits again on the same kind of machine.
    Raises `InputError` for a bad seed or more pairs than the pools hold, before training.
    """
    start = time.perf_counter()
    recipe = experiment.recipe
    stream = streams_of(recipe, seed)
    pairs = draw_round(digits, recipe, stream["pairs"]).to(compute.device)
    origin = {
        "experiment": experiment.id,
        "recipe": recipe,
        "recipe_hash": recipe.hash,
        "seed": seed,
        "source": digits.source,
        "source_checksum": digits.checksum,
        "device": compute.device,
        "threads": 1,
        "precision": compute.dtype,
        "processor": compute.processor,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        "commit": commit(),
    }
    try:
        with compute.deterministic():
            measured = _train(experiment, pairs, digits, stream, compute)
    except Diverged as error:
        return Failure(**origin, epoch=error.epoch, step=error.step, fold=error.fold)
    return Record(**origin, **measured, seconds=round(time.perf_counter() - start, 3))


def _train(
    experiment: Experiment,
    pairs: RoundPairs,
    digits: Digits,
    stream: dict[str, np.random.SeedSequence],
    compute: Compute,
) -> dict:
    """Train, score, and return what was measured, as fields of a `Record`."""
    recipe = experiment.recipe
    fitted_pairs = pairs.train[: recipe.fitted_pairs]
    watched = {"train": fitted_pairs, "test": pairs.test}
    if recipe.validation_share:
        watched["validation"] = pairs.train[recipe.fitted_pairs :]
    fitted = fit(experiment.build, recipe, fitted_pairs, stream, watched, compute)
    model = fitted.model
    scores = fitted.scores
    measured = {
        "parameters": parameter_count(model),
        "train_error": scores["train"].error,
        "test_error": scores["test"].error,
        "precise_error": precise_error(model, pairs.precise, recipe, compute),
        "train_digit_accuracy": scores["train"].digit_accuracy,
        "test_digit_accuracy": scores["test"].digit_accuracy,
        "curves": Curves(
            **{
                name: tuple(float(f"{value:.6g}") for value in values)
                for name, values in fitted.curves.items()
            }
        ),
        "decisions": pack(scores["test"].decisions),
        "weights": weights_hash(model),
        "train_seconds": round(fitted.seconds, 3),
    }
    if recipe.validation_share:
        measured["validation_error"] = scores["validation"].error
        measured["kept_epoch"] = fitted.kept_epoch
    if recipe.score_in_training_mode:  # changes running statistics, so nothing is scored after it
        noisy = evaluate(model, pairs.test, recipe, compute, training_mode=True)
        measured["test_error_training_mode"] = noisy.error
    if recipe.keep_posteriors and not recipe.folds:
        images = (digits.test.images.to(compute.device) - pairs.mean) / pairs.sd
        measured["test_posteriors"] = pack_posteriors(posteriors_of(model, images, compute))
    if recipe.folds:
        measured |= cross_validate(experiment, pairs.train, stream, compute)
    return measured


def streams_of(recipe: Recipe, seed: int) -> dict[str, np.random.SeedSequence]:
    """Return the random streams of a round: its own, or its own one among those of round 0."""
    own = streams(seed)
    if recipe.varies == "all":
        return own
    return streams(0) | {recipe.varies: own[recipe.varies]}


def precise_error(model: nn.Module, pairs: Pairs, recipe: Recipe, compute: Compute = CPU) -> float:
    """Return the error on the pairs of the precise test, in per cent.

    The images stand in several pairs, so a network of one branch that takes both images in one
    batch looks at each only once.
    """
    if isinstance(model, TwoBranch) and model.branches.one_batch:
        return error_on_many_pairs(model, pairs, compute)
    return evaluate(model, pairs, recipe, compute).error


def draw_round(digits: Digits, recipe: Recipe, stream: np.random.SeedSequence) -> RoundPairs:
    """Draw a round's pairs; the numbers asked of one pool do not change what another one gives.

    Standardised ones, if the recipe says so, by the mean and SD of all pixels of the training
    pairs, those held out for validation or in a fold included.
    """
    train, test, precise = substreams(stream, 3)
    pairs = (
        draw_pairs(digits.train, recipe.train_pairs, train),
        draw_pairs(digits.test, recipe.test_pairs, test),
        draw_pairs_reusing_images(digits.test, recipe.precise_pairs, precise),
    )
    if not recipe.standardised:
        return RoundPairs(*pairs, torch.tensor(0.0), torch.tensor(1.0))
    mean, sd = pairs[0].images.mean(), pairs[0].images.std()
    return RoundPairs(*(these.standardised(mean, sd) for these in pairs), mean, sd)


def cross_validate(
    experiment: Experiment,
    pairs: Pairs,
    stream: dict[str, np.random.SeedSequence],
    compute: Compute = CPU,
) -> dict[str, tuple[float, ...] | str]:
    """Train a network on all folds but one, for each fold, and return what a record keeps.

    That is its errors on the fold left out. Folds are consecutive, as scikit-learn cuts them
    without shuffling. Each network has streams of its own.
    """
    recipe = experiment.recipe
    errors, precise, in_training_mode, posteriors = [], [], [], []
    for fold, (kept, held_out) in enumerate(KFold(recipe.folds).split(pairs.target)):
        own = {name: child(sequence, fold) for name, sequence in stream.items()}
        try:
            model = fit(experiment.build, recipe, pairs[kept], own, compute=compute).model
        except Diverged as error:
            error.fold = fold + 1
            raise
        scores = evaluate(model, pairs[held_out], recipe, compute)
        errors.append(scores.error)
        posteriors.append(scores.posteriors)
        if recipe.precise_folds:
            rng = np.random.default_rng(own["pairs"])
            mixed = pairs[held_out].reusing_images(recipe.precise_pairs, rng)
            precise.append(precise_error(model, mixed, recipe, compute))
        if recipe.score_in_training_mode:
            noisy = evaluate(model, pairs[held_out], recipe, compute, training_mode=True)
            in_training_mode.append(noisy.error)
    found = {"fold_errors": tuple(errors)}
    if recipe.precise_folds:
        found["precise_fold_errors"] = tuple(precise)
    if recipe.score_in_training_mode:
        found["fold_errors_training_mode"] = tuple(in_training_mode)
    if recipe.keep_posteriors:
        found["fold_posteriors"] = pack_posteriors(np.concatenate(posteriors))
    return found


def weights_hash(model: nn.Module) -> str:
    """Name a model's final parameters and buffers in sixteen hex digits."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@functools.cache
def commit() -> str:
    """Return the commit of this repository, with "+" if files differ from it; "" outside git."""
    command = ["git", "-C", str(core.ROOT), "describe", "--always", "--exclude=*", "--abbrev=12"]
    command += ["--dirty=+"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
