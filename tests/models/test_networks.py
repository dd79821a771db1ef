"""Every network has the parameters that its report gives, and gives out what the contract says."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn

from digits.experiments.registry import EXPERIMENTS, REPORTS
from digits.models import cadei, damachi, jaubert, kqiku
from digits.models.blocks import TwoBranch
from digits.models.summary import parameter_count, summary_of

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
    "cadei/mlp": 279_562,
    "cadei/convnet": 77_530,
    "cadei/deepconvnet": 2_700_834,
    "cadei/resnet": 2_746_626,
    "cadei/deepconvnet+aux": 2_826_294,
    "cadei/siamese": 2_699_968,
    "cadei/siamese+aux": 2_762_698,
    "cadei/siamese@unshared": 5_399_914,
    "cadei/siamese+aux@unshared": 2 * (2_762_698 - 22) + 22,
    "jaubert/model_0": 58_690,
    "jaubert/model_1": 13_154,
    "jaubert/model_1+ws": 6_770,
    "jaubert/model_1+aux2": 54_686,
    "jaubert/model_1+ws+aux": 31_508,
    "jaubert/model_2": 113_506,
    "jaubert/model_2+ws": 56_114,
    "jaubert/model_2+aux1": 119_780,
    "jaubert/model_2+aux2": 171_166,
    "jaubert/model_2+ws+aux": 139_028,
    "jaubert/model_1@text": 27_362,
    "jaubert/model_2@text": 247_110,
    "jaubert/model_1+ws+aux@text": 20_820,
    "jaubert/model_2+ws+aux@text": 337_216,
    "jaubert/model_1+ws@wide": 17_634,
    "jaubert/model_2+ws@wide": 119_778,
    "kqiku/fcc@half": 171_426,
    "kqiku/fcc@double": 1_521_282,
    "kqiku/cnn@half": 23_126,
    "kqiku/cnn@double": 359_750,
    "jaubert/comparison@true-digits": 42,
    "zadoks/twinnet@5x5-kernels": 35_792,
    "zadoks/twinnet+ws+aux@5x5-kernels": 18_022,
    "zadoks/twinnet@double": 72_586,
    "zadoks/twinnet+ws+aux@double": 36_544,
    "damachi/linreg": 393,
    "damachi/logreg": 393,
    "damachi/nn": 133_633,
    "damachi/nn+aux": 136_213,
    "damachi/cnn": 47_803,
    "damachi/cnn+aux": 51_733,
    "damachi/cnn@unshared": 70_453,
    "damachi/cnn+aux@unshared": 70_453 + 2 * 3_930,
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
#: What a change takes away: the weights and the bias of a second logit, or two batch norms.
WITHOUT = {
    "jaubert/model_0@sigmoid": 64 + 1,
    "jaubert/model_1@sigmoid": 2304 + 1,
    "jaubert/model_1+ws@sigmoid": 2304 + 1,
    "jaubert/model_1+aux2@sigmoid": 20 + 1,
    "jaubert/model_1+ws+aux@sigmoid": 20 + 1,
    **{
        f"zadoks/{cell}@{of}no-batch-norm": subnets * 64 + 20
        for cell, subnets in (("twinnet", 2), ("twinnet+ws+aux", 1))
        for of in ("", "gradients-", "gradients-standardised-")
    },
}
#: The experiments of the reports; under the common protocol those whose network is not theirs.
EXPERIMENTS_OF_REPORTS = [
    experiment
    for experiment in EXPERIMENTS.values()
    if experiment.report in REPORTS
    and not experiment.setting
    and (
        experiment.protocol == "own"
        or experiment.build is not EXPERIMENTS[experiment.network].build
    )
]


def kind(build):
    """What `build` makes, by value: many experiments train the same network."""
    if isinstance(build, partial):
        return build.func, build.args, tuple(sorted(build.keywords.items()))
    return build


#: Each network once.
NETWORKS = list({kind(e.build): e for e in reversed(EXPERIMENTS_OF_REPORTS)}.values())


@pytest.fixture(params=EXPERIMENTS_OF_REPORTS, ids=lambda experiment: experiment.id)
def experiment(request):
    return request.param


@pytest.fixture(params=NETWORKS, ids=lambda experiment: experiment.id)
def network(request):
    """An experiment of each network."""
    return request.param


def expected_count(experiment):
    if experiment.report == "kqiku" and experiment.variant in ("published", "repaired"):
        return 483_618 if experiment.model == "fcc" else 135_480
    name = experiment.network
    plain = f"{experiment.report}/{experiment.cell}"
    if not {name, plain} & set(COUNTS):  # of a report that was added later: what it prints
        return experiment.reported_parameters
    return (COUNTS.get(name) or COUNTS[plain]) - WITHOUT.get(name, 0)


def test_parameter_count_is_exact(experiment):
    count = summary_of(experiment.build).parameters
    assert count == expected_count(experiment)
    if experiment.counted == "misprinted":
        misprints = {"jaubert/model_2+aux2": 171_116, "cadei/resnet@augmented": 274_626}
        assert experiment.reported_parameters == misprints[experiment.id]
    else:
        assert experiment.reported_parameters in (None, count)


@pytest.mark.parametrize("name", IN_USE)
def test_parameters_in_use_of_the_published_code(name):
    model = EXPERIMENTS[f"{name}@repaired"].build()
    output = model(torch.rand(4, 2, 14, 14))
    (output.target.sum() + sum(digits.sum() for digits in output.auxiliary)).backward()
    used = sum(p.numel() for p in model.parameters() if p.grad is not None)
    assert used == IN_USE[name]


def test_output_has_target_logits_and_digit_logits_where_there_are_heads(network):
    model = network.build().eval()
    assert parameter_count(model) == summary_of(network.build).parameters
    output = model(torch.rand(3, 2, 14, 14) * 255)
    shape = (3,) if network.report == "damachi" else (3, 2)
    as_logit = network.report == "damachi" and network.protocol == "common"
    one_logit = network.variant == "sigmoid" or as_logit
    assert output.target.shape == ((3, 1) if one_logit else shape)
    places = 2 if network.cell == "siamese+aux" else 1
    expected = {"aux": (3, 2, 10), "aux2": (3, 2, 10), "aux1": (3, 2)}
    shapes = [expected[option] for option in network.options if option in expected] * places
    assert [tuple(auxiliary.shape) for auxiliary in output.auxiliary] == shapes


def test_auxiliary_loss_is_on_where_the_id_says_so(experiment):
    has = any(option.startswith("aux") for option in experiment.options)
    assert (experiment.recipe.auxiliary_weight > 0) == has


def test_sharing_means_one_branch_for_both_images(network):
    model = network.build().eval()
    branches = getattr(model, "branches", getattr(model, "lower", None))
    if branches is None:
        assert "ws" not in network.options  # one net that sees both images
        return
    image = torch.rand(2, 1, 14, 14) * 255
    first, second = branches(image, image)
    shared = "ws" in network.options
    if network.report in ("cadei", "damachi"):  # shared as the reports have them
        shared = network.variant != "unshared"
    assert torch.equal(first, second) == shared


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


class AsThreeDimensional(nn.Module):
    """damachi's CNN as its report has it: convolutions over (N, 1, 2, 14, 14), of depth one."""

    def __init__(self, branch):
        super().__init__()
        self.layers = nn.ModuleList()
        for layer in branch:
            if isinstance(layer, nn.BatchNorm2d):
                new = nn.BatchNorm3d(layer.num_features)
            elif isinstance(layer, nn.Conv2d):
                deep = [(1, *layer.kernel_size), (1, *layer.stride), (0, *layer.padding)]
                new = nn.Conv3d(layer.in_channels, layer.out_channels, *deep)
                new.weight.data = layer.weight.data.unsqueeze(2).clone()
                new.bias.data = layer.bias.data.clone()
            elif isinstance(layer, nn.Dropout):
                new = nn.Identity()
            else:
                new = layer if isinstance(layer, nn.ReLU) else nn.Identity()
            self.layers.append(new)

    def forward(self, pairs):
        features = pairs.unsqueeze(1)
        for layer in self.layers:
            features = layer(features)
        return features


