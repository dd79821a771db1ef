"""What the tests share: small recipes, and folders of their own for records and figures."""

import pytest

from digits.data import load
from digits.experiments import EXPERIMENTS
from digits.recipe import Recipe
from digits.study import Study


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """Give every test its own results and figures, and no MNIST."""
    monkeypatch.setenv("DIGITS_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("DIGITS_FIGURES", str(tmp_path / "figures"))
    monkeypatch.setenv("DIGITS_DATA", str(tmp_path / "data"))
    return tmp_path


@pytest.fixture(scope="session")
def sample():
    """The 5,000 sample digits."""
    return load("sample")


@pytest.fixture(scope="session")
def smoke_results(tmp_path_factory):
    """A results folder with every run of the smoke profile, trained once for all tests."""
    folder = tmp_path_factory.mktemp("smoke")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(folder))
        assert Study(profile="smoke").train_missing("*", "beyond/*", "search/*") == []
    return folder


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
