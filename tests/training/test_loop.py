"""Optimisers, schedules, epochs and the one that is kept: against numbers by hand."""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from digits.core import InputError
from digits.data.pairs import Pairs, draw_round
from digits.data.seeds import streams, torch_generator
from digits.experiments.registry import EXPERIMENTS
from digits.models import beyond as networks
from digits.models.blocks import Output
from digits.models.summary import parameter_count
from digits.models.zadoks import twin_net
from digits.training.evaluation import evaluate
from digits.training.loop import averaged_weights_of, fit, optimizer_of, schedule_of, train_epoch
from digits.training.recipe import Recipe

BASE = Recipe(epochs=1, batch_size=2, learning_rate=0.1)
TARGET = torch.tensor([0, 1, 1, 0])
CLASSES = torch.tensor([[3, 1], [0, 0], [2, 9], [7, 5]])


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("cadei/mlp", {"auxiliary_weight": 1.0}, "the network has no auxiliary output"),
        ("cadei/mlp", {"loss": "mean_squared_error"}, "loss = 'mean_squared_error' does not suit"),
        ("damachi/nn", {}, "loss = 'cross_entropy' does not suit the network"),
    ],
)
def test_a_recipe_that_does_not_fit_the_network_is_refused(name, change, sentence):
    pairs = Pairs(torch.rand(4, 2, 14, 14), CLASSES, TARGET)
    with pytest.raises(InputError, match=sentence):
        fit(EXPERIMENTS[name].build, BASE.but(**change), pairs, streams(0))


def test_re_pairing_and_digit_losses_need_digit_classes():
    pairs = Pairs(torch.rand(4, 2, 14, 14), None, TARGET)
    build = EXPERIMENTS["cadei/mlp"].build
    with pytest.raises(InputError, match="augmentation = 're-pairing' needs the digit classes"):
        fit(build, BASE.but(augmentation="re-pairing"), pairs, streams(0))
    recipe = BASE.but(auxiliary_weight=0.5)
    with pytest.raises(InputError, match="auxiliary_weight = 0.5 needs the digit classes"):
        fit(EXPERIMENTS["jaubert/model_1+aux2"].build, recipe, pairs, streams(0))
    fit(EXPERIMENTS["jaubert/model_2+aux1"].build, recipe, pairs, streams(0))  # of the target
    # The target alone can be learned without classes.
    fitted = fit(build, BASE, pairs, streams(0), {"train": pairs})
    assert evaluate(fitted.model, pairs, BASE).digit_accuracy is None


class Recorder(torch.nn.Module):
    """Notes the first pixel of every image it is shown."""

    def __init__(self):
        super().__init__()
        self.bias = torch.nn.Parameter(torch.zeros(2))
        self.seen = []

    def forward(self, pairs):
        self.seen.append(pairs[:, 0, 0, 0].clone())
        return Output(self.bias.expand(len(pairs), 2))


@pytest.mark.parametrize("order", ["shuffled", "fixed"])
def test_an_epoch_visits_each_pair_once_in_the_order_asked(sample, tiny, order):
    pairs = draw_round(sample, tiny.draw, streams(0)["pairs"]).train
    pairs.images[:, 0, 0, 0] = torch.arange(100.0)
    model = Recorder()
    optimizer = torch.optim.Adam(model.parameters())
    recipe = tiny.but(order=order, batch_size=30)
    generator = torch.Generator().manual_seed(0)
    for _ in range(2):
        train_epoch(model, optimizer, pairs, recipe, generator)
    assert [len(batch) for batch in model.seen] == [30, 30, 30, 10] * 2
    first, second = torch.cat(model.seen[:4]), torch.cat(model.seen[4:])
    assert torch.equal(first.sort().values, torch.arange(100.0))
    assert torch.equal(second.sort().values, torch.arange(100.0))
    assert torch.equal(first, torch.arange(100.0)) == (order == "fixed")
    assert torch.equal(first, second) == (order == "fixed")


def test_pairs_shuffled_once_keep_their_order_through_all_epochs(sample, tiny):
    pairs = draw_round(sample, tiny.draw, streams(0)["pairs"]).train
    pairs.images[:, 0, 0, 0] = torch.arange(100.0)
    recipe = tiny.but(order="shuffled once", epochs=3, batch_size=100, curve_step=3)
    orders = []
    for seed in (0, 1):
        model = Recorder()
        fit(lambda model=model: model, recipe, pairs, streams(seed))
        first, second, third = [seen for seen in model.seen if len(seen) == 100]
        assert torch.equal(first, second) and torch.equal(second, third)
        assert torch.equal(first.sort().values, torch.arange(100.0))
        orders.append(first)
    assert not torch.equal(*orders) and not torch.equal(orders[0], torch.arange(100.0))


