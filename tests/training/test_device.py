"""What a run computes on changes rounding, and nothing that a reader could see."""

import numpy as np
import pytest
import torch

from digits.core import InputError
from digits.experiments.registry import EXPERIMENTS
from digits.models.blocks import Output
from digits.study.study import Study
from digits.training.device import CPU, Device, best_device, device_named, has_bf16
from digits.training.round import train

BF16 = Device(precision="bf16")


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


def test_both_precisions_agree_within_the_noise_of_rounds(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux", epochs=6, curve_step=6, test_pairs=20)
    errors = {
        how.precision: np.array(
            [
                train(experiment.build, experiment.recipe, seed, sample, how)["precise_error"]
                for seed in range(4)
            ]
        )
        for how in (CPU, BF16)
    }
    spread = np.std(errors["fp32"], ddof=1)
    assert not np.array_equal(errors["fp32"], errors["bf16"])
    assert abs(errors["bf16"].mean() - errors["fp32"].mean()) < 2 * spread
    assert errors["bf16"].mean() < 40  # it learns: half would be chance


def test_a_seed_gives_the_same_bits_in_bfloat16(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux", epochs=1, precise_pairs=50)
    one, other = (train(experiment.build, experiment.recipe, 0, sample, BF16) for _ in range(2))
    assert one["weights"] == other["weights"] and one["decisions"] == other["decisions"]


def test_threads_and_algorithms_are_put_back():
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with CPU.deterministic():
            assert torch.get_num_threads() == 1
            assert not torch.backends.cudnn.allow_tf32  # float32 means float32
            torch.rand(3)
        assert torch.get_num_threads() == 2 and torch.backends.cudnn.allow_tf32
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(False)
    with CPU.deterministic():
        pass
    assert not torch.are_deterministic_algorithms_enabled()


def test_auto_takes_the_processor_where_there_is_no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto") == "cpu"
    assert best_device("auto", None, bf16_pays=False) == CPU
    with pytest.raises(InputError, match="'cuda' needs a graphics card.*choose 'cpu', or 'auto'"):
        best_device("cuda", None, bf16_pays=False)


def test_auto_takes_the_card_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_named("auto") == device_named("cuda") == "cuda"
    assert device_named("cpu") == "cpu"


@pytest.mark.parametrize("has_it", [True, False])
def test_bfloat16_is_taken_where_it_pays_and_the_processor_multiplies_it(monkeypatch, has_it):
    monkeypatch.setattr("digits.training.device.has_bf16", lambda device: has_it)
    assert best_device("cpu", None, bf16_pays=True) == (BF16 if has_it else CPU)
    assert best_device("cpu", None, bf16_pays=False) == CPU


@pytest.mark.parametrize(
    ("capabilities", "multiplies"),
    [
        ({"avx512_bf16": True, "amx_bf16": False}, True),
        ({"avx512_bf16": False, "amx_bf16": True}, True),
        ({"sve_bf16": True}, True),
        ({"bf16": True, "neon": True}, True),
        ({"avx512_bf16": False, "avx512_f": True, "avx2": True}, False),
        ({}, False),
    ],
)
def test_a_processor_multiplies_bfloat16_if_it_says_so(capabilities, multiplies, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": "it"} | capabilities)
    assert has_bf16.__wrapped__("cpu") == multiplies


def test_precision_is_what_was_asked_for_or_refused(monkeypatch):
    monkeypatch.setattr("digits.training.device.has_bf16", lambda device: True)
    assert best_device("cpu", "bf16", bf16_pays=False) == BF16
    assert best_device("cpu", "fp32", bf16_pays=True) == CPU
    monkeypatch.setattr("digits.training.device.has_bf16", lambda device: False)
    with pytest.raises(InputError, match="'bf16' is slower than float32 here"):
        best_device("cpu", "bf16", bf16_pays=True)


@pytest.mark.parametrize(("has_it", "expected"), [(True, "bf16"), (False, "fp32")])
def test_a_study_computes_deep_networks_in_bfloat16_where_the_processor_does(
    monkeypatch, has_it, expected
):
    monkeypatch.setattr("digits.training.device.has_bf16", lambda device: has_it)
    for run in Study().runs("*"):
        deep = "deep" in run.experiment.tags
        assert run.device.precision == (expected if deep else "fp32")
    assert all(run.device == CPU for run in Study(profile="quick").runs("cadei/*"))
    assert all(run.device == CPU for run in Study(precision="fp32").runs("cadei/*"))
    if has_it:
        (run,) = Study(seeds=(0,), precision="bf16").runs("zadoks/twinnet")
        assert run.device == BF16


def test_a_study_on_auto_takes_the_processor_where_there_is_no_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (run,) = Study(device="auto", seeds=(0,)).runs("zadoks/twinnet")
    assert run.device == CPU
    with pytest.raises(InputError, match="'cuda' needs a graphics card"):
        Study(device="cuda", seeds=(0,)).runs("zadoks/twinnet")
