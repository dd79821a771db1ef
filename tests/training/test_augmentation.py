"""Distorted and newly paired images: in range, of the right class, of the fitted pairs alone."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import ndimage

from digits.data.pairs import RoundPairs, draw_pairs, draw_pairs_reusing_images
from digits.data.seeds import streams
from digits.models.zadoks import twin_net
from digits.training import augmentation, loop
from digits.training import round as rounds
from digits.training.augmentation import BEND, augment, bending, distort, permute, re_pair, sample
from digits.training.round import cross_validate, train


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images(sample):
    return sample.train.images[:200]


@pytest.mark.parametrize("elastic", [False, True])
@pytest.mark.parametrize("standardised", [False, True])
def test_a_distorted_image_stays_in_the_range_of_its_pixels(images, elastic, standardised):
    if standardised:
        images = (images - images.mean()) / images.std()
    for seed in range(5):
        new = distort(images, generator(seed), elastic)
        assert new.shape == images.shape and torch.isfinite(new).all()
        assert (new >= images.amin(dim=(1, 2), keepdim=True) - 1e-4).all()
        assert (new <= images.amax(dim=(1, 2), keepdim=True) + 1e-4).all()
        ink = (new - new.amin()).sum() / (images - images.amin()).sum()
        assert 0.8 < ink < 1.2  # still digits
        changed = (new - images).abs().amax(dim=(1, 2)) > 0.05 * (images.max() - images.min())
        assert changed.float().mean() > 0.95


def test_each_image_and_each_epoch_has_a_distortion_of_its_own(images):
    same = images[:1].expand(20, -1, -1)
    random = generator()
    first, second = distort(same, random, elastic=True), distort(same, random, elastic=True)
    assert len(torch.unique(torch.cat([first, second]), dim=0)) == 40
    assert torch.equal(first, distort(same, generator(), elastic=True))


def test_a_distortion_is_scipys_of_the_same_angle_scale_shear_and_shift(images):
    new = distort(images[:30], random := generator(), elastic=False)
    again = generator()

    def drawn(most):
        return (2 * torch.rand(30, 1, 1, generator=again) - 1).flatten().double().numpy() * most

    angle, shear = drawn(augmentation.ROTATION), drawn(augmentation.SHEAR)
    across, along = np.exp(drawn(augmentation.SCALING)), np.exp(drawn(augmentation.SCALING))
    right, down = drawn(augmentation.SHIFT), drawn(augmentation.SHIFT)
    assert torch.equal(random.get_state(), again.get_state())  # nothing else was drawn
    for k, image in enumerate(images[:30].double().numpy()):
        turn = [[np.cos(angle[k]), np.sin(angle[k])], [-np.sin(angle[k]), np.cos(angle[k])]]
        slant = [[1, 0], [shear[k], 1]]  # of places (y, x)
        matrix = np.diag([along[k], across[k]]) @ turn @ slant
        offset = 6.5 - matrix @ [6.5, 6.5] + [down[k], right[k]]
        darkest = image.min()
        look = {"order": 1, "mode": "grid-constant", "cval": darkest}
        expected = ndimage.affine_transform(image, matrix, offset, **look)
        assert new[k].numpy() == pytest.approx(expected, abs=0.01 * image.max())


def test_no_strength_is_no_distortion(images, monkeypatch):
    for name in ("ROTATION", "SCALING", "SHEAR", "SHIFT", "BEND"):
        monkeypatch.setattr(augmentation, name, 0.0)
    assert torch.allclose(distort(images, generator(), elastic=True), images, atol=1e-3)


def test_a_shift_by_a_pixel_moves_the_image_by_a_pixel(images):
    y, x = torch.meshgrid(torch.arange(14) - 6.5, torch.arange(14) - 6.5, indexing="ij")
    moved = sample(images, (x + 1).expand(len(images), -1, -1), y.expand(len(images), -1, -1))
    assert torch.allclose(moved[:, :, :-1], images[:, :, 1:], atol=1e-3)
    assert (moved[:, :, -1] == images.amin(dim=(1, 2))[:, None]).all()  # what fills in


def test_bending_is_smooth_and_as_strong_as_it_says():
    fields = bending(500, 14, 14, generator())
    assert fields.std().item() == pytest.approx(BEND, rel=0.03)
    steps = (fields[..., 1:] - fields[..., :-1]).std().item()
    assert steps < 0.5 * BEND  # independent neighbours would differ by 1.4 of it


def test_permuting_uses_every_image_once_with_its_class(sample):
    pairs = draw_pairs(sample.train, 50, np.random.default_rng(0))
    new = permute(pairs, generator())
    assert len(new) == 50
    assert torch.equal(new.target, (new.classes[:, 0] <= new.classes[:, 1]).long())

    def seen(these):
        both = zip(these.images.flatten(0, 1), these.classes.flatten(), strict=True)
        return sorted((image.numpy().tobytes(), int(c)) for image, c in both)

    assert seen(new) == seen(pairs)
    assert not torch.equal(new.classes, pairs.classes)


def test_re_pairing_uses_every_image_once_as_the_first_with_its_class(sample):
    pairs = draw_pairs(sample.train, 50, np.random.default_rng(0))
    images, classes = pairs.images.flatten(0, 1), pairs.classes.flatten()
    generator = torch.Generator().manual_seed(0)
    new, newer = re_pair(pairs, generator), re_pair(pairs, generator)
    assert len(new) == 100
    assert torch.equal(new.images[:, 0], images)
    assert torch.equal(new.classes[:, 0], classes)
    assert torch.equal(new.target, (new.classes[:, 0] <= new.classes[:, 1]).long())
    known = {image.numpy().tobytes(): c for image, c in zip(images, classes, strict=True)}
    for image, c in zip(new.images[:, 1], new.classes[:, 1], strict=True):
        assert known[image.numpy().tobytes()] == c
    assert not torch.equal(new.images[:, 1], newer.images[:, 1])  # anew in every epoch
    second = torch.cat([re_pair(pairs, generator).classes[:, 1] for _ in range(200)])
    shares = torch.bincount(second, minlength=10) / len(second)
    expected = torch.bincount(classes, minlength=10) / 100
    assert torch.allclose(shares, expected, atol=0.02)  # every image equally often


def test_the_last_epochs_of_a_training_may_see_the_images_as_they_are(sample, tiny):
    pairs = draw_pairs(sample.train, 20, np.random.default_rng(0))
    recipe = tiny.but(epochs=5, train_pairs=20, batch_size=20, distortion="affine")
    assert (recipe.distorted_epochs, tiny.distorted_epochs) == (5, 0)
    recipe = recipe.but(undistorted_share=0.4)
    seen = [augment(pairs, recipe, generator(), epoch) for epoch in range(5)]
    assert [torch.equal(these.images, pairs.images) for these in seen] == [False] * 3 + [True] * 2
    assert all(torch.equal(these.classes, pairs.classes) for these in seen)


BOTH = partial(twin_net, shared=True, auxiliary=True)
POISON = 1e6
CHANGES = [
    {"augmentation": "re-pairing"},
    {"augmentation": "permuting", "distortion": "affine"},
    {"distortion": "elastic"},
]


@pytest.fixture
def seen(monkeypatch):
    """The largest pixel of every epoch that is trained."""
    largest = []
    original = loop.train_epoch

    def watching(model, optimizer, pairs, *rest, **more):
        largest.append(pairs.images.max().item())
        clean = type(pairs)(pairs.images.clamp(max=255), pairs.classes, pairs.target)
        return original(model, optimizer, clean, *rest, **more)

    monkeypatch.setattr(loop, "train_epoch", watching)
    return largest


@pytest.mark.parametrize("change", CHANGES)
def test_augmentation_never_takes_from_validation_or_test(change, seen, sample, tiny, monkeypatch):
    """Everything but the fitted pairs has pixels that no fitted image has."""
    recipe = tiny.but(validation_share=0.2, auxiliary_weight=1.0, **change)
    train_pairs = draw_pairs(sample.train, 100, np.random.default_rng(0))
    test_pairs = draw_pairs(sample.test, 80, np.random.default_rng(1))
    large = draw_pairs_reusing_images(sample.test, 300, np.random.default_rng(2))
    for poisoned in (train_pairs.images[recipe.fitted_pairs :], test_pairs.images, large.images):
        poisoned += POISON
    drawn = RoundPairs(train_pairs, test_pairs, large, torch.tensor(0.0), torch.tensor(1.0))
    monkeypatch.setattr(rounds, "draw_round", lambda *_: drawn)
    train(BOTH, recipe, 0, sample)
    assert len(seen) == recipe.epochs and max(seen) <= 255
    # The watch works: with one of those pairs among the fitted it is seen.
    train_pairs.images[0] += POISON
    train(BOTH, recipe, 0, sample)
    assert max(seen) > 255


@pytest.mark.parametrize("change", CHANGES)
def test_augmentation_never_takes_from_the_fold_left_out(change, seen, sample, tiny):
    recipe = tiny.but(folds=5, auxiliary_weight=1.0, epochs=1, **change)
    pairs = draw_pairs(sample.train, 100, np.random.default_rng(0))
    pairs.images[40:60] += POISON  # the third of five folds
    cross_validate(BOTH, recipe, pairs, streams(0))
    assert [largest > 255 for largest in seen] == [True, True, False, True, True]
