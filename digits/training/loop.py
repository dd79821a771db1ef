"""Fit one network to pairs and score it: losses, epochs, the epoch that is kept.

The data are resident tensors and a permutation of indices; there is no loader.
"""

import copy
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from digits.core import InputError
from digits.data.pairs import Pairs
from digits.data.seeds import torch_generator, torch_seed
from digits.training.augmentation import augment
from digits.training.checkpoint import NO_CHECKPOINT, Checkpoint, Progress
from digits.training.device import CPU, Device
from digits.training.evaluation import Scores, evaluate, names_digits, objective_of
from digits.training.recipe import Recipe


class DivergenceError(ArithmeticError):
    """The loss, or a weight, stopped being a finite number.

    epoch, step: where, from 1, or the last step before that was seen; fold: in which training of
    a cross-validation, None in another.
    """

    fold: int | None = None

    def __init__(self, loss: float, epoch: int, step: int):
        super().__init__(f"the loss is {loss} in epoch {epoch}, step {step}")
        self.epoch, self.step = epoch, step


class Fitted(NamedTuple):
    """A trained network.

    curves: one number per point, by name (see `record.Curves`).
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
    device: Device = CPU,
    checkpoint: Checkpoint = NO_CHECKPOINT,
    part: str = "",
) -> Fitted:
    """Build a network and train it; the caller's random state is used up.

    Parameters
    ----------
    build : callable
        Makes the network, a module from pairs (N, 2, 14, 14) to an `Output`.
    recipe : Recipe
        How it is trained.
    pairs : Pairs
        What it is trained on.
    stream : dict of str to numpy.random.SeedSequence
        The named random streams (see `seeds.streams`).
    watched : dict of str to Pairs, optional
        Pairs to score along the way; with a validation share, those called "validation" decide
        which epoch is kept.
    device : Device
        What to compute on, where all pairs must be.
    checkpoint : Checkpoint
        Where it goes on from, and keeps where it stands after every epoch.
    part : str
        What this training is called there.

    Returns
    -------
    Fitted
        The trained network with its curves and scores.

    Raises
    ------
    InputError
        Before training, if recipe, network and pairs do not fit together.
    DivergenceError
        If a loss or a weight stops being finite.
    """
    model = initial(build, stream, device)
    check_fits(model, recipe, pairs)
    torch.manual_seed(torch_seed(stream["dropout"]))
    averaged, epochs = averaged_weights_of(model, recipe), recipe.trainings * recipe.epochs
    scored = model if averaged is None else averaged.module
    random = torch_generator(stream["order"]), torch_generator(stream["augment"])
    at = Progress(model, averaged, *random, kept_epoch=epochs)
    if state := checkpoint.of(part):
        at.optimizer = optimizer_of(model, recipe)
        at.schedule = schedule_of(at.optimizer, recipe, len(pairs))
        at.restore(state)
    while at.epoch < epochs:
        _one_epoch(at, recipe, pairs, stream, watched, device)
        checkpoint.keep(part, at, done=at.epoch == epochs)
    if at.kept:
        scored.load_state_dict(at.kept)
        if not at.scores:  # kept between two points of the curves
            at.scores = _scores_of(scored, watched, recipe, device)
    if not all(values.isfinite().all() for values in scored.state_dict().values()):
        raise DivergenceError(np.nan, epochs, at.steps)  # the last step has no loss after it
    return Fitted(scored, dict(at.curves), at.kept_epoch, at.seconds, at.scores)


def initial(
    build: Callable[[], nn.Module], stream: dict[str, np.random.SeedSequence], device: Device = CPU
) -> nn.Module:
    """Build the network of a round as it is before training; torch's random state is set."""
    torch.manual_seed(torch_seed(stream["init"]))
    # Measured on a CPU: channels last trains the convolutional nets 1.2 to 1.9 times faster.
    # Built on the processor, wherever it is trained: the initial weights of a seed are the same.
    return build().to(device.kind, memory_format=torch.channels_last)


def _one_epoch(
    at: Progress,
    recipe: Recipe,
    pairs: Pairs,
    stream: dict[str, np.random.SeedSequence],
    watched: dict[str, Pairs] | None,
    device: Device,
) -> None:
    """Train for one epoch, and score where that is a point of the curves; see `fit`."""
    if at.epoch % recipe.epochs == 0:
        at.optimizer = optimizer_of(at.model, recipe)
        at.schedule = schedule_of(at.optimizer, recipe, len(pairs))
    order = torch_generator(stream["order"]) if recipe.order == "shuffled once" else at.order
    start = time.perf_counter()
    seen = augment(pairs, recipe, at.new_pairs, at.epoch % recipe.epochs)
    parts = at.model, at.optimizer, seen, recipe, order, device, at.schedule, at.averaged
    losses = train_epoch(*parts)
    at.seconds += time.perf_counter() - start
    at.epoch, at.steps = at.epoch + 1, len(losses)
    finite = np.isfinite(losses)
    if not finite.all():
        step = int(finite.argmin())
        raise DivergenceError(losses[step], at.epoch, step + 1)
    watched = watched or {}
    is_point = at.epoch % recipe.curve_step == 0
    # Validation pairs choose the epoch, so they are scored in each.
    now = watched if is_point else {n: p for n, p in watched.items() if n == "validation"}
    if not now:
        return
    scored = at.model if at.averaged is None else at.averaged.module
    found = _scores_of(scored, now, recipe, device)
    if not np.isfinite([(these.loss, these.objective) for these in found.values()]).all():
        raise DivergenceError(np.nan, at.epoch, at.steps)  # by its last step, or only here
    if is_point:
        at.curves["objective"].append(_mean_of_steps(losses, recipe.batch_size, len(seen)))
        for name, these in found.items():
            loss = these.objective if name == "validation" else these.loss
            at.curves[f"{name}_loss"].append(loss)
            at.curves[f"{name}_error"].append(these.error)
    if "validation" not in found:
        at.scores = found  # in the end those of the last epoch, which is a point of the curves
    elif at.kept is None or found["validation"].objective < at.best:
        at.best, at.kept_epoch = found["validation"].objective, at.epoch
        at.scores = found if is_point else {}
        at.kept = copy.deepcopy(scored.state_dict())


def _scores_of(
    model: nn.Module, watched: dict[str, Pairs], recipe: Recipe, device: Device
) -> dict[str, Scores]:
    return {name: evaluate(model, pairs, recipe, device) for name, pairs in watched.items()}


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
    steps = recipe.epochs * -(-recipe.epoch_factor * pairs // recipe.batch_size)
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
    device: Device = CPU,
    schedule: LRScheduler | None = None,
    averaged: AveragedModel | None = None,
) -> np.ndarray:
    """Pass once over the pairs and return what was minimised in each step, (steps,) float32.

    schedule, averaged: what follows each step, if the recipe has it.
    """
    model.train()
    n = len(pairs)
    indices = torch.arange(n) if recipe.order == "fixed" else torch.randperm(n, generator=order)
    losses = []
    for batch in indices.to(device.kind).split(recipe.batch_size):
        classes = None if pairs.classes is None else pairs.classes[batch]
        output = device.forward(model, pairs.images[batch])
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


def _mean_of_steps(losses: np.ndarray, batch_size: int, n: int) -> float:
    """Average the losses (steps,) of batches of n pairs, of which the last may be smaller."""
    sizes = np.full(len(losses), batch_size, dtype=np.float32)
    sizes[-1] = n - batch_size * (len(losses) - 1)
    return float(np.cumsum(losses * sizes)[-1]) / n
