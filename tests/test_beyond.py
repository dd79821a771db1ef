"""Networks past the reports: heads against sums by hand, and how they are trained."""

import copy
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from digits import beyond
from digits.compute import CPU, Compute
from digits.core import InputError
from digits.data import draw_pairs_reusing_images
from digits.experiments import BEYOND, EXPERIMENTS, select
from digits.fitting import (
    averaged_weights_of,
    digit_loss,
    error_on_many_pairs,
    evaluate,
    fit,
    optimizer_of,
    posteriors_of,
    schedule_of,
    train_epoch,
)
from digits.models import beyond as networks
from digits.models.blocks import parameter_count, parameters_built_by
from digits.models.zadoks import twin_net
from digits.recipe import Recipe
from digits.records import unpack_posteriors
from digits.seeds import STREAMS, streams, torch_generator
from digits.study import Study
from digits.training import draw_round, streams_of, train

BASE = Recipe(epochs=2, batch_size=2, learning_rate=0.1)


def logits(n, scale=1.0, seed=0, dtype=torch.float32):
    random = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, 2, 10, generator=random, dtype=dtype)


def by_brute_force(digits):
    """Sum over all hundred pairs of digits, one by one: P(a > b) and P(a <= b)."""
    found = []
    for first, second in digits.double().softmax(dim=2).tolist():
        greater = sum(first[i] * second[j] for i, j in product(range(10), repeat=2) if i > j)
        found.append([greater, sum(p * q for p in first for q in second) - greater])
    return torch.tensor(found, dtype=torch.float64)


@given(st.integers(0, 1000), st.sampled_from([0.1, 1.0, 5.0, 30.0]))
def test_the_structured_head_is_the_sum_over_all_pairs_of_digits(seed, scale):
    digits = logits(8, scale, seed)
    probabilities = networks.SumOverDigits()(digits).double().exp()
    assert torch.allclose(probabilities, by_brute_force(digits), atol=1e-6)
    assert torch.allclose(probabilities.sum(dim=1), torch.ones(8, dtype=torch.float64), atol=1e-6)


def test_a_temperature_sharpens_what_a_trained_network_says_and_changes_no_training():
    digits, plain, sharp = logits(8), networks.SumOverDigits(), networks.SumOverDigits(False, 0.5)
    assert torch.equal(sharp.train()(digits), plain.train()(digits))
    assert torch.allclose(sharp.eval()(digits), plain.eval()(2 * digits))


def test_cross_entropy_takes_the_heads_outputs_as_they_are():
    out = networks.SumOverDigits()(logits(8))
    target = torch.tensor([0, 1] * 4)
    by_hand = -out[torch.arange(8), target].mean()
    assert F.cross_entropy(out, target).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_the_structured_heads_gradient_is_that_of_finite_differences():
    digits = logits(3, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(networks.SumOverDigits(), (digits,))


def test_certain_digits_are_compared_without_an_infinity():
    digits = torch.full((3, 2, 10), -1e4)
    for pair, (a, b) in enumerate(((3, 7), (7, 3), (0, 0))):
        digits[pair, 0, a] = digits[pair, 1, b] = 1e4
    digits.requires_grad_()
    out = networks.SumOverDigits()(digits)
    assert out.argmax(dim=1).tolist() == [1, 0, 1]
    F.cross_entropy(out, torch.tensor([0, 1, 0])).backward()
    assert torch.isfinite(out).all() and torch.isfinite(digits.grad).all()


def test_the_most_likely_digits_are_compared_as_a_person_would():
    digits = logits(200)
    named = digits.argmax(dim=2)
    decided = networks.MostLikelyDigits()(digits).argmax(dim=1)
    assert torch.equal(decided, (named[:, 0] <= named[:, 1]).long())


def test_heads_that_do_not_train_the_branch_leave_the_same_weights(sample, tiny):
    """The digit loss alone trains it, so how the target is decided changes no weight."""
    recipe = tiny.but(auxiliary_weight=1.0)
    pairs = draw_round(sample, recipe, streams(0)["pairs"]).train
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


def test_parameters_are_those_of_the_layers_by_hand():
    convolutions = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 128)]
    branch = sum(9 * i * o + 2 * o for i, o in convolutions) + 1152 * 10 + 10
    assert branch == parameters_built_by(networks.deep_branch) == 418_634
    unpooled = [(1, 32), (32, 64), (64, 64), (64, 96), (96, 128), (128, 160)]
    unpooled = sum(9 * i * o + 2 * o for i, o in unpooled) + 640 * 10 + 10
    assert unpooled == parameters_built_by(networks.unpooled_branch) == 413_290
    committee = partial(networks.committee, networks.SumOverDigits)
    assert parameters_built_by(committee) == branch + unpooled
    deep = partial(networks.deep_net, networks.SumOverDigits)
    assert parameters_built_by(deep) == branch
    assert parameters_built_by(partial(networks.deep_net, networks.learned)) == branch + 252


