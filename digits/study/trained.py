"""A trained network in hand: rebuilt from the seed of its run, to try on pairs of one's own."""

import contextlib
import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from digits.core import InputError
from digits.data.sources import load, pool_2x2
from digits.study import checkpoints
from digits.study.runs import Run
from digits.study.study import Study
from digits.training.loop import DivergenceError
from digits.training.record import Diverged, Record, weights_hash
from digits.training.round import train_network


class Beliefs(NamedTuple):
    """What a network believes of N pairs.

    not_greater: (N,) the probability that the first digit is less than or equal to the second.
    digits: (N, 2, 10) the probability of each digit in each image; None for a network that is not
        trained on digit labels.
    """

    not_greater: np.ndarray
    digits: np.ndarray | None


@dataclass(frozen=True)
class TrainedNetwork:
    """A network, trained again from the seed of its run.

    mean, sd: what is subtracted from pixels and what they are divided by.
    record: of the run; None without one.
    """

    run: Run
    model: nn.Module
    mean: float
    sd: float
    record: Record | None

    @property
    def same_weights(self) -> bool | None:
        """Whether its weights equal those of the record, bit by bit; None without a record."""
        return None if self.record is None else weights_hash(self.model) == self.record.weights

    def __str__(self) -> str:
        """Say which network it is, and whether it is the one of the record."""
        if self.record is None:
            return f"{self.run}, trained here; the run has no record."
        if self.same_weights:
            return f"{self.run}, trained here; its weights equal those of the record, bit by bit."
        here, torch_there = self.run.device.processor, self.record.versions["torch"]
        there = self.record.processor or "an unknown processor"  # the oldest records
        return (
            f"{self.run}, trained here; its weights are not bit by bit those of the record, which "
            f"was made on {there} with torch {torch_there}. This is {here} "
            f"with torch {torch.__version__}: other processors and versions round sums otherwise."
        )

    @torch.inference_mode()
    def believe(self, pairs) -> Beliefs:
        """Return what the network believes of pairs of images.

        pairs: array_like (N, 2, 14, 14), or (N, 2, 28, 28) as MNIST has them, or one such pair
        without N: grey pixels from 0 (background) to 255 (ink). `InputError` for others, and if
        the network takes the digits themselves.
        """
        if self.run.experiment.recipe.as_classes:
            raise InputError(
                f"{self.run.experiment.id} compares two known digits and reads no images: choose "
                "another network."
            )
        self.model.eval()
        output = self.model((_images(pairs) - self.mean) / self.sd)
        squared = self.run.experiment.recipe.loss == "mean_squared_error"
        digits = [auxiliary for auxiliary in output.auxiliary if auxiliary.ndim == 3]
        named = None
        if digits:  # scores of single digits, trained to be 0 or 1, or logits
            scores = digits[-1].clamp(min=1e-6) if squared else digits[-1].softmax(dim=2)
            named = (scores / scores.sum(dim=2, keepdim=True)).numpy()
        return Beliefs(_probability(output.target).numpy(), named)


def _probability(target: Tensor) -> Tensor:
    """Return P(a <= b) of logits (N, 2) or (N, 1), or of a score (N,)."""
    if target.ndim == 1:
        return target.clamp(0, 1)
    return target[:, 0].sigmoid() if target.shape[1] == 1 else target.softmax(dim=1)[:, 1]


def _images(pairs) -> Tensor:
    try:
        images = torch.as_tensor(np.asarray(pairs), dtype=torch.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{type(pairs).__name__} holds no images: {error}.") from None
    images = images.unsqueeze(0) if images.ndim == 3 else images
    shapes = ((2, 14, 14), (2, 28, 28))
    if images.ndim != 4 or tuple(images.shape[1:]) not in shapes or not len(images):
        raise InputError(
            f"images of shape {tuple(np.shape(pairs))} are no pairs: give (N, 2, 14, 14), "
            "(N, 2, 28, 28), or one pair without N."
        )
    low, high = images.min().item(), images.max().item()
    if not (low >= 0 and high <= 255 and high > 1):
        raise InputError(
            f"pixels from {low:g} to {high:g} are not grey values: give them from 0 (background) "
            "to 255 (ink)."
        )
    return pool_2x2(images.flatten(0, 1)).unflatten(0, (-1, 2)) if images.shape[2] == 28 else images


def rebuild(
    run: Run, source: str, record: Record | None = None, folder: Path | None = None
) -> TrainedNetwork:
    """Train the network of a run again and compare it with its record; seconds for small ones.

    folder: of the records, where weights are kept once they were trained. The second call for a
        run costs nothing, the first of another process no training.
    """
    path = folder and folder / source / f"{run.experiment.id}.{run.seed}.weights"
    if path and (kept := _kept(run, source, path, record)):
        return kept
    network = TrainedNetwork(run, *_trained(run, source), record)
    if path:
        with contextlib.suppress(OSError):  # it only saves time
            _keep(network, path, checkpoints.made_by(run, load(source)))
    return network


def _keep(network: TrainedNetwork, path: Path, made_by: dict[str, Any]) -> None:
    content = {"model": network.model.state_dict(), "mean": network.mean, "sd": network.sd}
    content["made_by"] = made_by
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoints.save(content, path)


def _kept(run: Run, source: str, path: Path, record: Record | None) -> TrainedNetwork | None:
    """Return the network whose weights are kept at `path`.

    If they are those of the record, or training here and now would give the same ones again.
    """
    if not path.is_file():
        return None
    model = run.experiment.build()
    try:
        content = checkpoints.load(path)
        model.load_state_dict(content["model"])
        network = TrainedNetwork(run, model, float(content["mean"]), float(content["sd"]), record)
        made_by = content["made_by"]
    except Exception:  # whatever a damaged file makes torch raise
        return None
    again = network.same_weights or made_by == checkpoints.made_by(run, load(source))
    return network if again else None


@functools.lru_cache(32)
def _trained(run: Run, source: str) -> tuple[nn.Module, float, float]:
    """Return the network, and what is subtracted from pixels and what they are divided by."""
    experiment = run.experiment
    digits = load(experiment.recipe.digits_of(source))
    model, pairs = train_network(experiment.build, experiment.recipe, run.seed, digits, run.device)
    return model.cpu(), pairs.mean.item(), pairs.sd.item()


def network_of(study: Study, experiment: str, seed: int = 0) -> TrainedNetwork:
    """Return the network of a round of an experiment, trained again (see `rebuild`).

    Parameters
    ----------
    study : Study
        Where the round belongs: its profile, its digits, its records.
    experiment : str
        The id of the experiment.
    seed : int
        The round.

    Returns
    -------
    TrainedNetwork
        Ready to be asked what it believes.

    Raises
    ------
    InputError
        For an experiment or a round that the study does not run, or a round that diverges.
    """
    runs = {run.seed: run for run in study.runs(experiment) if run.experiment.id == experiment}
    if seed not in runs:
        raise InputError(
            f"{experiment} has no round {seed!r} in profile {study.profile!r}: choose among "
            f"{', '.join(map(str, runs)) or 'other experiments'}."
        )
    run = runs[seed]
    record = study.store.of_runs([run]).get(run.key(study.source))
    try:
        if isinstance(record, Diverged):
            raise InputError(f"{record}: choose another round.")
        return rebuild(run, study.source, record, study.store.folder)
    except DivergenceError as error:
        raise InputError(f"{run} has no network, since {error}: choose another round.") from None
