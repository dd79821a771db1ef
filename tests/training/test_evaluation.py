"""Losses and scores, against numbers by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from digits.data.pairs import Pairs, draw_pairs_reusing_images, draw_round
from digits.data.seeds import streams
from digits.data.sources import Pool
from digits.experiments.registry import EXPERIMENTS
from digits.models import beyond as networks
from digits.models.blocks import Output, Stacked, TwoBranch, concatenate
from digits.training.device import Device
from digits.training.evaluation import (
    dead_units,
    decide,
    digit_loss,
    error_on_many_pairs,
    evaluate,
    first_layer_gradient,
    objective_of,
    posteriors_of,
    shift_changes,
)
from digits.training.recipe import Recipe

BASE = Recipe(epochs=1, batch_size=2, learning_rate=0.1)
TARGET = torch.tensor([0, 1, 1, 0])
CLASSES = torch.tensor([[3, 1], [0, 0], [2, 9], [7, 5]])


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_objective_is_target_plus_weighted_digit_cross_entropies():
    generator = torch.Generator().manual_seed(0)
    target_logits, digit_logits = (
        torch.randn(shape, generator=generator) for shape in ((6, 2), (6, 2, 10))
    )
    target = torch.tensor([0, 1, 1, 0, 1, 0])
    classes = torch.arange(12).view(6, 2) % 10
    recipe = Recipe(epochs=1, batch_size=6, learning_rate=1.0, auxiliary_weight=0.3)
    by_hand = -target_logits.log_softmax(1)[torch.arange(6), target].mean()
    for image in range(2):
        log_p = digit_logits[:, image].log_softmax(1)[torch.arange(6), classes[:, image]]
        by_hand = by_hand - 0.3 * log_p.mean()
    output = Output(target_logits, (digit_logits,))
    assert objective_of(output, target, classes, recipe).item() == pytest.approx(by_hand.item())
    off = objective_of(output, target, classes, recipe.but(auxiliary_weight=0.0))
    assert off.item() == pytest.approx(F.cross_entropy(target_logits, target).item())


def test_squared_errors_are_averaged_and_weighted_ten_one_one():
    score, digits = random(4).sigmoid(), random(4, 2, 10, seed=1).sigmoid()
    recipe = BASE.but(loss="mean_squared_error", target_weight=10.0, auxiliary_weight=1.0)
    by_hand = 10 * sum((score[i] - TARGET[i]) ** 2 for i in range(4)) / 4
    for image in range(2):
        squares = [
            (digits[i, image, k] - float(CLASSES[i, image] == k)) ** 2
            for i in range(4)
            for k in range(10)
        ]
        by_hand = by_hand + sum(squares) / 40
    objective = objective_of(Output(score, (digits,)), TARGET, CLASSES, recipe)
    assert objective.item() == pytest.approx(by_hand.item())


def test_several_auxiliary_outputs_are_averaged():
    logits, first, second = random(4, 2), random(4, 2, 10, seed=1), random(4, 2, 10, seed=2)
    recipe = BASE.but(target_weight=0.4, auxiliary_weight=0.3)

    def objective(*auxiliary):
        return objective_of(Output(logits, auxiliary), TARGET, CLASSES, recipe).item()

    both = objective(first, second)
    assert both == pytest.approx((objective(first) + objective(second)) / 2)
    digits = sum(F.cross_entropy(first[:, i], CLASSES[:, i]).item() for i in range(2))
    target = F.cross_entropy(logits, TARGET).item()
    assert objective(first) == pytest.approx(0.4 * target + 0.3 * digits)


def test_an_early_prediction_of_the_target_is_an_auxiliary_loss():
    logits, early = random(4, 2), random(4, 2, seed=1)
    objective = objective_of(
        Output(logits, (early,)), TARGET, CLASSES, BASE.but(auxiliary_weight=0.3)
    )
    expected = F.cross_entropy(logits, TARGET) + 0.3 * F.cross_entropy(early, TARGET)
    assert objective.item() == pytest.approx(expected.item())


def test_smoothed_labels_are_spread_over_all_classes():
    predicted, classes = random(6, 10), torch.tensor([0, 1, 2, 3, 4, 5])
    labels = 0.9 * F.one_hot(classes, 10) + 0.01
    by_hand = -(labels * predicted.log_softmax(dim=1)).sum(dim=1).mean()
    found = digit_loss(predicted, classes, BASE.but(auxiliary_weight=1.0, label_smoothing=0.1))
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_decisions_of_logits_and_of_scores():
    assert decide(torch.tensor([[1.0, 2.0], [2.0, 1.0]])).tolist() == [1, 0]
    assert decide(torch.tensor([0.5, 0.51, -3.0, 7.0])).tolist() == [0, 1, 0, 1]
    assert decide(torch.tensor([[0.1], [-0.1], [0.0]])).tolist() == [1, 0, 0]


def test_one_logit_is_two_of_which_the_first_stands_still():
    """A sigmoid of one logit is a softmax over that logit and 0."""
    logit = torch.tensor([[0.3], [-1.2], [2.0]])
    two = torch.cat([torch.zeros_like(logit), logit], dim=1)
    target = torch.tensor([1, 0, 0])
    assert torch.equal(decide(logit), decide(two))
    losses = [objective_of(Output(t), target, None, BASE).item() for t in (logit, two)]
    assert losses[0] == pytest.approx(losses[1])


class Constant(torch.nn.Module):
    """Always decides `target` with a given logit, and always names digit 3."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, pairs):
        digits = F.one_hot(torch.full((len(pairs), 2), 3), 10).float()
        return Output(self.logits.expand(len(pairs), 2), (digits,))


