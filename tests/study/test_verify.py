"""Runs trained again are compared with their records, and a difference is told."""

import shutil
from concurrent.futures import Future

import numpy as np
import pandas as pd
import pytest
import torch
from joblib.externals.loky.process_executor import TerminatedWorkerError

import run_all
from digits.core import InputError
from digits.study import verify
from digits.study.study import Study
from digits.training.record import pack

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


def altered(record, **changes):
    """Change a record so that nothing in it contradicts itself."""
    error = changes.get("test_error", record.test_error)
    curve = (*record.curves.test_error[:-1], error)
    curves = record.curves.model_copy(update={"test_error": curve})
    return record.model_copy(update=changes | {"curves": curves})


@pytest.mark.parametrize("field", ["weights", "test_error", "precise_error", "decisions"])
def test_an_altered_record_is_found_out_and_the_field_is_named(trained, capsys, field):
    path = trained.store.path_of(NAME)
    record = next(record for record in trained.store.read(NAME) if record.seed == 0)
    none_wrong = pack(np.zeros(record.recipe.test_pairs))
    changes = {
        "weights": "0" * 16,
        "test_error": record.test_error - 1,
        "precise_error": record.precise_error - 1,
        "decisions": none_wrong,
    }
    changed = altered(record, **{field: changes[field]})
    path.write_text(changed.model_dump_json(exclude_none=True) + "\n")
    assert run_all.main([*OPTIONS, "--verify", "1"]) == 1
    printed = capsys.readouterr()
    curve = ["curves.test_error"] if field == "test_error" else []
    named = ", ".join(n for n in type(record).model_fields if n in (field, "curves"))
    named = named.replace("curves", curve[0]) if curve else field
    assert named in printed.out
    assert f"{int(field != 'weights')} of 1 have the same bits" in printed.out
    assert "differs from its record on the same kind of machine" in printed.err
    assert path.read_text() == changed.model_dump_json(exclude_none=True) + "\n"


def lost(error):
    future = Future()
    future.set_exception(error)
    return future


@pytest.mark.parametrize(
    "error", [TerminatedWorkerError("ended"), ValueError("no"), InputError("x.")]
)
def test_a_run_that_fails_is_named_and_verify_ends_with_1(study, capsys, monkeypatch, error):
    def train_runs(runs, *_):
        return [(run, lost(error)) for run in runs]

    monkeypatch.setattr(verify.workers, "train_runs", train_runs)
    assert verify.report(study, 2, (NAME,)) == 1
    printed = capsys.readouterr()
    assert f"{NAME} #0" in printed.out and "a run failed" in printed.err
    assert str(error).rstrip(".") in printed.out or "ended from outside" in printed.out


def test_another_machine_may_differ_a_little():
    row = {"run": "a #0", "same machine": False, "same bits": False, "error": 1.2, "curves": 0.1}
    row |= {"differs": "test_error"}
    assert verify.holds(pd.DataFrame([row]))
    assert not verify.holds(pd.DataFrame([row | {"error": verify.TOLERANCE + 0.1}]))
    assert not verify.holds(pd.DataFrame([row | {"error": np.inf}]))
    assert not verify.holds(pd.DataFrame([row | {"same machine": True}]))
    assert not verify.holds(pd.DataFrame([row | {"same bits": True}]))  # of the same weights
    same = {"same machine": True, "same bits": True, "error": 0.0, "differs": ""}
    assert verify.holds(pd.DataFrame([row | same]))


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


def test_records_of_a_card_that_is_not_here_are_not_drawn(study, monkeypatch):
    path = study.store.path_of(NAME)
    first, second = path.read_text().splitlines()
    path.write_text(first.replace('"device":"cpu"', '"device":"cuda"') + f"\n{second}\n")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="verify = 2: there are 1 records to draw from"):
        verify.verify(study, 2, NAME)


def test_records_of_bfloat16_are_drawn_only_where_it_is_native(study, monkeypatch):
    path = study.store.path_of(NAME)
    path.write_text(path.read_text().replace('"float32"', '"bfloat16"', 1))
    monkeypatch.setattr(verify, "has_bf16", lambda device: False)
    with pytest.raises(InputError, match="verify = 2: there are 1 records to draw from"):
        verify.verify(study, 2, NAME)


@pytest.mark.parametrize("n", [0, -1, 3])
def test_more_runs_than_there_are_records_is_refused(study, n):
    with pytest.raises(InputError, match=f"verify = {n}: there are 2 records to draw from"):
        verify.verify(study, n, NAME)


def test_decisions_that_do_not_fit_the_test_pairs_of_the_round_are_told_without_training(
    study, smoke_results
):
    assert verify.contradicted(study, NAME) == []
    record = study.store.read(NAME)[0]
    swapped = record.model_copy(update={"seed": 1 - record.seed})
    decided = record.model_copy(update={"decisions": pack(np.zeros(record.recipe.test_pairs))})
    for changed in (swapped, decided):
        path = study.store.path_of(NAME)
        path.write_text(changed.model_dump_json(exclude_none=True) + "\n")
        (told,) = verify.contradicted(study, NAME)
        assert told.startswith(f"{NAME} #{changed.seed}: test_error = {record.test_error}, but its")


def test_all_committed_smoke_records_fit_their_test_pairs(smoke_results, monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(smoke_results))
    assert verify.contradicted(Study(profile="smoke"), "*", "beyond/*", "search/*") == []
