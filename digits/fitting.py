"""Fit one network to pairs and score it: losses, epochs, the epoch that is kept.

The data are resident tensors and a permutation of indices; there is no loader.
"""

import copy
import time
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from digits.augmentation import augment
from digits.compute import CPU, Compute
from digits.core import InputError
from digits.data import Pairs
from digits.models.blocks import Output, TwoBranch
from digits.recipe import Recipe
from digits.seeds import torch_generator, torch_seed

EVALUATION_BATCH = 250  # pairs; measured: larger ones fall out of the processor's cache


class Diverged(ArithmeticError):
    """The loss stopped being a finite number.

    epoch, step: where, from 1; fold: in which training of a cross-validation, None in another.
    """

    fold: int | None = None

    def __init__(self, loss: float, epoch: int, step: int):
        super().__init__(f"the loss is {loss} in epoch {epoch}, step {step}")
        self.epoch, self.step = epoch, step


class Scores(NamedTuple):
    """A network's performance on pairs.

    loss: mean loss of the target alone; objective: of all that training minimises; error: in per
    cent; digit_accuracy: of the last digit output, in per cent, None without one or without
    classes; decisions: (N,) of 0 and 1; posteriors: (N, 2, 10) float32, the probabilities of the
    digits by the last digit output, None without one.
    """

    loss: float
    objective: float
    error: float
    digit_accuracy: float | None
    decisions: np.ndarray
    posteriors: np.ndarray | None


class Fitted(NamedTuple):
    """A trained network.

    curves: one number per point, by name (see `records.Curves`).
    kept_epoch: the epoch whose parameters the model has, from 1.
    seconds: of the training steps alone.
    scores: of this model, by name of the watched pairs.
    """

    model: nn.Module
    curves: dict[str, list[float]]
    kept_epoch: int
    seconds: float
    scores: dict[str, Scores]


def fit(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    pairs: Pairs,
    stream: dict[str, np.random.SeedSequence],
    watched: dict[str, Pairs] | None = None,
    compute: Compute = CPU,
) -> Fitted:
    """Build a network and train it on `pairs` as `recipe` says.

    stream: the named random streams (see `seeds.streams`). The caller's random state is used up.
    watched: pairs to score along the way, by name; with a validation share, those called
        "validation" decide which epoch is kept.
    compute: what to compute on, where all pairs must be.
    Raises `InputError` before training if recipe, network and pairs do not fit together, and
    `Diverged` if the loss stops being finite.
    """
    torch.manual_seed(torch_seed(stream["init"]))
    # Measured on a CPU: channels last trains the convolutional nets 1.2 to 1.9 times faster.
    # Built on the processor, wherever it is trained: the initial weights of a seed are the same.
    model = build().to(compute.device, memory_format=torch.channels_last)
    check_fits(model, recipe, pairs)
    torch.manual_seed(torch_seed(stream["dropout"]))
    order, new_pairs = torch_generator(stream["order"]), torch_generator(stream["augment"])
    averaged = averaged_weights_of(model, recipe)
    scored = model if averaged is None else averaged.module
    curves = defaultdict(list)
    best, kept, kept_epoch, seconds = np.inf, None, recipe.trainings * recipe.epochs, 0.0
    scores = {}
    for epoch in range(recipe.trainings * recipe.epochs):
        if epoch % recipe.epochs == 0:
            optimizer = optimizer_of(model, recipe)
            schedule = schedule_of(optimizer, recipe, len(pairs))
        start = time.perf_counter()
        seen = augment(pairs, recipe, new_pairs, epoch % recipe.epochs)
        losses = train_epoch(
            model, optimizer, seen, recipe, order, compute, schedule=schedule, averaged=averaged
        )
        seconds += time.perf_counter() - start
        finite = np.isfinite(losses)
        if not finite.all():
            step = int(finite.argmin())
            raise Diverged(losses[step], epoch + 1, step + 1)
        if not watched or (epoch + 1) % recipe.curve_step:
            continue
        curves["objective"].append(_mean_of_steps(losses, recipe.batch_size, len(seen)))
        found = {name: evaluate(scored, these, recipe, compute) for name, these in watched.items()}
        for name, these in found.items():
            loss = these.objective if name == "validation" else these.loss
            curves[f"{name}_loss"].append(loss)
            curves[f"{name}_error"].append(these.error)
        if "validation" not in found:
            scores = found  # in the end those of the last epoch, which is a point of the curves
        elif not scores or found["validation"].objective < best:
            best, kept_epoch, scores = found["validation"].objective, epoch + 1, found
            kept = copy.deepcopy(scored.state_dict())
    if kept:
        scored.load_state_dict(kept)
    return Fitted(scored, dict(curves), kept_epoch, seconds, scores)