def test_scores_against_numbers_by_hand(sample, tiny):
    pairs = draw_round(sample, tiny.but(precise_pairs=601).draw, streams(0)["pairs"]).large
    scores = evaluate(Constant([0.0, 1.0]), pairs, tiny)
    share = pairs.target.double().mean().item()
    assert scores.error == pytest.approx(100 * (1 - share))
    p = np.e / (1 + np.e)
    assert scores.loss == pytest.approx(-share * np.log(p) - (1 - share) * np.log(1 - p))
    assert scores.digit_accuracy == pytest.approx(100 * (pairs.classes == 3).double().mean().item())
    assert scores.decisions.tolist() == [1] * 601


def test_evaluation_neither_trains_nor_uses_dropout_or_batch_statistics(sample, tiny):
    pairs = draw_round(sample, tiny.draw, streams(0)["pairs"]).test
    model = EXPERIMENTS["kqiku/cnn+aux"].build()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first, second = evaluate(model, pairs, tiny), evaluate(model, pairs, tiny)
    assert first.loss == second.loss
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


class Noisy(torch.nn.Module):
    """Batch norm and dropout, and a note of what they gave."""

    def __init__(self):
        super().__init__()
        self.norm, self.dropout = torch.nn.BatchNorm1d(392), torch.nn.Dropout(0.5)
        self.means, self.dropped = [], []

    def forward(self, pairs):
        features = self.norm(pairs.flatten(1) + 1)
        dropped = self.dropout(features)
        self.means.append(features.mean().abs().item())
        self.dropped.append(((dropped == 0) & (features != 0)).float().mean().item())
        return Output(features[:, :2])


def test_training_mode_uses_the_statistics_of_the_whole_set_and_dropout(sample, tiny):
    pairs = draw_round(sample, tiny.but(test_pairs=300).draw, streams(0)["pairs"]).test
    model = Noisy()
    evaluate(model, pairs, tiny)
    assert len(model.means) == 2 and min(model.means) > 1 and max(model.dropped) == 0
    evaluate(model, pairs, tiny, training_mode=True)
    assert len(model.means) == 3 and model.means[-1] < 1e-3 and model.dropped[-1] > 0.2