def test_damachis_convolutions_are_the_three_dimensional_ones_of_the_report():
    model = damachi.cnn(shared=True, auxiliary=False).train()
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    deep = AsThreeDimensional(model.branches.first).train()
    pairs = torch.rand(6, 2, 14, 14) * 255
    for _ in range(2):  # the second pass shows that running statistics agree too
        first, second = model.branches(pairs[:, :1], pairs[:, 1:])
        expected = deep(pairs)
        for image, features in enumerate((first, second)):
            flat = expected[:, :, image].flatten(1)
            assert torch.allclose(features, flat, rtol=1e-4, atol=1e-4)
        model.eval()
        deep.eval()


def test_a_residual_block_adds_its_input():
    block = cadei.Bottleneck(512).eval()
    nn.init.zeros_(block.main[-1].weight)  # the last batch norm: the main path gives zero
    features = torch.randn(2, 512, 14, 14)
    assert torch.equal(block(features), features.relu())


def test_cadeis_siamese_net_subtracts_second_from_first():
    model = cadei.siamese(auxiliary=True).eval()
    pairs = torch.rand(2, 2, 14, 14) * 255
    _, ends = model(pairs).auxiliary
    assert torch.equal(model(pairs).target, model.head(ends[:, 0] - ends[:, 1]))


