"""The pairs are those of the course, and a round draws the same ones for every network."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from digits.core import InputError
from digits.data.pairs import Draw, draw_pairs, draw_pairs_reusing_images, draw_round, example_pair
from digits.data.seeds import streams
from digits.data.sources import Pool


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def numbered():
    """A pool of 40 images whose every pixel is the image's number; classes cycle."""
    number = torch.arange(40)
    images = number.float().view(-1, 1, 1).expand(-1, 14, 14)
    return Pool(number.view(-1, 1, 1).expand(-1, 28, 28).byte(), images, number % 10)


@given(n=st.integers(1, 20), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_pairs_use_no_image_twice_and_keep_image_class_and_target_together(n, seed):
    number = torch.arange(40)
    pool = Pool(number.byte(), number.float().view(-1, 1, 1).expand(-1, 14, 14), number % 10)
    pairs = draw_pairs(pool, n, rng(seed))
    used = pairs.images[:, :, 0, 0].long()
    assert len(used.flatten().unique()) == 2 * n
    assert torch.equal(pairs.classes, used % 10)
    assert torch.equal(pairs.target, (pairs.classes[:, 0] <= pairs.classes[:, 1]).long())


def test_ties_have_target_one(numbered):
    pairs = draw_pairs_reusing_images(numbered, 500, rng())
    ties = pairs.classes[:, 0] == pairs.classes[:, 1]
    assert ties.any()
    assert pairs.target[ties].all()


@pytest.mark.parametrize("of", ["pool", "pairs"])
def test_pairs_that_reuse_images_never_pair_an_image_with_itself(numbered, of):
    if of == "pool":
        pairs, count = draw_pairs_reusing_images(numbered, 5000, rng()), 40
    else:
        pairs, count = draw_pairs(numbered, 6, rng()).reusing_images(5000, rng()), 12
    used = pairs.images[:, :, 0, 0]
    assert (used[:, 0] != used[:, 1]).all()
    assert len(used[:, 1].unique()) == count  # and reaches every image
    assert torch.equal(pairs.classes, used.long() % 10)
    assert torch.equal(pairs.target, (pairs.classes[:, 0] <= pairs.classes[:, 1]).long())


def test_55_percent_of_targets_are_one(sample):
    shares = [draw_pairs(sample.train, 1000, rng(k)).target.float().mean() for k in range(20)]
    assert abs(np.mean(shares) - 0.55) < 0.012  # 20,000 pairs: SD 0.0035


@pytest.mark.parametrize("n", [0, -1, 1251])
def test_more_pairs_than_the_pool_holds_are_refused(sample, n):
    with pytest.raises(InputError, match=rf"{n} pairs .* 2500 images: ask for 1 to 1250"):
        draw_pairs(sample.train, n, rng())


def test_the_number_of_pairs_of_one_kind_does_not_change_the_others(sample):
    first = draw_round(sample, Draw(100, 80, 300), streams(4)["pairs"])
    fewer = draw_round(sample, Draw(50, 80, 300), streams(4)["pairs"])
    assert torch.equal(first.train.images[:50], fewer.train.images)
    assert torch.equal(first.test.images, fewer.test.images)
    assert torch.equal(first.large.images, fewer.large.images)
    other = draw_round(sample, Draw(100, 80, 300), streams(5)["pairs"])
    assert not torch.equal(first.train.images, other.train.images)


def test_standardised_pixels_use_the_training_pairs_for_all(sample):
    raw = draw_round(sample, Draw(100, 80, 300), streams(0)["pairs"])
    new = draw_round(sample, Draw(100, 80, 300, standardised=True), streams(0)["pairs"])
    assert new.train.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert new.train.images.std().item() == pytest.approx(1, abs=1e-5)
    mean, sd = raw.train.images.mean(), raw.train.images.std()
    assert (raw.mean.item(), raw.sd.item()) == (0, 1)
    assert (new.mean, new.sd) == (mean, sd)
    assert torch.allclose(new.test.images * sd + mean, raw.test.images, atol=1e-3)
    assert torch.allclose(new.large.images * sd + mean, raw.large.images, atol=1e-3)


def test_an_example_pair_is_of_the_digits_asked_for(sample):
    for first, second in ((4, 9), (9, 4), (7, 7)):
        pair = example_pair(sample.test, first, second, 3)
        assert pair.classes.tolist() == [[first, second]]
        assert pair.target.tolist() == [int(first <= second)]
        assert not torch.equal(pair.images[0, 0], pair.images[0, 1])
    other = example_pair(sample.test, 7, 7, 4)
    assert torch.equal(other.images[0, 0], pair.images[0, 1])  # the next of them


@pytest.mark.parametrize(("first", "number"), [(10, 0), (-1, 0), (4, 250), (4, -1)])
def test_an_example_that_is_not_there_is_refused(first, number, sample):
    with pytest.raises(InputError, match=f"there is no image {number} of digit {first}: choose"):
        example_pair(sample.test, first, 9, number)


def test_the_last_example_can_be_asked_for(sample):
    for second, last in ((9, 249), (4, 248)):
        example_pair(sample.test, 4, second, last)
        with pytest.raises(InputError, match=f"choose 0 to {last}"):
            example_pair(sample.test, 4, second, last + 1)


@pytest.mark.parametrize(("first", "number"), [("4", 0), (4.0, 0), (4, 1.5), (None, 0)])
def test_an_example_is_asked_for_by_whole_numbers(first, number, sample):
    with pytest.raises(InputError, match=f"image {number}: give three whole numbers"):
        example_pair(sample.test, first, 9, number)


def test_pairs_as_classes_hold_the_true_classes_and_nothing_of_the_images(sample):
    draw = Draw(50, 40, 60)
    seen = draw_round(sample, draw, streams(3)["pairs"])
    named = draw_round(sample, draw._replace(as_classes=True), streams(3)["pairs"])
    for images, classes in zip(seen[:3], named[:3], strict=True):
        assert torch.equal(images.classes, classes.classes)
        assert torch.equal(images.target, classes.target)
        assert classes.images.shape == images.images.shape
        assert torch.equal(classes.images[:, :, 0].argmax(dim=2), classes.classes)
        assert torch.equal(classes.images.sum(dim=(2, 3)), torch.ones(len(classes), 2))
