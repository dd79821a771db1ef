"""Wrong input is answered in one sentence with the value and the way out, before any work.

Options of run_all.py and parameters of notebooks.
"""

import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import run_all
from digits import core
from digits.core import InputError
from digits.data.sources import torchvision_datasets
from digits.study import cluster
from digits.study.study import Study

ONE = ["--profile", "smoke", "--only", "05_zadoks"]  # to find what is missing takes no time

OPTIONS = [
    (["--profile", "fast"], "argument --profile: invalid choice: 'fast' (choose from"),
    (["--data", "cifar"], "argument --data: invalid choice: 'cifar' (choose from"),
    (["--seeds", "1,x"], "seeds = '[1,x]' is not a list"),
    (["--seeds", ""], "seeds = '[]' is not a list"),
    (["--seeds", "1,1"], "names a seed twice"),
    (["--seeds", "-1"], "seed -1 is not a whole number"),
    (["--jobs", "0"], "jobs = 0"),
    (["--jobs", "two"], "argument --jobs: invalid int value: 'two'"),
    (["--only", "08_none"], "--only 08_none: there is no such notebook"),
    (
        ["--shard", "3/2", "--train-only"],
        "argument --shard: 3/2 is not i/n with i from 1 to n, such as 2/4",
    ),
    (["--shard", "0/2", "--train-only"], "argument --shard: 0/2 is not i/n"),
    (["--shard", "half", "--train-only"], "argument --shard: half is not i/n"),
    (["--shard", "1/2"], "add --train-only"),
    (
        ["--no-training", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"],
        "--no-training trains nowhere: leave out --backend and --scheduler",
    ),
    (["--verify", "1", "--fresh"], "--verify only compares: leave out --fresh, --train"),
    (["--no-training", "--fresh"], "--no-training goes without --fresh, --train-only and --exp"),
    (["--order", "random"], "argument --order: invalid choice: 'random' (choose from"),
    (["--experiments", "zadoks/net"], "no experiment is called 'zadoks/net'"),
    (["--experiments", "cadei/siamese"], "the quick profile runs nothing that matches cadei/siam"),
    (["--profile", "quick", "--data", "mnist"], "a replication is trained on the sample digits"),
    ([], "has no records, and a replication is shown beside the study: copy the repository's"),
    (["--proflie", "quick"], "unrecognized arguments: --proflie"),
    (["--profile", "smoke", "--data", "mnist"], "no complete MNIST"),
    (["--profile", "paper", "--data", "mnist", "--train-only"], "no complete MNIST"),
    (["--profile", "smoke", "--data", "mnist", "--data-dir", "no/such"], "there is no folder"),
    (["--results", "README.md"], "argument --results: README.md is a file: name a folder"),
    (["--figures", "README.md"], "argument --figures: README.md is a file: name a folder"),
    (["--profile", ""], "argument --profile: invalid choice: '' (choose from"),
    (["--data", ""], "argument --data: invalid choice: '' (choose from"),
    (["--seeds", "1.5"], "seed 1.5 is not a whole number"),
    (["--seeds", "0,true"], "seed True is not a whole number"),
    (["--seeds", "0;1"], "seeds = '[0;1]' is not a list"),
    (["--jobs", "-1"], "jobs = -1"),
    (["--jobs", "1.5"], "argument --jobs: invalid int value: '1.5'"),
    (["--jobs"], "argument --jobs: expected one argument"),
    (["--only", ""], "--only : there is no such notebook; choose among 00_exploration"),
    (["--only", "05_zadoks", "--only", "5"], "--only 5: there is no such notebook"),
    (["--shard", "1/0", "--train-only"], "argument --shard: 1/0 is not i/n"),
    (["--device", "tpu"], "argument --device: invalid choice: 'tpu' (choose from"),
    (["--device", "cuda"], "device 'cuda' needs a graphics card"),
    (["--precision", "fp16"], "argument --precision: invalid choice: 'fp16' (choose from"),
    (["--precision", "bf16"], "precision 'bf16' is slower than float32 here"),
    (["--backend", "ray"], "argument --backend: invalid choice: 'ray' (choose from"),
    (["--backend", "dask"], "--backend dask and --scheduler ADDRESS go together"),
    (["--scheduler", "tcp://127.0.0.1:1"], "--backend dask and --scheduler ADDRESS go together"),
    (
        [*ONE, "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"],
        "no Dask scheduler answers at tcp://127.0.0.1:1",
    ),
    ([*ONE, "--results", "README.md/here"], "argument --results: README.md is a file: name a"),
    (["--figures", "README.md/here"], "argument --figures: README.md is a file: name a folder"),
    (["--results", ""], "argument --results: it is empty: name a folder"),
    (["--figures", "caf\udce9"], r"argument --figures: 'caf\udce9' is not valid text"),
    ([*ONE, "--figures", "a" * 300], "cannot be written (File name too long)"),
    (
        ["--verify", "1", "--backend", "dask", "--scheduler", "tcp://127.0.0.1:1"],
        "--verify trains on this machine: leave out --backend and --scheduler.",
    ),
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
    ({"profile": "fast"}, "profile = 'fast' is not allowed: Input should be 'smoke', 'quick' or"),
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
    ({"source": "sample", "profile": "quick"}, "profile = 'quick' is for run_all.py"),
]


def one_line(error):
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 400
    return text


@pytest.mark.parametrize(
    ("options", "sentence"), OPTIONS, ids=lambda v: "" if isinstance(v, str) else " ".join(v)[:40]
)
def test_an_option_of_run_all(options, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(torchvision_datasets().MNIST, "mirrors", [])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("digits.training.device.has_bf16", lambda device: False)
    monkeypatch.setattr(cluster, "TIMEOUT", 1)
    monkeypatch.chdir(core.ROOT)
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path))
    assert run_all.main(options) == 2
    printed = capsys.readouterr()
    error = printed.err.strip()
    assert sentence in error
    assert error.startswith("run_all.py: ") and "\n" not in error and error.endswith(".")
    assert "argument --" not in error or error.endswith(" (--help lists the options).")
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
        Study.of_notebook(names | {"source": "mnist", "profile": "paper"} | parameters)
    assert sentence in one_line(error)


