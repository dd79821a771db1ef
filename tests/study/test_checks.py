"""A record that cannot be true is refused: any single field that is changed is told."""

import base64
import json
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digits import core
from digits.core import InputError
from digits.data import sources
from digits.study.checks import KNOWN
from digits.study.lines import line_of
from digits.study.runs import Run
from digits.study.store import OF_MACHINE, RecordStore
from digits.training.record import Curves, Diverged, Record

NAME = "zadoks/twinnet+ws+aux"
#: How a run was computed, and how long that took: believed whatever they are.
MACHINE = {"device", "threads", "precision", "processor", "versions", "commit"}
MACHINE |= {"train_seconds", "seconds"}
#: What no other field tells: `--verify` does. Errors and losses among them only within what fits
#: the others, decisions and weights only in their form.
ALONE = {"weights", "decisions", "precise_error", "train_digit_accuracy", "test_digit_accuracy"}
ALONE |= {"fold_errors", "precise_fold_errors"}
ALONE |= {"fold_errors_training_mode", "test_error_training_mode", "kept_epoch"}
ALONE |= {f"curves.{name}" for name in Curves.model_fields}
#: What a point of the curves tells, where there is one at the epoch that was kept.
OF_A_POINT = {"train_error", "test_error", "validation_error"}


@pytest.mark.parametrize(
    ("folder", "source"), [(core.ROOT / "results", "mnist"), (core.ROOT / "tests/smoke", "sample")]
)
def test_no_committed_line_is_refused(folder, source):
    store, lines = RecordStore(folder, source), 0
    for path in (folder / source).rglob("*.jsonl"):
        name = path.relative_to(folder / source).as_posix().removesuffix(".jsonl")
        found = store.read(name)
        lines += len(found)
        assert len(found) == path.read_bytes().count(b"\n")
    assert lines > 280


def test_what_is_known_of_the_sources_is_true(sample):
    known = KNOWN["sample"]
    assert known == (sample.checksum, len(sample.train), len(sample.test))
    assert set(KNOWN) == {*sources.SOURCES, sources.OTHER}
    store = RecordStore(core.ROOT / "results", "mnist")
    assert {r.source_checksum for r in store.read("zadoks/twinnet")} == {KNOWN["mnist"].checksum}


@pytest.fixture(scope="module")
def trained(tiny_experiment, train_record, tmp_path_factory):
    """Records of every kind of protocol by name, and the experiment of each."""
    made = {
        "plain": tiny_experiment(NAME),
        "folds": tiny_experiment(NAME, folds=3, precise_folds=True, score_in_training_mode=True),
        "validation": tiny_experiment("cadei/convnet", validation_share=0.2),
        "sparse validation": tiny_experiment(
            "cadei/convnet", validation_share=0.2, epochs=6, curve_step=3
        ),
        "posteriors": tiny_experiment("beyond/deepnet@smoothed", keep_posteriors=True),
        "posteriors of folds": tiny_experiment(
            "beyond/deepnet@smoothed", keep_posteriors=True, folds=2
        ),
        "diverged": tiny_experiment(NAME, learning_rate=1e30),
    }
    return {name: (experiment, train_record(experiment)) for name, experiment in made.items()}


KINDS = [
    *("plain", "folds", "validation", "sparse validation", "posteriors", "posteriors of folds"),
    "diverged",
]


def believed(experiment, fields, folder):
    """Return the record that a study would take for this run's, None if it would train it."""
    store = RecordStore(folder, "sample")
    path = store.path_of(experiment.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields) + "\n")
    found = store.of_runs([Run(experiment, 0)])
    return next(iter(found.values()), None)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_is_believed(trained, kind, tmp_path):
    experiment, record = trained[kind]
    assert isinstance(record, Diverged) == (kind == "diverged")
    assert believed(experiment, json.loads(line_of(record)), tmp_path) == record


