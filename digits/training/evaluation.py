"""Losses and scores: what is minimised, and how well a network does on pairs."""

import copy
import dataclasses
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digits.data.pairs import Pairs
from digits.models.blocks import Output, TwoBranch
from digits.training.device import CPU, Device
from digits.training.recipe import Recipe

EVALUATION_BATCH = 250  # pairs; measured: larger ones fall out of the processor's cache


class Scores(NamedTuple):
    """A network's performance on pairs.

    loss: mean loss of the target alone; objective: of all that training minimises; error: in per
    cent; digit_accuracy: of the last digit output, in per cent, None without one or without
    classes; decisions: (N,) of 0 and 1; posteriors: (N, 2, 10) float32, the probabilities of the
    digits by the last digit output, None without one. Both on the processor.
    """

    loss: float
    objective: float
    error: float
    digit_accuracy: float | None
    decisions: Tensor
    posteriors: Tensor | None


def names_digits(model: nn.Module) -> bool:
    """Say whether one branch for both images gives out the digit logits themselves."""
    return (
        isinstance(model, TwoBranch)
        and model.branches.first is model.branches.second
        and model.digit_heads is not None
        and isinstance(model.digit_heads.first, nn.Identity)
    )


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
def evaluate(
    model: nn.Module,
    pairs: Pairs,
    recipe: Recipe,
    device: Device = CPU,
    *,
    training_mode: bool = False,
) -> Scores:
    """Score a network in evaluation mode; the mode it was in is not kept.

    Training goes on as if nothing had been scored, even where scoring draws random numbers.

    Parameters
    ----------
    model : torch.nn.Module
        The network.
    pairs : Pairs
        What it is scored on.
    recipe : Recipe
        Which losses are computed.
    device : Device
        What it computes on.
    training_mode : bool
        Score all pairs as one batch with dropout on and that batch's statistics, which changes
        the running statistics of the network.

    Returns
    -------
    Scores
        Losses, errors in per cent, decisions (N,).
    """
    model.train(training_mode)
    n = len(pairs)
    batch = n if training_mode else EVALUATION_BATCH
    sizes, losses, objectives, decisions, named, posteriors = [], [], [], [], [], []
    with device.random_state_kept():
        for start in range(0, n, batch):
            part = pairs[start : start + batch]
            output = device.forward(model, part.images)
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
        decisions=decided.cpu(),
        posteriors=torch.cat(posteriors).cpu() if posteriors else None,
    )


@torch.inference_mode()
def error_on_many_pairs(model: TwoBranch, pairs: Pairs, device: Device = CPU) -> float:
    """Return the error in per cent on pairs that use the same images again and again.

    For a network with one branch for both images: each image passes the branch once. The head
    computes in float32 in any precision.
    """
    model.eval()
    images, place = torch.unique(pairs.images.flatten(0, 1), dim=0, return_inverse=True)
    features = _features(model, images, device)
    first, second = features[place].unflatten(0, (-1, 2)).unbind(dim=1)
    decided = decide(model.head(model.join(first, second)))
    return 100 * (decided != pairs.target).sum().item() / len(pairs)


@torch.inference_mode()
def posteriors_of(model: TwoBranch, images: Tensor, device: Device = CPU) -> np.ndarray:
    """Return the posteriors (N, 10) of single digits (N, 14, 14), of a branch that names them."""
    model.eval()
    return _features(model, images, device).softmax(dim=1).cpu().numpy()


@torch.inference_mode()
def dead_units(model: nn.Module, pairs: Pairs, device: Device = CPU) -> float:
    """Return the share of dead units in per cent: those active for none of the pairs.

    A unit is a feature map, or a number, that a ReLU or a leaky ReLU takes; it is active where
    that is above 0. A ReLU passes no gradient to the weights of a dead one, so it comes back only
    if the layers before it change. 0 for a network without such units.
    """
    active: dict[nn.Module, Tensor] = {}

    def watch(module: nn.Module, inputs: tuple[Tensor]) -> None:
        now = (inputs[0].transpose(0, 1).flatten(1) > 0).any(dim=1)
        active[module] = active.get(module, torch.zeros_like(now)) | now

    units = [module for module in model.modules() if isinstance(module, (nn.ReLU, nn.LeakyReLU))]
    hooks = [module.register_forward_pre_hook(watch) for module in units]
    model.eval()
    for images in pairs.images.split(EVALUATION_BATCH):
        device.forward(model, images)
    for hook in hooks:
        hook.remove()
    found = torch.cat([*active.values(), torch.ones(0, dtype=torch.bool, device=device.kind)])
    return 100 * (~found).sum().item() / max(len(found), 1)


def shift_changes(model: nn.Module, pairs: Pairs, recipe: Recipe, device: Device = CPU) -> float:
    """Return the share of pairs in per cent whose decision changes if both images move a pixel.

    Mean over moves to the right, left, bottom and top; the row or column that comes in has the
    darkest pixel of the image.
    """
    before, changed = evaluate(model, pairs, recipe, device).decisions, []
    darkest = pairs.images.amin(dim=(2, 3))[:, :, None]
    for step, dimension in ((1, 3), (-1, 3), (1, 2), (-1, 2)):
        images = pairs.images.roll(step, dimension)
        images.select(dimension, 0 if step > 0 else -1).copy_(darkest.expand(-1, -1, 14))
        moved = dataclasses.replace(pairs, images=images)
        now = evaluate(model, moved, recipe, device).decisions
        changed.append((now != before).double().mean().item())
    return 100 * float(np.mean(changed))


def first_layer_gradient(
    model: nn.Module, pairs: Pairs, recipe: Recipe, device: Device = CPU
) -> float:
    """Return how large the gradient of the first layer is, in per cent of that of the last.

    That is the root mean square over a layer's weights of the objective's gradient, for all pairs
    as one batch in training mode. It is small where gradients vanish on their way back. Layers of
    weights count, biases and norms do not: the first of both branches, where there are two, and the
    last that the network holds and the objective trains. The network stays as it was; 0 if that of
    the last is 0.
    """
    model = copy.deepcopy(model).train()
    model.zero_grad()
    with device.random_state_kept():
        output = device.forward(model, pairs.images)
        objective_of(output, pairs.target, pairs.classes, recipe).backward()
    starts = [model]
    if isinstance(model, TwoBranch):
        starts = [model.branches.first, model.branches.second]
    first = _root_mean_square(torch.stack([_gradients(part)[0] for part in starts]))
    last = _root_mean_square(_gradients(model)[-1])
    return 100 * first / last if last else 0.0


def _gradients(module: nn.Module) -> list[Tensor]:
    """Return the gradients of the layers of weights that have one."""
    return [w.grad for w in module.parameters() if w.ndim > 1 and w.grad is not None]


def _root_mean_square(values: Tensor) -> float:
    return values.square().mean().sqrt().item()


def _features(model: TwoBranch, images: Tensor, device: Device) -> Tensor:
    """Apply the branch of both images to images (N, 14, 14), in batches."""
    parts = images.unsqueeze(1).split(2 * EVALUATION_BATCH)
    return torch.cat([device.features(model.branches.first, part) for part in parts])


def _mean(of_batches: list[Tensor], sizes: list[int]) -> float:
    """Average over batches at the end: a graphics card is then waited for but once."""
    total = 0.0  # one after the other: `sum` rounds otherwise from Python 3.12 on
    for value, size in zip(torch.stack(of_batches).tolist(), sizes, strict=True):
        total += size * value
    return total / sum(sizes)
