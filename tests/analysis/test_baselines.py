"""Simple methods are scored on the pairs that the networks see."""

import pytest
import torch

from digits.analysis.baselines import BASELINES, RENDERINGS, baseline_errors, resolution_errors
from digits.data.pairs import draw_round
from digits.data.seeds import streams


def test_always_lesser_or_equal_errs_on_all_other_targets(sample, tiny):
    errors = baseline_errors(sample, tiny, (0, 1)).set_index(["baseline", "seed"]).test_error
    assert len(errors) == 2 * len(BASELINES)
    for seed in (0, 1):
        target = draw_round(sample, tiny.draw, streams(seed)["pairs"]).test.target
        assert errors["always ≤", seed] == pytest.approx(100 * (target == 0).double().mean().item())


def test_naming_the_digits_beats_learning_the_target_from_pixels(sample, tiny):
    recipe = tiny.but(train_pairs=1000, test_pairs=1000)
    mean = baseline_errors(sample, recipe, (0,)).groupby("baseline").test_error.mean()
    assert mean["nearest neighbour on digits, compared"] < mean["nearest neighbour on pairs"]
    assert mean["always ≤"] > mean["logistic regression on pairs"]


def test_renderings_are_judged_on_the_same_digits(sample, tiny):
    errors = resolution_errors(sample, tiny, (0, 1))
    assert errors.groupby("rendering").size().to_dict() == dict.fromkeys(RENDERINGS, 2)
    assert errors.digit_error.between(0, 60).all()
    assert errors.equals(resolution_errors(sample, tiny, (0, 1)))


def test_the_courses_rendering_is_the_pools_images(sample):
    originals = sample.train.originals[:50].float()
    assert torch.equal(RENDERINGS["14x14, 2x2 averages"](originals), sample.train.images[:50])
    assert RENDERINGS["14x14, every second pixel"](originals).shape == (50, 14, 14)
