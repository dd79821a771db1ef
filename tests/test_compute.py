"""What a run computes on changes rounding, and nothing that a reader could see."""

import numpy as np
import pytest
import torch

from digits import compute
from digits.compute import CPU, Compute
from digits.core import InputError
from digits.experiments import EXPERIMENTS
from digits.models.blocks import Output
from digits.study import Study
from digits.training import train

BF16 = Compute(precision="bf16")


@pytest.mark.parametrize(
    "name", ["jaubert/model_2+ws+aux", "zadoks/twinnet+ws+aux", "damachi/cnn+aux", "cadei/convnet"]
)
def test_outputs_in_bfloat16_are_float32_and_close(name):
    torch.manual_seed(0)
    model = EXPERIMENTS[name].build().eval()
    images = torch.rand(64, 2, 14, 14)
    exact, rounded = CPU.forward(model, images), BF16.forward(model, images)
    assert len(exact.auxiliary) == len(rounded.auxiliary)
    for one, other in zip(
        (exact.target, *exact.auxiliary), (rounded.target, *rounded.auxiliary), strict=True
    ):
        assert other.dtype == torch.float32
        assert not torch.equal(one, other)
        # Eight bits of mantissa, a few layers.
        assert (one - other).abs().max() < 0.05 * one.abs().max()


def test_float32_goes_through_the_network_as_it_is():
    model = torch.nn.Module()
    model.forward = lambda images: Output(images)
    images = torch.rand(2, 2, 14, 14)
    assert CPU.forward(model, images).target is images


@pytest.mark.slow
def test_both_precisions_agree_within_the_noise_of_rounds(sample, tiny_experiment):
    # model_2+ws+aux is one of the networks that bfloat16 trains faster.
    experiment = tiny_experiment(
        "jaubert/model_2+ws+aux", epochs=4, curve_step=4, train_pairs=500, precise_pairs=1000
    )
    errors = {
        how.precision: np.array(
            [train(experiment, seed, sample, how).precise_error for seed in range(4)]
        )
        for how in (CPU, BF16)
    }
    spread = np.std(errors["fp32"], ddof=1)
    assert not np.array_equal(errors["fp32"], errors["bf16"])
    assert abs(errors["bf16"].mean() - errors["fp32"].mean()) < 2 * spread
    assert errors["bf16"].mean() < 40  # it learns: half would be chance


def test_the_record_names_device_and_precision(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet")
    one, other = train(experiment, 0, sample), train(experiment, 0, sample, BF16)
    assert (one.device, one.precision, one.threads) == ("cpu", "float32", 1)
    assert (other.device, other.precision, other.threads) == ("cpu", "bfloat16", 1)
    assert one.key == other.key  # how it was computed does not make it another run
    assert one.weights != other.weights


def test_a_seed_gives_the_same_bits_in_bfloat16(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux")
    runs = [train(experiment, 0, sample, BF16) for _ in range(2)]
    assert runs[0].weights == runs[1].weights and runs[0].decisions == runs[1].decisions


def test_threads_and_algorithms_are_put_back():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with CPU.deterministic():
            assert torch.get_num_threads() == 1
            torch.rand(3)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(threads)


def test_auto_takes_the_processor_where_there_is_no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert compute.device_named("auto") == "cpu"
    (run,) = Study(device="auto", seeds=(0,)).runs("zadoks/twinnet")
    assert run.compute == CPU
    with pytest.raises(InputError, match="'cuda' needs a graphics card.*choose 'cpu', or 'auto'"):
        Study(device="cuda", seeds=(0,)).runs("zadoks/twinnet")


def test_auto_takes_the_card_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert compute.device_named("auto") == compute.device_named("cuda") == "cuda"
    assert compute.device_named("cpu") == "cpu"


@pytest.mark.parametrize("has_it, expected", [(True, "bf16"), (False, "fp32")])
def test_quick_computes_deep_networks_in_bfloat16_where_the_processor_does(
    monkeypatch, has_it, expected
):
    monkeypatch.setattr("digits.study.has_bf16", lambda device: has_it)
    study = Study(profile="quick")
    for run in study.runs("*"):
        wanted = expected if run.experiment.size in ("deep", "deep comparison") else "fp32"
        assert run.compute.precision == wanted
    assert all(run.compute.precision == "fp32" for run in Study(profile="paper").runs("cadei/*"))


def test_precision_is_what_was_asked_for_or_refused(monkeypatch):
    monkeypatch.setattr("digits.study.has_bf16", lambda device: True)
    (run,) = Study(seeds=(0,), precision="bf16").runs("zadoks/twinnet")
    assert run.compute == BF16
    (run, *_) = Study(precision="fp32").runs("cadei/deepconvnet")
    assert run.compute == CPU
    monkeypatch.setattr("digits.study.has_bf16", lambda device: False)
    with pytest.raises(InputError, match="'bf16' is slower than float32 here"):
        Study(precision="bf16").runs("zadoks/twinnet")
