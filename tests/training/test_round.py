"""One round: the same bits every time, what is held out, folds, and what is measured."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.model_selection import KFold

from digits.core import InputError
from digits.data.pairs import draw_round
from digits.data.seeds import child, streams
from digits.data.sources import Digits, Pool
from digits.experiments.registry import EXPERIMENTS
from digits.models.zadoks import twin_net
from digits.training import loop
from digits.training import round as rounds
from digits.training.device import CPU
from digits.training.evaluation import (
    dead_units,
    evaluate,
    first_layer_gradient,
    objective_of,
    posteriors_of,
    shift_changes,
)
from digits.training.loop import DivergenceError, fit, initial
from digits.training.record import unpack, unpack_posteriors, weights_hash
from digits.training.round import cross_validate, train, train_network

SAME = ("curves", "decisions", "weights", "train_error", "test_error", "precise_error")


def content(measured):
    return [getattr(measured, name) for name in SAME]


def trained(experiment, seed, digits):
    """Return what a round of `experiment` measures, by name."""
    return SimpleNamespace(**train(experiment.build, experiment.recipe, seed, digits))


@pytest.fixture
def measure(sample, tiny_experiment):
    """Return a function from an id and changes of its recipe to what round `seed` measures."""
    return lambda name, seed=0, **changes: trained(tiny_experiment(name, **changes), seed, sample)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(measure):
    first, second = measure("kqiku/cnn+ws+aux", 5), measure("kqiku/cnn+ws+aux", 5)
    assert content(first) == content(second)
    assert measure("kqiku/cnn+ws+aux", 6).weights != first.weights


def test_the_bits_do_not_depend_on_the_process_threads_or_state_around(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux")
    here = trained(experiment, 1, sample)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(99)
    torch.rand(7)
    try:
        after_noise = trained(experiment, 1, sample)
        assert torch.get_num_threads() == 2  # put back
    finally:
        torch.set_num_threads(threads)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        same = ([experiment.build] * 2, [experiment.recipe] * 2)
        _, elsewhere = pool.map(train, *same, (0, 1), [sample] * 2)
    assert content(here) == content(after_noise) == content(SimpleNamespace(**elsewhere))


def test_training_leaves_the_callers_random_state_alone(measure):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    measure("kqiku/fcc")
    assert torch.equal(torch.rand(4), expected)


def test_training_sees_no_test_image(sample, tiny):
    """With a test pool of blank images nothing of the training may change."""
    blank = Pool(sample.test.originals, torch.zeros_like(sample.test.images), sample.test.classes)
    build = EXPERIMENTS["zadoks/twinnet+aux"].build
    real = train(build, tiny, 0, sample)
    blind = train(build, tiny, 0, Digits("sample", "", sample.train, blank))
    assert real["weights"] == blind["weights"]
    assert real["test_error"] != blind["test_error"]


def test_what_is_measured_fits_together(sample, tiny_experiment):
    experiment = tiny_experiment("kqiku/fcc+ws+aux")
    measured = trained(experiment, 2, sample)
    assert measured.parameters == 241_452
    assert 0 < measured.train_seconds < measured.seconds
    assert len(measured.curves.objective) == len(measured.curves.test_error) == 2
    assert measured.train_error == measured.curves.train_error[-1]
    assert measured.test_error == measured.curves.test_error[-1]
    assert 0 <= measured.test_digit_accuracy <= 100
    pairs = draw_round(sample, experiment.recipe.draw, streams(2)["pairs"])
    wrong = unpack(measured.decisions, 80) != pairs.test.target.numpy()
    assert 100 * wrong.mean() == pytest.approx(measured.test_error)


def test_a_network_without_digit_heads_has_no_digit_accuracy(measure):
    measured = measure("kqiku/cnn")
    assert measured.train_digit_accuracy is measured.test_digit_accuracy is None


def test_training_learns(measure):
    measured = measure("zadoks/twinnet+ws+aux", epochs=20)
    assert measured.curves.objective[-1] < measured.curves.objective[0] / 3
    assert measured.train_error < 10
    assert measured.precise_error < 30  # the majority class has 45


def test_consecutive_trainings_go_on_from_the_same_network(measure):
    once = measure("kqiku/cnn@published", trainings=1)
    thrice = measure("kqiku/cnn@published", trainings=3)
    assert thrice.curves.objective[:2] == once.curves.objective
    assert len(thrice.curves.objective) == 6
    assert thrice.curves.test_error[1] == once.test_error
    assert thrice.curves.test_error[-1] == thrice.test_error
    assert thrice.curves.objective[2] < once.curves.objective[0]  # not re-initialised


def test_the_unused_digit_heads_of_the_published_code_change_nothing(measure):
    """With the auxiliary loss off, the "+aux" network is the network without it."""
    off = measure("kqiku/cnn+aux@repaired", auxiliary_weight=0.0)
    assert measure("kqiku/cnn@repaired").curves == off.curves


def test_train_fits_the_first_pairs_and_holds_out_the_last(measure, monkeypatch):
    """Blank images where the held-out pairs are change nothing of one epoch's training."""
    change = {"epochs": 1, "batch_size": 30}
    real = measure("cadei/mlp", **change)

    def with_blank_end(*arguments):
        pairs = draw_round(*arguments)
        pairs.train.images[90:] = 0
        return pairs

    monkeypatch.setattr(rounds, "draw_round", with_blank_end)
    blank = measure("cadei/mlp", **change)
    assert blank.weights == real.weights
    assert blank.curves.validation_loss != real.curves.validation_loss