def test_a_committee_believes_the_mean_of_its_members_log_posteriors(sample):
    torch.manual_seed(0)
    model = networks.committee(networks.SumOverDigits).eval()
    pairs = draw_pairs_reusing_images(sample.test, 5, np.random.default_rng(0)).images / 255
    members = model.branches.first.members
    by_hand = torch.stack([m(pairs[:, :1]).log_softmax(dim=1) for m in members]).mean(dim=0)
    output = model(pairs)
    assert len(output.auxiliary) == 1
    assert torch.allclose(output.auxiliary[0][:, 0], by_hand, atol=1e-6)
    assert torch.equal(output.target, model.head(output.auxiliary[0]))


def test_half_of_the_images_get_one_dark_hole_while_a_network_learns_and_none_later():
    torch.manual_seed(0)
    erased = networks.Erased(side=4, share=0.5)
    images = torch.rand(2000, 1, 14, 14) + torch.randn(2000, 1, 1, 1)
    found = erased(images)
    changed = (found != images)[:, 0]
    pixels = changed.sum(dim=(1, 2))
    # The darkest pixel is not changed by its own darkness.
    assert set(pixels.tolist()) == {0, 15, 16}
    assert 900 < (pixels > 0).sum() < 1100
    for hole in changed[pixels == 16]:
        assert hole.any(dim=0).sum() == hole.any(dim=1).sum() == 4
    assert changed.any(dim=0).all()  # every pixel, to the corners
    assert torch.equal(found.amin(dim=(1, 2, 3)), images.amin(dim=(1, 2, 3)))
    assert torch.equal(torch.where(changed[:, None], images.amin((1, 2, 3), True), images), found)
    assert torch.equal(erased.eval()(images), images)


def test_the_holes_of_a_committee_are_drawn_from_the_stream_of_dropout(sample, tiny):
    recipe = tiny.but(train_pairs=20, epochs=1, batch_size=10, auxiliary_weight=1.0)
    pairs = draw_round(sample, recipe, streams(0)["pairs"]).train
    head = partial(networks.SumOverDigits, detached=True)
    build = partial(networks.committee, head, holes=True)

    def weights(stream):
        members = fit(build, recipe, pairs, stream).model.branches.first.members
        return [torch.cat([p.detach().flatten() for p in m.parameters()]) for m in members]

    once, again = weights(streams(0)), weights(streams(0))
    other = weights(streams(0) | {"dropout": streams(1)["dropout"]})
    assert torch.equal(once[0], again[0]) and torch.equal(once[1], again[1])
    assert not torch.equal(once[0], other[0])
    assert torch.equal(once[1], other[1])  # the other member sees whole digits


def test_each_member_of_a_committee_learns_as_if_it_were_alone(sample, tiny):
    """One step of plain gradient descent on each member's own digit loss, by hand."""
    recipe = tiny.but(
        auxiliary_weight=2.0, optimizer="sgd", learning_rate=0.1, epochs=1, batch_size=20
    ).but(train_pairs=20, schedule="constant", weight_decay=0.0)
    pairs = draw_round(sample, recipe, streams(0)["pairs"]).train
    head = partial(networks.SumOverDigits, detached=True)
    torch.manual_seed(0)
    model = networks.committee(head, holes=True)
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