@pytest.mark.parametrize(("optimizer", "first_step"), [("adam", 0.1), ("sgd", 0.4)])
def test_weight_decay_is_a_gradient_added_before_the_optimiser(optimizer, first_step):
    """Steps with decay are steps on the loss with half the squared parameters added."""
    features = torch.arange(5.0)
    ends = []
    for decay, penalty in ((0.0, 0.0), (0.1, 0.0), (0.0, 0.1)):
        model = torch.nn.Linear(5, 1, bias=False)
        model.weight.data = torch.ones(1, 5)
        steps = optimizer_of(model, BASE.but(optimizer=optimizer, weight_decay=decay))
        for step in range(3):
            loss = model(features).sum() + penalty * (model.weight**2).sum() / 2
            model.zero_grad()
            loss.backward()
            steps.step()
            if step == 0 and not decay and not penalty:
                assert 1 - model.weight[0, -1].item() == pytest.approx(first_step, rel=1e-3)
        ends.append(model.weight.detach())
    assert torch.allclose(ends[1], ends[2], atol=1e-6)
    assert not torch.allclose(ends[0], ends[1], atol=1e-3)


def test_adamw_shrinks_weights_beside_the_gradient():
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    optimizer = optimizer_of(model, BASE.but(optimizer="adamw", weight_decay=0.5))
    model.weight.grad = torch.zeros(1, 1)
    optimizer.step()
    assert model.weight.item() == pytest.approx(1 - 0.1 * 0.5)


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_nothing():
    recipe = BASE.but(schedule="one_cycle", optimizer="adamw", epochs=5)
    optimizer = optimizer_of(nn.Linear(2, 2), recipe)
    schedule = schedule_of(optimizer, recipe, 40)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(rates) < 100 else None
    assert max(rates) == pytest.approx(recipe.learning_rate)
    assert rates.index(max(rates)) == pytest.approx(30, abs=1)
    assert rates[0] < 0.05 * max(rates) and rates[-1] < 1e-4 * max(rates)
    twice = schedule_of(optimizer, recipe.but(augmentation="re-pairing"), 40)
    assert (schedule.total_steps, twice.total_steps) == (100, 200)
    assert schedule_of(optimizer, BASE, 40) is None


def weights_and_statistics(model):
    """Return its parameters and the running statistics of its batch norms, without their counts."""
    return [values for values in model.state_dict().values() if values.is_floating_point()]


def test_the_running_mean_of_weights_is_the_one_by_hand(sample, tiny):
    recipe = tiny.but(weight_averaging=0.9, epochs=1, auxiliary_weight=1.0)
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"]).train
    torch.manual_seed(0)
    model = twin_net(shared=True, auxiliary=True)
    averaged = averaged_weights_of(model, recipe)
    optimizer, order = optimizer_of(model, recipe), torch_generator(streams(0)["order"])
    by_hand, snapshots = None, []
    original = optimizer.step

    def step():
        original()
        snapshots.append([values.detach().clone() for values in weights_and_statistics(model)])

    optimizer.step = step
    train_epoch(model, optimizer, pairs, recipe, order, averaged=averaged)
    assert len(snapshots) == 4
    for weights in snapshots:  # the first step is taken over as it is
        by_hand = (
            weights
            if by_hand is None
            else [0.9 * mean + 0.1 * now for mean, now in zip(by_hand, weights, strict=True)]
        )
    means = weights_and_statistics(averaged.module)
    assert len(means) > len(list(model.parameters()))
    for mean, expected in zip(means, by_hand, strict=True):
        assert torch.allclose(mean, expected, atol=1e-4 * expected.abs().max().item() + 1e-6)
    assert averaged_weights_of(model, tiny) is None


