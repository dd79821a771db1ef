"""What the tests share: small recipes, recorded runs, and folders of their own."""

import gc

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import settings

from digits import core
from digits.analysis import findings
from digits.data.sources import load
from digits.experiments.registry import EXPERIMENTS, select
from digits.study.frames import tidy
from digits.study.runs import Run, execute
from digits.study.store import RecordStore
from digits.study.study import Study
from digits.training.device import CPU
from digits.training.recipe import Recipe
from digits.training.record import Record

SMOKE = core.ROOT / "tests" / "smoke"

# The same examples in every run, and none fails because the machine is busy.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
# Two test processes with as many threads as cores would wait for each other.
torch.set_num_threads(1)


def pytest_collection_finish():
    """Leave what is imported by now, a million objects, out of every garbage collection."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def folders(tmp_path, tmp_path_factory, monkeypatch):
    """Give every test its own results and figures, and no MNIST."""
    monkeypatch.setenv("DIGITS_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("DIGITS_FIGURES", str(tmp_path / "figures"))
    # One name for all tests: worker processes are started anew when it changes.
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path_factory.getbasetemp() / "no-mnist"))
    return tmp_path


@pytest.fixture(scope="session")
def sample():
    """The 5,000 sample digits."""
    return load("sample")


@pytest.fixture(scope="session")
def smoke_results():
    """The folder of the committed smoke records: every run of that profile.

    It is for reading: a test that trains into it copies it first.
    """
    before = {file: file.read_bytes() for file in SMOKE.rglob("*") if file.is_file()}
    yield SMOKE
    assert before == {file: file.read_bytes() for file in SMOKE.rglob("*") if file.is_file()}


@pytest.fixture(scope="session")
def committed():
    """Tidy rows of the committed records of the full protocol, own and common.

    As many rounds as there are of each experiment. A test that changes the table copies it.
    """
    store, found = RecordStore(core.ROOT / "results", "mnist"), []
    for experiment in select("*"):
        found += [r for r in store.read(experiment.id) if r.recipe == experiment.recipe]
    return tidy([record for record in found if isinstance(record, Record)])


@pytest.fixture(scope="session")
def frame(smoke_results):
    """Tidy rows of the smoke profile: one round of each network, shortened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        return tidy(Study(profile="smoke").records(*findings.WHOLE))


@pytest.fixture(scope="session")
def as_if_full(frame):
    """The same runs as if they were whole, with further rounds that differ a little."""
    generator = np.random.default_rng(0)
    parts = []
    for seed in range(10):
        part = frame[frame.seed == 0].assign(seed=seed, shortened=False)
        for error in ("precise_error", "test_error", "train_error"):
            part[error] = part[error] + generator.normal(0, 0.3, len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def found(as_if_full):
    """What those rows show."""
    return findings.find(as_if_full)


@pytest.fixture(scope="session")
def found_of_one_round(frame):
    """What one shortened round of everything shows."""
    return findings.find(frame)


@pytest.fixture(scope="session")
def train_record(sample):
    """Return a function from an experiment, a seed and a device to the record of that run."""

    def train(experiment, seed=0, device=CPU):
        return execute(Run(experiment, seed, device), sample)

    return train


@pytest.fixture(scope="session")
def tiny():
    """A recipe that trains in a tenth of a second."""
    return Recipe(
        epochs=2,
        batch_size=25,
        learning_rate=0.01,
        train_pairs=100,
        test_pairs=80,
        precise_pairs=300,
    )


@pytest.fixture(scope="session")
def tiny_experiment(tiny):
    """Return a function from an id to that experiment with the tiny recipe and further changes."""

    def make(name, **changes):
        original = EXPERIMENTS[name].recipe
        sizes = set(tiny.model_dump(exclude_defaults=True)) | {"curve_step"}
        kept = original.model_dump(exclude=sizes)
        return EXPERIMENTS[name].model_copy(update={"recipe": tiny.but(**kept | changes)})

    return make


@pytest.fixture
def own_notebooks(tmp_path, monkeypatch):
    """Return a function from code cells by name to a folder of such notebooks.

    run_all.py then executes these and no others.
    """

    def use(**cells):
        import nbformat

        folder = tmp_path / "notebooks"
        folder.mkdir()
        book = nbformat.read(core.NOTEBOOKS / "05_zadoks.ipynb", as_version=4)
        first = book.cells[:2]  # the title and the parameters
        for name, sources in cells.items():
            book.cells = [*first, *(nbformat.v4.new_code_cell(source) for source in sources)]
            nbformat.write(book, folder / f"{name}.ipynb")
        monkeypatch.setattr(core, "NOTEBOOKS", folder)
        return folder

    return use
