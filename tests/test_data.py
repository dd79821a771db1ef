"""The digits are real, the pairs are those of the course, and a bad source is refused."""

import shutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from digits import data
from digits.core import InputError
from digits.data import Pool, draw_pairs, draw_pairs_reusing_images, load, pool_2x2


def rng(seed=0):
    return np.random.default_rng(seed)


def test_sample_holds_5000_digits_500_a_class_in_two_pools(sample):
    classes = torch.cat([sample.train.classes, sample.test.classes])
    assert torch.bincount(classes).tolist() == [500] * 10
    assert torch.bincount(sample.test.classes).tolist() == [250] * 10
    assert sample.train.images.shape == (2500, 14, 14)
    assert sample.train.images.max() > 200  # pixels stay in 0..255


def test_pools_share_no_image(sample):
    train, test = (
        {image.numpy().tobytes() for image in pool.originals}
        for pool in (sample.train, sample.test)
    )
    assert not train & test


def test_the_second_load_is_the_first(sample):
    assert load("sample") is sample


def test_pooling_averages_blocks_of_four():
    block = torch.zeros(1, 28, 28, dtype=torch.uint8)
    block[0, 0, 0], block[0, 0, 1], block[0, 1, 0], block[0, 1, 1] = 255, 1, 2, 0
    pooled = pool_2x2(block)
    assert pooled.shape == (1, 14, 14)
    assert pooled[0, 0, 0] == 64.5
    assert pooled.sum() == 64.5


@pytest.fixture
def numbered():
    """A pool of 40 images whose every pixel is the image's number; classes cycle."""
    number = torch.arange(40)
    images = number.float().view(-1, 1, 1).expand(-1, 14, 14)
    return Pool(number.view(-1, 1, 1).expand(-1, 28, 28).byte(), images, number % 10)


@given(n=st.integers(1, 20), seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_pairs_use_no_image_twice_and_keep_image_class_and_target_together(n, seed):
    number = torch.arange(40)
    pool = Pool(number.byte(), number.float().view(-1, 1, 1).expand(-1, 14, 14), number % 10)
    pairs = draw_pairs(pool, n, rng(seed))
    used = pairs.images[:, :, 0, 0].long()
    assert len(used.flatten().unique()) == 2 * n
    assert torch.equal(pairs.classes, used % 10)
    assert torch.equal(pairs.target, (pairs.classes[:, 0] <= pairs.classes[:, 1]).long())


def test_ties_have_target_one(numbered):
    pairs = draw_pairs_reusing_images(numbered, 500, rng())
    ties = pairs.classes[:, 0] == pairs.classes[:, 1]
    assert ties.any()
    assert pairs.target[ties].all()


@pytest.mark.parametrize("of", ["pool", "pairs"])
def test_pairs_that_reuse_images_never_pair_an_image_with_itself(numbered, of):
    if of == "pool":
        pairs, count = draw_pairs_reusing_images(numbered, 5000, rng()), 40
    else:
        pairs, count = draw_pairs(numbered, 6, rng()).reusing_images(5000, rng()), 12
    used = pairs.images[:, :, 0, 0]
    assert (used[:, 0] != used[:, 1]).all()
    assert len(used[:, 1].unique()) == count  # and reaches every image
    assert torch.equal(pairs.classes, used.long() % 10)
    assert torch.equal(pairs.target, (pairs.classes[:, 0] <= pairs.classes[:, 1]).long())


def test_55_percent_of_targets_are_one(sample):
    shares = [draw_pairs(sample.train, 1000, rng(k)).target.float().mean() for k in range(20)]
    assert abs(np.mean(shares) - 0.55) < 0.012  # 20,000 pairs: SD 0.0035


@pytest.mark.parametrize("n", [0, -1, 1251])
def test_more_pairs_than_the_pool_holds_are_refused(sample, n):
    with pytest.raises(InputError, match=rf"{n} pairs .* 2500 images: ask for 1 to 1250"):
        draw_pairs(sample.train, n, rng())


def test_an_unknown_source_is_refused():
    with pytest.raises(InputError, match="'cifar' is unknown: choose one of sample, mnist"):
        load("cifar")


def test_an_altered_sample_is_refused(monkeypatch):
    monkeypatch.setattr(data, "_SAMPLE_SHA256", "0" * 64)
    with pytest.raises(InputError, match="mnist_5k.csv.gz.*reinstall"):
        data._load_sample()


def test_no_mnist_and_no_network_names_the_folder_and_the_ways_out(tmp_path, monkeypatch):
    datasets = data.torchvision_datasets()
    monkeypatch.setattr(datasets.MNIST, "mirrors", [])  # nowhere to download from
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no complete MNIST .*--data-dir .* --data sample") as e:
        data._load_mnist(tmp_path / "empty")
    assert str(tmp_path / "empty") in str(e.value)


def test_a_mistyped_folder_is_refused_and_not_made(tmp_path):
    with pytest.raises(InputError, match=r"there is no folder .*nothing: .* --data sample"):
        data._load_mnist(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_pickles_in_an_old_processed_folder_are_never_read(tmp_path, monkeypatch):
    raw = fake_mnist(tmp_path, 40)
    hashes = {
        n: data.hashlib.sha256((raw / n).read_bytes()).hexdigest() for n in data._MNIST_SHA256
    }
    monkeypatch.setattr(data, "_MNIST_SHA256", hashes)
    (tmp_path / "MNIST" / "processed").mkdir()
    for name in ("training.pt", "test.pt"):
        (tmp_path / "MNIST" / "processed" / name).write_bytes(b"not to be opened")
    assert len(data._load_mnist(tmp_path).train) == 40


def fake_mnist(folder, images):
    """Write files of MNIST's layout with `images` training images of noise."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = rng()
    for split, n in (("train", images), ("t10k", 30)):
        pixels = generator.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = generator.integers(0, 10, n, dtype=np.uint8)
        head = np.array([2051, n, 28, 28], dtype=">i4").tobytes()
        (raw / f"{split}-images-idx3-ubyte").write_bytes(head + pixels.tobytes())
        head = np.array([2049, n], dtype=">i4").tobytes()
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())
    return raw


def test_files_that_are_not_mnist_are_refused_by_name(tmp_path):
    fake_mnist(tmp_path, 40)
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte is not MNIST.*delete it"):
        data._load_mnist(tmp_path)


def test_a_truncated_file_is_refused_and_a_good_one_is_read(tmp_path, monkeypatch):
    raw = fake_mnist(tmp_path, 40)
    hashes = {
        name: data.hashlib.sha256((raw / name).read_bytes()).hexdigest()
        for name in data._MNIST_SHA256
    }
    monkeypatch.setattr(data, "_MNIST_SHA256", hashes)
    digits = data._load_mnist(tmp_path)
    assert (len(digits.train), len(digits.test)) == (40, 30)

    labels = raw / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:-1])
    with pytest.raises(InputError, match="t10k-labels-idx1-ubyte is not MNIST"):
        data._load_mnist(tmp_path)
    shutil.rmtree(raw)
