"""How hard the task is: what simple methods reach on the same pairs, without a neural network.

Their errors are computed once and then read from a file (see `recorded`).
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby

import numpy as np
import pandas as pd
import torch.nn.functional as F

from digits.analysis import recorded
from digits.analysis.recorded import Key
from digits.data.pairs import Draw, Pairs, draw_round, images_of_pairs
from digits.data.seeds import streams
from digits.data.sources import Digits
from digits.training.recipe import Recipe

# scikit-learn takes a second to import, and where all errors are recorded nobody needs it.


def _most_frequent():
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="most_frequent")


def _nearest_neighbour():
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(1)


def _logistic_regression():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def _by_target(classifier: Callable, train: Pairs, test: Pairs) -> np.ndarray:
    """Learn the target from the pixels of both images."""
    fitted = classifier().fit(train.images.flatten(1).numpy(), train.target.numpy())
    return fitted.predict(test.images.flatten(1).numpy())


def _by_digits(classifier: Callable, train: Pairs, test: Pairs) -> np.ndarray:
    """Learn the digits from single images, name both and compare the names."""
    fitted = classifier().fit(
        train.images.flatten(0, 1).flatten(1).numpy(), train.classes.flatten()
    )
    digits = fitted.predict(test.images.flatten(0, 1).flatten(1).numpy()).reshape(-1, 2)
    return (digits[:, 0] <= digits[:, 1]).astype(int)


#: Name of each baseline, and how it decides test pairs after seeing training pairs.
BASELINES = {
    "always ≤": partial(_by_target, _most_frequent),
    "nearest neighbour on pairs": partial(_by_target, _nearest_neighbour),
    "logistic regression on pairs": partial(_by_target, _logistic_regression),
    "logistic regression on digits, compared": partial(_by_digits, _logistic_regression),
    "nearest neighbour on digits, compared": partial(_by_digits, _nearest_neighbour),
}


def baseline_errors(
    source: str, recipe: Recipe, seeds: tuple[int, ...], names: tuple[str, ...] = tuple(BASELINES)
) -> pd.DataFrame:
    """Return one row per baseline and round: baseline, seed, test_error in per cent.

    names: which of `BASELINES`. The pairs are those that networks with this recipe see in the
        same rounds, their pixels as they are.
    """
    found = _errors("test_error", source, recipe, seeds, names, _decide)
    return found.rename(columns={"method": "baseline", "error": "test_error"})


def _errors(
    measure: str,
    source: str,
    recipe: Recipe,
    seeds: tuple[int, ...],
    names: tuple[str, ...],
    of_round: Callable[[Digits, list[Key]], Iterator[float]],
) -> pd.DataFrame:
    """Return method, seed and error; of_round: what computes those of one round."""
    draw = recipe.train_pairs, recipe.test_pairs
    keys = [Key(measure, name, seed, *draw) for seed in seeds for name in names]

    def compute(digits: Digits, missing: list[Key]) -> list[float]:
        rounds = groupby(missing, key=lambda key: key.seed)
        return [error for _, round_ in rounds for error in of_round(digits, list(round_))]

    errors = recorded.errors_of(source, keys, compute)
    rows = [(key.method, key.seed, error) for key, error in zip(keys, errors, strict=True)]
    return pd.DataFrame(rows, columns=["method", "seed", "error"])


def _decide(digits: Digits, keys: list[Key]) -> Iterator[float]:
    draw = Draw(keys[0].train_pairs, keys[0].test_pairs, large=1)
    pairs = draw_round(digits, draw, streams(keys[0].seed)["pairs"])
    for key in keys:
        decided = BASELINES[key.method](pairs.train, pairs.test)
        yield _share(decided != pairs.test.target.numpy())


#: Renderings of the original digits (N, 28, 28): as they are, what the course makes of them, and
#: two that tell apart the two things it does, averaging and leaving out.
RENDERINGS = {
    "28x28": lambda digits: digits,
    "14x14, 2x2 averages": lambda digits: F.avg_pool2d(digits, 2),
    "27x27, sliding 2x2 averages": lambda digits: F.avg_pool2d(digits, 2, stride=1),
    "14x14, every second pixel": lambda digits: digits[:, ::2, ::2],
}


def resolution_errors(source: str, recipe: Recipe, seeds: tuple[int, ...]) -> pd.DataFrame:
    """Return digit errors of a nearest neighbour on `RENDERINGS` of the same digits, in per cent.

    One row per rendering and round. The digits are those of the round's pairs, one by one.
    """
    found = _errors("digit_error", source, recipe, seeds, tuple(RENDERINGS), _name_digits)
    return found.rename(columns={"method": "rendering", "error": "digit_error"})


def _name_digits(digits: Digits, keys: list[Key]) -> Iterator[float]:
    counts, stream = (keys[0].train_pairs, keys[0].test_pairs), streams(keys[0].seed)["pairs"]
    train, test = (chosen.flatten() for chosen in images_of_pairs(digits, *counts, stream))
    for key in keys:
        seen, asked = (
            RENDERINGS[key.method](pool.originals[chosen].float()).flatten(1).numpy()
            for pool, chosen in ((digits.train, train), (digits.test, test))
        )
        named = _nearest_neighbour().fit(seen, digits.train.classes[train].numpy()).predict(asked)
        yield _share(named != digits.test.classes[test].numpy())


def _share(wrong: np.ndarray) -> float:
    """Return how many of `wrong` (n,) are true, in per cent."""
    return 100 * int(wrong.sum()) / len(wrong)
