"""Losses, optimisers, the epoch that is kept, augmentation, folds: against numbers by hand."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.model_selection import KFold

from digits import training
from digits.augmentation import re_pair
from digits.core import InputError
from digits.data import Pairs, draw_pairs
from digits.experiments import EXPERIMENTS
from digits.fitting import decide, evaluate, fit, objective_of, optimizer_of
from digits.models.blocks import Output
from digits.recipe import Recipe
from digits.seeds import child, streams
from digits.training import cross_validate, draw_round, train

BASE = Recipe(epochs=1, batch_size=2, learning_rate=0.1)
TARGET = torch.tensor([0, 1, 1, 0])
CLASSES = torch.tensor([[3, 1], [0, 0], [2, 9], [7, 5]])


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


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


def test_train_fits_the_first_pairs_and_holds_out_the_last(sample, tiny_experiment, monkeypatch):
    """Blank images where the held-out pairs are change nothing of one epoch's training."""
    experiment = tiny_experiment("cadei/mlp", epochs=1, batch_size=30)
    real = train(experiment, 0, sample)

    def with_blank_end(*arguments):
        pairs = draw_round(*arguments)
        pairs.train.images[90:] = 0
        return pairs

    monkeypatch.setattr(training, "draw_round", with_blank_end)
    blank = train(experiment, 0, sample)
    assert blank.weights == real.weights
    assert blank.curves.validation_loss != real.curves.validation_loss


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


def test_re_pairing_uses_every_image_once_as_the_first_with_its_class(sample):
    pairs = draw_pairs(sample.train, 50, np.random.default_rng(0))
    images, classes = pairs.images.flatten(0, 1), pairs.classes.flatten()
    generator = torch.Generator().manual_seed(0)
    new, newer = re_pair(pairs, generator), re_pair(pairs, generator)
    assert len(new) == 100
    assert torch.equal(new.images[:, 0], images)
    assert torch.equal(new.classes[:, 0], classes)
    assert torch.equal(new.target, (new.classes[:, 0] <= new.classes[:, 1]).long())
    known = {image.numpy().tobytes(): c for image, c in zip(images, classes, strict=True)}
    for image, c in zip(new.images[:, 1], new.classes[:, 1], strict=True):
        assert known[image.numpy().tobytes()] == c
    assert not torch.equal(new.images[:, 1], newer.images[:, 1])  # anew in every epoch
    second = torch.cat([re_pair(pairs, generator).classes[:, 1] for _ in range(200)])
    shares = torch.bincount(second, minlength=10) / len(second)
    expected = torch.bincount(classes, minlength=10) / 100
    assert torch.allclose(shares, expected, atol=0.02)  # every image equally often


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


def test_standardised_pixels_use_the_training_pairs_for_all(sample, tiny):
    raw = draw_round(sample, tiny, streams(0)["pairs"])
    new = draw_round(sample, tiny.but(standardised=True), streams(0)["pairs"])
    assert new.train.images.mean().item() == pytest.approx(0, abs=1e-5)
    assert new.train.images.std().item() == pytest.approx(1, abs=1e-5)
    mean, sd = raw.train.images.mean(), raw.train.images.std()
    assert torch.allclose(new.test.images * sd + mean, raw.test.images, atol=1e-3)
    assert torch.allclose(new.precise.images * sd + mean, raw.precise.images, atol=1e-3)


def test_the_epoch_with_the_lowest_validation_loss_is_kept(sample, tiny_experiment):
    experiment = tiny_experiment("cadei/convnet", epochs=12, learning_rate=0.02, batch_size=30)
    record = train(experiment, 0, sample)
    losses = record.curves.validation_loss
    assert record.kept_epoch == 1 + losses.index(min(losses)) < 12
    assert record.validation_error == record.curves.validation_error[record.kept_epoch - 1]
    assert record.test_error == record.curves.test_error[record.kept_epoch - 1]
    # It is the network of that epoch: training as long, and no longer, gives the same.
    recipe = experiment.recipe.but(epochs=record.kept_epoch)
    short = train(experiment.model_copy(update={"recipe": recipe}), 0, sample)
    assert (short.weights, short.kept_epoch) == (record.weights, record.kept_epoch)