def test_only_the_published_convnet_drops_out_in_evaluation():
    pairs = torch.rand(8, 2, 14, 14) * 255
    written, published = (
        EXPERIMENTS[name].build().eval() for name in ("cadei/convnet", "cadei/convnet@published")
    )
    assert torch.equal(written(pairs).target, written(pairs).target)
    assert not torch.equal(published(pairs).target, published(pairs).target)


def test_jauberts_comparison_sees_probabilities_of_digits_only():
    for model in (jaubert.model_1_digits(), jaubert.model_2_shared_digits()):
        output = model.eval()(torch.rand(3, 2, 14, 14))
        head = model.head if isinstance(model, TwoBranch) else model.head[-1]
        probabilities = output.auxiliary[0].softmax(dim=2).flatten(1)
        assert torch.allclose(output.target, head(probabilities))
        assert probabilities.sum().item() == pytest.approx(6, abs=1e-4)


def test_the_early_target_is_read_after_the_pool():
    model = jaubert.model_2(early_target=True).eval()
    pairs = torch.rand(3, 2, 14, 14)
    halfway = model.trunk(pairs)
    assert halfway.shape == (3, 64, 7, 7)
    assert torch.equal(model(pairs).auxiliary[0], model.auxiliary(halfway))


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
UNIT = "Conv2d {} {} 3/1; BatchNorm2d {}; ReLU"


def units(*channels):
    """Convolutions that keep the size, from the first number of channels to the last."""
    return "; ".join(UNIT.format(a, b, b) for a, b in itertools.pairwise(channels))


LOWER = units(1, *[128] * 10)
UPPER = units(*[128] * 10, 32) + "; AvgPool2d 14; Flatten; Dropout 0.5; Linear 32 10"
BLOCK = """; Conv2d 512 128 1; BatchNorm2d 128; ReLU; Conv2d 128 128 3/1; BatchNorm2d 128; ReLU;
    Conv2d 128 512 1; BatchNorm2d 512; Identity"""
MODEL_2 = """Conv2d {0} 32 2/1; LeakyReLU; Conv2d 32 64 2; LeakyReLU; MaxPool2d 2;
    Conv2d 64 128 2; LeakyReLU; Conv2d 128 128 2; LeakyReLU; Flatten"""
