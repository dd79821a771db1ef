"""How hard the task is: what simple methods reach on the same pairs, without a neural network."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch.nn.functional as F
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from digits.data.pairs import Pairs, draw_indices, draw_round
from digits.data.seeds import streams, substreams
from digits.data.sources import Digits
from digits.training.recipe import Recipe


def _decide_by_target(classifier) -> Callable[[Pairs, Pairs], np.ndarray]:
    """Learn the target from the pixels of both images."""

    def decide(train: Pairs, test: Pairs) -> np.ndarray:
        classifier.fit(train.images.flatten(1).numpy(), train.target.numpy())
        return classifier.predict(test.images.flatten(1).numpy())

    return decide


def _decide_by_digits(classifier) -> Callable[[Pairs, Pairs], np.ndarray]:
    """Learn the digits from single images, name both and compare the names."""

    def decide(train: Pairs, test: Pairs) -> np.ndarray:
        classifier.fit(train.images.flatten(0, 1).flatten(1).numpy(), train.classes.flatten())
        digits = classifier.predict(test.images.flatten(0, 1).flatten(1).numpy()).reshape(-1, 2)
        return (digits[:, 0] <= digits[:, 1]).astype(int)

    return decide


def _logistic_regression():
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


#: Name of each baseline, and how it decides test pairs after seeing training pairs.
BASELINES = {
    "always ≤": _decide_by_target(DummyClassifier(strategy="most_frequent")),
    "nearest neighbour on pairs": _decide_by_target(KNeighborsClassifier(1)),
    "logistic regression on pairs": _decide_by_target(_logistic_regression()),
    "logistic regression on digits, compared": _decide_by_digits(_logistic_regression()),
    "nearest neighbour on digits, compared": _decide_by_digits(KNeighborsClassifier(1)),
}


def baseline_errors(
    digits: Digits,
    recipe: Recipe,
    seeds: tuple[int, ...],
    names: tuple[str, ...] = tuple(BASELINES),
) -> pd.DataFrame:
    """Return one row per baseline and round: baseline, seed, test_error in per cent.

    names: which of `BASELINES`. The pairs are those that networks with this recipe see in the
        same rounds.
    """
    rows = []
    for seed in seeds:
        pairs = draw_round(digits, recipe.draw, streams(seed)["pairs"])
        for name in names:
            wrong = BASELINES[name](pairs.train, pairs.test) != pairs.test.target.numpy()
            rows.append({"baseline": name, "seed": seed, "test_error": 100 * wrong.mean()})
    return pd.DataFrame(rows)


#: Renderings of the original digits (N, 28, 28): as they are, what the course makes of them, and
#: two that tell apart the two things it does, averaging and leaving out.
RENDERINGS = {
    "28x28": lambda digits: digits,
    "14x14, 2x2 averages": lambda digits: F.avg_pool2d(digits, 2),
    "27x27, sliding 2x2 averages": lambda digits: F.avg_pool2d(digits, 2, stride=1),
    "14x14, every second pixel": lambda digits: digits[:, ::2, ::2],
}


def resolution_errors(digits: Digits, recipe: Recipe, seeds: tuple[int, ...]) -> pd.DataFrame:
    """Return digit errors of a nearest neighbour on `RENDERINGS` of the same digits, in per cent.

    One row per rendering and round. The digits are those of the round's pairs, one by one.
    """
    rows = []
    for seed in seeds:
        train_rng, test_rng, _ = substreams(streams(seed)["pairs"], 3)
        train = draw_indices(digits.train, recipe.train_pairs, train_rng).flatten()
        test = draw_indices(digits.test, recipe.test_pairs, test_rng).flatten()
        for name, render in RENDERINGS.items():
            seen, asked = (
                render(pool.originals[chosen].float()).flatten(1).numpy()
                for pool, chosen in ((digits.train, train), (digits.test, test))
            )
            neighbour = KNeighborsClassifier(1).fit(seen, digits.train.classes[train].numpy())
            wrong = neighbour.predict(asked) != digits.test.classes[test].numpy()
            rows.append({"rendering": name, "seed": seed, "digit_error": 100 * wrong.mean()})
    return pd.DataFrame(rows)
