"""The digits are real, both sources are split for good, and a bad source is refused."""

import gzip
import hashlib
import importlib.resources
import shutil
import sys
from unittest import mock

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from digits.core import InputError
from digits.data import sources
from digits.data.sources import load, pool_2x2
from digits.study.checks import KNOWN


def test_sample_holds_5000_digits_500_a_class_in_two_pools(sample):
    classes = torch.cat([sample.train.classes, sample.test.classes])
    assert torch.bincount(classes).tolist() == [500] * 10
    assert torch.bincount(sample.test.classes).tolist() == [250] * 10
    assert sample.train.images.shape == (2500, 14, 14)
    assert sample.train.images.max() > 200  # pixels stay in 0..255


@pytest.mark.parametrize("source", ["sample", sources.OTHER])
def test_pools_share_no_image(source):
    digits = load(source)
    train, test = (
        {image.numpy().tobytes() for image in pool.originals}
        for pool in (digits.train, digits.test)
    )
    assert not train & test
    assert len(train) == len(digits.train) and len(test) == len(digits.test)


def test_the_other_digits_are_scikit_learns_at_14x14_three_fifths_of_each_class_to_train():
    given, digits = load_digits(), load(sources.OTHER)
    places = {digit: np.flatnonzero(given.target == digit) for digit in range(10)}
    for digit, place in places.items():
        number = np.arange(len(place))
        for pool, chosen in ((digits.train, number % 5 < 3), (digits.test, number % 5 >= 3)):
            images = pool.images[pool.classes == digit].numpy()
            assert images.shape == (chosen.sum(), 14, 14)
            # Enlarged and averaged again, an image has its ink where it had, from 0 to 255.
            means = given.images[place[chosen]].mean(axis=(1, 2)) * 255 / 16
            assert images.mean(axis=(1, 2)) == pytest.approx(means, abs=1)
            rows = images.mean(axis=2) @ np.arange(14) / images.mean(axis=2).sum(axis=1)
            whole = given.images[place[chosen]].mean(axis=2)
            middle = (whole @ np.arange(8) / whole.sum(axis=1) + 0.5) * 14 / 8 - 0.5
            assert rows == pytest.approx(middle, abs=0.2)
    assert digits.train.images.max() == 255 and digits.train.images.min() == 0
    known = KNOWN[sources.OTHER]
    assert digits.checksum == known.checksum
    assert (len(digits.train), len(digits.test)) == (known.train_images, known.test_images)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: b"no archive",
        lambda data: data[:200] + bytes(50) + data[250:],
        lambda data: gzip.compress(b"1,2,3"),
        None,
    ],
)
def test_altered_digits_of_scikit_learn_are_refused(spoil, monkeypatch, tmp_path):
    folder = tmp_path / "datasets" / "data"
    folder.mkdir(parents=True)
    if spoil:
        whole = importlib.resources.files("sklearn") / "datasets" / "data" / "digits.csv.gz"
        (folder / "digits.csv.gz").write_bytes(spoil(whole.read_bytes()))
    monkeypatch.setattr(sources.importlib.resources, "files", lambda package: tmp_path)
    with pytest.raises(InputError, match="digits.csv.gz.*known 1,797 digits.*reinstall"):
        sources._load_other()


def test_a_torchvision_without_its_operators_is_imported_all_the_same(monkeypatch):
    declared, asked = [], []

    class Library:
        def __init__(self, name, kind):
            assert (name, kind) == ("torchvision", "DEF")

        def define(self, schema):
            declared.append(schema.partition("(")[0])

    def import_module(name):
        asked.append(name)
        if not declared:
            raise RuntimeError("operator torchvision::nms does not exist")
        assert "torchvision.left" not in sys.modules
        return "the module"

    monkeypatch.setattr(sources, "_declared", None)
    monkeypatch.setattr(torch.library, "Library", Library)
    monkeypatch.setattr(sources.importlib, "import_module", import_module)
    with mock.patch.dict(sys.modules, {"torchvision.left": None}):
        assert sources.torchvision_datasets() == "the module"
    assert declared == ["nms", "qnms"] and asked == ["torchvision.datasets"] * 2
    declared.clear()
    monkeypatch.setattr(Library, "define", lambda self, schema: None)
    with mock.patch.dict(sys.modules), pytest.raises(RuntimeError, match="does not exist"):
        sources.torchvision_datasets()


def test_the_second_load_is_the_first(sample):
    assert load("sample") is sample


def test_pooling_averages_blocks_of_four():
    block = torch.zeros(1, 28, 28, dtype=torch.uint8)
    block[0, 0, 0], block[0, 0, 1], block[0, 1, 0], block[0, 1, 1] = 255, 1, 2, 0
    pooled = pool_2x2(block)
    assert pooled.shape == (1, 14, 14)
    assert pooled[0, 0, 0] == 64.5
    assert pooled.sum() == 64.5


def test_an_unknown_source_is_refused():
    with pytest.raises(
        InputError, match="'cifar' is unknown: choose sample, mnist or scikit-learn"
    ):
        load("cifar")


def test_an_altered_sample_is_refused(monkeypatch):
    monkeypatch.setattr(sources, "_SAMPLE_SHA256", "0" * 64)
    with pytest.raises(InputError, match="mnist_5k.csv.gz.*reinstall"):
        sources._load_sample()


def test_no_mnist_and_no_network_names_the_folder_and_the_ways_out(tmp_path, monkeypatch):
    datasets = sources.torchvision_datasets()
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])  # nowhere to download from
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no complete MNIST .*--data-dir .* --data sample") as e:
        sources._load_mnist(tmp_path / "empty")
    assert str(tmp_path / "empty") in str(e.value)


