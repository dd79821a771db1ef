"""Lines that other tools touched are read or named; what is refused is one short sentence."""

import json

import pytest

import run_all
from digits.core import InputError
from digits.study.lines import line_of
from digits.study.store import RecordStore

NAME = "zadoks/twinnet"
OPTIONS = ["--profile", "smoke", "--only", "05_zadoks", "--train-only", "--jobs", "1"]
MARK = "\ufeff".encode()


@pytest.fixture(scope="module")
def records(smoke_results):
    return RecordStore(smoke_results, "sample").read(NAME)


@pytest.fixture
def store(tmp_path):
    return RecordStore(tmp_path, "sample")


def written(store, data):
    path = store.path_of(NAME)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "touched",
    [
        lambda one, two: MARK + one + two,
        lambda one, two: one + MARK + two,  # two files with a mark, after cat
        lambda one, two: one.replace(b"\n", b"\r\n") + two.replace(b"\n", b"\r\n"),
        lambda one, two: b"\n" + one + b"\n  \n" + two + b"\n",
        lambda one, two: one[:-1] + two,
        lambda one, two: one[:-1] + MARK + two[:-1],
        lambda one, two: one[:-1] + two[:-1] + one,
        lambda one, two: one + two[:-1] + b"\0" * 20,
    ],
    ids=["mark", "marks", "crlf", "blank", "joined", "joined marks", "thrice", "zeros"],
)
def test_what_other_tools_did_to_whole_records_is_read(store, records, touched):
    path = written(store, touched(*map(line_of, records[:2])))
    assert store.read(NAME) == records[:2]
    assert not store.append(records[1])
    new = records[0].model_copy(update={"seed": 9})
    assert store.append(new)
    assert store.read(NAME) == [*records[:2], new]
    assert b"\0" not in path.read_bytes()


@pytest.mark.parametrize("mark", ["<<<<<<< HEAD", "=======", ">>>>>>> theirs", "||||||| base"])
def test_a_merge_conflict_is_named_with_the_way_out(store, records, mark):
    one, two = map(line_of, records[:2])
    data = one + mark.encode() + b"\n" + two
    path = written(store, data)
    with pytest.raises(InputError, match="line 2 is a mark of a merge conflict") as e:
        store.read(NAME)
    assert mark in str(e.value) and "keep all records" in str(e.value)
    for last in (mark.encode(), mark.encode() + b"\n"):  # with and without the end of its line
        written(store, one + last)
        with pytest.raises(InputError, match="merge conflict"):
            store.append(records[1])
        assert path.read_bytes() == one + last


@pytest.mark.parametrize(
    "last", [b"{", b'{"a":1}{"b', b'{"a":1} text', b'{"a":1,,', b"text", b'{"a":"b"', b"{}", b"[1"]
)
def test_only_the_beginning_of_a_record_is_taken_for_one_that_was_cut_off(store, records, last):
    path = written(store, line_of(records[0]) + last)
    if last in (b"{", b'{"a":"b"'):
        assert store.read(NAME) == records[:1]
        return
    for do in (lambda: store.read(NAME), lambda: store.append(records[1])):
        with pytest.raises(InputError, match="line 2 is not a record"):
            do()
    assert path.read_bytes() == line_of(records[0]) + last


def changed(record, **fields):
    return json.dumps(json.loads(line_of(record)) | fields).encode() + b"\n"


HOSTILE = {
    "bytes": lambda record: line_of(record).replace(b"cpu", b"c\xffu"),
    "escapes": lambda record: changed(record, commit="\x1b[31mred\x07"),
    "newlines": lambda record: changed(record, processor="a\nrun_all.py: all is well"),
    "reversed": lambda record: changed(record, processor="a\u202eb"),
    "megabyte": lambda record: changed(record, processor="x" * 10**6),
    "megabyte key": lambda record: changed(record, **{"\x1b" * 10**6: 1}),
    "key of versions": lambda record: changed(record, versions={"\x1b[2J": "1"}),
    "many versions": lambda record: changed(record, versions={str(i): "1" for i in range(10**4)}),
    "deep": lambda record: b"[" * 10**5 + b"\n",
    "deep object": lambda record: b'{"a":' * 10**5 + b"\n",
    "digits": lambda record: line_of(record).replace(b'"seed":0', b'"seed":' + b"9" * 10**5),
    "surrogate": lambda record: line_of(record).replace(b'"cpu"', b'"\\ud800"'),
    "NaN": lambda record: line_of(record).replace(b'"threads":1', b'"threads":NaN'),
    "infinite loss": lambda record: line_of(record).replace(
        b'"test_loss":[', b'"test_loss":[1e999,'
    ),
    "seed twice": lambda record: line_of(record).replace(b'"seed":0', b'"seed":0,"seed" : 0'),
    "curve twice": lambda record: line_of(record).replace(
        b'"curves":{', b'"curves":{"test_loss":[1,1],'
    ),
    "recipe twice": lambda record: line_of(record).replace(b'"epochs":2', b'"epochs":2,"epochs":2'),
    "folds of all memory": lambda record: (
        line_of(record)
        .replace(b'"folds":0', b'"folds":%d' % 10**11)
        .replace(b'"train_pairs":250', b'"train_pairs":%d' % 10**12)
    ),
    "pairs beyond floats": lambda record: line_of(record).replace(
        b'"train_pairs":250', b'"train_pairs":1' + b"0" * 400
    ),
    "torn, then a record": lambda record: line_of(record)[:200] + line_of(record),
    "half a mark": lambda record: MARK[:2] + line_of(record),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_line_is_one_printable_sentence_with_its_place(store, records, name):
    data = line_of(records[1]) + HOSTILE[name](records[0])
    path = written(store, data)
    with pytest.raises(InputError, match="twinnet.jsonl, line 2 is not a record") as e:
        store.read(NAME)
    assert str(e.value).isprintable() and len(str(e.value)) < 900
    with pytest.raises(InputError):
        store.append(records[0])
    assert path.read_bytes() == data


def test_a_text_with_a_colon_is_not_taken_for_a_field(store, records):
    with_colons = records[0].model_copy(update={"processor": 'a: "b": c, "seed": 1'})
    written(store, line_of(with_colons))
    assert store.read(NAME) == [with_colons]


def test_what_is_refused_ends_a_study_with_2_before_training(records, capsys, folders):
    store = RecordStore(folders / "results", "sample")
    data = changed(records[0], test_error=-5.0)
    path = written(store, data)
    assert run_all.main(OPTIONS) == 2
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert (
        "line 1 is not a record (test_error = -5.0 " in sentence and "training" not in printed.out
    )
    assert path.read_bytes() == data
