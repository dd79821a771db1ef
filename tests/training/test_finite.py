"""Weights and images that are not finite make a record of divergence, never a result."""

import dataclasses

import pytest
import torch

from digits.study.runs import Run, execute
from digits.training import loop
from digits.training.record import Diverged

NAME = "zadoks/twinnet"


def spoiled_after(step, value, monkeypatch):
    """Set a weight to `value` after so many steps of optimisers."""
    make, steps = loop.optimizer_of, 0

    def optimizer_of(model, recipe):
        optimizer = make(model, recipe)

        def spoil(*_):
            nonlocal steps
            steps += 1
            if steps == step:
                with torch.no_grad():
                    next(model.parameters()).view(-1)[0] = value

        optimizer.register_step_post_hook(spoil)
        return optimizer

    monkeypatch.setattr(loop, "optimizer_of", optimizer_of)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_lost_in_the_last_step(tiny_experiment, train_record, monkeypatch, value):
    spoiled_after(8, value, monkeypatch)  # two epochs of four steps
    record = train_record(tiny_experiment(NAME))
    assert isinstance(record, Diverged)
    assert (record.epoch, record.step, record.fold) == (2, 4, None)


def test_weights_that_are_lost_in_the_last_step_of_a_fold(
    tiny_experiment, train_record, monkeypatch
):
    spoiled_after(8 + 4, float("nan"), monkeypatch)  # folds of 50 pairs: two steps an epoch
    record = train_record(tiny_experiment(NAME, folds=2))
    assert isinstance(record, Diverged)
    assert (record.epoch, record.step, record.fold) == (2, 2, 1)


@pytest.mark.parametrize("pool", ["train", "test"])
def test_images_that_are_not_numbers(tiny_experiment, sample, pool):
    images = torch.full_like(getattr(sample, pool).images, float("nan"))
    bad = dataclasses.replace(getattr(sample, pool), images=images)
    record = execute(Run(tiny_experiment(NAME), 0), dataclasses.replace(sample, **{pool: bad}))
    assert isinstance(record, Diverged) and record.epoch == 1
