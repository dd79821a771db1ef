"""One round: the same bits every time, the loss it says, the protocol it names."""

import joblib
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from digits.data import Digits
from digits.experiments import EXPERIMENTS
from digits.fitting import Diverged, evaluate, objective_of, train_epoch
from digits.models.blocks import Output
from digits.recipe import Recipe
from digits.records import Failure, unpack
from digits.seeds import streams
from digits.training import commit, draw_round, train

SAME = ("curves", "decisions", "weights", "train_error", "test_error", "precise_error")


def content(record):
    return [getattr(record, name) for name in SAME]


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(sample, tiny_experiment):
    experiment = tiny_experiment("kqiku/cnn+ws+aux")
    first, second = train(experiment, 5, sample), train(experiment, 5, sample)
    assert content(first) == content(second)
    assert train(experiment, 6, sample).weights != first.weights


def test_the_bits_do_not_depend_on_the_process_threads_or_state_around(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux")
    here = train(experiment, 1, sample)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.manual_seed(99)
    torch.rand(7)
    try:
        after_noise = train(experiment, 1, sample)
        assert torch.get_num_threads() == 2  # put back
    finally:
        torch.set_num_threads(threads)
    elsewhere = joblib.Parallel(2)(
        joblib.delayed(train)(experiment, seed, sample) for seed in (0, 1)
    )
    assert content(here) == content(after_noise) == content(elsewhere[1])


def test_training_leaves_the_callers_random_state_alone(sample, tiny_experiment):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    train(tiny_experiment("kqiku/fcc"), 0, sample)
    assert torch.equal(torch.rand(4), expected)


def test_a_round_draws_the_same_pairs_for_every_experiment(sample, tiny):
    first = draw_round(sample, tiny, streams(4)["pairs"])
    second = draw_round(sample, tiny.but(train_pairs=50, batch_size=25), streams(4)["pairs"])
    assert torch.equal(first.train.images[:50], second.train.images)
    assert torch.equal(first.test.images, second.test.images)
    assert torch.equal(first.precise.images, second.precise.images)


def test_training_sees_no_test_image(sample, tiny):
    """With a test pool of blank images nothing of the training may change."""
    blank = sample.test.__class__(
        sample.test.originals, torch.zeros_like(sample.test.images), sample.test.classes
    )
    experiment = EXPERIMENTS["zadoks/twinnet+aux"].model_copy(update={"recipe": tiny})
    real = train(experiment, 0, sample)
    blind = train(experiment, 0, Digits("sample", "", sample.train, blank))
    assert real.weights == blind.weights
    assert real.test_error != blind.test_error


def test_the_record_tells_what_was_run(sample, tiny_experiment):
    experiment = tiny_experiment("kqiku/fcc+ws+aux")
    record = train(experiment, 2, sample)
    assert record.key == ("kqiku/fcc+ws+aux", experiment.recipe.hash, 2, "sample")
    assert record.source_checksum == sample.checksum
    assert record.parameters == 241_452
    assert (record.device, record.threads, record.precision) == ("cpu", 1, "float32")
    assert record.versions["torch"] == torch.__version__
    assert record.commit == commit()
    assert 0 < record.train_seconds < record.seconds
    assert len(record.curves.objective) == len(record.curves.test_error) == 2
    assert record.train_error == record.curves.train_error[-1]
    assert record.test_error == record.curves.test_error[-1]
    assert 0 <= record.test_digit_accuracy <= 100
    pairs = draw_round(sample, experiment.recipe, streams(2)["pairs"])
    wrong = unpack(record.decisions, 80) != pairs.test.target.numpy()
    assert 100 * wrong.mean() == pytest.approx(record.test_error)


def test_a_network_without_digit_heads_has_no_digit_accuracy(sample, tiny_experiment):
    record = train(tiny_experiment("kqiku/cnn"), 0, sample)
    assert record.train_digit_accuracy is record.test_digit_accuracy is None


def test_training_learns(sample, tiny_experiment):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux", epochs=20)
    record = train(experiment, 0, sample)
    assert record.curves.objective[-1] < record.curves.objective[0] / 3
    assert record.train_error < 10
    assert record.precise_error < 30  # the majority class has 45


def test_consecutive_trainings_go_on_from_the_same_network(sample, tiny_experiment):
    once = train(tiny_experiment("kqiku/cnn@published", trainings=1), 0, sample)
    thrice = train(tiny_experiment("kqiku/cnn@published", trainings=3), 0, sample)
    assert thrice.curves.objective[:2] == once.curves.objective
    assert len(thrice.curves.objective) == 6
    assert thrice.after_each_training("test_error")[0] == once.test_error
    assert thrice.after_each_training("test_error")[-1] == thrice.test_error
    assert thrice.curves.objective[2] < once.curves.objective[0]  # not reset


def test_the_unused_digit_heads_of_the_published_code_change_nothing(sample, tiny_experiment):
    """With the auxiliary loss off, the "+aux" network is the network without it."""
    plain = tiny_experiment("kqiku/cnn@repaired")
    off = tiny_experiment("kqiku/cnn+aux@repaired", auxiliary_weight=0.0)
    assert train(plain, 0, sample).curves == train(off, 0, sample).curves


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
    pairs = draw_round(sample, tiny, streams(0)["pairs"]).train
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


class Constant(torch.nn.Module):
    """Always decides `target` with a given logit, and always names digit 3."""

    def __init__(self, logits):
        super().__init__()
        self.logits = torch.tensor(logits)

    def forward(self, pairs):
        digits = F.one_hot(torch.full((len(pairs), 2), 3), 10).float()
        return Output(self.logits.expand(len(pairs), 2), (digits,))


def test_scores_against_numbers_by_hand(sample, tiny):
    pairs = draw_round(sample, tiny.but(precise_pairs=601), streams(0)["pairs"]).precise
    scores = evaluate(Constant([0.0, 1.0]), pairs, tiny)
    share = pairs.target.double().mean().item()
    assert scores.error == pytest.approx(100 * (1 - share))
    p = np.e / (1 + np.e)
    assert scores.loss == pytest.approx(-share * np.log(p) - (1 - share) * np.log(1 - p))
    assert scores.digit_accuracy == pytest.approx(100 * (pairs.classes == 3).double().mean().item())
    assert scores.decisions.tolist() == [1] * 601


def test_evaluation_neither_trains_nor_uses_dropout_or_batch_statistics(sample, tiny):
    pairs = draw_round(sample, tiny, streams(0)["pairs"]).test
    model = EXPERIMENTS["kqiku/cnn+aux"].build()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    first, second = evaluate(model, pairs, tiny), evaluate(model, pairs, tiny)
    assert first.loss == second.loss
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize(("steps", "place"), [(1, (1, 2)), (4, (2, 1))])
def test_a_loss_that_is_not_finite_ends_the_run_with_its_place(
    sample, tiny_experiment, monkeypatch, steps, place
):
    def poisoned(output, target, classes, recipe, seen=[]):  # noqa: B006
        seen.append(1)
        return objective_of(output, target, classes, recipe) * (
            float("inf") if len(seen) > steps and output.target.requires_grad else 1
        )

    monkeypatch.setattr("digits.fitting.objective_of", poisoned)
    # Four steps an epoch; nothing is scored in between.
    experiment = tiny_experiment("zadoks/twinnet", curve_step=2)
    failure = train(experiment, 0, sample)
    assert isinstance(failure, Failure)
    assert (failure.epoch, failure.step) == place
    assert str(failure) == f"zadoks/twinnet #0 diverged in epoch {place[0]}, step {place[1]}"


def test_a_learning_rate_far_too_large_diverges(sample, tiny_experiment):
    failure = train(tiny_experiment("zadoks/twinnet", learning_rate=1e30), 0, sample)
    assert isinstance(failure, Failure) and failure.fold is None
    assert failure.key[0] == "zadoks/twinnet" and failure.processor


def test_a_fold_that_diverges_is_named(sample, tiny_experiment, monkeypatch):
    import digits.training as module

    whole, calls = module.fit, []

    def fit(*arguments, **named):
        calls.append(1)
        if len(calls) == 3:
            raise Diverged(float("nan"), 1, 2)
        return whole(*arguments, **named)

    monkeypatch.setattr(module, "fit", fit)
    failure = train(tiny_experiment("damachi/nn", folds=2), 0, sample)
    assert str(failure) == "damachi/nn #0 diverged in epoch 1, step 2 of fold 2"
