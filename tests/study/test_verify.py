"""Runs trained again are compared with their records, and a difference is told."""

import shutil

import numpy as np
import pandas as pd
import pytest

import run_all
from digits.core import InputError
from digits.study import verify
from digits.study.study import Study

NAME = "zadoks/twinnet"
OPTIONS = ["--profile", "smoke", "--only", "05_zadoks", "--seeds", "0"]


@pytest.fixture
def study(smoke_results):
    study = Study(profile="smoke", jobs=1)
    path = study.store.path_of(NAME)
    path.parent.mkdir(parents=True)
    shutil.copy(smoke_results / "sample" / f"{NAME}.jsonl", path)
    return study


@pytest.fixture
def trained(study, train_record):
    """The study with the records of this machine."""
    study.store.path_of(NAME).unlink()
    for run in study.runs(NAME):
        study.store.append(train_record(run.experiment, run.seed))
    return study


def test_the_same_machine_gives_the_same_bits(trained):
    found = verify.verify(trained, 2, NAME)
    assert found.run.tolist() == [f"{NAME} #0", f"{NAME} #1"]
    assert found["same bits"].all() and found["same machine"].all()
    assert (found.error == 0).all() and (found.curves == 0).all()
    assert verify.holds(found)


def test_an_altered_record_is_found_out(trained, capsys):
    path = trained.store.path_of(NAME)
    record = next(record for record in trained.store.read(NAME) if record.seed == 0)
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


def test_what_differs_between_two_records_is_told(study, tiny_experiment, train_record):
    then = study.store.read(NAME)[0]
    curves = then.curves.model_copy(update={"test_loss": tuple(np.add(then.curves.test_loss, 0.2))})
    now = then.model_copy(
        update={
            "train_error": then.train_error - 2,
            "precise_error": then.precise_error + 3,
            "curves": curves,
            "weights": "0" * 16,
        }
    )
    row = verify.compare(then, now)
    assert (row["run"], row["same machine"], row["same bits"]) == (f"{NAME} #0", True, False)
    assert (row["error"], row["curves"]) == pytest.approx((3, 0.2))
    other = now.model_copy(update={"processor": "another"})
    assert not verify.compare(then, other)["same machine"]
    diverged = train_record(tiny_experiment(NAME, learning_rate=1e30))
    row = verify.compare(then, diverged)
    assert not row["same bits"] and row["error"] == row["curves"] == np.inf


@pytest.mark.parametrize("n", [0, -1, 3])
def test_more_runs_than_there_are_records_is_refused(study, n):
    with pytest.raises(InputError, match=f"verify = {n}: there are 2 records to draw from"):
        verify.verify(study, n, NAME)
