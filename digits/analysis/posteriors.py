"""From the recorded posteriors of single digits to the errors of every possible pair.

A network that classifies digits decides each of the N x N ordered pairs of test images by the
posteriors of two images, so no pair needs to be drawn: its error is known up to the rounding of the
recorded posteriors.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from digits.analysis.statistics import CONFIDENCE
from digits.data.pairs import images_of_pairs, target_of, two_of
from digits.data.seeds import streams
from digits.data.sources import Digits, Pool
from digits.training.record import Record, unpack_posteriors

Which = np.ndarray | slice
#: Random pairs of test images on which probabilities are judged.
PAIRS = 200_000
#: For each digit of the first image, the digits of the second that are not lesser.
NOT_LESSER = np.triu(np.ones((10, 10), dtype=np.float32))
#: Whether a pair of the digits i and j that is read as k and l is decided wrongly, by i, k, j, l.
MISREAD = (NOT_LESSER[:, None, :, None] != NOT_LESSER[None, :, None, :]).astype(float)
#: Of two images that are each some digit with this probability, P(a <= b) is above 0.56 if that of
#: the first is not the greater, and below 0.44 if it is.
SURE = 0.75


def lesser_or_equal(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return P(a <= b) (N, M) of posteriors (N, 10) of a and (M, 10) of b."""
    return first.astype(np.float32) @ NOT_LESSER @ second.astype(np.float32).T


def tempered(posteriors: np.ndarray, temperature: float) -> np.ndarray:
    """Return posteriors (N, 10) of logits divided by `temperature`: below 1 surer of themselves."""
    return softmax(np.log(np.maximum(posteriors, 1e-30)) / temperature, axis=1)


def of_test_images(records: list[Record], temperature: float = 1.0) -> dict[int, np.ndarray]:
    """Return the recorded posteriors (N, 10) of all test images, at a temperature, by seed."""
    return {
        record.seed: tempered(unpack_posteriors(record.test_posteriors), temperature)
        for record in records
    }


class Errors(NamedTuple):
    """The errors of one network over all ordered pairs of two different test images, in per cent.

    by_digits: (10, 10), by the digits of the pair. by_image: (N,), over the pairs that an image
    takes part in, as the first or the second; the mean of these is `error`.
    """

    error: float
    by_digits: np.ndarray
    by_image: np.ndarray


def all_pairs(posteriors: np.ndarray, classes: np.ndarray) -> Errors:
    """Return the errors of posteriors (N, 10) of images of the digits `classes` (N,).

    Two images that are both surely some digit are decided by these two digits, so such pairs are
    counted by digit and by what it is read as. Only pairs of another image, of which there are few,
    are decided one by one.
    """
    named, sure = posteriors.argmax(axis=1), posteriors.max(axis=1) >= SURE
    doubtful = np.flatnonzero(~sure)
    read = np.zeros((10, 10))
    np.add.at(read, (classes[sure], named[sure]), 1)
    wrong = np.einsum("ik,ikjl,jl->ij", read, MISREAD, read, optimize=True)
    of_read = np.einsum("ikjl,jl->ik", MISREAD, read) + np.einsum("ikjl,ik->jl", MISREAD, read)
    of_image = np.where(sure, of_read[classes, named], 0)
    # A doubtful image first, with all others, and second, with the others that are sure.
    first = lesser_or_equal(posteriors[doubtful], posteriors) > 0.5
    first ^= classes[doubtful, None] <= classes
    first[range(len(doubtful)), doubtful] = False  # an image is not paired with itself
    second = lesser_or_equal(posteriors, posteriors[doubtful]) > 0.5
    second ^= classes[:, None] <= classes[doubtful]
    second[doubtful] = False
    digits = np.eye(10, dtype=np.float32)[classes]
    wrong += digits[doubtful].T @ (first @ digits) + digits.T @ (second @ digits[doubtful])
    of_image += first.sum(axis=0) + second.sum(axis=1)
    of_image[doubtful] += first.sum(axis=1) + second.sum(axis=0)
    counts = np.bincount(classes, minlength=10)
    pairs = np.outer(counts, counts) - np.diag(counts)
    return Errors(
        error=100 * wrong.sum() / pairs.sum(),
        by_digits=100 * wrong / np.maximum(pairs, 1),
        by_image=100 * of_image / (2 * (len(classes) - 1)),
    )


