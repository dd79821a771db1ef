"""The functions that a station offers first are documented in numpydoc's form."""

import importlib
import inspect

import pytest
from numpydoc.validate import validate

STATIONS = ("data", "training", "experiments", "study", "analysis")
#: Examples, "see also" and a longer summary are not asked for; the summary may stand on the
#: opening line.
NOT_ASKED = {"EX01", "SA01", "ES01", "GL01"}


def offered():
    """Every function that a station's `__init__` names, by its full name."""
    for station in STATIONS:
        module = importlib.import_module(f"digits.{station}")
        for _, function in inspect.getmembers(module, inspect.isfunction):
            yield f"{function.__module__}.{function.__qualname__}"


@pytest.mark.parametrize("name", sorted(offered()))
def test_parameters_returns_and_errors_are_documented(name):
    faults = [f"{code}: {text}" for code, text in validate(name)["errors"] if code not in NOT_ASKED]
    assert faults == []


def test_every_station_offers_something():
    assert {name.split(".")[1] for name in offered()} == set(STATIONS)
