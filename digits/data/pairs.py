"""Pairs of digits: drawing them, and what one round draws."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from digits.core import InputError
from digits.data.seeds import substreams
from digits.data.sources import Digits, Pool


@dataclass(frozen=True)
class Pairs:
    """Pairs of digits.

    images: (N, 2, 14, 14) float32, pixels 0..255 as drawn (see `Draw` for others).
    classes: (N, 2) int64, the digits 0..9; None where only the target is known.
    target: (N,) int64, 1 where the first digit is lesser than or equal to the second.
    """

    images: Tensor
    classes: Tensor | None
    target: Tensor

    def __len__(self) -> int:
        return len(self.target)

    def __getitem__(self, which: slice | np.ndarray) -> "Pairs":
        """Return some of the pairs."""
        classes = None if self.classes is None else self.classes[which]
        return Pairs(self.images[which], classes, self.target[which])

    def to(self, device: str) -> "Pairs":
        """Return the pairs on `device`."""
        classes = None if self.classes is None else self.classes.to(device)
        return Pairs(self.images.to(device), classes, self.target.to(device))

    def standardised(self, mean: Tensor, sd: Tensor) -> "Pairs":
        """Return the pairs with `mean` subtracted from every pixel and divided by `sd`."""
        return Pairs((self.images - mean) / sd, self.classes, self.target)

    def as_classes(self) -> "Pairs":
        """Return the pairs with the true class in place of each image.

        The first row of an image then has a 1 in the place of the class, and all else is 0. So a
        comparison of two digits can be learned apart from reading them.
        """
        images = torch.zeros_like(self.images)
        images[:, :, 0, :10] = F.one_hot(self.classes, 10).to(images.dtype)
        return Pairs(images, self.classes, self.target)

    def reusing_images(self, n: int, rng: np.random.Generator) -> "Pairs":
        """Draw `n` pairs of two different images of these; an image may stand in several pairs."""
        images, classes = self.images.flatten(0, 1), self.classes.flatten()
        indices = torch.from_numpy(two_of(len(classes), n, rng))
        return Pairs(images[indices], classes[indices], target_of(classes[indices]))


def draw_indices(pool: Pool, n: int, rng: np.random.Generator) -> Tensor:
    """Return which images of `pool` make `n` pairs, (n, 2) int64: a permutation read off in twos.

    Raises `InputError` if the pool holds fewer than 2n images.
    """
    if n < 1 or 2 * n > len(pool):
        raise InputError(
            f"{n} pairs were asked of a pool of {len(pool)} images: ask for 1 to {len(pool) // 2} "
            "(a pair takes two images and none is used twice)."
        )
    return torch.from_numpy(rng.permutation(len(pool))[: 2 * n]).view(n, 2)


def images_of_pairs(
    digits: Digits, train: int, test: int, stream: np.random.SeedSequence
) -> tuple[Tensor, Tensor]:
    """Return which images of the two pools make a round's training and test pairs, (n, 2) each.

    train, test: how many; neither changes the other. stream: "pairs" of the round. Raises
    `InputError` if a pool holds too few images.
    """
    first, second = substreams(stream, 2)
    return draw_indices(digits.train, train, first), draw_indices(digits.test, test, second)


def draw_pairs(pool: Pool, n: int, rng: np.random.Generator) -> Pairs:
    """Draw pairs as the course did: no image stands in two pairs.

    Parameters
    ----------
    pool : Pool
        The N images to draw from.
    n : int
        How many pairs, 1 to N / 2.
    rng : numpy.random.Generator
        Decides which.

    Returns
    -------
    Pairs
        Images (n, 2, 14, 14), classes (n, 2), target (n,).

    Raises
    ------
    InputError
        If the pool holds fewer than 2n images.
    """
    return _pairs(pool, draw_indices(pool, n, rng))


def draw_pairs_reusing_images(pool: Pool, n: int, rng: np.random.Generator) -> Pairs:
    """Draw `n` pairs of two different images each; an image may stand in several pairs.

    For measuring one network's error more precisely than 1000 pairs allow.
    """
    if n < 1:
        raise InputError(f"{n} pairs were asked: ask for at least 1.")
    return _pairs(pool, torch.from_numpy(two_of(len(pool), n, rng)))


def two_of(images: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return `n` times two different ones of so many images, (n, 2) int64."""
    first = rng.integers(images, size=n)
    second = (first + rng.integers(1, images, size=n)) % images
    return np.stack([first, second], axis=1)