def test_fewer_points_of_the_curves_keep_the_same_network(measure):
    change = {"learning_rate": 0.02, "batch_size": 30, "epochs": 12}
    every = measure("cadei/convnet", **change)
    assert every.kept_epoch % 3  # so it lies between two points
    for step in (3, 4, 12):
        few = measure("cadei/convnet", **change, curve_step=step)
        assert few.kept_epoch == every.kept_epoch and few.weights == every.weights
        for name in ("train_error", "validation_error", "test_error", "decisions"):
            assert getattr(few, name) == getattr(every, name), name
        for name, points in few.curves:
            assert points == getattr(every.curves, name)[step - 1 :: step], name


def test_the_epoch_with_the_lowest_validation_loss_is_kept(measure):
    change = {"learning_rate": 0.02, "batch_size": 30}
    measured = measure("cadei/convnet", epochs=12, **change)
    losses = measured.curves.validation_loss
    kept = measured.kept_epoch
    assert kept == 1 + losses.index(min(losses)) < 12
    assert measured.validation_error == measured.curves.validation_error[kept - 1]
    assert measured.test_error == measured.curves.test_error[kept - 1]
    # It is the network of that epoch: training as long, and no longer, gives the same.
    short = measure("cadei/convnet", epochs=kept, **change)
    assert (short.weights, short.kept_epoch) == (measured.weights, kept)


def test_folds_are_trained_on_the_others_and_scored_on_their_own(sample, tiny_experiment, measure):
    experiment = tiny_experiment("damachi/cnn", folds=4, epochs=1)
    recipe, stream = experiment.recipe, streams(3)
    pairs = draw_round(sample, recipe.draw, stream["pairs"]).train
    measured = trained(experiment, 3, sample)
    assert len(measured.fold_errors) == len(measured.fold_errors_training_mode) == 4
    kept, held_out = list(KFold(4).split(np.arange(100)))[2]
    assert set(held_out) == set(range(50, 75))
    own = {name: child(sequence, 2) for name, sequence in stream.items()}
    with CPU.deterministic():
        model = fit(experiment.build, recipe, pairs[kept], own).model
    assert evaluate(model, pairs[held_out], recipe).error == measured.fold_errors[2]
    # The training on all pairs is what it is without folds.
    assert measured.weights == measure("damachi/cnn", 3, folds=0, epochs=1).weights


def test_a_fold_left_out_is_scored_on_many_pairs_of_its_images(sample, tiny):
    recipe = tiny.but(folds=4, precise_folds=True, precise_pairs=500)
    pairs = draw_round(sample, recipe.draw, streams(3)["pairs"]).train
    build = EXPERIMENTS["zadoks/twinnet+ws"].build
    with CPU.deterministic():
        found = cross_validate(build, recipe, pairs, streams(3))["precise_fold_errors"]
    assert len(found) == 4 and len(set(found)) > 1
    held_out = pairs[50:75]
    mixed = held_out.reusing_images(500, np.random.default_rng(child(streams(3)["pairs"], 2)))
    known = {image.numpy().tobytes() for image in held_out.images.flatten(0, 1)}
    assert {image.numpy().tobytes() for image in mixed.images.flatten(0, 1)} <= known
    own = {name: child(sequence, 2) for name, sequence in streams(3).items()}
    with CPU.deterministic():
        model = fit(build, recipe, pairs[np.r_[0:50, 75:100]], own).model
    assert evaluate(model, mixed, recipe).error == found[2]


