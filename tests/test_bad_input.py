"""Wrong input is answered in one sentence with the value and the way out, before any work.

Options of run_all.py, parameters of notebooks, fields of a recipe, and data that are not MNIST.
"""

import gzip
import shutil
import typing

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import run_all
from digits import cluster, core, data
from digits.compat import torchvision_datasets
from digits.core import InputError
from digits.recipe import Recipe
from digits.study import Study

OPTIONS = [
    (
        ["--profile", "fast"],
        "profile = 'fast' is not allowed: Input should be 'smoke', 'quick' or",
    ),
    (["--data", "cifar"], "source = 'cifar' is not allowed: Input should be 'sample' or 'mnist'"),
    (["--seeds", "1,x"], "seeds = '[1,x]' is not a list"),
    (["--seeds", ""], "seeds = '[]' is not a list"),
    (["--seeds", "1,1"], "names a seed twice"),
    (["--seeds", "-1"], "seed -1 is not a whole number"),
    (["--jobs", "0"], "jobs = 0"),
    (["--jobs", "two"], "argument --jobs: invalid int value: 'two'"),
    (["--only", "08_none"], "--only 08_none: there is no such notebook"),
    (["--shard", "3/2", "--train-only"], "--shard 3/2 is not i/n"),
    (["--shard", "0/2", "--train-only"], "--shard 0/2 is not i/n"),
    (["--shard", "half", "--train-only"], "--shard half is not i/n"),
    (["--shard", "1/2"], "add --train-only"),
    (["--proflie", "quick"], "unrecognized arguments: --proflie"),
    (["--profile", "smoke", "--data", "mnist"], "no complete MNIST"),
    (["--profile", "paper", "--data", "mnist", "--train-only"], "no complete MNIST"),
    (["--data", "mnist", "--data-dir", "no/such"], "there is no folder"),
    (["--results", "README.md"], "--results README.md is a file: name a folder."),
    (["--figures", "README.md"], "--figures README.md is a file: name a folder."),
    (["--profile", ""], "profile = '' is not allowed: Input should be"),
    (["--data", ""], "source = '' is not allowed: Input should be"),
    (["--seeds", "1.5"], "seed 1.5 is not a whole number"),
    (["--seeds", "0,true"], "seed True is not a whole number"),
    (["--seeds", "0;1"], "seeds = '[0;1]' is not a list"),
    (["--jobs", "-1"], "jobs = -1"),
    (["--jobs", "1.5"], "argument --jobs: invalid int value: '1.5'"),
    (["--jobs"], "argument --jobs: expected one argument"),
    (["--only", ""], "--only : there is no such notebook; choose among 00_exploration"),
    (["--only", "05_zadoks", "--only", "5"], "--only 5: there is no such notebook"),
    (["--shard", "1/0", "--train-only"], "--shard 1/0 is not i/n"),
    (["--device", "tpu"], "device = 'tpu' is not allowed: Input should be 'cpu', 'cuda' or 'auto'"),
    (["--device", "cuda"], "device 'cuda' needs a graphics card"),
    (
        ["--precision", "fp16"],
        "precision = 'fp16' is not allowed: Input should be 'fp32' or",
    ),
    (["--precision", "bf16"], "precision 'bf16' is slower than float32 here"),
    (["--backend", "ray"], "--backend ray is unknown: choose one of loky, dask"),
    (["--backend", "dask"], "--backend dask and --scheduler ADDRESS go together"),
    (["--scheduler", "tcp://127.0.0.1:1"], "--backend dask and --scheduler ADDRESS go together"),
    (
        ["--profile", "smoke", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"],
        "no Dask scheduler answers at tcp://127.0.0.1:1",
    ),
    (["--results", "README.md/here"], "README.md/here cannot be written"),
    (["--figures", "README.md/here"], "README.md/here cannot be written"),
    (["quick"], "unrecognized arguments: quick"),
]

PARAMETERS = [
    ({"seeds": "0, 1"}, "seeds = '0, 1' is not a list"),
    ({"seeds": "three"}, "seeds = 'three' is not a list"),
    ({"seeds": 3}, "seeds = 3 is not a list"),
    ({"seeds": []}, "seeds = [] is not a list"),
    ({"seeds": [0, -1]}, "seed -1 is not a whole number"),
    ({"seeds": [0.5]}, "seed 0.5 is not a whole number"),
    ({"seeds": "[0, true]"}, "seed True is not a whole number"),
    ({"seeds": [1, 1]}, "names a seed twice"),
    (
        {"profile": "fast"},
        "profile = 'fast' is not allowed: Input should be 'smoke', 'quick' or",
    ),
    ({"source": "cifar"}, "source = 'cifar' is not allowed: Input should be 'sample' or 'mnist'"),
    ({"jobs": 0}, "jobs = 0"),
    ({"jobs": "2"}, "jobs = '2'"),
    ({"rounds": 3}, "no field 'rounds'"),
    ({"seeds": {"0": 1}}, "seeds = {'0': 1} is not a list"),
    ({"seeds": [None]}, "seed None is not a whole number"),
    ({"profile": 3}, "profile = 3"),
    ({"source": None}, "source = None"),
    ({"jobs": 1.5}, "jobs = 1.5"),
    ({"jobs": True}, "jobs = True"),
    ({"light": "yes"}, "light = 'yes'"),
    ({"light": 1}, "light = 1"),
    ({"device": "gpu"}, "device = 'gpu' is not allowed: Input should be 'cpu', 'cuda' or 'auto'"),
    ({"precision": 16}, "precision = 16"),
]

MISSPELT = [
    ({"sedes": [0]}, "sedes = [0] is not a parameter of this notebook: choose among source, pro"),
    ({"Profile": "paper"}, "Profile = 'paper' is not a parameter"),
    ({"job": None}, "job = None is not a parameter"),
    ({"epochs": 3}, "epochs = 3 is not a parameter"),
    ({"data": "mnist"}, "data = 'mnist' is not a parameter"),
    ({"seeds": "three"}, "seeds = 'three' is not a list"),
]

FIELDS = [
    ({"epochs": 0}, "epochs = 0"),
    ({"epochs": 2.5}, "epochs = 2.5"),
    ({"epochs": "25"}, "epochs = '25'"),
    ({"batch_size": 1}, "batch_size = 1"),
    ({"batch_size": 1001}, "batch_size = 1001 is more than train_pairs = 1000"),
    ({"batch_size": 333}, "leaves one of 1000 pairs"),
    ({"learning_rate": 0}, "learning_rate = 0"),
    ({"learning_rate": float("nan")}, "learning_rate = nan"),
    ({"learning_rate": float("inf")}, "learning_rate = inf"),
    ({"auxiliary_weight": -0.1}, "auxiliary_weight = -0.1"),
    ({"order": "random"}, "order = 'random'"),
    ({"trainings": 0}, "trainings = 0"),
    ({"train_pairs": 1}, "train_pairs = 1"),
    ({"test_pairs": 0}, "test_pairs = 0"),
    ({"precise_pairs": 0}, "precise_pairs = 0"),
    ({"optimizer": "rmsprop"}, "optimizer = 'rmsprop'"),
    ({"weight_decay": -1.0}, "weight_decay = -1.0"),
    ({"loss": "hinge"}, "loss = 'hinge'"),
    ({"target_weight": 0.0}, "target_weight = 0.0"),
    ({"standardised": 1}, "standardised = 1"),
    ({"augmentation": "rotation"}, "augmentation = 'rotation'"),
    ({"validation_share": 1.0}, "validation_share = 1.0"),
    ({"validation_share": 0.0001}, "validation_share = 0.0001 of 1000 pairs holds out 0"),
    (
        {"validation_share": 0.95},
        "batch_size = 100 is more than the 50 that validation_share = 0.95 leaves of "
        "train_pairs = 1000",
    ),
    ({"validation_share": 0.1, "batch_size": 31}, "leaves one of 900 pairs"),
    ({"validation_share": 0.1, "folds": 5}, "leave trainings, folds and curve_step"),
    ({"folds": 1}, "folds = 1 does not cut 1000 training pairs"),
    ({"folds": 501}, "folds = 501 does not cut 1000 training pairs"),
    ({"folds": -1}, "folds = -1"),
    ({"folds": 3, "batch_size": 74}, "leaves one of 667 pairs"),
    ({"precise_folds": True}, "precise_folds = True has no fold to score"),
    ({"undistorted_share": 0.2}, "undistorted_share = 0.2 has no distortion to end"),
    ({"undistorted_share": 1.0, "distortion": "affine"}, "undistorted_share = 1.0"),
    ({"curve_step": 10}, "curve_step = 10 does not divide epochs = 25"),
    ({"learning_rte": 0.1}, "no field 'learning_rte'"),
    ({"score_in_training_mode": "no"}, "score_in_training_mode = 'no'"),
    ({"curve_step": 0}, "curve_step = 0"),
    ({"epochs": None}, "epochs = None"),
    ({"epochs": True}, "epochs = True"),
]

GOOD = {"epochs": 25, "batch_size": 100, "learning_rate": 0.01}


def truncated(raw):
    file = raw / "t10k-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    return file


def altered(raw):
    file = raw / "train-labels-idx1-ubyte"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
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


FAULTS = [truncated, altered, swapped, an_error_page, still_compressed]


def one_line(error):
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 400
    return text


@pytest.mark.parametrize(("options", "sentence"), OPTIONS, ids=lambda v: " ".join(v)[:40])
def test_an_option_of_run_all(options, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision_datasets().MNIST, "mirrors", [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("digits.study.has_bf16", lambda device: False)
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    monkeypatch.chdir(core.ROOT)
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    assert run_all.main(options) == 2
    printed = capsys.readouterr()
    error = printed.err.strip()
    assert sentence in error
    assert error.startswith("run_all.py: ") and "\n" not in error and error.endswith(".")
    assert not list((tmp_path / "results").rglob("*.jsonl")) and not list(
        (tmp_path / "figures").glob("*")
    )


@pytest.mark.parametrize(("parameters", "sentence"), PARAMETERS)
def test_a_parameter_of_a_study(parameters, sentence):
    with pytest.raises(InputError) as error:
        Study(**parameters).runs("zadoks/twinnet")
    assert sentence in one_line(error)


@pytest.mark.parametrize(("parameters", "sentence"), MISSPELT)
def test_a_parameter_of_a_notebook(parameters, sentence):
    # What a kernel holds when a notebook begins: its own names, the defaults, then those given.
    names = {"In": [""], "Out": {}, "_": "", "__name__": "__main__", "exit": object()}
    with pytest.raises(InputError) as error:
        Study.of_notebook(names | {"source": "sample", "profile": "quick"} | parameters)
    assert sentence in one_line(error)


def test_a_notebook_that_has_its_study_may_have_other_names():
    assert Study.of_notebook({"In": [], "profile": "smoke"}).profile == "smoke"
    assert Study.of_notebook({"study": Study(), "wanted": ["a"], "jobs": 2}).jobs == 2


@pytest.mark.parametrize(("change", "sentence"), FIELDS)
def test_a_field_of_a_recipe(change, sentence):
    with pytest.raises(InputError) as error:
        Recipe(**GOOD | change)
    assert sentence in one_line(error)


@given(
    st.sampled_from(sorted(Recipe.model_fields)),
    st.one_of(st.text(max_size=5), st.lists(st.integers()), st.binary(max_size=3), st.none()),
)
def test_a_field_of_a_recipe_of_another_type(field, value):
    if value in typing.get_args(Recipe.model_fields[field].annotation):
        return
    with pytest.raises(InputError, match=f"^{field} = "):
        Recipe(**GOOD | {field: value})


@given(st.integers(max_value=-1) | st.floats() | st.booleans() | st.text() | st.none())
def test_a_seed_of_another_type_or_range(seed):
    with pytest.raises(InputError):
        Study(seeds=[seed])


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_not_mnist(fault, tmp_path, monkeypatch):
    """The four files are replaced by small ones whose checksums are known, then one is spoilt."""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    known = {}
    for name in data._MNIST_SHA256:
        (raw / name).write_bytes(name.encode() * 50)
        known[name] = data.hashlib.sha256((raw / name).read_bytes()).hexdigest()
    monkeypatch.setattr(data, "_MNIST_SHA256", known)
    spoilt = fault(raw)
    with pytest.raises(InputError) as error:
        data._load_mnist(tmp_path)
    text = one_line(error)
    assert f"{spoilt} is not MNIST's file of that name" in text and "delete it" in text