COMPARISON = "ReLU; Linear 20 10; BatchNorm1d 10; ReLU; Dropout 0.25; Linear 10 2"
LAYERS = {  # experiment: all layers, or branch, head, digit head
    "cadei/mlp": """Flatten; Linear 392 350; ReLU; Linear 350 250; ReLU; Linear 250 200; ReLU;
        Linear 200 20; ReLU; Linear 20 2""",
    "cadei/convnet": """Conv2d 2 16 5/3; BatchNorm2d 16; ReLU; MaxPool2d 2; Conv2d 16 20 3/3;
        BatchNorm2d 20; ReLU; MaxPool2d 2; Flatten; BatchNorm1d 720; Linear 720 100; ReLU;
        Dropout 0.5; Linear 100 2""",
    "cadei/deepconvnet+aux": units(2, *[128] * 19, 32)
    + """; AvgPool2d 14; Flatten; Dropout 0.5; Linear 32 2; AvgPool2d 2; Flatten;
        Linear 6272 20; Unflatten""",
    "cadei/resnet": """Conv2d 2 128 1; BatchNorm2d 128; ReLU; Conv2d 128 128 3/1; BatchNorm2d 128;
        ReLU; Conv2d 128 512 1; BatchNorm2d 512; Conv2d 2 512 1; BatchNorm2d 512"""
    + BLOCK * 9
    + "; AvgPool2d 14; Flatten; Dropout 0.5; Linear 512 2",
    "cadei/siamese": f"{LOWER}; {UPPER}; Linear 10 2",
    "cadei/siamese+aux": f"{LOWER}; AvgPool2d 2; Flatten; Linear 6272 10; {UPPER}; Linear 10 2",
    "jaubert/model_0": "Flatten; Linear 392 128; ReLU; Linear 128 64; ReLU; Linear 64 2",
    "jaubert/model_1+ws": """Conv2d 1 16 2/1; LeakyReLU; MaxPool2d 2; Conv2d 16 32 2; LeakyReLU;
        Flatten; Linear 2304 2""",
    "jaubert/model_2+aux1": MODEL_2.format(2) + "; Linear 3200 2; Flatten; Linear 3136 2",
    "jaubert/model_2+aux2": MODEL_2.format(2)
    + "; Linear 3200 20; Unflatten; Softmax; Flatten; Linear 20 2; Identity",
    "jaubert/model_2+ws+aux": MODEL_2.format(1) + "; Linear 3200 10; Linear 20 2; Identity",
    "jaubert/model_1@text": """Conv2d 2 16 2/1; LeakyReLU; Conv2d 16 32 2; LeakyReLU; MaxPool2d 2;
        Flatten; Linear 1568 16; LeakyReLU; Linear 16 2""",
    "jaubert/model_2@text": """Conv2d 2 32 2; LeakyReLU; Conv2d 32 64 2; LeakyReLU; MaxPool2d 2;
        Conv2d 64 128 2; LeakyReLU; Flatten; Linear 3200 64; LeakyReLU; Linear 64 12;
        Dropout 0.5; Linear 12 2""",
    "jaubert/model_2+ws+aux@text": """Conv2d 1 32 2/1; LeakyReLU; Conv2d 32 64 2; LeakyReLU;
        MaxPool2d 2; Conv2d 64 128 2; LeakyReLU; Flatten; Linear 4608 64; LeakyReLU;
        Linear 64 10; Linear 20 12; Dropout 0.5; Linear 12 2; Identity""",
    "damachi/logreg": "Flatten; Linear 392 1; Sigmoid; Flatten",
    "damachi/linreg": "Flatten; Linear 392 1; Flatten",
    "damachi/nn+aux": """Flatten; Linear 392 256; ReLU; Linear 256 128; ReLU; Linear 128 1; Sigmoid;
        Flatten; Linear 128 20; Sigmoid; Unflatten""",
    "damachi/cnn+aux": """BatchNorm2d 1; Conv2d 1 64 5/2; ReLU; BatchNorm2d 64; Conv2d 64 32 3/1;
        ReLU; Dropout 0.3; BatchNorm2d 32; Conv2d 32 8 3/1/2; ReLU; Dropout 0.3; BatchNorm2d 8;
        Flatten; Linear 784 32; ReLU; Linear 32 1; Sigmoid; Flatten; Linear 392 10; Sigmoid""",
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
            nn.Conv2d: lambda m: [m.in_channels, m.out_channels, _window(m)],
            nn.Linear: lambda m: [m.in_features, m.out_features],
            nn.Dropout: lambda m: [m.p],
            nn.MaxPool2d: lambda m: [m.kernel_size],
            nn.AvgPool2d: lambda m: [m.kernel_size],
        }.get(type(layer), lambda m: [m.num_features] if hasattr(m, "num_features") else [])
        names.append(" ".join(map(str, [type(layer).__name__, *values(layer)])))
    return "; ".join(names)


def _window(layer):
    """Kernel, then padding and stride where they are not 0 and 1: "3", "3/1", "3/1/2"."""
    for sizes in (layer.kernel_size, layer.padding, layer.stride):
        assert sizes[0] == sizes[1]
    padding = f"/{layer.padding[0]}" * (layer.padding[0] > 0)
    return f"{layer.kernel_size[0]}{padding}{f'/{layer.stride[0]}' * (layer.stride[0] > 1)}"


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_is_in_its_place(name):
    with torch.device("meta"):
        model = EXPERIMENTS[name].build()
    expected = LAYERS[name]
    parts = [model]
    if not isinstance(expected, str):
        parts = [model.branches.second, model.head, model.digit_heads.second]
    for part, layers in zip(parts, [expected] if parts == [model] else expected, strict=True):
        assert listed(part) == " ".join(layers.split())
