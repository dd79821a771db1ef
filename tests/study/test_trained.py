"""A network in hand is the recorded one, and says what it believes of pairs of one's own."""

import shutil

import numpy as np
import pytest
import torch

from digits import core
from digits.core import InputError
from digits.data.pairs import draw_round
from digits.data.seeds import streams
from digits.data.sources import load
from digits.experiments.registry import EXPERIMENTS
from digits.study import checkpoints
from digits.study import trained as module
from digits.study.runs import Run
from digits.study.store import RecordStore
from digits.study.study import Study
from digits.study.trained import _trained, network_of, rebuild
from digits.training.evaluation import evaluate
from digits.training.record import Diverged


@pytest.fixture(scope="module")
def digits(sample):
    return sample


KINDS = [  # digit logits, two towers and no digits, one logit, a score, validation pairs
    *("zadoks/twinnet+ws+aux", "kqiku/fcc", "jaubert/model_1@sigmoid", "damachi/cnn+aux"),
    "cadei/mlp",
    *("jaubert/model_1@one-draw", "beyond/twinnet@other-digits"),  # pairs of another kind
]


@pytest.mark.parametrize("name", KINDS)
def test_the_network_has_the_weights_of_the_record_and_decides_as_it_did(
    name, digits, tiny_experiment, train_record
):
    experiment = tiny_experiment(name)
    record, run = train_record(experiment, 3), Run(experiment, 3)
    network = rebuild(run, "sample", record)
    assert network.same_weights is True and "equal those of the record, bit by bit" in str(network)
    changed = record.model_copy(update={"weights": "0" * 16})
    other = rebuild(run, "sample", changed)
    assert other.same_weights is False and other.model is network.model  # trained once
    told = f"not bit by bit those of the record, which was made on {record.processor} with torch"
    assert told in str(other)
    recipe = experiment.recipe
    drawn_from = load(recipe.digits_of("sample"))
    pairs = draw_round(drawn_from, recipe.draw, streams(3, recipe.varies)["pairs"])
    raw = (pairs.test.images * pairs.sd + pairs.mean).clamp(0, 255)
    beliefs = network.believe(raw)
    scores = evaluate(network.model, pairs.test, recipe)
    sure = np.abs(beliefs.not_greater - 0.5) > 1e-4
    assert ((beliefs.not_greater > 0.5) == scores.decisions.numpy())[sure].all()
    assert sure.mean() > 0.9
    assert ((beliefs.not_greater >= 0) & (beliefs.not_greater <= 1)).all()
    assert (beliefs.digits is None) == (scores.posteriors is None)
    if beliefs.digits is not None:
        assert beliefs.digits.shape == (len(raw), 2, 10)
        assert beliefs.digits.sum(axis=2) == pytest.approx(np.ones((len(raw), 2)), abs=1e-5)
        named = beliefs.digits.argmax(axis=2) == pairs.test.classes.numpy()
        assert 100 * named.mean() == pytest.approx(scores.digit_accuracy, abs=1.0)


@pytest.fixture(scope="module")
def network(digits):
    study = Study(source="sample", profile="smoke")
    return network_of(study, "zadoks/twinnet+ws+aux", seed=1)


def test_one_pair_many_pairs_and_mnists_own_size_are_the_same_images(network, digits):
    originals = digits.test.originals[[5, 9]]
    images = digits.test.images[[5, 9]]
    one = network.believe(images)
    for same in (images[None], images.numpy(), images.tolist(), originals, originals[None].numpy()):
        assert network.believe(same).not_greater == pytest.approx(one.not_greater, abs=1e-6)
    many = network.believe(torch.stack([images, images.flip(0)]))
    assert many.not_greater[0] == pytest.approx(one.not_greater[0], abs=1e-5)
    assert many.digits[1, 0] == pytest.approx(one.digits[0, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        (np.zeros((3, 14, 14)), r"shape \(3, 14, 14\) are no pairs: give \(N, 2, 14, 14\)"),
        (np.zeros((1, 2, 14, 28)), "are no pairs"),
        (np.full((2, 14, 14), 256.0), "pixels from 256 to 256 are not grey values"),
        (np.full((2, 14, 14), -1.0), "pixels from -1 to -1"),
        (np.random.default_rng(0).random((2, 14, 14)), "from 0 .background. to 255"),
        (np.full((2, 14, 14), np.nan), "pixels from nan"),
        (np.zeros((0, 2, 14, 14)), r"shape \(0, 2, 14, 14\) are no pairs"),
        ("seven", "holds no images"),
    ],
)
def test_what_is_no_pair_of_images_is_refused_in_one_sentence(network, pairs, sentence):
    with pytest.raises(InputError, match=sentence):
        network.believe(pairs)


def test_a_network_that_takes_the_digits_themselves_is_asked_about_no_images(sample):
    study = Study(source="sample", profile="smoke")
    network = network_of(study, "jaubert/comparison@true-digits")
    with pytest.raises(InputError, match="@true-digits compares two known digits and reads no"):
        network.believe(sample.test.images[[5, 9]])