@torch.inference_mode()
def check_fits(model: nn.Module, recipe: Recipe, pairs: Pairs) -> None:
    """Refuse a recipe that asks of the network or of the pairs what they do not have."""
    output = model.eval()(pairs.images[:2])
    if (output.target.ndim == 2) != (recipe.loss == "cross_entropy"):
        raise InputError(
            f"loss = {recipe.loss!r} does not suit the network, whose target has the shape "
            f"{tuple(output.target.shape)} for two pairs: cross_entropy needs logits (N, 2) or "
            "(N, 1), mean_squared_error a score (N,)."
        )
    if recipe.auxiliary_weight and not output.auxiliary:
        raise InputError(
            f"auxiliary_weight = {recipe.auxiliary_weight} has nothing to train: the network has "
            "no auxiliary output; choose auxiliary_weight = 0."
        )
    if recipe.keep_posteriors and not names_digits(model):
        raise InputError(
            "keep_posteriors = True needs one branch for both images, whose outputs are the digit "
            "logits, and the network has none: choose keep_posteriors = False."
        )
    if pairs.classes is not None:
        return
    if recipe.augmentation != "none":
        raise InputError(
            f"augmentation = {recipe.augmentation!r} needs the digit classes of the pairs, and "
            "these pairs have none: give the classes, or choose augmentation = 'none'."
        )
    if recipe.auxiliary_weight and any(a.ndim == 3 for a in output.auxiliary):
        raise InputError(
            f"auxiliary_weight = {recipe.auxiliary_weight} needs the digit classes of the pairs, "
            "and these pairs have none: give the classes, or choose auxiliary_weight = 0."
        )


def names_digits(model: nn.Module) -> bool:
    """Say whether one branch for both images gives out the digit logits themselves."""
    return (
        isinstance(model, TwoBranch)
        and model.branches.first is model.branches.second
        and model.digit_heads is not None
        and isinstance(model.digit_heads.first, nn.Identity)
    )


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimiser; fused, which takes a third of the time of the default one."""
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
    return kinds[recipe.optimizer](
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )


def schedule_of(optimizer: torch.optim.Optimizer, recipe: Recipe, pairs: int) -> LRScheduler | None:
    """Make the schedule of a training on so many pairs an epoch; None for a constant rate."""
    if recipe.schedule == "constant":
        return None
    times = 2 if recipe.augmentation == "re-pairing" else 1
    steps = recipe.epochs * -(-times * pairs // recipe.batch_size)
    return OneCycleLR(optimizer, recipe.learning_rate, total_steps=steps)


def averaged_weights_of(model: nn.Module, recipe: Recipe) -> AveragedModel | None:
    """Make what keeps the running mean of weights and batch statistics; None without."""
    if not recipe.weight_averaging:
        return None
    mean = get_ema_multi_avg_fn(recipe.weight_averaging)
    return AveragedModel(model, multi_avg_fn=mean, use_buffers=True)


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    pairs: Pairs,
    recipe: Recipe,
    order: torch.Generator,
    compute: Compute = CPU,
    *,
    schedule: LRScheduler | None = None,
    averaged: AveragedModel | None = None,
) -> np.ndarray:
    """Pass once over the pairs and return what was minimised in each step, (steps,) float32.

    schedule, averaged: what follows each step, if the recipe has it.
    """
    model.train()
    n = len(pairs)
    indices = torch.randperm(n, generator=order) if recipe.order == "shuffled" else torch.arange(n)
    losses = []
    for batch in indices.to(compute.device).split(recipe.batch_size):
        classes = None if pairs.classes is None else pairs.classes[batch]
        output = compute.forward(model, pairs.images[batch])
        loss = objective_of(output, pairs.target[batch], classes, recipe)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if averaged is not None:
            averaged.update_parameters(model)
        losses.append(loss.detach())
    return torch.stack(losses).cpu().numpy()


def objective_of(output: Output, target: Tensor, classes: Tensor | None, recipe: Recipe) -> Tensor:
    """Return the loss that is minimised: the target's and the auxiliary ones', weighted.

    target (N,) and classes (N, 2), which only digit outputs need.
    """
    loss = recipe.target_weight * target_loss(output.target, target, recipe)
    if not recipe.auxiliary_weight:
        return loss
    weight = recipe.auxiliary_weight / len(output.auxiliary)
    for auxiliary in output.auxiliary:
        if auxiliary.ndim == 2:
            loss = loss + weight * target_loss(auxiliary, target, recipe)
        else:
            for image in range(2):
                loss = loss + weight * digit_loss(auxiliary[:, image], classes[:, image], recipe)
    return loss


def target_loss(predicted: Tensor, target: Tensor, recipe: Recipe) -> Tensor:
    """Return the mean loss of the target's logits (N, 2) or (N, 1), or of its score (N,)."""
    if recipe.loss == "mean_squared_error":
        return F.mse_loss(predicted, target.to(predicted.dtype))
    if predicted.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(predicted[:, 0], target.to(predicted.dtype))
    return F.cross_entropy(predicted, target)