@pytest.mark.parametrize("build", [networks.deep_net, networks.ensemble])
@pytest.mark.parametrize(  # a pool of fewer images and fewer pairs where bfloat16 is emulated
    ("precision", "images", "n"), [("fp32", 2500, 400), ("bf16", 8, 20)]
)
def test_an_image_looked_at_once_gives_the_same_decisions(sample, precision, images, n, build):
    torch.manual_seed(0)
    model = build(networks.SumOverDigits).train()
    some = torch.arange(0, 2500, 2500 // images)
    pool = Pool(sample.test.originals[some], sample.test.images[some], sample.test.classes[some])
    pairs = draw_pairs_reusing_images(pool, n, np.random.default_rng(0))
    model(pairs.images[:50] / 255)  # batch statistics
    recipe, device = BASE.but(auxiliary_weight=1.0), Device(precision=precision)
    pairs = pairs.standardised(torch.tensor(33.0), torch.tensor(78.0))
    expected = evaluate(model, pairs, recipe, device)
    found = error_on_many_pairs(model, pairs, device)
    assert found == pytest.approx(expected.error, abs=0 if precision == "fp32" else 1.0)
    posteriors = posteriors_of(model, pairs.images[:, 0], device)
    assert np.allclose(posteriors, expected.posteriors[:, 0], atol=0.02)
    assert np.allclose(posteriors.sum(axis=1), 1, atol=1e-4)


def pairs_of(images):
    return Pairs(images, None, torch.ones(len(images), dtype=torch.long))


def test_dead_units_are_active_for_no_pair_at_all():
    """Of four units one needs a bright pixel in place 0, one in place 1; two are always off."""
    layer = nn.Linear(2 * 196, 4)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0] = layer.weight[1, 1] = 1
        layer.bias.copy_(torch.tensor([-0.5, -0.5, -1.0, 0.0]))
    for activation in (nn.ReLU(), nn.LeakyReLU(inplace=True)):
        model = Stacked(nn.Sequential(nn.Flatten(), layer, activation), nn.Linear(4, 2))
        images = torch.zeros(300, 2, 14, 14)
        assert dead_units(model, pairs_of(images)) == 100
        images[-1, 0, 0, 0] = 1  # the one pair, in the last batch, that wakes the first unit
        assert dead_units(model, pairs_of(images)) == 75
        images[0, 0, 0, 1] = 1
        assert dead_units(model, pairs_of(images)) == 50
        assert not any(module._forward_pre_hooks for module in model.modules())
    assert dead_units(nn.Sequential(model.trunk[:2]), pairs_of(images)) == 0  # no such units


def test_a_unit_of_a_shared_branch_lives_by_either_image_and_a_map_by_any_place():
    convolution = nn.Conv2d(1, 2, 3)
    with torch.no_grad():
        convolution.weight.zero_()
        convolution.weight[0, 0, 1, 1] = 1
        convolution.bias.copy_(torch.tensor([-0.5, -1.0]))
    branch = nn.Sequential(convolution, nn.ReLU(), nn.Flatten())
    model = TwoBranch(lambda: branch, shared=True, join=concatenate, head=nn.Linear(576, 2))
    images = torch.zeros(3, 2, 14, 14)
    images[2, 1, 5, 7] = 1
    assert dead_units(model, pairs_of(images)) == 50