def test_a_notebook_that_has_its_study_may_have_other_names():
    assert Study.of_notebook({"In": [], "profile": "smoke"}).profile == "smoke"
    assert Study.of_notebook({"study": Study(), "wanted": ["a"], "jobs": 2}).jobs == 2


@given(st.integers(max_value=-1) | st.floats() | st.booleans() | st.text() | st.none())
def test_a_seed_of_another_type_or_range(seed):
    with pytest.raises(InputError):
        Study(seeds=[seed])


@pytest.mark.parametrize(("name", "option"), [("RESULTS", "results"), ("FIGURES", "figures")])
@pytest.mark.parametrize("fault", ["leads nowhere", "is a file"])
def test_a_folder_that_is_none_is_named_with_its_cause_before_any_work(
    fault, name, option, tmp_path, monkeypatch, capsys
):
    bad = tmp_path / "bad"
    if fault == "is a file":
        bad.touch()
    else:
        bad.symlink_to(tmp_path / "nowhere")
    for arguments in (ONE, [*ONE, f"--{option}", str(bad)]):
        monkeypatch.setenv(f"DIGITS_{name}", str(bad))
        assert run_all.main(arguments) == 2
        printed = capsys.readouterr()
        assert fault in printed.err and f"--{option}" in printed.err
        assert printed.err.count("\n") == 1 and "training on" not in printed.out


def test_the_folder_of_the_profile_may_be_no_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("DIGITS_FIGURES", str(tmp_path))
    (tmp_path / "smoke").touch()
    assert run_all.main(ONE) == 2
    assert "smoke is a file): name another folder with --figures." in capsys.readouterr().err


def test_a_home_is_expanded_after_an_equals_sign(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run_all.parser().parse_args(["--results=~/r"]).results == tmp_path / "r"


def test_a_file_of_records_that_may_not_be_written_is_told_before_training(
    monkeypatch, capsys, tmp_path
):
    folder = tmp_path / "results" / "sample" / "zadoks"
    folder.mkdir(parents=True)
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, *a, **k: path != folder and access(path, *a, **k)
    )
    monkeypatch.setattr(os, "supports_effective_ids", set())
    assert run_all.main([*ONE, "--train-only"]) == 2
    printed = capsys.readouterr()
    assert ".jsonl cannot be written (Permission denied): change its permissions" in printed.err
    assert "training on" not in printed.out