@pytest.mark.parametrize("build", [networks.deep_net, networks.committee])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_image_looked_at_once_gives_the_same_decisions(sample, precision, build):
    torch.manual_seed(0)
    model = build(networks.SumOverDigits).train()
    pairs = draw_pairs_reusing_images(sample.test, 400, np.random.default_rng(0))
    model(pairs.images[:50] / 255)  # batch statistics
    recipe, compute = BASE.but(auxiliary_weight=1.0), Compute(precision=precision)
    pairs = pairs.standardised(torch.tensor(33.0), torch.tensor(78.0))
    expected = evaluate(model, pairs, recipe, compute)
    found = error_on_many_pairs(model, pairs, compute)
    assert found == pytest.approx(expected.error, abs=0 if precision == "fp32" else 1.0)
    posteriors = posteriors_of(model, pairs.images[:, 0], compute)
    assert np.allclose(posteriors, expected.posteriors[:, 0], atol=0.02)
    assert np.allclose(posteriors.sum(axis=1), 1, atol=1e-4)


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


def test_adamw_shrinks_weights_beside_the_gradient():
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    optimizer = optimizer_of(model, BASE.but(optimizer="adamw", weight_decay=0.5))
    model.weight.grad = torch.zeros(1, 1)
    optimizer.step()
    assert model.weight.item() == pytest.approx(1 - 0.1 * 0.5)


def test_the_running_mean_of_weights_is_the_one_by_hand(sample, tiny):
    recipe = tiny.but(weight_averaging=0.9, epochs=1, auxiliary_weight=1.0)
    pairs = draw_round(sample, recipe, streams(0)["pairs"]).train
    torch.manual_seed(0)
    model = twin_net(shared=True, auxiliary=True)
    averaged = averaged_weights_of(model, recipe)
    optimizer, order = optimizer_of(model, recipe), torch_generator(streams(0)["order"])
    by_hand, snapshots = None, []
    original = optimizer.step

    def step():
        original()
        snapshots.append([p.detach().clone() for p in model.parameters()])

    optimizer.step = step
    train_epoch(model, optimizer, pairs, recipe, order, averaged=averaged)
    assert len(snapshots) == 4
    for weights in snapshots:  # the first step is taken over as it is
        by_hand = (
            weights
            if by_hand is None
            else [0.9 * mean + 0.1 * now for mean, now in zip(by_hand, weights, strict=True)]
        )
    for mean, expected in zip(averaged.module.parameters(), by_hand, strict=True):
        assert torch.allclose(mean, expected, atol=1e-6)
    assert averaged_weights_of(model, tiny) is None


def test_the_running_mean_is_what_is_scored_and_kept(sample, tiny):
    pairs = draw_round(sample, tiny, streams(0)["pairs"])
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


def test_smoothed_labels_are_spread_over_all_classes():
    predicted, classes = logits(6)[:, 0], torch.tensor([0, 1, 2, 3, 4, 5])
    labels = 0.9 * F.one_hot(classes, 10) + 0.01
    by_hand = -(labels * predicted.log_softmax(dim=1)).sum(dim=1).mean()
    found = digit_loss(predicted, classes, BASE.but(label_smoothing=0.1))
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-5)


@pytest.mark.parametrize("stream", STREAMS)
def test_one_stream_is_a_rounds_own_and_the_others_are_those_of_round_0(stream):
    own, base = streams(3), streams(0)
    found = streams_of(BASE.but(varies=stream), 3)
    for name in STREAMS:
        expected = own if name == stream else base
        assert found[name].generate_state(4).tolist() == expected[name].generate_state(4).tolist()
    assert streams_of(BASE, 3)["order"].generate_state(2).tolist() == (
        own["order"].generate_state(2).tolist()
    )