def test_gradients_are_compared_before_training_and_after_it(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux@gradients", validation_share=0.2)
    recipe, measured = experiment.recipe, trained(experiment, 2, sample)
    model, pairs = train_network(experiment.build, recipe, 2, sample)
    networks = initial(experiment.build, streams(2)), model
    with CPU.deterministic():
        start, end = (first_layer_gradient(n, pairs.train[:80], recipe) for n in networks)
    assert (measured.gradient_at_start, measured.gradient_at_end) == (start, end)
    assert start != end
    plain = trained(tiny_experiment("zadoks/twinnet+ws+aux", validation_share=0.2), 2, sample)
    assert plain.weights == measured.weights
    assert not {"gradient_at_start", "gradient_at_end"} & set(vars(plain))


def test_dead_units_are_counted_on_the_fitted_pairs_and_shifts_on_the_test_pairs(
    sample, tiny_experiment
):
    change = {"validation_share": 0.2, "count_dead_units": True, "score_shifted": True}
    experiment = tiny_experiment("zadoks/twinnet+ws", learning_rate=0.05, **change)
    recipe, measured = experiment.recipe, trained(experiment, 2, sample)
    model, pairs = train_network(experiment.build, recipe, 2, sample)
    shifted = [shift_changes(model, these, recipe) for these in (pairs.test, pairs.train)]
    dead = [dead_units(model, these) for these in (pairs.train[:80], pairs.test)]
    assert (measured.shift_changes, measured.dead_units) == (shifted[0], dead[0])
    assert shifted[0] != shifted[1] and dead[0] != dead[1]
    plain = trained(tiny_experiment("zadoks/twinnet+ws"), 2, sample)
    assert not {"shift_changes", "dead_units"} & set(vars(plain))


@pytest.mark.parametrize("name", ["cadei/convnet@published", "zadoks/twinnet+ws+aux"])
def test_scoring_leaves_no_trace_in_the_training(name, sample, tiny_experiment):
    """Even where the network draws random numbers while it is scored."""
    experiment = tiny_experiment(name, epochs=3)
    model, _ = train_network(experiment.build, experiment.recipe, 1, sample)
    assert weights_hash(model) == trained(experiment, 1, sample).weights


def test_curves_have_a_point_every_so_many_epochs(measure):
    every = measure("damachi/logreg", epochs=6, curve_step=1)
    third = measure("damachi/logreg", epochs=6, curve_step=3)
    assert third.curves.test_error == every.curves.test_error[2::3]
    assert third.weights == every.weights


def test_posteriors_are_recorded_of_all_test_images(sample, tiny):
    recipe = tiny.but(keep_posteriors=True, standardised=True, auxiliary_weight=1.0)
    build = partial(twin_net, shared=True, auxiliary=True)
    measured = train(build, recipe, 0, sample)
    posteriors = unpack_posteriors(measured["test_posteriors"])
    assert posteriors.shape == (2500, 10) and "fold_posteriors" not in measured
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"])
    with CPU.deterministic():
        model = fit(build, recipe, pairs.train, streams(0)).model
    images = (sample.test.images - pairs.mean) / pairs.sd
    assert np.allclose(posteriors, posteriors_of(model, images), rtol=0.05, atol=1e-3)


def test_with_folds_posteriors_are_of_each_training_pair_while_it_is_held_out(sample, tiny):
    recipe = tiny.but(keep_posteriors=True, folds=2, auxiliary_weight=1.0)
    build = partial(twin_net, shared=True, auxiliary=True)
    measured = train(build, recipe, 0, sample)
    posteriors = unpack_posteriors(measured["fold_posteriors"]).reshape(100, 2, 10)
    assert "test_posteriors" not in measured
    pairs = draw_round(sample, recipe.draw, streams(0)["pairs"]).train
    own = {name: child(sequence, 1) for name, sequence in streams(0).items()}
    with CPU.deterministic():
        model = fit(build, recipe, pairs[:50], own).model
    expected = posteriors_of(model, pairs.images[50:, 0])
    assert np.allclose(posteriors[50:, 0], expected, rtol=0.05, atol=1e-3)


@pytest.mark.parametrize(
    "build",
    [
        partial(twin_net, shared=True, auxiliary=False),
        partial(twin_net, shared=False, auxiliary=True),
        EXPERIMENTS["kqiku/cnn+aux"].build,
        EXPERIMENTS["kqiku/cnn+ws+aux"].build,  # a digit head of its own
    ],
)
def test_posteriors_need_one_branch_that_gives_digit_logits(sample, tiny, build):
    with pytest.raises(InputError, match="keep_posteriors = True needs one branch"):
        train(build, tiny.but(keep_posteriors=True), 0, sample)


@pytest.mark.parametrize(("steps", "place"), [(1, (1, 2)), (4, (2, 1))])
def test_a_loss_that_is_not_finite_ends_the_run_with_its_place(measure, monkeypatch, steps, place):
    def poisoned(output, target, classes, recipe, seen=[]):  # noqa: B006
        seen.append(1)
        return objective_of(output, target, classes, recipe) * (
            float("inf") if len(seen) > steps and output.target.requires_grad else 1
        )

    monkeypatch.setattr(loop, "objective_of", poisoned)
    with pytest.raises(DivergenceError) as error:
        measure("zadoks/twinnet")  # four steps an epoch
    assert (error.value.epoch, error.value.step, error.value.fold) == (*place, None)


def test_a_fold_that_diverges_is_named(measure, monkeypatch):
    calls = []

    def fit_twice(*arguments, **named):
        calls.append(1)
        if len(calls) == 3:
            raise DivergenceError(float("nan"), 1, 2)
        return fit(*arguments, **named)

    monkeypatch.setattr(rounds, "fit", fit_twice)
    with pytest.raises(DivergenceError) as error:
        measure("damachi/nn", folds=2)
    assert (error.value.epoch, error.value.step, error.value.fold) == (1, 2, 2)