def digit_loss(predicted: Tensor, classes: Tensor, recipe: Recipe) -> Tensor:
    """Return the mean loss of digit outputs (N, 10), over pairs, and over classes if squared."""
    if recipe.loss == "cross_entropy":
        return F.cross_entropy(predicted, classes, label_smoothing=recipe.label_smoothing)
    return F.mse_loss(predicted, F.one_hot(classes, 10).to(predicted.dtype))


def decide(target: Tensor) -> Tensor:
    """Return the decisions (N,) of 0 and 1 of logits (N, 2) or (N, 1), or of a score (N,)."""
    if target.ndim == 1:
        return (target > 0.5).long()
    return (target[:, 0] > 0).long() if target.shape[1] == 1 else target.argmax(dim=1)


@torch.inference_mode()
@torch.random.fork_rng()
def evaluate(
    model: nn.Module,
    pairs: Pairs,
    recipe: Recipe,
    compute: Compute = CPU,
    *,
    training_mode: bool = False,
) -> Scores:
    """Score `model` on `pairs` in evaluation mode; the mode it was in is not kept.

    Training goes on as if nothing had been scored, even where scoring draws random numbers.

    training_mode: score all pairs as one batch with dropout on and that batch's statistics, which
        changes the model's running statistics.
    """
    model.train(training_mode)
    n = len(pairs)
    batch = n if training_mode else EVALUATION_BATCH
    sizes, losses, objectives, decisions, named, posteriors = [], [], [], [], [], []
    for start in range(0, n, batch):
        part = pairs[start : start + batch]
        output = compute.forward(model, part.images)
        sizes.append(len(part))
        losses.append(target_loss(output.target, part.target, recipe))
        objectives.append(objective_of(output, part.target, part.classes, recipe))
        decisions.append(decide(output.target))
        digits = [auxiliary for auxiliary in output.auxiliary if auxiliary.ndim == 3]
        if digits:
            posteriors.append(digits[-1].softmax(dim=2))
        if digits and part.classes is not None:
            named.append((digits[-1].argmax(dim=2) == part.classes).flatten())
    decided = torch.cat(decisions)
    return Scores(
        loss=_mean(losses, sizes),
        objective=_mean(objectives, sizes),
        error=100 * (decided != pairs.target).sum().item() / n,
        digit_accuracy=100 * torch.cat(named).sum().item() / (2 * n) if named else None,
        decisions=decided.cpu().numpy(),
        posteriors=torch.cat(posteriors).cpu().numpy() if posteriors else None,
    )


@torch.inference_mode()
def error_on_many_pairs(model: TwoBranch, pairs: Pairs, compute: Compute = CPU) -> float:
    """Return the error in per cent on pairs that use the same images again and again.

    For a network with one branch for both images: each image passes the branch once.
    """
    model.eval()
    images, place = torch.unique(pairs.images.flatten(0, 1), dim=0, return_inverse=True)
    features = _features(model, images, compute)
    first, second = features[place].unflatten(0, (-1, 2)).unbind(dim=1)
    decided = decide(model.head(model.join(first, second)))
    return 100 * (decided != pairs.target).sum().item() / len(pairs)


@torch.inference_mode()
def posteriors_of(model: TwoBranch, images: Tensor, compute: Compute = CPU) -> np.ndarray:
    """Return the posteriors (N, 10) of single digits (N, 14, 14), of a branch that names them."""
    model.eval()
    return _features(model, images, compute).softmax(dim=1).cpu().numpy()


def _features(model: TwoBranch, images: Tensor, compute: Compute) -> Tensor:
    """Apply the branch of both images to images (N, 14, 14), in batches."""
    parts = images.unsqueeze(1).split(2 * EVALUATION_BATCH)
    return torch.cat([compute.features(model.branches.first, part) for part in parts])


def _mean_of_steps(losses: np.ndarray, batch_size: int, n: int) -> float:
    """Average the losses (steps,) of batches of n pairs, of which the last may be smaller."""
    sizes = np.full(len(losses), batch_size, dtype=np.float32)
    sizes[-1] = n - batch_size * (len(losses) - 1)
    return float(np.cumsum(losses * sizes)[-1]) / n


def _mean(of_batches: list[Tensor], sizes: list[int]) -> float:
    """Average over batches at the end: a graphics card is then waited for but once."""
    total = 0.0  # one after the other: `sum` rounds otherwise from Python 3.12 on
    for value, size in zip(torch.stack(of_batches).tolist(), sizes, strict=True):
        total += size * value
    return total / sum(sizes)
