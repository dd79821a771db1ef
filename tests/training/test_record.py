"""A record tells what was run and on what, and keeps decisions and posteriors."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from digits.study.runs import commit
from digits.training.device import Device
from digits.training.record import (
    Diverged,
    pack,
    pack_posteriors,
    unpack,
    unpack_posteriors,
    weights_hash,
)


def test_the_record_tells_what_was_run(sample, tiny_experiment, train_record):
    experiment = tiny_experiment("kqiku/fcc+ws+aux")
    record = train_record(experiment, 2)
    assert record.key == ("kqiku/fcc+ws+aux", experiment.recipe.hash, 2, "sample")
    assert record.recipe == experiment.recipe
    assert record.source_checksum == sample.checksum
    assert (record.device, record.threads, record.precision) == ("cpu", 1, "float32")
    assert record.processor
    assert record.versions["torch"] == torch.__version__
    assert record.commit == commit()


def test_the_record_names_device_and_precision(tiny_experiment, train_record):
    experiment = tiny_experiment("zadoks/twinnet", epochs=1, precise_pairs=50)
    bf16 = Device(precision="bf16")
    one, other = train_record(experiment), train_record(experiment, device=bf16)
    assert (one.device, one.precision, one.threads) == ("cpu", "float32", 1)
    assert (other.device, other.precision, other.threads) == ("cpu", "bfloat16", 1)
    assert one.key == other.key  # how it was computed does not make it another run
    assert one.weights != other.weights


def test_a_learning_rate_far_too_large_diverges(tiny_experiment, train_record):
    record = train_record(tiny_experiment("zadoks/twinnet", learning_rate=1e30))
    assert isinstance(record, Diverged) and record.fold is None
    assert record.key[0] == "zadoks/twinnet" and record.processor
    place = f"epoch {record.epoch}, step {record.step}"
    assert str(record) == f"zadoks/twinnet #0 diverged in {place}"
    folded = record.model_copy(update={"fold": 2})
    assert str(folded) == f"zadoks/twinnet #0 diverged in {place} of fold 2"


def test_consecutive_trainings_have_a_last_value_each(tiny_experiment, train_record):
    record = train_record(tiny_experiment("kqiku/fcc@published", trainings=3))
    errors = record.curves.test_error
    assert record.after_each_training("test_error") == (errors[1], errors[3], errors[5])
    sparse = train_record(tiny_experiment("kqiku/fcc@published", trainings=3, curve_step=2))
    assert sparse.after_each_training("test_error") == (errors[1], errors[3], errors[5])


@given(st.lists(st.integers(0, 1), min_size=1, max_size=70))
def test_decisions_survive_packing(bits):
    assert unpack(pack(np.array(bits)), len(bits)).tolist() == bits


def test_posteriors_survive_packing_to_within_a_step():
    random = np.random.default_rng(0)
    logits = random.normal(size=(500, 10))
    logits[np.arange(500), random.integers(10, size=500)] += 8.0
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    again = unpack_posteriors(pack_posteriors(found))
    assert np.allclose(again.sum(axis=1), 1)
    likely = found > 1e-6
    assert np.abs(np.log(again[likely] / found[likely])).max() < 0.067  # a step, twice half
    assert (again[found < 1e-8] < 1e-6).all()
    pairs = found.reshape(250, 2, 10)
    assert np.array_equal(unpack_posteriors(pack_posteriors(pairs)), again)


def test_weights_are_named_by_their_values_and_buffers():
    model = torch.nn.BatchNorm1d(3)
    before = weights_hash(model)
    assert weights_hash(torch.nn.BatchNorm1d(3)) == before
    model.running_mean += 1
    assert weights_hash(model) != before == weights_hash(torch.nn.BatchNorm1d(3))
