"""Simple methods are scored on the pairs that the networks see, and each of them once."""

import pytest
import torch

from digits import core
from digits.analysis import baselines, recorded
from digits.analysis.baselines import BASELINES, RENDERINGS, baseline_errors, resolution_errors
from digits.data.pairs import draw_round
from digits.data.seeds import streams
from digits.study.study import Study


def test_always_lesser_or_equal_errs_on_all_other_targets(sample, tiny):
    errors = baseline_errors("sample", tiny, (0, 1)).set_index(["baseline", "seed"]).test_error
    assert len(errors) == 2 * len(BASELINES)
    for seed in (0, 1):
        target = draw_round(sample, tiny.draw, streams(seed)["pairs"]).test.target
        assert errors["always ≤", seed] == pytest.approx(100 * (target == 0).double().mean().item())


def test_naming_the_digits_beats_learning_the_target_from_pixels(tiny):
    recipe = tiny.but(train_pairs=1000, test_pairs=1000)
    mean = baseline_errors("sample", recipe, (0,)).groupby("baseline").test_error.mean()
    assert mean["nearest neighbour on digits, compared"] < mean["nearest neighbour on pairs"]
    assert mean["always ≤"] > mean["logistic regression on pairs"]


def test_a_nearest_neighbour_knows_what_it_has_seen(sample, monkeypatch, tiny):
    same = sample.train
    monkeypatch.setattr(recorded, "load", lambda _: type(sample)("sample", "", same, same))
    recipe = tiny.but(train_pairs=len(same) // 2, test_pairs=50)  # every image of the pool
    names = ("nearest neighbour on digits, compared",)
    assert baseline_errors("sample", recipe, (0,), names).test_error.tolist() == [0]
    assert (resolution_errors("sample", recipe, (0,)).digit_error == 0).all()


def test_renderings_are_judged_on_the_same_digits(tiny):
    errors = resolution_errors("sample", tiny, (0, 1))
    assert errors.groupby("rendering").size().to_dict() == dict.fromkeys(RENDERINGS, 2)
    assert errors.digit_error.between(0, 60).all()


def test_the_courses_rendering_is_the_pools_images(sample):
    originals = sample.train.originals[:50].float()
    assert torch.equal(RENDERINGS["14x14, 2x2 averages"](originals), sample.train.images[:50])
    assert RENDERINGS["14x14, every second pixel"](originals).shape == (50, 14, 14)


@pytest.mark.parametrize("errors", (baseline_errors, resolution_errors))
def test_what_is_computed_again_is_what_was_recorded(errors, tiny):
    first, path = errors("sample", tiny, (0, 1)), recorded.path_of("sample")
    before = path.read_bytes()
    assert errors("sample", tiny, (0, 1)).equals(first)  # as read
    path.unlink()
    assert errors("sample", tiny, (0, 1)).equals(first)
    assert path.read_bytes() == before


def test_what_is_recorded_is_not_learned_again(tiny, monkeypatch):
    learned, nearest = [], baselines._nearest_neighbour
    counted = lambda: learned.append(1) or nearest()  # noqa: E731
    monkeypatch.setattr(baselines, "_nearest_neighbour", counted)
    assert len(resolution_errors("sample", tiny, (0, 1))) == len(learned) == 8
    for again in ((0, 1), (1,)):
        resolution_errors("sample", tiny, again)
    assert len(learned) == 8
    found = resolution_errors("sample", tiny, (2, 0))
    assert found.seed.tolist() == [2] * 4 + [0] * 4 and len(learned) == 12
    resolution_errors("sample", tiny.but(test_pairs=79), (2,))  # other pairs
    assert len(learned) == 16


def test_the_committed_errors_are_all_that_the_study_shows(monkeypatch):
    """Without MNIST, of which the tests have none."""
    monkeypatch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
    runs = Study(profile="paper", source="mnist").runs("zadoks/twinnet+ws+aux")
    recipe, rounds = runs[0].experiment.recipe, tuple(run.seed for run in runs)
    simple = baseline_errors("mnist", recipe, rounds).groupby("baseline").test_error
    digits = resolution_errors("mnist", recipe, rounds).groupby("rendering").digit_error
    assert (simple.size() == len(rounds)).all() and (digits.size() == len(rounds)).all()
    assert simple.mean()["always ≤"] == pytest.approx(45, abs=1)
    assert len(recorded.read("mnist")) == len(rounds) * (len(BASELINES) + len(RENDERINGS))
