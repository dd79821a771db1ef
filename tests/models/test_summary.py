"""Parameters, arithmetic and layers of a network, against numbers by hand."""

from functools import partial
from itertools import pairwise

import torch
from torch import nn

from digits.experiments.registry import EXPERIMENTS
from digits.models import kqiku, zadoks
from digits.models.summary import layer_table, parameter_count, summary_of


def test_a_shared_module_counts_once():
    layer = nn.Linear(3, 4)
    assert parameter_count(layer) == 3 * 4 + 4
    assert parameter_count(nn.Sequential(layer, nn.ReLU(), layer)) == 16


def test_counting_what_a_function_builds_draws_no_random_number():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    assert summary_of(partial(kqiku.fcc, shared=True, auxiliary=False)).parameters == 241_122
    noisy = EXPERIMENTS["cadei/convnet@published"]  # its dropout is left on
    assert summary_of(partial(noisy.build)).parameters == 77_530
    with torch.random.fork_rng(devices=[]):
        model = noisy.build()
    assert layer_table(model).parameters.sum() == 77_530
    assert torch.equal(torch.rand(3), expected)


def test_both_images_pass_one_module_only_where_weights_are_shared():
    for shared in (True, False):
        assert summary_of(partial(zadoks.twin_net, shared=shared, auxiliary=True)).shared == shared
    assert not summary_of(EXPERIMENTS["cadei/mlp"].build).shared  # one net that sees both


def test_the_arithmetic_of_a_pair_by_hand():
    """Two operations a weight and place: of the dense layers, and of the convolutions."""
    widths = [392, 350, 250, 200, 20, 2]
    dense = sum(2 * before * after for before, after in pairwise(widths))
    assert summary_of(EXPERIMENTS["cadei/mlp"].build).flops == dense
    subnet = 2 * (9 * 16 * 12 * 12 + 9 * 16 * 32 * 4 * 4 + 128 * 32 + 32 * 10)
    comparison = 2 * (20 * 10 + 10 * 2)
    for shared in (True, False):  # both images go through a branch, whoever's it is
        build = partial(zadoks.twin_net, shared=shared, auxiliary=True)
        assert summary_of(build).flops == 2 * subnet + comparison


def test_layers_add_up_to_the_model_and_a_shared_one_counts_once():
    for name in ("kqiku/cnn+aux", "kqiku/cnn+ws+aux", "zadoks/twinnet+ws"):
        model = EXPERIMENTS[name].build()
        assert layer_table(model).parameters.sum() == parameter_count(model)
    layers = layer_table(EXPERIMENTS["zadoks/twinnet+ws"].build())
    convolutions = layers[layers.kind == "Conv2d"]
    assert convolutions.output.tolist() == ["16x12x12", "32x4x4"]
    assert convolutions.parameters.tolist() == [160, 4640]
    assert convolutions.applied.tolist() == [2, 2]
    assert layers.applied.iloc[-1] == 1  # the comparison sees the pair
    separate = layer_table(EXPERIMENTS["zadoks/twinnet"].build())
    assert (separate.applied == 1).all()