numbers = (
    st.floats(allow_nan=True, allow_infinity=True)
    | st.floats(0, 100)
    | st.integers(-5, 10**6)
    | st.sampled_from([-5.0, 101.0, 1e-9, 100.0, 0, 1, 2, 2**70, -1])
)
texts = st.text(max_size=30) | st.sampled_from(["", "AAAA", "!!!!", "sample", "mnist", "cuda"])
plain = st.none() | st.booleans() | numbers | texts
values = plain | st.lists(numbers, max_size=4) | st.dictionaries(texts, plain, max_size=2)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_any_single_field_that_is_changed_is_told_or_harmless(trained, kind, data, tmp_path):
    experiment, record = trained[kind]
    fields = json.loads(line_of(record))
    part = data.draw(st.sampled_from([None, None, "curves", "recipe"]))
    holder = fields.get(part, fields) if part else fields
    name = data.draw(st.sampled_from(sorted({*holder, *(Record.model_fields if not part else ())})))
    old = holder.get(name)
    near = [values]
    if isinstance(old, float | int):
        near.append(
            st.sampled_from([old + 1, old - 1, old + 1.25, old * 2, float(np.nextafter(old, 9))])
        )
    if isinstance(old, list) and old:
        near.append(st.permutations(old))
        near.append(st.just(old[:-1]) | st.just([*old, old[-1]]))
        near.append(numbers.map(lambda value: [*old[:-1], value]))
    if isinstance(old, str):
        near.append(st.sampled_from([old + "A", old[:-1], old[::-1], old.upper()]))
    holder[name] = data.draw(st.one_of(near))
    try:
        found = believed(experiment, fields, tmp_path)
    except InputError as error:
        assert str(error).isprintable() and ", line 1 " in str(error)
        return
    field = f"curves.{name}" if holder is fields.get("curves") else name
    if found is None or field in MACHINE or found == record:
        return  # trained, harmless, or the same in other words
    alone = ALONE | ({"epoch", "step", "fold"} if isinstance(record, Diverged) else set())
    if kind == "sparse validation" and record.kept_epoch % record.recipe.curve_step:
        alone |= OF_A_POINT
    assert field in alone
    same = OF_MACHINE | {name, "curves"}
    assert found.model_dump(exclude=same) == record.model_dump(exclude=same)


def packed(raw):
    return base64.b64encode(zlib.compress(raw)).decode()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("plain", "test_error", -5.0),
        ("plain", "test_error", 101.0),
        ("plain", "test_error", 50.001),
        ("plain", "decisions", ""),
        ("plain", "decisions", "AAAA"),
        ("plain", "decisions", "!!!!"),
        ("plain", "decisions", "A" * 10**6),
        ("plain", "curves.test_error", []),
        ("plain", "curves.test_error", [50.0]),
        ("plain", "curves.test_loss", [0.0, 0.0]),
        ("plain", "seed", -1),
        ("plain", "seed", 2**70),
        ("plain", "precision", "float16"),
        ("plain", "source_checksum", "0" * 16),
        ("plain", "weights", "../../etc/passwd"),
        ("plain", "train_seconds", 1e6),
        ("plain", "fold_errors", [1.0, 2.0]),
        ("plain", "parameters", 3),
        ("folds", "fold_errors", [50.0, 50.0]),
        ("folds", "fold_errors", None),
        ("validation", "kept_epoch", 3),
        ("sparse validation", "kept_epoch", 7),
        ("validation", "validation_error", None),
        ("posteriors", "test_posteriors", "AAAA"),
        ("posteriors", "test_posteriors", packed(b"")),
        ("posteriors", "test_posteriors", packed(bytes(24_990))),
        ("posteriors", "test_posteriors", packed(bytes(25_000))),  # ten certain digits each
        ("posteriors", "test_posteriors", packed(bytes(10**8))),
        ("posteriors of folds", "fold_posteriors", packed(bytes(10))),
        ("diverged", "epoch", 3),
        ("diverged", "step", 5),
        ("diverged", "fold", 1),
    ],
)
def test_a_value_that_cannot_be_true_is_named_with_its_field(trained, kind, field, value, tmp_path):
    experiment, record = trained[kind]
    fields = json.loads(line_of(record))
    holder, name = (fields["curves"], field[7:]) if field.startswith("curves.") else (fields, field)
    holder[name] = value
    with pytest.raises(InputError, match=f"line 1 .*{name} = ") as e:
        believed(experiment, fields, tmp_path)
    assert str(e.value).isprintable() and len(str(e.value)) < 900


def test_errors_of_curves_are_possible_ones_to_all_their_digits(trained, tmp_path):
    experiment, record = trained["plain"]
    fields = json.loads(line_of(record))
    errors = fields["curves"]["train_error"]
    assert errors[0] > 0
    errors[0] *= 1 + 4e-6
    with pytest.raises(InputError, match="train_error = .* no whole number"):
        believed(experiment, fields, tmp_path)


def test_posteriors_that_inflate_to_gigabytes_are_refused_with_little_memory(trained, tmp_path):
    import tracemalloc

    experiment, record = trained["posteriors"]
    fields = json.loads(line_of(record)) | {"test_posteriors": packed(bytes(3 * 10**8))}
    tracemalloc.start()
    with pytest.raises(InputError, match="test_posteriors = "):
        believed(experiment, fields, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 10**7