def errors_of(
    kept: dict[str, dict[int, np.ndarray]], pool: Pool | None
) -> dict[str, dict[int, Errors]]:
    """Return the errors over all pairs of test images by network and round, {} without a pool.

    kept: posteriors by network and round, as `of_test_images` gives them.
    """
    if pool is None:
        return {}
    classes = pool.classes.numpy()
    return {
        name: {seed: all_pairs(posteriors, classes) for seed, posteriors in rounds.items()}
        for name, rounds in kept.items()
    }


def errors_by_image(errors: dict[str, dict[int, Errors]]) -> dict[str, dict[int, np.ndarray]]:
    """Return the share of errors of each test image (N,) by network and round."""
    return {
        name: {seed: found.by_image for seed, found in rounds.items()}
        for name, rounds in errors.items()
    }


def crossed_interval(by_round: list[np.ndarray]) -> pd.Series:
    """Return the mean error over all pairs (mean) and its 95 % interval (low, high), in per cent.

    by_round: the errors by image (N,) of each round (see `Errors`). Rounds and images are crossed,
    and the variance of the mean is that of rounds plus that of images, so the interval is for other
    rounds and other test images. Other images change the error of a round by twice the mean of
    their centred errors: the linear part (Hoeffding's projection) of what other pairs would do. A
    t interval with Satterthwaite's degrees of freedom; NaN for fewer than two rounds, or if no
    error differs from another.
    """
    errors = np.stack(by_round)
    (rounds, images), overall = errors.shape, errors.mean(axis=1)
    centred = errors - overall[:, None]
    if rounds < 2 or np.allclose(errors, overall[0]):
        return pd.Series({"mean": overall.mean(), "low": np.nan, "high": np.nan})
    of_rounds = overall.var(ddof=1) / rounds
    of_images = 4 * centred.mean(axis=0).var(ddof=1) / images
    variance = of_rounds + of_images
    freedom = variance**2 / (of_rounds**2 / (rounds - 1) + of_images**2 / (images - 1))
    low, high = stats.t.interval(CONFIDENCE, freedom, overall.mean(), np.sqrt(variance))
    return pd.Series({"mean": overall.mean(), "low": low, "high": high})


def by_distance(errors: list[Errors]) -> pd.DataFrame:
    """Return one row per network and difference b - a: distance, error in per cent, network."""
    rows = []
    for number, found in enumerate(errors):
        for distance in range(-9, 10):
            error = np.diagonal(found.by_digits, offset=distance).mean()
            rows.append({"network": number, "distance": distance, "error": error})
    return pd.DataFrame(rows)


def hardest_pairs(by_seed: dict[int, np.ndarray], pool: Pool, n: int) -> pd.DataFrame:
    """Return the pairs that most rounds get wrong, the surest of their mistakes first.

    Among the pairs of the 400 images of the test pool that the rounds together name worst, with
    every image in one pair only. Columns: first, second (images of the pool), wrong (rounds), of,
    p (mean P(a <= b)), read_first and read_second (the most likely digit of each image by the mean
    posterior), and sure_first, sure_second (that posterior).
    """
    classes = pool.classes.numpy()
    posteriors = np.stack(list(by_seed.values()))
    right = posteriors[:, np.arange(len(classes)), classes].mean(axis=0)
    worst = np.argsort(right, kind="stable")[: min(400, len(classes))]
    p = np.stack([lesser_or_equal(own[worst], own[worst]) for own in posteriors])
    truth = classes[worst][:, None] <= classes[worst][None, :]
    wrong = ((p > 0.5) != truth).sum(axis=0)
    np.fill_diagonal(wrong, 0)
    sure = np.abs(p.mean(axis=0) - truth)
    rows, used = [], set()
    for place in np.lexsort((-sure.ravel(), -wrong.ravel())):
        a, b = divmod(int(place), len(worst))
        if len(rows) == n or 2 * wrong[a, b] <= len(posteriors):
            break
        if a in used or b in used:
            continue
        used |= {a, b}
        found = {"first": worst[a], "second": worst[b], "wrong": wrong[a, b], "of": len(posteriors)}
        found["p"] = p[:, a, b].mean()
        for name in ("first", "second"):
            believed = posteriors[:, found[name]].mean(axis=0)
            found |= {f"read_{name}": believed.argmax(), f"sure_{name}": believed.max()}
        rows.append(found)
    return pd.DataFrame(rows)


