"""Every network has the parameters that its report gives, and gives out what the contract says."""

import pytest
import torch

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


def kinds(module):
    return [type(layer).__name__ for layer in module.modules() if not list(layer.children())]


def test_zadoks_as_listed_has_no_relu_between_batch_norm_and_dropout():
    listed, coded = (kinds(zadoks.convolutional_subnet(relu)) for relu in (False, True))
    assert listed[-4:] == ["Linear", "BatchNorm1d", "Dropout", "Linear"]
    assert coded[-5:] == ["Linear", "BatchNorm1d", "ReLU", "Dropout", "Linear"]


def test_kqiku_published_branch_lacks_the_second_relu():
    written, coded = (kqiku.convolutional_branch(relu) for relu in (True, False))
    assert kinds(written).count("ReLU") == 3
    assert kinds(coded).count("ReLU") == 2
