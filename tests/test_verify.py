"""Runs trained again are compared with their records, and a difference is told."""

import numpy as np
import pandas as pd
import pytest

import run_all
from digits import core, records, verify
from digits.core import InputError
from digits.study import Study

NAME = "zadoks/twinnet"
OPTIONS = ["--profile", "smoke", "--only", "05_zadoks", "--seeds", "0"]


@pytest.fixture
def trained():
    study = Study(profile="smoke")
    study.train_missing(NAME)
    return study


def test_the_same_machine_gives_the_same_bits(trained):
    found = verify.verify(trained, 2, NAME)
    assert found.run.tolist() == [f"{NAME} #0", f"{NAME} #1"]
    assert found["same bits"].all() and found["same machine"].all()
    assert (found.error == 0).all() and (found.curves == 0).all()
    assert verify.holds(found)


def test_an_altered_record_is_found_out(trained, capsys):
    path = records.path_of(core.results_dir(), NAME, "sample")
    (record,) = (r for r in records.read(core.results_dir(), NAME, "sample") if r.seed == 0)
    changed = record.model_copy(update={"test_error": record.test_error + 1, "weights": "0" * 16})
    path.write_text(changed.model_dump_json(exclude_none=True) + "\n")
    assert run_all.main([*OPTIONS, "--verify", "1"]) == 1
    printed = capsys.readouterr()
    assert "largest difference of an error 1 points" in printed.out
    assert "0 of 1 have the same bits" in printed.out
    assert "a run on the same kind of machine gave other bits" in printed.err
    assert path.read_text() == changed.model_dump_json(exclude_none=True) + "\n"


def test_another_machine_may_differ_a_little():
    row = {"run": "a #0", "same machine": False, "same bits": False, "error": 1.2, "curves": 0.1}
    assert verify.holds(pd.DataFrame([row]))
    assert not verify.holds(pd.DataFrame([row | {"error": verify.TOLERANCE + 0.1}]))
    assert not verify.holds(pd.DataFrame([row | {"error": np.inf}]))
    assert not verify.holds(pd.DataFrame([row | {"same machine": True}]))


@pytest.mark.parametrize("n", [0, -1, 3])
def test_more_runs_than_there_are_records_is_refused(trained, n):
    with pytest.raises(InputError, match=f"verify = {n}: there are 2 records to draw from"):
        verify.verify(trained, n, NAME)
