"""One round: a pure function from (experiment, seed, data) to a record.

The data are resident tensors and a permutation of indices; there is no loader. The same seed
gives the same bits in any process: every source of randomness is a named stream, a round runs on
one thread, and the caller's random state is put back.
"""

import contextlib
import functools
import hashlib
import platform
import subprocess
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digits import paths
from digits.data import Digits, Pairs, draw_pairs, draw_pairs_reusing_images
from digits.experiments import Experiment
from digits.models.blocks import Output, parameter_count
from digits.recipe import Recipe
from digits.records import Curves, Record, pack
from digits.seeds import streams, substreams, torch_generator, torch_seed

EVALUATION_BATCH = 250  # pairs; measured: larger ones fall out of the processor's cache


class Diverged(ArithmeticError):
    """The loss of a run stopped being a finite number."""


class Scores(NamedTuple):
    """A network's performance on pairs, in evaluation mode.

    loss: mean cross-entropy of the target; error: in per cent; digit_accuracy: in per cent, None
    without digit heads; decisions: (N,) of 0 and 1.
    """

    loss: float
    error: float
    digit_accuracy: float | None
    decisions: np.ndarray


class RoundPairs(NamedTuple):
    """The pairs of one round: for training, for the protocol's test, for the precise test."""

    train: Pairs
    test: Pairs
    precise: Pairs


def train(experiment: Experiment, seed: int, digits: Digits) -> Record:
    """Train `experiment` with `seed` on pairs of `digits` and return what is to be kept.

    Raises `InputError` for a bad seed or more pairs than the pools hold, before training, and
    `Diverged` if the loss stops being finite.
    """
    start = time.perf_counter()
    stream = streams(seed)
    recipe = experiment.recipe
    pairs = draw_round(digits, recipe, stream["pairs"])
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(torch_seed(stream["init"]))
        # Measured on a CPU: channels last trains the convolutional nets 1.2 to 1.9 times faster,
        # and a fused optimiser takes a third of the time of the default one.
        model = experiment.build().to(memory_format=torch.channels_last)
        torch.manual_seed(torch_seed(stream["dropout"]))
        order = torch_generator(stream["order"])
        curves: dict[str, list[float]] = {name: [] for name in Curves.model_fields}
        train_seconds = 0.0
        for _ in range(recipe.trainings):
            optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
            for _ in range(recipe.epochs):
                epoch_start = time.perf_counter()
                objective = train_epoch(model, optimizer, pairs.train, recipe, order)
                train_seconds += time.perf_counter() - epoch_start
                if not np.isfinite(objective):
                    raise Diverged(
                        f"{experiment.id}, seed {seed}: the loss is {objective} in epoch "
                        f"{len(curves['objective']) + 1}"
                    )
                on_train, on_test = evaluate(model, pairs.train), evaluate(model, pairs.test)
                curves["objective"].append(objective)
                curves["train_loss"].append(on_train.loss)
                curves["test_loss"].append(on_test.loss)
                curves["train_error"].append(on_train.error)
                curves["test_error"].append(on_test.error)
        precise = evaluate(model, pairs.precise)
    return Record(
        experiment=experiment.id,
        recipe=recipe,
        recipe_hash=recipe.hash,
        seed=seed,
        source=digits.source,
        source_checksum=digits.checksum,
        parameters=parameter_count(model),
        train_error=on_train.error,
        test_error=on_test.error,
        precise_error=precise.error,
        train_digit_accuracy=on_train.digit_accuracy,
        test_digit_accuracy=on_test.digit_accuracy,
        curves=Curves(
            **{name: tuple(float(f"{v:.6g}") for v in values) for name, values in curves.items()}
        ),
        decisions=pack(on_test.decisions),
        weights=weights_hash(model),
        train_seconds=round(train_seconds, 3),
        seconds=round(time.perf_counter() - start, 3),
        device="cpu",
        threads=1,
        precision="float32",
        versions={
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
        commit=commit(),
    )


def draw_round(digits: Digits, recipe: Recipe, stream: np.random.SeedSequence) -> RoundPairs:
    """Draw a round's pairs; the numbers asked of one pool do not change what another one gives."""
    train, test, precise = substreams(stream, 3)
    return RoundPairs(
        draw_pairs(digits.train, recipe.train_pairs, train),
        draw_pairs(digits.test, recipe.test_pairs, test),
        draw_pairs_reusing_images(digits.test, recipe.precise_pairs, precise),
    )


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    pairs: Pairs,
    recipe: Recipe,
    order: torch.Generator,
) -> float:
    """Pass once over the pairs and return the mean of what was minimised."""
    model.train()
    n = len(pairs)
    indices = torch.randperm(n, generator=order) if recipe.order == "shuffled" else torch.arange(n)
    total = torch.zeros(())
    for batch in indices.split(recipe.batch_size):
        loss = objective_of(
            model(pairs.images[batch]), pairs.target[batch], pairs.classes[batch], recipe
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
    return total.item() / n


def objective_of(output: Output, target: Tensor, classes: Tensor, recipe: Recipe) -> Tensor:
    """Return the loss that is minimised: the target's cross-entropy and the weighted digits'."""
    loss = F.cross_entropy(output.target, target)
    if recipe.auxiliary_weight:
        for digits in output.auxiliary:
            for image in range(2):
                loss = loss + recipe.auxiliary_weight * F.cross_entropy(
                    digits[:, image], classes[:, image]
                )
    return loss


@torch.inference_mode()
def evaluate(model: nn.Module, pairs: Pairs) -> Scores:
    """Score `model` on `pairs` in evaluation mode; the mode it was in is not kept."""
    model.eval()
    loss, correct_digits = 0.0, 0
    decisions = []
    for images, target, classes in zip(
        pairs.images.split(EVALUATION_BATCH),
        pairs.target.split(EVALUATION_BATCH),
        pairs.classes.split(EVALUATION_BATCH),
        strict=True,
    ):
        output = model(images)
        loss += F.cross_entropy(output.target, target, reduction="sum").item()
        decisions.append(output.target.argmax(dim=1))
        if output.auxiliary:
            correct_digits += (output.auxiliary[-1].argmax(dim=2) == classes).sum().item()
    decided = torch.cat(decisions)
    n = len(pairs)
    return Scores(
        loss=loss / n,
        error=100 * (decided != pairs.target).sum().item() / n,
        digit_accuracy=100 * correct_digits / (2 * n) if output.auxiliary else None,
        decisions=decided.numpy(),
    )


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread, and on as many as before afterwards.

    The number of threads changes the last bits of a sum; and several processes of one thread
    train about twice as many rounds in a minute as one process of several threads.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def weights_hash(model: nn.Module) -> str:
    """Name a model's final parameters and buffers in sixteen hex digits."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


@functools.cache
def commit() -> str:
    """Return the commit of this repository, with "+" if files differ from it; "" outside git."""
    command = ["git", "-C", str(paths.ROOT), "describe", "--always", "--exclude=*", "--abbrev=12"]
    command += ["--dirty=+"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