def test_the_gradient_of_the_first_layer_is_taken_beside_that_of_the_last():
    """Of two linear layers, 392 to 1 to 2, whose gradients are products of known numbers."""
    pairs = Pairs(random(4, 2, 14, 14), None, TARGET)
    first, last = nn.Linear(392, 1), nn.Linear(1, 2)
    model = Stacked(nn.Sequential(nn.Flatten(), first), last)
    x, labels = pairs.images.flatten(1), F.one_hot(TARGET, 2)
    with torch.no_grad():
        hidden = first(x)
        slope = (last(hidden).softmax(dim=1) - labels) / 4
        of_last, of_first = slope.T @ hidden, (slope @ last.weight).T @ x
    by_hand = 100 * of_first.square().mean().sqrt() / of_last.square().mean().sqrt()
    found = first_layer_gradient(model, pairs, BASE)
    assert found == pytest.approx(by_hand.item(), rel=1e-5)
    with torch.no_grad():
        first.weight.zero_()
        first.bias.zero_()
    assert first_layer_gradient(model, pairs, BASE) == 0  # nothing to divide by


def test_comparing_gradients_is_training_on_one_batch_and_leaves_no_trace():
    pairs = Pairs(random(4, 2, 14, 14), CLASSES, TARGET)
    layers = nn.Flatten(), nn.Linear(392, 20), nn.BatchNorm1d(20), nn.Dropout(0.5)
    model = Stacked(nn.Sequential(*layers), nn.Linear(20, 2), nn.Linear(20, 20)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(0)
    with_dropout, again = (first_layer_gradient(model, pairs, BASE) for _ in range(2))
    assert with_dropout == again  # the same random numbers
    torch.manual_seed(1)
    assert first_layer_gradient(model, pairs, BASE) != with_dropout
    for parameter in model.parameters():  # what a step has left is not added up
        parameter.grad = torch.ones_like(parameter)
    torch.manual_seed(0)
    assert first_layer_gradient(model, pairs, BASE) == with_dropout
    assert not model.training and all((p.grad == 1).all() for p in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("shared", [True, False])
def test_the_first_layer_is_that_of_both_branches_and_the_last_that_of_the_comparison(shared):
    pairs = Pairs(random(300, 2, 14, 14), torch.arange(600).view(300, 2) % 10, TARGET.repeat(75))
    build = EXPERIMENTS["zadoks/twinnet+ws+aux" if shared else "zadoks/twinnet+aux"].build
    torch.manual_seed(0)
    model = build()
    recipe = BASE.but(auxiliary_weight=1.0)
    torch.manual_seed(1)
    found = first_layer_gradient(model, pairs, recipe)
    torch.manual_seed(1)
    objective_of(model.train()(pairs.images), pairs.target, pairs.classes, recipe).backward()
    branches = {model.branches.first, model.branches.second}
    assert len(branches) == (1 if shared else 2)
    first = torch.cat([branch[0].weight.grad for branch in branches]).square().mean().sqrt()
    last = model.head[-1].weight.grad.square().mean().sqrt()
    assert found == pytest.approx((100 * first / last).item(), rel=1e-5)


def test_shifted_pairs_are_moved_by_one_pixel_in_each_direction():
    """The network looks at one pixel of the first image: a decision of 1 where it is bright."""
    look = nn.Linear(2 * 196, 2)
    with torch.no_grad():
        look.weight.zero_()
        look.weight[1, 5 * 14 + 6] = 1
        look.bias.copy_(torch.tensor([30.0, 0.0]))
    model = Stacked(nn.Flatten(), look)
    images = torch.full((4, 2, 14, 14), 20.0)  # of a grey background
    assert shift_changes(model, pairs_of(images), BASE) == 0
    images[0, 0, 5, 6] = 255  # leaves by each of four moves
    images[1, 0, 5, 5] = 255  # comes in by a move to the right
    images[2, 0, 6, 6] = 255  # by one to the top
    kept = images.clone()
    assert shift_changes(model, pairs_of(images), BASE) == 100 * (4 + 1 + 1) / 16
    assert torch.equal(images, kept)
    border = torch.zeros(1, 2, 14, 14)
    border[0, 0, 5, 13] = 255  # never wraps around to the other side
    with torch.no_grad():
        look.weight[1] = 0
        look.weight[1, 5 * 14] = 1
    assert shift_changes(model, pairs_of(border), BASE) == 0
