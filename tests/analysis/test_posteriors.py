"""Errors, hardest pairs and calibration from posteriors: against pairs counted one by one."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.metrics import log_loss

from digits.analysis import posteriors
from digits.analysis.statistics import summarise
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


@pytest.mark.parametrize(("sure", "doubtful"), [(-2.0, 60), (4.0, 22), (9.0, 0)])
def test_errors_over_all_pairs_are_those_counted_one_by_one(sure, doubtful):
    """Of images all of which are doubtful, some and none; a few are misread for sure."""
    found, classes = drawn(60, sure=sure)
    assert (found.max(axis=1) < posteriors.SURE).sum() == doubtful
    classes[::9] = 9 - classes[::9]
    wrong, pairs, wrong_of = np.zeros((10, 10)), np.zeros((10, 10)), np.zeros((60, 60))
    for a, b in permutations(range(60), 2):
        p = sum(found[a][i] * found[b][j] for i in range(10) for j in range(i, 10))
        pairs[classes[a], classes[b]] += 1
        wrong_of[a, b] = (p > 0.5) != (classes[a] <= classes[b])
        wrong[classes[a], classes[b]] += wrong_of[a, b]
    errors = posteriors.all_pairs(found, classes)
    assert 0 < errors.error == pytest.approx(100 * wrong.sum() / pairs.sum())
    assert np.allclose(errors.by_digits, 100 * wrong / np.maximum(pairs, 1))
    by_image = [(wrong_of[a].sum() + wrong_of[:, a].sum()) / (2 * 59) for a in range(60)]
    assert errors.by_image == pytest.approx(100 * np.array(by_image))
    assert errors.by_image.mean() == pytest.approx(errors.error)
    rows = posteriors.by_distance([errors]).set_index("distance").error
    assert rows[0] == pytest.approx(np.diag(errors.by_digits).mean())
    assert rows[-9] == errors.by_digits[9, 0] and rows[9] == errors.by_digits[0, 9]


def misread(random, rounds, images, hard, least):
    """Whether an image is misread in a round, (rounds, images), and the error over all pairs.

    A share `hard` of all images is misread in four of five rounds, times a number for each round
    from `least` to 1; a pair is wrong if one of its images is misread.
    """
    of_round = random.uniform(least, 1, rounds)
    hardness = 0.8 * (random.random(images) < hard)
    mean, square = (1 + least) / 2, (1 + least + least**2) / 3
    truth = 2 * (0.8 * hard) * mean - (0.8 * hard) ** 2 * square
    return random.random((rounds, images)) < hardness * of_round[:, None], 100 * truth


def errors_by_image(wrong):
    """The errors by image, (rounds, images), of images that are misread."""
    others = wrong.sum(axis=1, keepdims=True) - wrong
    return 100 * np.where(wrong, 1, others / (wrong.shape[1] - 1))


@pytest.mark.parametrize(
    ("hard", "least", "alone"),
    # Rounds hardly differ, as those of the best networks; and differ as much as images do.
    [(0.1, 0.8, 0.5), (0.3, 0.2, 0.9)],
)
def test_an_interval_over_rounds_and_images_covers_the_error_of_other_images(hard, least, alone):
    random, studies = np.random.default_rng(0), 250
    both = rounds_alone = 0
    for _ in range(studies):
        wrong, truth = misread(random, rounds=10, images=150, hard=hard, least=least)
        errors = errors_by_image(wrong)
        found, over_rounds = posteriors.crossed_interval(list(errors)), summarise(errors.mean(1))
        assert found["mean"] == pytest.approx(over_rounds["mean"])
        both += found.low <= truth <= found.high
        rounds_alone += over_rounds.low <= truth <= over_rounds.high
    least_likely, most_likely = stats.binom.interval(0.998, studies, 0.95)
    assert least_likely <= both <= most_likely
    assert rounds_alone / studies < alone


def test_the_linear_part_of_resampled_images_is_what_resampled_pairs_give():
    random = np.random.default_rng(1)
    wrong, _ = misread(random, rounds=8, images=120, hard=0.1, least=0.2)
    pairs = 100.0 * (wrong[:, :, None] | wrong[:, None, :])
    pairs[:, range(120), range(120)] = 0  # an image is not paired with itself
    resampled = []
    for _ in range(2000):
        rounds = random.integers(8, size=8)
        counts = np.bincount(random.integers(120, size=120), minlength=120).astype(float)
        error = pairs[rounds].mean(axis=0)
        resampled.append(counts @ error @ counts / (counts.sum() ** 2 - (counts**2).sum()))
    found = posteriors.crossed_interval(list(errors_by_image(wrong)))
    # Of more than twenty degrees of freedom: t is 1.96 to 2.09.
    assert found["mean"] == pytest.approx(pairs.mean() * 120 / 119)
    assert (found.high - found.low) / 4.05 == pytest.approx(np.std(resampled), rel=0.12)


def test_the_interval_is_always_the_same_and_one_round_has_none():
    random = np.random.default_rng(2)
    errors = list(errors_by_image(misread(random, 10, 1000, 0.1, 0.8)[0]))
    first, second = (posteriors.crossed_interval(errors) for _ in range(2))
    assert first.equals(second) and first.low < first["mean"] < first.high
    one = posteriors.crossed_interval(errors[:1])
    assert one["mean"] == pytest.approx(errors[0].mean())
    assert np.isnan(one.low) and np.isnan(one.high)
    for error in (0.0, 45.02):  # never wrong, and the same answer to every pair
        same = posteriors.crossed_interval([np.full(100, error)] * 3)
        assert same["mean"] == pytest.approx(error) and np.isnan(same.low)


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


def test_calibration_by_hand():
    p, target = np.array([0.0, 0.02, 0.44, 0.94, 1.0]), np.array([0, 1, 1, 1, 0])
    table = posteriors._come_true({7: p, 8: np.full(5, 0.3)}, target)
    assert list(table) == ["seed", "bin", "p", "share", "pairs"]
    rows = [(7, 0.05, 0.01, 0.5, 2), (7, 0.45, 0.44, 1, 1), (7, 0.95, 0.97, 0.5, 2)]
    rows.append((8, 0.25, 0.3, 0.6, 5))
    assert table.to_numpy().ravel() == pytest.approx(np.ravel(rows))
    gaps = [100 * (2 * 0.49 + 0.56 + 2 * 0.47) / 5, 30]
    assert posteriors.expected_calibration_error(table).tolist() == pytest.approx(gaps)


def test_the_log_loss_is_that_of_scikit_learn_and_has_a_bound():
    random = np.random.default_rng(0)
    p, target = random.random(1000), random.integers(2, size=1000)
    p[:4], target[:4] = (0, 0, 1, 1), (0, 1, 0, 1)
    assert posteriors.log_loss(target, p) == pytest.approx(log_loss(target, p))
    assert posteriors.log_loss(target[:4], p[:4]) == pytest.approx(np.log(2**52) / 2)


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
