"""Every network has the parameters that its report gives, and gives out what the contract says."""

import pytest
import torch
from torch import nn

from digits.experiments import EXPERIMENTS
from digits.models import kqiku, zadoks
from digits.models.blocks import PerImage, parameter_count

COUNTS = {
    "kqiku/fcc": 482_114,
    "kqiku/fcc+ws": 241_122,
    "kqiku/fcc+aux": 482_774,
    "kqiku/fcc+ws+aux": 241_452,
    "kqiku/cnn": 90_790,
    "kqiku/cnn+ws": 67_270,
    "kqiku/cnn+aux": 95_930,
    "kqiku/cnn+ws+aux": 69_840,
    "zadoks/twinnet": 18_896,
    "zadoks/twinnet+ws": 9_574,
    "zadoks/twinnet+aux": 18_896,
    "zadoks/twinnet+ws+aux": 9_574,
}
#: Of the published code: parameters that the forward pass uses.
IN_USE = {
    "kqiku/fcc": 482_118,
    "kqiku/fcc+ws": 241_126,
    "kqiku/fcc+aux": 483_618,
    "kqiku/fcc+ws+aux": 241_876,
    "kqiku/cnn": 134_080,
    "kqiku/cnn+ws": 67_322,
    "kqiku/cnn+aux": 135_480,
    "kqiku/cnn+ws+aux": 68_022,
}


@pytest.fixture(params=EXPERIMENTS.values(), ids=lambda experiment: experiment.id)
def experiment(request):
    return request.param


def expected_count(experiment):
    if experiment.report == "kqiku" and experiment.variant:
        return 483_618 if "fcc" in experiment.id else 135_480
    return COUNTS[experiment.id.split("@")[0]]


def test_parameter_count_is_exact(experiment):
    count = parameter_count(experiment.build())
    assert count == expected_count(experiment)
    assert experiment.reported_parameters in (None, count)


@pytest.mark.parametrize("name", IN_USE)
def test_parameters_in_use_of_the_published_code(name):
    model = EXPERIMENTS[f"{name}@repaired"].build()
    output = model(torch.rand(4, 2, 14, 14))
    (output.target.sum() + sum(digits.sum() for digits in output.auxiliary)).backward()
    used = sum(p.numel() for p in model.parameters() if p.grad is not None)
    assert used == IN_USE[name]


def test_output_has_target_logits_and_digit_logits_where_there_are_heads(experiment):
    output = experiment.build().eval()(torch.rand(5, 2, 14, 14) * 255)
    assert output.target.shape == (5, 2)
    expected = [(5, 2, 10)] if "aux" in experiment.options else []
    assert [tuple(digits.shape) for digits in output.auxiliary] == expected


def test_auxiliary_loss_is_on_where_the_id_says_so(experiment):
    assert (experiment.recipe.auxiliary_weight > 0) == ("aux" in experiment.options)


def test_sharing_means_one_branch_for_both_images(experiment):
    branches = experiment.build().eval().branches
    image = torch.rand(3, 1, 14, 14) * 255
    first, second = branches(image, image)
    assert torch.equal(first, second) == ("ws" in experiment.options)


def test_both_images_train_a_shared_module():
    layer = PerImage(lambda: torch.nn.Linear(1, 1, bias=False), shared=True)
    first, second = layer(torch.tensor([[2.0]]), torch.tensor([[3.0]]))
    (first + second).backward()
    assert layer.first.weight.grad.item() == 5.0


def test_the_first_and_the_second_image_reach_their_own_branch():
    model = zadoks.twin_net(shared=False, auxiliary=True).eval()
    pairs = torch.rand(2, 2, 14, 14) * 255
    changed = pairs.clone()
    changed[:, 1] = 0
    before, after = model(pairs).auxiliary[0], model(changed).auxiliary[0]
    assert torch.equal(before[:, 0], after[:, 0])
    assert not torch.equal(before[:, 1], after[:, 1])


def test_kqiku_subtracts_first_minus_second_as_written_and_the_reverse_as_published():
    images = torch.rand(4, 2, 14, 14) * 255
    written = kqiku.cnn(shared=True, auxiliary=False).eval()
    first, second = written.branches(images[:, :1], images[:, 1:])
    assert torch.equal(written(images).target, written.head(first - second))
    coded = kqiku.published_cnn(shared=True, auxiliary=False).eval()
    first, second = coded.branches(images[:, :1], images[:, 1:])
    assert torch.equal(coded(images).target, coded.head(second - first))


def test_kqiku_as_written_ends_with_relu_on_the_logits():
    for build in (kqiku.fcc, kqiku.cnn):
        logits = build(shared=False, auxiliary=False)(torch.rand(50, 2, 14, 14) * 255).target
        assert (logits >= 0).all()
        assert (logits == 0).any()