def test_posteriors_are_recorded_of_all_test_images(sample, tiny):
    recipe = tiny.but(keep_posteriors=True, standardised=True, auxiliary_weight=1.0)
    experiment = BEYOND["beyond/deepnet@smoothed"].model_copy(update={"recipe": recipe})
    record = train(experiment, 0, sample)
    posteriors = unpack_posteriors(record.test_posteriors)
    assert posteriors.shape == (2500, 10) and record.fold_posteriors is None
    pairs = draw_round(sample, recipe, streams(0)["pairs"])
    with CPU.deterministic():
        model = fit(experiment.build, recipe, pairs.train, streams(0)).model
    images = (sample.test.images - pairs.mean) / pairs.sd
    assert np.allclose(posteriors, posteriors_of(model, images), rtol=0.05, atol=1e-3)
    folded = train(
        experiment.model_copy(update={"recipe": recipe.but(folds=2, epochs=1)}), 0, sample
    )
    assert unpack_posteriors(folded.fold_posteriors).shape == (200, 10)
    assert folded.test_posteriors is None
    plain = tiny.but(keep_posteriors=True)
    for build in (
        partial(twin_net, shared=True, auxiliary=False),
        partial(twin_net, shared=False, auxiliary=True),
        EXPERIMENTS["kqiku/cnn+aux"].build,
        EXPERIMENTS["kqiku/cnn+ws+aux"].build,  # a digit head of its own
    ):
        with pytest.raises(InputError, match="keep_posteriors = True needs one branch"):
            fit(build, plain, pairs.train, streams(0))


def test_each_rung_adds_what_it_names_to_the_kept_one_below():
    below = beyond._FOOT_RECIPE
    assert below == EXPERIMENTS[beyond.FOOT].recipe
    builds = 0
    for rung in beyond.RUNGS:
        build, recipe = beyond.rung_recipes()[rung.name]
        changed = {k for k, v in recipe.model_dump().items() if v != below.model_dump()[k]}
        assert changed == set(rung.change) and (rung.change or rung.build)
        builds += rung.build is not None
        assert rung.rounds or rung.fold_rounds
        if rung.fold_rounds:
            assert BEYOND[beyond.folds_id_of(rung.name)].recipe.folds == 5
        else:  # a larger budget is no ingredient
            assert not rung.kept and beyond.folds_id_of(rung.name) not in BEYOND
        if rung.kept:
            below = recipe
    assert builds == 6
    best, top = (BEYOND[beyond.id_of(name)] for name in (beyond.BEST, beyond.TOP))
    assert best.recipe.epochs == 25 and best.recipe.train_pairs == top.recipe.train_pairs == 1000
    assert best.rounds >= 10 and top.rounds >= 10
    assert top.recipe.validation_share == 0  # the last epoch counts


def test_what_goes_past_the_reports_is_found_by_its_own_patterns_alone():
    assert not any(name.startswith("beyond/") for name in EXPERIMENTS)
    assert {experiment.id for experiment in select("beyond/*")} == set(BEYOND)
    assert all(experiment.report == "beyond" for experiment in select("beyond/*"))
    assert not any(experiment.id in BEYOND for experiment in select("*"))


@pytest.mark.parametrize("profile", ["smoke", "quick"])
def test_a_short_profile_is_short_on_all_of_mnist_too(profile):
    for run in Study(source="mnist", profile=profile).runs("beyond/*"):
        recipe = run.experiment.recipe
        assert recipe.epochs * recipe.train_pairs <= 25_000, run


def test_no_network_takes_fewer_steps_than_on_1000_pairs():
    for pairs in beyond.SIZES:
        for network in ("twinnet", "twinnet+ws+aux", "deepnet"):
            recipe = BEYOND[f"beyond/{network}@{pairs}-pairs"].recipe
            assert recipe.train_pairs == pairs and recipe.epochs >= 25
            assert recipe.epochs * pairs >= 25_000


def test_the_sample_trains_nothing_that_wants_more_pairs_than_it_has():
    for profile in ("smoke", "quick", "paper"):
        for run in Study(profile=profile).runs("beyond/*"):
            assert run.experiment.recipe.train_pairs <= 1250
    more = {e.id for e in select("beyond/*") if e.size.startswith("more pairs")}
    full = {run.experiment.id for run in Study(source="mnist", profile="paper").runs("beyond/*")}
    assert more < full == set(BEYOND) and "beyond/twinnet@8000-pairs" in more