def test_a_round_that_diverges_has_no_network(tiny_experiment, train_record, monkeypatch):
    experiment = tiny_experiment("kqiku/fcc", optimizer="sgd", learning_rate=1e30)
    study, record = Study(source="sample", profile="smoke"), train_record(experiment, 0)
    assert isinstance(record, Diverged)
    run = Run(experiment, 0)
    monkeypatch.setattr(Study, "runs", lambda self, *patterns: [run])
    for found in ({}, {run.key("sample"): record}):
        monkeypatch.setattr(RecordStore, "of_runs", lambda self, runs, found=found: found)
        with pytest.raises(InputError, match="diverge|not a number|inf|nan") as told:
            network_of(study, "kqiku/fcc")
        assert str(told.value).endswith("choose another round.")


def test_a_round_that_the_study_does_not_run_is_refused(digits, monkeypatch, smoke_results):
    study = Study(source="sample", profile="smoke")
    with pytest.raises(InputError, match="zadoks/twinnet has no round 7 in profile 'smoke'"):
        network_of(study, "zadoks/twinnet", seed=7)
    with pytest.raises(InputError, match="no experiment is called 'zadoks/net'"):
        network_of(study, "zadoks/net")
    without = network_of(study, "zadoks/twinnet")
    assert without.same_weights is None and str(without).endswith("the run has no record.")
    shutil.copytree(
        smoke_results / "sample" / "zadoks",
        core.results_dir() / "sample" / "zadoks",
        dirs_exist_ok=True,
    )
    network = network_of(study, "zadoks/twinnet")
    assert isinstance(network.same_weights, bool)
    assert network.run.experiment.build is EXPERIMENTS["zadoks/twinnet"].build


def test_weights_that_a_record_names_are_kept_and_no_others_are_believed(
    tmp_path, tiny_experiment, train_record, monkeypatch
):
    experiment = tiny_experiment("zadoks/twinnet+ws+aux")
    run, record = Run(experiment, 4), train_record(experiment, 4)
    (tmp_path / "sample" / "zadoks").mkdir(parents=True)
    monkeypatch.setattr(checkpoints, "code_checksum", lambda: "abcdef0")
    first = rebuild(run, "sample", record, tmp_path)
    (path,) = tmp_path.rglob("*.weights")
    pairs = np.random.default_rng(0).integers(0, 256, (5, 2, 14, 14))

    def trained(*arguments):
        raise AssertionError("trained again")

    with monkeypatch.context() as patch:
        patch.setattr(module, "_trained", trained)
        patch.setattr(checkpoints, "code_checksum", lambda: "abcdef1")  # and changed since
        again = rebuild(run, "sample", record, tmp_path)
        assert again.same_weights and again.model is not first.model
        assert again.believe(pairs).not_greater == pytest.approx(first.believe(pairs).not_greater)
        other = record.model_copy(update={"weights": "0" * 16})
        for spoil in (lambda: other, lambda: path.write_bytes(b"") and None or record):
            with pytest.raises(AssertionError, match="trained again"):
                rebuild(run, "sample", spoil(), tmp_path)
    assert rebuild(run, "sample", record, tmp_path).same_weights  # and kept anew
    assert path.stat().st_size > 10_000


def test_weights_of_another_machine_than_the_records_are_kept_while_nothing_changes(
    tmp_path, tiny_experiment, train_record, monkeypatch
):
    experiment = tiny_experiment("kqiku/fcc")
    run, made_elsewhere = Run(experiment, 4), train_record(experiment, 4)
    made_elsewhere = made_elsewhere.model_copy(update={"weights": "0" * 16})
    trained = []

    def train(*arguments):
        trained.append(arguments)
        return _trained(*arguments)

    monkeypatch.setattr(module, "_trained", train)
    for code, trainings in (("abc0", 1), ("abc0", 1), ("abc1", 2), ("abc0", 3)):
        monkeypatch.setattr(checkpoints, "code_checksum", lambda code=code: code)
        for record, same in ((made_elsewhere, False), (None, None)):
            network = rebuild(run, "sample", record, tmp_path)
            assert network.same_weights is same
        assert len(trained) == trainings


def test_weights_whose_file_is_damaged_are_trained_again(
    tmp_path, tiny_experiment, monkeypatch, flip_a_bit
):
    run = Run(tiny_experiment("kqiku/fcc"), 4)
    rebuild(run, "sample", folder=tmp_path)
    (path,) = tmp_path.rglob("*.weights")
    whole = path.read_bytes()
    flip_a_bit(path)
    model = rebuild(run, "sample", folder=tmp_path).model
    assert model is _trained(run, "sample")[0] and path.read_bytes() == whole


def test_where_nothing_can_be_kept_the_network_is_there_all_the_same(
    tiny_experiment, train_record, tmp_path
):
    experiment = tiny_experiment("kqiku/fcc")
    record = train_record(experiment, 4)
    (tmp_path / "sample").touch()  # so it can be no folder
    assert rebuild(Run(experiment, 4), "sample", record, tmp_path).same_weights