def test_scalar_batch_norm_has_one_mean_over_all_features():
    norm = kqiku.ScalarBatchNorm()
    features = torch.randn(6, 5) * 3 + 7
    normal = norm(features)
    assert parameter_count(norm) == 2
    assert normal.mean().item() == pytest.approx(0, abs=1e-5)
    assert normal.var(unbiased=False).item() == pytest.approx(1, abs=1e-3)
    assert not torch.allclose(normal.mean(dim=0), torch.zeros(5), atol=0.01)


#: Every layer in its order, as the reports list them (sections 1.2 and 5.2 of the facts behind
#: the study; for published code, what it had instead).
FCC_BRANCH = """Flatten; Linear 196 512; ReLU; Dropout 0.5; Linear 512 256; BatchNorm1d 256; ReLU;
    Linear 256 32; BatchNorm1d 32; ReLU"""
CNN_BRANCH = """Conv2d 1 16 3; MaxPool2d 2; Dropout 0.5; BatchNorm2d 16; ReLU; Conv2d 16 32 3;
    BatchNorm2d 32; ReLU; Conv2d 32 64 3; BatchNorm2d 64; ReLU; Flatten"""
CNN_HEAD = """Linear 256 128; BatchNorm1d 128; ReLU; Linear 128 64; BatchNorm1d 64; ReLU;
    Linear 64 32; BatchNorm1d 32; ReLU; Linear 32 2; BatchNorm1d 2; ReLU"""
CNN_CODE_BRANCH = """Conv2d 1 16 3; MaxPool2d 2; Dropout 0.5; BatchNorm2d 16; ReLU; Conv2d 16 32 3;
    BatchNorm2d 32; Conv2d 32 64 3; BatchNorm2d 64; ReLU; Flatten;
    Linear 256 128; ScalarBatchNorm 1; ReLU;
    Linear 128 64; Dropout 0.5; ScalarBatchNorm 1; ReLU;
    Linear 64 32; Dropout 0.5; ScalarBatchNorm 1; ReLU"""
SUBNET = """Conv2d 1 16 3; ReLU; AvgPool2d 2; Conv2d 16 32 3; ReLU; AvgPool2d 2; Flatten;
    Linear 128 32; BatchNorm1d 32; Dropout 0.25; Linear 32 10"""
COMPARISON = "ReLU; Linear 20 10; BatchNorm1d 10; ReLU; Dropout 0.25; Linear 10 2"
LAYERS = {  # experiment: branch, head, digit head
    "kqiku/fcc+aux": (FCC_BRANCH, "Linear 64 2; ReLU", "Linear 32 10"),
    "kqiku/cnn+aux": (CNN_BRANCH, CNN_HEAD, "Linear 256 10"),
    "kqiku/fcc+aux@repaired": (
        FCC_BRANCH,
        "Linear 64 2; BatchNorm1d 2; ReLU",
        """Linear 32 16; BatchNorm1d 16; ReLU; Dropout 0.5; Linear 16 10; BatchNorm1d 10; ReLU""",
    ),
    "kqiku/cnn+aux@repaired": (
        CNN_CODE_BRANCH,
        "Linear 32 16; ScalarBatchNorm 1; ReLU; Linear 16 2",
        "Linear 32 16; ScalarBatchNorm 1; ReLU; Linear 16 10",
    ),
    "zadoks/twinnet+aux": (SUBNET, COMPARISON, "Identity"),
    "zadoks/twinnet+aux@published": (
        SUBNET.replace("BatchNorm1d 32;", "BatchNorm1d 32; ReLU;"),
        COMPARISON,
        "Identity",
    ),
}


def listed(module):
    """Name every layer with what decides its shape and its effect."""
    names = []
    for layer in module.modules():
        if list(layer.children()):
            continue
        values = {
            nn.Conv2d: lambda m: [m.in_channels, m.out_channels, m.kernel_size[0]],
            nn.Linear: lambda m: [m.in_features, m.out_features],
            nn.Dropout: lambda m: [m.p],
            nn.MaxPool2d: lambda m: [m.kernel_size],
            nn.AvgPool2d: lambda m: [m.kernel_size],
        }.get(type(layer), lambda m: [m.num_features] if hasattr(m, "num_features") else [])
        names.append(" ".join(map(str, [type(layer).__name__, *values(layer)])))
        if isinstance(layer, nn.Conv2d):
            assert (layer.stride, layer.padding) == ((1, 1), (0, 0))
    return "; ".join(names)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_in_its_place(name):
    model = EXPERIMENTS[name].build()
    parts = (model.branches.second, model.head, model.digit_heads.second)
    for part, expected in zip(parts, LAYERS[name], strict=True):
        assert listed(part) == " ".join(expected.split())
