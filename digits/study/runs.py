"""A run, its record and its cost."""

import functools
import os
import platform
import subprocess
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch

from digits import core
from digits.data.pairs import draw_round
from digits.data.seeds import streams
from digits.data.sources import Digits, load
from digits.experiments.experiment import Experiment
from digits.models.summary import summary_of
from digits.training.checkpoint import NO_CHECKPOINT, Checkpoint
from digits.training.device import CPU, Device
from digits.training.loop import DivergenceError
from digits.training.record import Diverged, Record
from digits.training.round import train


class Run(NamedTuple):
    """One round of one experiment; the experiment's recipe is that of the study's profile."""

    experiment: Experiment
    seed: int
    device: Device = CPU

    def __str__(self) -> str:
        return f"{self.experiment.id} #{self.seed}"

    def key(self, source: str) -> tuple[str, str, int, str]:
        """What its record is known by (see `Provenance.key`)."""
        return self.experiment.id, self.experiment.recipe.hash, self.seed, source


def execute(run: Run, digits: Digits, checkpoint: Checkpoint = NO_CHECKPOINT) -> Record | Diverged:
    """Train a run and make its record.

    Parameters
    ----------
    run : Run
        Experiment, seed and device.
    digits : Digits
        Where its pairs are drawn from, unless its recipe names others.
    checkpoint : Checkpoint
        Where its training goes on from and is kept.

    Returns
    -------
    Record or Diverged
        The latter if the loss stops being finite.

    Raises
    ------
    InputError
        For a bad seed, more pairs than the pools hold, or a recipe that does not fit the network,
        before training.
    """
    provenance, own = provenance_of(run, digits), run.experiment
    named = own.recipe.digits_of(digits.source)
    drawn = digits if named == digits.source else load(named)
    try:
        measured = train(own.build, own.recipe, run.seed, drawn, run.device, checkpoint)
    except DivergenceError as error:
        return Diverged(**provenance, epoch=error.epoch, step=error.step, fold=error.fold)
    return Record(**provenance, **measured)


def provenance_of(run: Run, digits: Digits) -> dict[str, Any]:
    """Return what the record of a run says of where it comes from."""
    experiment, device = run.experiment, run.device
    return {
        "experiment": experiment.id,
        "recipe": experiment.recipe,
        "recipe_hash": experiment.recipe.hash,
        "seed": run.seed,
        "source": digits.source,
        "source_checksum": digits.checksum,
        "device": device.kind,
        "threads": 1,
        "precision": device.dtype,
        "processor": device.processor,
        "versions": {
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": np.__version__,
        },
        "commit": commit(),
    }


@functools.cache
def commit() -> str:
    """Return the commit of this code's own repository, with "+" if the code differs from it.

    "" without git, and where this file is not one of the repository of `core.ROOT`: then another
    repository may surround it.
    """
    # What a hook of git or a shell has set would name another repository.
    variables = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    root = core.ROOT.resolve()
    there = [f"--git-dir={root / '.git'}", f"--work-tree={root}", "-C", str(root)]
    file = Path(__file__).resolve()

    def git(*command: str) -> str:
        command = ["git", *there, "--no-optional-locks", *command]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=variables)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", str(file))
        # Records are files of the repository as well, and each that is added changes them.
        differs = git("status", "--porcelain", "--", str(file.parent.parent))
        return git("rev-parse", "--short=12", "HEAD") + "+" * bool(differs)
    except (OSError, subprocess.CalledProcessError):
        return ""


def expected_seconds(experiment: Experiment) -> float:
    """Guess how long a run takes, for ordering and for the time left; only ratios matter."""
    recipe = experiment.recipe
    # A training pair costs three forward passes, a scored one one. Measured on one core: 1.5 ms a
    # step beside the arithmetic, and that at 55 GFLOP/s; within a factor of two for all networks.
    epochs = recipe.trainings * recipe.epochs
    steps = sum(-(-pairs // recipe.batch_size) for pairs in recipe.epoch_sizes)
    scored = (recipe.train_pairs + recipe.test_pairs) * epochs / recipe.curve_step
    passes = 3 * sum(recipe.epoch_sizes) * epochs + scored + recipe.precise_pairs
    return epochs * steps * 1.5e-3 + passes * summary_of(experiment.build).flops / 5.5e10


def shard_of(runs: list[Run], shard: tuple[int, int]) -> list[Run]:
    """Return the i-th of n parts of equal cost of `runs`; shard: (i, n)."""
    index, parts = shard
    return runs if parts == 1 else in_order(runs, "longest")[index - 1 :: parts]


#: What is trained first: the longest runs, so that no worker waits for one at the end; the
#: cheapest; or round 0 of everything.
Order = Literal["longest", "cheapest", "rounds"]


def in_order(runs: list[Run], order: Order) -> list[Run]:
    """Return `runs` in the order of training."""
    cost = {run.experiment.id: expected_seconds(run.experiment) for run in runs}
    keys = {
        "longest": lambda run: -cost[run.experiment.id],
        "cheapest": lambda run: cost[run.experiment.id],
        "rounds": lambda run: (run.seed, -cost[run.experiment.id]),
    }
    return sorted(runs, key=keys[order])


def check_data(runs: list[Run], source: str) -> None:
    """Refuse a source that cannot be loaded, and more pairs than its pools hold."""
    load(source)  # all runs name it, also those whose pairs are drawn from other digits
    recipes = {run.experiment.recipe for run in runs}
    for digits, draw in {(recipe.digits_of(source), recipe.draw) for recipe in recipes}:
        draw_round(load(digits), draw, streams(0)["pairs"])