def best_temperature(records: list[Record], digits: Digits) -> float:
    """Return the temperature of the least loss of the target on held-out folds, 1 without any.

    records: of cross-validations, with their posteriors; no test image has a say.
    """
    if not records:
        return 1.0
    posteriors, target = [], []
    for record in records:
        stream = streams(record.seed, record.recipe.varies)["pairs"]
        train, _ = images_of_pairs(digits, record.recipe.train_pairs, 1, stream)
        posteriors.append(unpack_posteriors(record.fold_posteriors))
        target.append(target_of(digits.train.classes[train]).numpy())
    posteriors, target = np.concatenate(posteriors), np.concatenate(target)
    pairs = slice(0, None, 2), slice(1, None, 2)  # the images of a pair follow each other

    def loss(log_temperature: float) -> float:
        return log_loss(target, of_pairs(tempered(posteriors, np.exp(log_temperature)), *pairs))

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def log_loss(target: np.ndarray, p: np.ndarray) -> float:
    """Return the mean of -log of the probability that P(a <= b) (N,) gives to `target` (N,)."""
    least = np.finfo(float).eps  # whoever is sure and wrong loses much, and not without bound
    return float(-np.log(np.where(target == 1, p, 1 - p).clip(least, 1 - least)).mean())


def of_pairs(posteriors: np.ndarray, first: Which, second: Which) -> np.ndarray:
    """Return P(a <= b) (N,) of N pairs: which of the images with posteriors (M, 10) make them."""
    not_greater = posteriors.cumsum(axis=1)  # than each digit
    p = np.einsum("ij,ij->i", not_greater[first], posteriors[second])
    return p.clip(0, 1)  # rounding may leave it


def random_pairs(classes: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return n random pairs of two different images, always the same: first, second, target."""
    first, second = two_of(len(classes), n, np.random.default_rng(0)).T
    return first, second, (classes[first] <= classes[second]).astype(int)


def before_and_after(
    by_seed: dict[int, np.ndarray], pool: Pool, temperature: float
) -> dict[str, dict[str, float]]:
    """Return what a temperature changes, as means over rounds: error, calibration, loss.

    Beside the sum over the digits, at temperature 1, which is as trained, and at the other one, the
    most likely digits compared.
    """
    classes = pool.classes.numpy()
    first, second, target = random_pairs(classes, PAIRS)
    found = {}
    for name, t in (("temperature 1", 1.0), (f"temperature {temperature:.2f}", temperature)):
        own = {seed: tempered(posteriors, t) for seed, posteriors in by_seed.items()}
        p = {seed: of_pairs(these, first, second) for seed, these in own.items()}
        found[name] = {
            "error": np.mean([all_pairs(these, classes).error for these in own.values()]),
            "calibration": expected_calibration_error(_come_true(p, target)).mean(),
            "loss": np.mean([log_loss(target, these) for these in p.values()]),
        }
    named = [np.eye(10)[posteriors.argmax(axis=1)] for posteriors in by_seed.values()]
    error = np.mean([all_pairs(these, classes).error for these in named])
    # Sure of all it says: its calibration is its error, and the loss of a mistake has no bound.
    found["most likely digits"] = {"error": error, "calibration": error, "loss": np.inf}
    return found


def calibration(by_seed: dict[int, np.ndarray], pool: Pool, temperature: float) -> pd.DataFrame:
    """Return how P(a <= b) and what comes true agree, on random pairs of the test pool.

    temperature: of the posteriors. One row per seed and bin of P: seed, bin (its middle), p (the
    mean in it), share (of the pairs in it whose first digit is not greater), pairs.
    """
    first, second, target = random_pairs(pool.classes.numpy(), PAIRS)
    p = {seed: of_pairs(tempered(p, temperature), first, second) for seed, p in by_seed.items()}
    return _come_true(p, target)


def _come_true(by_seed: dict[int, np.ndarray], target: np.ndarray) -> pd.DataFrame:
    """Return what `calibration` does, of P(a <= b) (N,) by seed and the targets (N,) of pairs."""
    edges, tables = np.linspace(0, 1, 11), []
    for seed, p in by_seed.items():
        place = np.searchsorted(edges[1:-1], p)
        pairs, sums, true = (np.bincount(place, of, 10) for of in (None, p, target))
        table = {"seed": seed, "bin": (edges[:-1] + edges[1:]) / 2, "p": sums, "share": true}
        tables.append(pd.DataFrame(table | {"pairs": pairs})[pairs > 0])
    found = pd.concat(tables, ignore_index=True)
    return found.assign(p=found.p / found.pairs, share=found.share / found.pairs)


def expected_calibration_error(table: pd.DataFrame) -> pd.Series:
    """Return the mean distance of P and what came true, in points, by seed (see `calibration`)."""
    gaps = (table.p - table.share).abs() * table.pairs
    return 100 * gaps.groupby(table.seed).sum() / table.pairs.groupby(table.seed).sum()
