"""Where a training stands, so that a run that is cut short can go on with the same bits."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler
from torch.optim.swa_utils import AveragedModel

from digits.training.evaluation import Scores


@dataclass
class Progress:
    """All that the next epoch of a training depends on, and what it has found so far.

    epoch: how many epochs are done; steps: of the last one. best: the lowest objective of the
    validation pairs; kept, kept_epoch: the weights and the epoch that it belongs to. seconds: of
    the training steps. curves, scores: see `loop.Fitted`.
    """

    model: nn.Module
    averaged: AveragedModel | None
    order: torch.Generator
    new_pairs: torch.Generator
    kept_epoch: int
    optimizer: torch.optim.Optimizer | None = None
    schedule: LRScheduler | None = None
    epoch: int = 0
    steps: int = 0
    best: float = np.inf
    kept: dict[str, Any] | None = None
    seconds: float = 0.0
    curves: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    scores: dict[str, Scores] = field(default_factory=dict)

    #: What is a value itself, and what has a state that is loaded.
    _VALUES = ("epoch", "steps", "best", "kept", "kept_epoch", "seconds")
    _LOADED = ("model", "averaged", "optimizer", "schedule")

    def state(self) -> dict[str, Any]:
        """Return it as tensors, numbers, texts, lists and dicts, as nothing else is read again."""
        state = {name: getattr(self, name) for name in self._VALUES}
        for name in self._LOADED:
            part = getattr(self, name)
            state[name] = None if part is None else part.state_dict()
        state["curves"] = dict(self.curves)
        state["scores"] = {name: scores._asdict() for name, scores in self.scores.items()}
        state["random"] = [
            torch.get_rng_state(),
            self.order.get_state(),
            self.new_pairs.get_state(),
        ]
        if next(self.model.parameters()).is_cuda:
            state["random"].append(torch.cuda.get_rng_state())
        return state

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to where `state` was taken; optimizer and schedule are new ones."""
        for name in self._VALUES:
            setattr(self, name, state[name])
        for name in self._LOADED:
            if state[name] is not None:
                getattr(self, name).load_state_dict(state[name])
        self.curves = defaultdict(list, state["curves"])
        self.scores = {name: Scores(**scores) for name, scores in state["scores"].items()}
        here, order, new_pairs, *card = state["random"]
        torch.set_rng_state(here)
        self.order.set_state(order)
        self.new_pairs.set_state(new_pairs)
        if card:
            torch.cuda.set_rng_state(*card)


class Checkpoint:
    """Where the trainings of one run are kept by name; this one keeps nothing.

    spent: the seconds that went into what it has.
    """

    spent: float = 0.0

    def of(self, part: str) -> dict[str, Any] | None:
        """Return the state that was kept of a training, None if there is none."""
        return None

    def keep(self, part: str, progress: Progress, done: bool) -> None:
        """Keep the state of a training that is `done` or goes on, if it is time to."""


NO_CHECKPOINT = Checkpoint()