def test_a_mistyped_folder_is_refused_and_not_made(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nothing: .* --data sample"):
        sources._load_mnist(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Small files of MNIST's layout, of noise, whose checksums pass for the known ones."""
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for split, n in (("train", 40), ("t10k", 30)):
        pixels = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = generator.integers(0, 10, n, dtype=np.uint8)
        head = np.array([2051, n, 28, 28], dtype=">i4").tobytes()
        (folder / f"{split}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        head = np.array([2049, n], dtype=">i4").tobytes()
        (folder / f"{split}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    known = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in sources._MNIST_SHA256
    }
    monkeypatch.setattr(sources, "_MNIST_SHA256", known)
    return folder


def test_files_with_the_known_checksums_are_read(raw, tmp_path):
    digits = sources._load_mnist(tmp_path)
    assert (digits.source, len(digits.train), len(digits.test)) == ("mnist", 40, 30)
    pixels = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes()[16:], np.uint8)
    assert torch.equal(digits.test.originals.flatten(), torch.from_numpy(pixels.copy()))
    assert digits.test.classes.tolist() == list((raw / "t10k-labels-idx1-ubyte").read_bytes()[8:])


def test_pickles_in_an_old_processed_folder_are_never_read(raw, tmp_path):
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed" / name).write_bytes(b"not to be opened")
    assert len(sources._load_mnist(tmp_path).train) == 40


def truncated(raw):
    file = raw / "t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    return file


def altered(raw):
    file = raw / "train-labels-idx1-ubyte"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    return file


def swapped(raw):
    images, labels = raw / "train-images-idx3-ubyte", raw / "train-labels-idx1-ubyte"
    shutil.copy(labels, images)
    return images


def an_error_page(raw):
    file = raw / "t10k-labels-idx1-ubyte"
    file.write_text("<html>404</html>")
    return file


def still_compressed(raw):
    file = raw / "t10k-labels-idx1-ubyte"
    file.write_bytes(gzip.compress(file.read_bytes()))
    return file


def of_another_set(raw):
    """All four files are whole, but of other images than the checksums are of."""
    file = raw / "train-images-idx3-ubyte"
    content = file.read_bytes()
    file.write_bytes(content[:16] + content[16:][::-1])
    return file


FAULTS = [truncated, altered, swapped, an_error_page, still_compressed, of_another_set]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_not_mnists_is_refused_by_name(fault, raw, tmp_path):
    spoilt = fault(raw)
    with pytest.raises(InputError) as error:
        sources._load_mnist(tmp_path)
    text = str(error.value)
    assert f"{spoilt} is not MNIST's file of that name" in text and "delete it" in text
    assert "\n" not in text and text.endswith(".") and len(text) < 400


@pytest.mark.parametrize("given", ["", "MNIST", "MNIST/raw", "..", "../.."])
def test_the_files_are_found_a_folder_or_two_off(given, raw, tmp_path):
    if given.startswith(".."):
        inner = tmp_path / "data" / "mnist"
        inner.mkdir(parents=True)
        (tmp_path / "MNIST").rename(inner / "MNIST")
        given = {"..": "data", "../..": "data/mnist"}[given]
    assert len(sources._load_mnist(tmp_path / given).train) == 40


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("spelling", ["-idx", ".idx"])
def test_files_of_mirrors_have_other_names_and_the_same_checksums(spelling, suffix, raw, tmp_path):
    before = sources._load_mnist(tmp_path)
    for file in list(raw.iterdir()):
        content = file.read_bytes()
        file.unlink()
        content = gzip.compress(content) if suffix else content
        (raw / f"{file.name.replace('-idx', spelling)}{suffix}").write_bytes(content)
    after = sources._load_mnist(tmp_path)
    assert after.checksum == before.checksum
    assert torch.equal(after.test.originals, before.test.originals)
    assert torch.equal(after.train.classes, before.train.classes)


def cut_off(content):
    return gzip.compress(content)[:-9]


def of_zeros(content):
    return gzip.compress(bytes(60_000_000))  # it inflates to more than any file of MNIST has


def no_gzip(content):
    return content


@pytest.mark.parametrize("spoil", [cut_off, of_zeros, no_gzip])
def test_a_compressed_file_that_is_not_mnists_is_refused_by_name(spoil, raw, tmp_path):
    file = raw / "t10k-labels-idx1-ubyte"
    packed = file.with_name(f"{file.name}.gz")
    packed.write_bytes(spoil(file.read_bytes()))
    file.unlink()
    with pytest.raises(InputError, match=f"{packed} is not MNIST's file of that name"):
        sources._load_mnist(tmp_path)


def test_a_download_that_fails_leaves_no_folder_and_takes_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(sources.torchvision_datasets().MNIST, "mirrors", [])
    with pytest.raises(InputError, match="no complete MNIST"):
        sources._load_mnist(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    (tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(b"a part")
    with pytest.raises(InputError, match="no complete MNIST"):
        sources._load_mnist(tmp_path)
    assert len(list(tmp_path.rglob("*ubyte"))) == 1


def test_a_source_is_here_only_with_all_its_files(raw, tmp_path, monkeypatch):
    assert sources.is_here("sample") and sources.is_here(sources.OTHER)
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path / "nowhere"))
    assert not sources.is_here("mnist") and not (tmp_path / "nowhere").exists()
    monkeypatch.setenv("DIGITS_DATA", str(raw.parent.parent))
    assert sources.is_here("mnist")
    next(raw.iterdir()).unlink()
    assert not sources.is_here("mnist")
