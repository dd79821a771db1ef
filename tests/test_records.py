"""Records survive torn lines and two writers, and damage is told with file and line."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digits import records
from digits.core import InputError
from digits.training import train

NAME = "zadoks/twinnet+ws+aux"


@pytest.fixture(scope="module")
def record(sample, tiny_experiment):
    return train(tiny_experiment(NAME), 0, sample)


def other(record, seed):
    return record.model_copy(update={"seed": seed})


def test_what_is_appended_is_read(tmp_path, record):
    assert records.read(tmp_path, NAME, "sample") == []
    assert records.append(tmp_path, record)
    assert records.append(tmp_path, other(record, 1))
    assert records.read(tmp_path, NAME, "sample") == [record, other(record, 1)]


def test_a_run_that_is_there_is_not_written_again(tmp_path, record):
    assert records.append(tmp_path, record)
    assert not records.append(tmp_path, record.model_copy(update={"test_error": 0.0}))
    assert records.read(tmp_path, NAME, "sample") == [record]


@pytest.mark.parametrize("cut", [1, 10, 300])
def test_a_torn_last_line_is_left_out_and_replaced(tmp_path, record, cut):
    path = records.path_of(tmp_path, NAME, "sample")
    records.append(tmp_path, record)
    records.append(tmp_path, other(record, 1))
    path.write_bytes(path.read_bytes()[:-cut])
    assert records.read(tmp_path, NAME, "sample") == [record]
    records.append(tmp_path, other(record, 2))
    assert records.read(tmp_path, NAME, "sample") == [record, other(record, 2)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:100],
        lambda line: "",
        lambda line: "not json",
        lambda line: json.dumps(json.loads(line) | {"schema_version": 0}),
        lambda line: json.dumps(json.loads(line) | {"seed": "0"}),
        lambda line: json.dumps(json.loads(line) | {"extra": 1}),
        lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k != "seed"}),
    ],
)
def test_a_damaged_line_is_named_and_nothing_is_lost(tmp_path, record, damage):
    path = records.path_of(tmp_path, NAME, "sample")
    for seed in range(3):
        records.append(tmp_path, other(record, seed))
    lines = path.read_text().split("\n")
    lines[1] = damage(lines[1])
    damaged = "\n".join(lines)
    path.write_text(damaged)
    with pytest.raises(InputError, match=r"twinnet\+ws\+aux.jsonl, line 2 is not a record") as e:
        records.read(tmp_path, NAME, "sample")
    assert "\n" not in str(e.value)
    with pytest.raises(InputError, match="line 2"):
        records.append(tmp_path, other(record, 9))
    assert path.read_text() == damaged


def test_a_record_in_the_wrong_file_is_named(tmp_path, record):
    records.append(tmp_path, record)
    path = records.path_of(tmp_path, NAME, "sample")
    wrong = records.path_of(tmp_path, "zadoks/twinnet", "sample")
    path.rename(wrong)
    with pytest.raises(InputError, match=r"line 1 belongs to zadoks/twinnet\+ws\+aux on sample"):
        records.read(tmp_path, "zadoks/twinnet", "sample")


def test_many_writers_do_not_spoil_each_other(tmp_path, record):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: records.append(tmp_path, other(record, i % 20)), range(60)))
    seeds = [r.seed for r in records.read(tmp_path, NAME, "sample")]
    assert sorted(seeds) == list(range(20))


def test_a_folder_that_cannot_be_written_is_told(tmp_path, record):
    (tmp_path / "results").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be written .*--results"):
        records.append(tmp_path / "results", record)


def test_moving_aside_loses_nothing(tmp_path, record):
    for seed in range(3):
        records.append(tmp_path, other(record, seed))
    aside = records.move_aside(tmp_path, {other(record, 1).key}, "sample")
    assert [r.seed for r in records.read(tmp_path, NAME, "sample")] == [0, 2]
    assert records.read(tmp_path, NAME, aside.name)  # as good as before, under another source
    assert records.move_aside(tmp_path, {other(record, 1).key}, "sample") is None


def test_files_joined_with_cat_count_a_run_once(tmp_path, record):
    records.append(tmp_path, record)
    path = records.path_of(tmp_path, NAME, "sample")
    again = record.model_copy(update={"seconds": 9.0})
    path.write_text(path.read_text() + again.model_dump_json() + "\n")
    assert records.read(tmp_path, NAME, "sample") == [record]


def test_two_records_of_one_run_that_differ_are_refused(tmp_path, record):
    records.append(tmp_path, record)
    records.append(tmp_path, other(record, 1))
    path = records.path_of(tmp_path, NAME, "sample")
    wrong = record.model_copy(update={"weights": "0" * 16})
    path.write_text(path.read_text() + wrong.model_dump_json() + "\n")
    with pytest.raises(InputError, match="lines 1 and 3 are of one run and differ"):
        records.read(tmp_path, NAME, "sample")


def test_a_recipe_that_its_hash_does_not_fit_is_refused(tmp_path, record):
    records.append(tmp_path, record)
    path = records.path_of(tmp_path, NAME, "sample")
    path.write_text(path.read_text().replace('"epochs":2', '"epochs":3'))
    with pytest.raises(InputError, match="line 1: its recipe hash is"):
        records.read(tmp_path, NAME, "sample")


def test_a_run_that_diverged_leaves_a_line_of_its_own(tmp_path, record, sample, tiny_experiment):
    failure = train(tiny_experiment(NAME, learning_rate=1e30), 3, sample)
    records.append(tmp_path, record)
    assert records.append(tmp_path, failure)
    assert not records.append(tmp_path, failure)
    assert records.read(tmp_path, NAME, "sample") == [record, failure]
    path = records.path_of(tmp_path, NAME, "sample")
    claims_success = record.model_copy(update={"seed": 3, **_recipe(failure)})
    path.write_text(path.read_text() + claims_success.model_dump_json(exclude_none=True) + "\n")
    with pytest.raises(InputError, match="lines 2 and 3 are of one run and differ"):
        records.read(tmp_path, NAME, "sample")


def _recipe(record):
    return {"recipe": record.recipe, "recipe_hash": record.recipe_hash}


def test_one_process_trains_into_a_share_at_a_time_and_the_other_says_that_it_waits(
    tmp_path, capsys
):
    order = []

    def train_into(share):
        with records.alone(tmp_path, "sample", share):
            order.append(share)

    with ThreadPoolExecutor(1) as pool:
        with records.alone(tmp_path, "sample", (1, 2)):
            train_into((2, 2))  # another share does not wait
            second = pool.submit(train_into, (1, 2))
            while "waiting for its end" not in capsys.readouterr().err:
                assert not second.done()
            order.append("first is done")
        second.result(timeout=10)
    assert order == [(2, 2), "first is done", (1, 2)]


@given(st.lists(st.integers(0, 1), min_size=1, max_size=70))
def test_decisions_survive_packing(bits):
    assert records.unpack(records.pack(np.array(bits)), len(bits)).tolist() == bits
