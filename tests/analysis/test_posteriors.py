"""Errors, hardest pairs and calibration from posteriors: against pairs counted one by one."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from digits.analysis import posteriors
from digits.data.pairs import draw_round
from digits.data.seeds import streams
from digits.data.sources import Pool
from digits.training.record import pack_posteriors, unpack_posteriors


def drawn(n, seed=0, sure=2.0):
    """Posteriors of n images and their digits, right for most."""
    random = np.random.default_rng(seed)
    classes = random.integers(10, size=n)
    logits = random.normal(size=(n, 10))
    logits[np.arange(n), classes] += sure
    powers = np.exp(logits)
    return powers / powers.sum(axis=1, keepdims=True), classes


def pool(classes):
    images = torch.zeros(len(classes), 14, 14)
    return Pool(images, images, torch.from_numpy(classes))


def test_errors_over_all_pairs_are_those_counted_one_by_one():
    found, classes = drawn(60)
    wrong, pairs = np.zeros((10, 10)), np.zeros((10, 10))
    for a, b in permutations(range(60), 2):
        p = sum(found[a][i] * found[b][j] for i in range(10) for j in range(i, 10))
        pairs[classes[a], classes[b]] += 1
        wrong[classes[a], classes[b]] += (p > 0.5) != (classes[a] <= classes[b])
    errors = posteriors.all_pairs(found, classes)
    assert 0 < errors.error == pytest.approx(100 * wrong.sum() / pairs.sum())
    assert np.allclose(errors.by_digits, 100 * wrong / np.maximum(pairs, 1))
    rows = posteriors.by_distance([errors]).set_index("distance").error
    assert rows[0] == pytest.approx(np.diag(errors.by_digits).mean())
    assert rows[-9] == errors.by_digits[9, 0] and rows[9] == errors.by_digits[0, 9]


def test_a_temperature_divides_logits():
    found, _ = drawn(20)
    logits = np.log(found)
    expected = np.exp(logits / 0.5) / np.exp(logits / 0.5).sum(axis=1, keepdims=True)
    assert np.allclose(posteriors.tempered(found, 0.5), expected)
    assert np.allclose(posteriors.tempered(found, 1.0), found)
    cold = posteriors.tempered(found, 0.01)
    assert (
        np.array_equal(cold.argmax(axis=1), found.argmax(axis=1)) and cold.max(axis=1).min() > 0.9
    )


def test_the_hardest_pairs_are_wrong_in_most_rounds_and_use_an_image_once():
    by_seed = {}
    for seed in range(4):
        found, classes = drawn(300, seed=0, sure=3.0)
        noise = np.random.default_rng(100 + seed).uniform(0.5, 2.0, size=found.shape)
        by_seed[seed] = found * noise / (found * noise).sum(axis=1, keepdims=True)
    hardest = posteriors.hardest_pairs(by_seed, pool(classes), 8)
    images = [*hardest["first"], *hardest["second"]]
    assert len(images) == len(set(images)) == 16
    assert hardest.wrong.is_monotonic_decreasing and hardest.wrong.iloc[0] == 4
    assert hardest.wrong.min() > 2
    for row in hardest.itertuples():
        truth = classes[row.first] <= classes[row.second]
        p = [
            posteriors.lesser_or_equal(own, own)[row.first, row.second] for own in by_seed.values()
        ]
        assert row.wrong == sum((value > 0.5) != truth for value in p)
        assert row.p == pytest.approx(np.mean(p), abs=1e-5)
        mean = np.mean([own[row.first] for own in by_seed.values()], axis=0)
        assert (row.read_first, row.sure_first) == (mean.argmax(), pytest.approx(mean.max()))


def test_a_network_that_is_never_wrong_has_no_hardest_pairs():
    certain = np.eye(10)[np.arange(100) % 10] * 0.98 + 0.002
    assert posteriors.hardest_pairs({0: certain}, pool(np.arange(100) % 10), 8).empty


def test_probabilities_that_come_true_are_calibrated_and_sharpened_ones_are_not():
    random = np.random.default_rng(0)
    found = random.dirichlet(np.full(10, 0.3), size=20_000)
    classes = np.array([random.choice(10, p=row) for row in found])  # as the posteriors say
    fair, sharp = (
        posteriors.expected_calibration_error(
            posteriors.calibration({0: found}, pool(classes), temperature)
        ).item()
        for temperature in (1.0, 0.3)
    )
    assert fair < 1.0 < 4.0 < sharp
    table = posteriors.calibration({0: found}, pool(classes), 1.0)
    assert table.pairs.sum() == 200_000
    assert np.allclose(table.p, table.share, atol=0.03)


def test_the_temperature_of_the_folds_undoes_a_wrong_one(sample, tiny):
    """Posteriors whose digits are drawn from them, flattened to twice the temperature."""
    recipe = tiny.but(train_pairs=800)

    def record(of):
        packed = pack_posteriors(of.reshape(800, 2, 10))
        return SimpleNamespace(seed=0, recipe=recipe, fold_posteriors=packed)

    classes = draw_round(sample, recipe.draw, streams(0)["pairs"]).train.classes.flatten().numpy()
    random = np.random.default_rng(1)
    found = random.dirichlet(np.full(10, 0.2), size=1600)
    for row, digit in zip(found, classes, strict=True):  # as likely as the row says
        drawn_digit = random.choice(10, p=row)
        row[[digit, drawn_digit]] = row[[drawn_digit, digit]]
    flat = record(posteriors.tempered(found, 2.0))
    assert posteriors.best_temperature([flat], sample) == pytest.approx(0.5, rel=0.2)
    assert posteriors.best_temperature([record(found)], sample) == pytest.approx(1.0, rel=0.2)
    assert posteriors.best_temperature([], sample) == 1


def test_before_and_after_tells_the_error_of_each_temperature():
    found, classes = drawn(300)
    rows = posteriors.before_and_after({0: found}, pool(classes), 0.5)
    assert list(rows) == ["temperature 1", "temperature 0.50", "most likely digits"]
    assert rows["temperature 1"]["error"] == posteriors.all_pairs(found, classes).error
    sharper = posteriors.tempered(found, 0.5)
    assert rows["temperature 0.50"]["error"] == posteriors.all_pairs(sharper, classes).error
    named = found.argmax(axis=1)
    wrong = (named[:, None] <= named) != (classes[:, None] <= classes)
    np.fill_diagonal(wrong, False)
    error = 100 * wrong.sum() / (300 * 299)
    assert rows["most likely digits"]["error"] == pytest.approx(error)


def test_rounding_in_a_record_hardly_changes_an_error():
    found, classes = drawn(2000, sure=4.0)
    packed = unpack_posteriors(pack_posteriors(found))
    errors = [posteriors.all_pairs(these, classes).error for these in (found, packed)]
    assert errors[0] == pytest.approx(errors[1], rel=0.01) and errors[0] > 1