def test_validation_loss_has_the_auxiliary_terms(sample, tiny_experiment):
    experiment = tiny_experiment("cadei/siamese+aux", train_pairs=20, batch_size=9, epochs=1)
    pairs = draw_round(sample, experiment.recipe, streams(0)["pairs"]).train
    watched = {"validation": pairs[18:]}
    fitted = fit(experiment.build, experiment.recipe, pairs[:18], streams(0), watched)
    scores = evaluate(fitted.model, pairs[18:], experiment.recipe)
    assert fitted.curves["validation_loss"] == [scores.objective]
    assert scores.objective > 0.4 * scores.loss + 0.3 * 2  # two digits, about log(10) each


def test_pairs_held_out_for_validation_are_not_trained_on(sample, tiny):
    """Blank validation images may change which epoch is kept, and nothing else."""
    pairs = draw_round(sample, tiny, streams(0)["pairs"]).train
    blank = Pairs(torch.zeros(10, 2, 14, 14), pairs.classes[90:], pairs.target[90:])
    recipe = tiny.but(validation_share=0.1, augmentation="re-pairing", epochs=1, batch_size=30)
    build = EXPERIMENTS["cadei/mlp"].build
    first, second = (
        fit(build, recipe, pairs[:90], streams(0), {"validation": held_out}).model.state_dict()
        for held_out in (pairs[90:], blank)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_folds_are_trained_on_the_others_and_scored_on_their_own(sample, tiny_experiment):
    experiment = tiny_experiment("damachi/cnn", folds=4)
    recipe, stream = experiment.recipe, streams(3)
    pairs = draw_round(sample, recipe, stream["pairs"]).train
    record = train(experiment, 3, sample)
    assert len(record.fold_errors) == len(record.fold_errors_training_mode) == 4
    kept, held_out = list(KFold(4).split(np.arange(100)))[2]
    assert set(held_out) == set(range(50, 75))
    own = {name: child(sequence, 2) for name, sequence in stream.items()}
    with torch.random.fork_rng():
        model = fit(experiment.build, recipe, pairs[kept], own).model
    assert evaluate(model, pairs[held_out], recipe).error == record.fold_errors[2]
    # The training on all pairs is what it is without folds.
    assert record.weights == train(tiny_experiment("damachi/cnn", folds=0), 3, sample).weights


def test_a_fold_left_out_is_scored_on_many_pairs_of_its_images(sample, tiny):
    recipe = tiny.but(folds=4, precise_folds=True, precise_pairs=500)
    pairs = draw_round(sample, recipe, streams(3)["pairs"]).train
    for_all = EXPERIMENTS["zadoks/twinnet+ws"].model_copy(update={"recipe": recipe})
    found = cross_validate(for_all, pairs, streams(3))["precise_fold_errors"]
    assert len(found) == 4 and len(set(found)) > 1
    held_out = pairs[50:75]
    mixed = held_out.reusing_images(500, np.random.default_rng(child(streams(3)["pairs"], 2)))
    known = {image.numpy().tobytes() for image in held_out.images.flatten(0, 1)}
    assert {image.numpy().tobytes() for image in mixed.images.flatten(0, 1)} <= known
    own = {name: child(sequence, 2) for name, sequence in streams(3).items()}
    kept = pairs[np.r_[0:50, 75:100]]
    with torch.random.fork_rng():
        model = fit(for_all.build, recipe, kept, own).model
    assert evaluate(model, mixed, recipe).error == found[2]


def test_folds_do_not_depend_on_what_was_trained_before(sample, tiny_experiment):
    experiment = tiny_experiment("damachi/logreg", folds=3)
    pairs = draw_round(sample, experiment.recipe, streams(1)["pairs"]).train
    with torch.random.fork_rng():
        alone = cross_validate(experiment, pairs, streams(1))
    assert train(experiment, 1, sample).fold_errors == alone["fold_errors"]


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
    pairs = draw_round(sample, tiny.but(test_pairs=300), streams(0)["pairs"]).test
    model = Noisy()
    evaluate(model, pairs, tiny)
    assert len(model.means) == 2 and min(model.means) > 1 and max(model.dropped) == 0
    evaluate(model, pairs, tiny, training_mode=True)
    assert len(model.means) == 3 and model.means[-1] < 1e-3 and model.dropped[-1] > 0.2


def test_curves_have_a_point_every_so_many_epochs(sample, tiny_experiment):
    every = train(tiny_experiment("damachi/logreg", epochs=6, curve_step=1), 0, sample)
    third = train(tiny_experiment("damachi/logreg", epochs=6, curve_step=3), 0, sample)
    assert third.curves.test_error == every.curves.test_error[2::3]
    assert third.weights == every.weights