def test_the_running_mean_is_what_is_scored_and_kept(sample, tiny):
    pairs = draw_round(sample, tiny.draw, streams(0)["pairs"])
    build = partial(twin_net, shared=True, auxiliary=True)
    recipe = tiny.but(auxiliary_weight=1.0)
    plain, averaged = (
        fit(build, r, pairs.train, streams(0), {"train": pairs.train})
        for r in (recipe, recipe.but(weight_averaging=0.9))
    )
    assert parameter_count(averaged.model) == parameter_count(plain.model)
    assert averaged.curves["objective"] == plain.curves["objective"]  # trained alike
    again = evaluate(averaged.model, pairs.train, recipe)
    assert again.error == averaged.scores["train"].error
    assert again.loss != evaluate(plain.model, pairs.train, recipe).loss


def test_validation_loss_has_the_auxiliary_terms(sample, tiny_experiment):
    weights = {"auxiliary_weight": 0.3, "target_weight": 0.4, "validation_share": 0.1}
    experiment = tiny_experiment("kqiku/cnn+ws+aux", batch_size=18, epochs=1, **weights)
    pairs = draw_round(sample, experiment.recipe.draw, streams(0)["pairs"]).train
    watched = {"validation": pairs[90:]}
    fitted = fit(experiment.build, experiment.recipe, pairs[:90], streams(0), watched)
    scores = evaluate(fitted.model, pairs[90:], experiment.recipe)
    assert fitted.curves["validation_loss"] == [scores.objective]
    assert scores.objective > 0.4 * scores.loss + 0.3 * 2  # two digits, about log(10) each


def test_heads_that_do_not_train_the_branch_leave_the_same_weights(sample, tiny):
    """The digit loss alone trains it, so how the target is decided changes no weight."""
    recipe = tiny.but(auxiliary_weight=1.0, train_pairs=20, batch_size=10)
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"]).train
    ends = []
    for head in (
        partial(networks.SumOverDigits, detached=True),
        networks.MostLikelyDigits,
        networks.SumOverDigits,
    ):
        model = fit(partial(networks.deep_net, head), recipe, pairs, streams(0)).model
        ends.append(torch.cat([p.detach().flatten() for p in model.parameters()]))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_what_is_erased_in_an_ensemble_is_drawn_from_the_stream_of_dropout(sample, tiny):
    recipe = tiny.but(train_pairs=20, epochs=1, batch_size=10, auxiliary_weight=1.0)
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"]).train
    head = partial(networks.SumOverDigits, detached=True)
    build = partial(networks.ensemble, head, erasing=True)

    def weights(stream):
        members = fit(build, recipe, pairs, stream).model.branches.first.members
        return [torch.cat([p.detach().flatten() for p in m.parameters()]) for m in members]

    once, again = weights(streams(0)), weights(streams(0))
    other = weights(streams(0) | {"dropout": streams(1)["dropout"]})
    assert torch.equal(once[0], again[0]) and torch.equal(once[1], again[1])
    assert not torch.equal(once[0], other[0])
    assert torch.equal(once[1], other[1])  # the other member sees whole digits


def test_each_member_of_an_ensemble_is_trained_as_if_it_were_alone(sample, tiny):
    """One step of plain gradient descent on each member's own digit loss, by hand."""
    recipe = tiny.but(
        auxiliary_weight=2.0, optimizer="sgd", learning_rate=0.1, epochs=1, batch_size=20
    ).but(train_pairs=20, schedule="constant", weight_decay=0.0)
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"]).train
    head = partial(networks.SumOverDigits, detached=True)
    torch.manual_seed(0)
    model = networks.ensemble(head, erasing=True)
    alone = copy.deepcopy(model.branches.first.members)
    torch.manual_seed(1)  # what is erased
    train_epoch(
        model, optimizer_of(model, recipe), pairs, recipe, torch_generator(streams(0)["order"])
    )
    pairs = pairs[torch.randperm(20, generator=torch_generator(streams(0)["order"])).numpy()]
    torch.manual_seed(1)
    for member, own in zip(alone, model.branches.first.members, strict=True):
        member.train()
        images = torch.cat([pairs.images[:, :1], pairs.images[:, 1:]])
        classes = torch.cat([pairs.classes[:, 0], pairs.classes[:, 1]])
        # Auxiliary outputs share the weight, and the losses of both images are added.
        (2 * F.cross_entropy(member(images), classes)).backward()
        for before, after in zip(member.parameters(), own.parameters(), strict=True):
            assert torch.allclose(before - 0.1 * before.grad, after, atol=1e-5)
            assert not torch.equal(before, after)
