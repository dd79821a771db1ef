"""Notebooks run without a person in the same way, whatever the user's own settings are."""

import json
import os
import re
import signal
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from digits import core
from digits.core import InputError
from digits.output import kernel, notebooks
from digits.study.study import Study

OWN = """
import os, sys
import matplotlib.pyplot as plt
from digits.output.plots import style

assert "of_profile" not in globals() and "of_startup" not in globals()
assert os.getpgid(0) == os.getpid()
assert sys.executable == {python!r}
assert not plt.rcParams["text.usetex"] and plt.rcParams["axes.facecolor"] != "red"
figure, _ = plt.subplots()
style.save(figure, __import__("pathlib").Path({folder!r}), "new")
"""


@pytest.fixture
def own_settings(tmp_path, monkeypatch):
    """A matplotlibrc, an IPython profile, a start-up file and a kernel that change everything."""
    profile = tmp_path / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "own.py").write_text("of_profile = 1")
    (tmp_path / "startup.py").write_text("of_startup = 1")
    kernel = tmp_path / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "Other", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    (tmp_path / "mpl").mkdir()
    (tmp_path / "mpl" / "matplotlibrc").write_text("text.usetex: True\naxes.facecolor: red\n")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "mpl"))


@pytest.mark.slow
def test_no_setting_of_the_user_reaches_a_notebook(
    own_settings, own_notebooks, tmp_path, monkeypatch
):
    import sys

    figures = tmp_path / "a {b} #1?%'\""
    monkeypatch.setenv("DIGITS_FIGURES", str(figures))
    study = Study(profile="smoke")
    folder = study.figures("own")
    (folder / "old.svg").touch()
    source = own_notebooks(own=[OWN.format(python=sys.executable, folder=str(folder))])
    book = json.loads((source / "own.ipynb").read_text())
    book["metadata"] = {}  # neither a kernel nor a language
    (source / "own.ipynb").write_text(json.dumps(book))
    notebooks.check(["own"], Study())
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 3600)  # the folder's clock is behind
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    before = set(os.listdir(tempfile.gettempdir()))
    kernel.prepare()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    status = notebooks.execute("own", study)
    assert (status["status"], status["error"]) == ("ok", "")
    assert status["pictures"] == ["new"]
    assert {name for name in os.listdir(tempfile.gettempdir()) if "json" in name} <= before
    assert not any((tmp_path / "ipython" / "profile_default").glob("*.sqlite"))


@pytest.mark.parametrize(
    "content", ["", "{}", "no notebook", '{"cells": [], "metadata": {}, "nbformat": 4}']
)
def test_a_damaged_notebook_is_named(content, tmp_path, monkeypatch):
    (tmp_path / "05_zadoks.ipynb").write_text(content)
    monkeypatch.setattr(core, "NOTEBOOKS", tmp_path)
    with pytest.raises(InputError, match=r"05_zadoks.ipynb is not a notebook with one cell of par"):
        notebooks.check(["05_zadoks"], Study())


def fails_with(error):
    def execute(name, study):
        raise error

    return execute


@pytest.mark.parametrize("inside", [True, False])
def test_a_fault_of_a_file_is_told_with_its_true_cause(inside, tmp_path, monkeypatch):
    study = Study(profile="smoke")
    file = study.figures_folder / "x.md" if inside else tmp_path / "source.ipynb"
    error = PermissionError(13, "Permission denied", str(file))
    monkeypatch.setattr(notebooks, "_execute", fails_with(error))
    with pytest.raises(InputError, match="Permission denied.*change its permissions") as told:
        notebooks.execute("own", study)
    assert ("own cannot be written to" in str(told.value)) == inside
    assert "free the disk" not in str(told.value)


def test_a_notebook_that_cannot_be_published_leaves_no_success_of_an_earlier_run(monkeypatch):
    study = Study(profile="smoke")
    left = study.figures("05_zadoks") / "status.json"
    left.write_text("{}")

    def fails(*arguments):
        raise ValueError("no page")

    monkeypatch.setattr(notebooks, "execute", fails)
    status = notebooks._status_of("05_zadoks", study)
    assert (status["status"], status["error"]) == ("failed", "ValueError: no page")
    assert not left.exists()


def test_what_a_killed_kernel_leaves_lies_in_a_folder_that_goes():
    before = tempfile.gettempdir()
    with pytest.raises(ZeroDivisionError), notebooks._temporary_files_apart():
        apart = tempfile.gettempdir()
        (Path(apart) / "keys.json").touch()
        raise ZeroDivisionError
    assert tempfile.gettempdir() == before != apart and not os.path.exists(apart)


WARM = """
import os, signal, sys
import numpy as np
import torch

assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())  # it can be stopped
warm = "digits.output.warm" in sys.modules
print("warm", warm, np.random.rand(), torch.rand(2) @ torch.rand(2) > 0)
"""


@pytest.mark.slow
@pytest.mark.parametrize("forks", [True, False])
def test_a_kernel_is_forked_where_that_can_be_and_starts_anew_elsewhere(
    forks, own_notebooks, tmp_path, monkeypatch
):
    methods = ["spawn", "forkserver"] if forks else ["spawn"]
    monkeypatch.setattr("multiprocessing.get_all_start_methods", lambda: methods)
    study = Study(profile="smoke")
    source = own_notebooks(one=[WARM], two=[WARM])
    monkeypatch.setattr(core, "NOTEBOOKS", source)
    told = []
    for name in ("one", "two"):
        status = notebooks._execute(name, study)
        assert (status["status"], status["error"]) == ("ok", "")
        book = json.loads((study.figures(name) / f"{name}.ipynb").read_text())
        told.append("".join(book["cells"][-1]["outputs"][0]["text"]).split())
    assert [words[1] for words in told] == [str(forks)] * 2
    assert told[0][2] != told[1][2]  # forks have random numbers of their own
    if forks:  # an interrupt while it imports would show a traceback
        status = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/status").read_text()
        assert int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16) & 1 << signal.SIGINT - 1
