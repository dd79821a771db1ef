"""A run, what comes of it, and what it costs."""

from typing import NamedTuple

from digits.compute import CPU, Compute
from digits.core import InputError
from digits.data import load
from digits.experiment import Experiment
from digits.models.blocks import flops_a_pair
from digits.records import Failure, Record
from digits.training import train


class Run(NamedTuple):
    """One round of one experiment; the experiment's recipe is that of the study's profile."""

    experiment: Experiment
    seed: int
    compute: Compute = CPU

    def __str__(self) -> str:
        return f"{self.experiment.id} #{self.seed}"


class Outcome(NamedTuple):
    """What came of a run: what is to be kept of it, and why there is no result, "" if there is."""

    run: Run
    record: Record | Failure | None
    failure: str = ""


def expected_seconds(experiment: Experiment) -> float:
    """Guess how long a run takes, for ordering and for the time left; only ratios matter."""
    recipe = experiment.recipe
    # A training pair costs three forward passes, a scored one one. Measured on one core: 1.5 ms a
    # step beside the arithmetic, and that at 55 GFLOP/s; within a factor of two for all networks.
    epochs = recipe.trainings * recipe.epochs
    steps = sum(-(-pairs // recipe.batch_size) for pairs in recipe.epoch_sizes)
    scored = (recipe.train_pairs + recipe.test_pairs) * epochs / recipe.curve_step
    passes = 3 * sum(recipe.epoch_sizes) * epochs + scored + recipe.precise_pairs
    return epochs * steps * 1.5e-3 + passes * flops_a_pair(experiment.build) / 5.5e10


def attempt(run: Run, source: str) -> Outcome:
    """Train one run in a worker process; a fault of one run must not end the others."""
    try:
        record = train(run.experiment, run.seed, load(source), run.compute)
        return Outcome(run, record, str(record) if isinstance(record, Failure) else "")
    except InputError as error:
        return Outcome(run, None, str(error))
    except Exception as error:
        return Outcome(run, None, f"{run}: {type(error).__name__}: {error}")