def example_pair(pool: Pool, first: int, second: int, number: int = 0) -> Pairs:
    """Return one pair of a pool: the `number`-th image of each of two digits.

    Of the same digit twice, the second image is the next one. Raises `InputError` for what is no
    digit or no such image.
    """
    if not all(isinstance(value, (int, np.integer)) for value in (first, second, number)):
        raise InputError(
            f"digits {first!r} and {second!r}, image {number!r}: give three whole numbers."
        )
    places = []
    for digit, place in ((first, number), (second, number + (first == second))):
        members = (pool.classes == digit).nonzero().flatten()
        if not 0 <= place < len(members):
            last = len(members) - 1 - (first == second)
            known = f"0 to {last}" if len(members) else "digits from 0 to 9"
            raise InputError(f"there is no image {number!r} of digit {digit!r}: choose {known}.")
        places.append(members[place].item())
    return _pairs(pool, torch.tensor([places]))


def target_of(classes: Tensor) -> Tensor:
    """Return 1 where the first class (N, 2) is lesser than or equal to the second, else 0."""
    return (classes[:, 0] <= classes[:, 1]).long()


def _pairs(pool: Pool, indices: Tensor) -> Pairs:
    classes = pool.classes[indices]
    return Pairs(pool.images[indices], classes, target_of(classes))


class Draw(NamedTuple):
    """How many pairs a round draws: to train on, to test on, and for the large-sample test.

    standardised: subtract the mean of all training pixels and divide by their SD.
    as_classes: put the true classes in place of the images (see `Pairs.as_classes`).
    """

    train: int
    test: int
    large: int
    standardised: bool = False
    as_classes: bool = False


class RoundPairs(NamedTuple):
    """The pairs of one round: for training, for the protocol's test, for the large-sample test.

    mean, sd: what was subtracted from all pixels and what they were divided by; 0 and 1 for
    pixels as they are.
    """

    train: Pairs
    test: Pairs
    large: Pairs
    mean: Tensor
    sd: Tensor

    def to(self, device: str) -> "RoundPairs":
        """Return the pairs on `device`."""
        return RoundPairs(*(part.to(device) for part in self))


def draw_round(digits: Digits, draw: Draw, stream: np.random.SeedSequence) -> RoundPairs:
    """Draw the pairs of a round; how many are drawn of one kind does not change the other kinds.

    Parameters
    ----------
    digits : Digits
        The data source.
    draw : Draw
        How many pairs of each kind, such as `recipe.draw`.
    stream : numpy.random.SeedSequence
        The stream "pairs" of the round (see `seeds.streams`).

    Returns
    -------
    RoundPairs
        If `draw` says so, standardised by the mean and SD of all pixels of the training pairs,
        those held out for validation or in a fold included.

    Raises
    ------
    InputError
        If a pool holds too few images.
    """
    train, test = images_of_pairs(digits, draw.train, draw.test, stream)
    pairs = (
        _pairs(digits.train, train),
        _pairs(digits.test, test),
        draw_pairs_reusing_images(digits.test, draw.large, substreams(stream, 3)[2]),
    )
    if draw.as_classes:
        pairs = tuple(these.as_classes() for these in pairs)
    if not draw.standardised:
        return RoundPairs(*pairs, torch.tensor(0.0), torch.tensor(1.0))
    mean, sd = pairs[0].images.mean(), pairs[0].images.std()
    return RoundPairs(*(these.standardised(mean, sd) for these in pairs), mean, sd)
