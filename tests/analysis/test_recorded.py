"""Errors of simple methods are read from their file as they are, or refused in one sentence."""

import pytest

from digits.analysis import recorded
from digits.analysis.recorded import Key, errors_of, path_of, read
from digits.core import InputError

KEY = Key("test_error", "a method, with a comma", 0, 100, 80)
OTHER = KEY._replace(measure="digit_error", method="always ≤", seed=3)


def giving(*errors):
    """What computes these errors, whatever is asked."""
    return lambda digits, keys: list(errors)


def refused(*_):
    raise AssertionError("nothing is to be computed")


@pytest.fixture
def file():
    """The file of two errors."""
    assert errors_of("sample", [KEY, OTHER], giving(2.5, 0.625)) == [2.5, 0.625]
    return path_of("sample")


def test_errors_are_read_as_they_were_computed(file):
    assert errors_of("sample", [OTHER, KEY, OTHER], refused) == [0.625, 2.5, 0.625]
    assert file.read_text(encoding="utf-8").splitlines() == [
        "measure,method,seed,train_pairs,test_pairs,source_checksum,error",
        "digit_error,always ≤,3,100,80,846f6cad587fea38,0.625",
        'test_error,"a method, with a comma",0,100,80,846f6cad587fea38,2.5',
    ]
    assert not [left for left in file.parent.iterdir() if left.name not in (file.name, ".lock")]


def test_what_is_missing_is_computed_and_added(file):
    third = KEY._replace(seed=1)
    asked = []
    found = errors_of("sample", [KEY, third], lambda digits, keys: asked.extend(keys) or [5.0])
    assert (found, asked) == ([2.5, 5.0], [third])
    assert read("sample") == {KEY: 2.5, OTHER: 0.625, third: 5.0}


def test_what_another_notebook_adds_meanwhile_is_kept(file):
    mine, theirs = KEY._replace(seed=1), KEY._replace(seed=2)

    def compute(digits, keys):
        errors_of("sample", [theirs], giving(7.5))
        return [5.0]

    assert errors_of("sample", [mine], compute) == [5.0]
    assert read("sample") == {KEY: 2.5, OTHER: 0.625, mine: 5.0, theirs: 7.5}


DAMAGES = {
    ",2.5\n": {
        "": "it has 6 fields, not 7",
        ",\n": "error = '' is not allowed",
        ",nan\n": "error = 'nan' is not allowed",
        ",inf\n": "error = 'inf' is not allowed",
        ",-1.25\n": "error = '-1.25' is not allowed",
        ",101.25\n": "error = '101.25' is not allowed",
        ",2.4\n": "error = 2.4 is not allowed: of 80 it is no whole number",
        ",2.5,1\n": "it has 8 fields, not 7",
        ',"2.5\n': "unexpected end of data",
    },
    "test_error,": {"error,": "measure = 'error' is not allowed"},
    ",0,100,": {
        ",-1,100,": "seed = '-1' is not allowed",
        ",0.5,100,": "seed = '0.5' is not allowed",
        ",0,none,": "train_pairs = 'none' is not allowed",
    },
    ",80,846f6cad587fea38,2.5": {
        ",0,846f6cad587fea38,2.5": "test_pairs = '0' is not allowed",
        ",80,c65580678af93f1e,2.5": "source_checksum = 'c65580678af93f1e' is not allowed: that of "
        "sample is 846f6cad587fea38",
    },
    "a method": {"a \udcff": "invalid start byte", "a \0": "method = 'a \\x00, with"},
    "2.5\n": {
        '2.5\ntest_error,"a method, with a comma",0,100,80,846f6cad587fea38,5.0\n': "error = 5.0, "
        "but 2.5 in a line above"
    },
    "measure,": {"quantity,": "does not name the fields measure, method, seed"},
}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [(old, new, says) for old, changes in DAMAGES.items() for new, says in changes.items()],
)
def test_damage_is_refused_with_its_line_and_what_to_do(old, new, says, file):
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_bytes(text.replace(old, new).encode(errors="surrogateescape"))
    before = file.read_bytes()
    with pytest.raises(InputError) as refusal:
        errors_of("sample", [KEY._replace(seed=9)], giving(5.0))
    line = {"measure,": 1}.get(old, 4 if "\ntest" in new else 3)
    sentence = str(refusal.value)
    assert f"simple_methods.csv, line {line} is " in sentence and says in sentence
    assert sentence.endswith("move the file away; its errors are then computed again.")
    assert "\n" not in sentence and file.read_bytes() == before


def test_missing_errors_without_the_digits_are_refused_with_what_to_do():
    with pytest.raises(InputError) as refusal:
        errors_of("mnist", [KEY, OTHER], refused)
    sentence = str(refusal.value)
    assert "simple_methods.csv lacks 2 errors of simple methods" in sentence
    assert "--data-dir or DIGITS_DATA" in sentence and "\n" not in sentence
    assert not path_of("mnist").exists()


def test_a_full_disk_is_told_and_the_file_stays(file, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device", str(path))

    before = file.read_bytes()
    monkeypatch.setattr(recorded.core, "write", full)
    with pytest.raises(InputError, match="simple_methods.csv cannot be used .*free the disk"):
        errors_of("sample", [KEY._replace(seed=9)], giving(5.0))
    assert file.read_bytes() == before
