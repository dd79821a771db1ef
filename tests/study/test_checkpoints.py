"""A long run that is cut short goes on from its checkpoint, with the bits of an undisturbed one."""

import multiprocessing
import random
import signal
import time

import pytest
import torch

from digits import core
from digits.experiments.registry import EXPERIMENTS
from digits.study import checkpoints, workers
from digits.study.runs import Run, execute
from digits.study.store import RecordStore
from digits.training.device import Device

#: Dropout, batch norm, shuffling, a kept epoch, folds and scores in training mode, averaged
#: weights with a schedule and distorted images, trainings in a row, a sigmoid.
KINDS = {
    "zadoks/twinnet+ws+aux": {},
    "cadei/convnet": {"validation_share": 0.2},
    "damachi/cnn+aux": {"folds": 2, "epochs": 2},
    "beyond/twinnet+ws+aux@one-cycle": {"weight_averaging": 0.9, "distortion": "affine"},
    "kqiku/fcc@published": {"trainings": 2},
    "jaubert/model_1@one-draw": {},
}
#: What may differ: it is of the machine.
TIMES = {"train_seconds", "seconds"}


class Cut(Exception):
    """Instead of a kill, at the end of an epoch."""


class Interrupted(checkpoints.Beside):
    """Keeps every epoch and ends the run after some."""

    left = 0

    def keep(self, part, progress, done):
        super().keep(part, progress, done)
        Interrupted.left -= 1
        if Interrupted.left == 0:
            raise Cut


@pytest.fixture(autouse=True)
def every_epoch(monkeypatch):
    monkeypatch.setattr(checkpoints, "EVERY", 0)


@pytest.fixture
def kept(tmp_path, sample):
    """Return a function from a run to a checkpoint of it, of any kind."""

    def make(run, kind=checkpoints.Beside):
        path = checkpoints.path_of(tmp_path, run, "sample")
        return kind(path, checkpoints.made_by(run, sample))

    return make


def plain(record):
    return record.model_dump(exclude=TIMES)


@pytest.mark.parametrize("name", KINDS)
def test_cut_after_an_epoch_it_goes_on_to_the_same_bits(name, kept, sample, tiny_experiment):
    run = Run(tiny_experiment(name, **{"epochs": 3} | KINDS[name]), 1)
    whole = execute(run, sample)
    recipe = run.experiment.recipe
    epochs = recipe.epochs * (recipe.trainings + recipe.folds)
    for cut in {1, recipe.epochs * recipe.trainings, epochs - 1}:
        Interrupted.left = cut
        with pytest.raises(Cut):
            execute(run, sample, kept(run, Interrupted))
        Interrupted.left = 0
        checkpoint = kept(run, Interrupted)
        assert plain(execute(run, sample, checkpoint)) == plain(whole), cut
        assert -Interrupted.left == epochs - cut  # nothing is trained twice
        checkpoint.path.unlink()


def test_a_run_of_several_cuts_goes_on_each_time(kept, sample, tiny_experiment):
    run = Run(tiny_experiment("damachi/cnn+aux", folds=2, epochs=3), 0)
    for _ in range(4):
        Interrupted.left = 2
        with pytest.raises(Cut):
            execute(run, sample, kept(run, Interrupted))
    assert plain(execute(run, sample, kept(run))) == plain(execute(run, sample))


@pytest.fixture
def cut(kept, sample, tiny_experiment):
    """A run with its checkpoint after two of three epochs."""
    run = Run(tiny_experiment("zadoks/twinnet", epochs=3), 0)
    Interrupted.left = 2
    with pytest.raises(Cut):
        execute(run, sample, kept(run, Interrupted))
    return run, kept(run).path


FAULTS = [
    lambda path: path.write_bytes(path.read_bytes()[:-100]),
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"not a checkpoint"),
    lambda path: path.write_bytes(b"\x80\x04cposix\nsystem\n."),  # code, if it were unpickled
    lambda path: torch.save({"parts": {}}, path),
    lambda path: torch.save([1, 2], path),
]


@pytest.mark.parametrize("spoil", FAULTS)
def test_a_damaged_checkpoint_costs_a_sentence_and_no_more(spoil, cut, kept, sample, capsys):
    run, path = cut
    spoil(path)
    assert plain(execute(run, sample, kept(run))) == plain(execute(run, sample))
    err = capsys.readouterr().err
    assert err.endswith(f"{path.name} is damaged: the run starts from its beginning\n")
    assert err.count("\n") == 1


def test_a_flipped_bit_is_damage_too(cut, kept, sample, capsys, flip_a_bit):
    """Torch by itself would load the file, and the run go on from another network."""
    run, path = cut
    flip_a_bit(path)
    assert torch.load(path, weights_only=True)["run"] == checkpoints.made_by(run, sample)
    assert plain(execute(run, sample, kept(run))) == plain(execute(run, sample))
    assert f"{path.name} is damaged: the run starts" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("code", "0123456789ab", "code"),
        ("precision", "bfloat16", "precision"),
        ("recipe_hash", "0" * 12, "recipe hash"),
        ("processor", "another one", "processor"),
        ("seed", 5, "seed"),
    ],
)
def test_a_checkpoint_of_another_run_is_not_gone_on_from(
    name, value, told, cut, kept, sample, capsys
):
    run, path = cut
    content = torch.load(path, weights_only=True)
    content["run"][name] = value
    content["parts"][""]["model"]["comparer.0.weight"] = torch.zeros(1)  # would fail if it were
    torch.save(content, path)
    assert plain(execute(run, sample, kept(run))) == plain(execute(run, sample))
    assert f"is of another {told}: the run starts from" in capsys.readouterr().err


def test_a_commit_and_a_change_elsewhere_cost_no_checkpoint_a_change_of_what_trains_does(
    monkeypatch, tmp_path
):
    package = tmp_path / "digits"
    for part in (*checkpoints.CODE, "study", "output"):
        (package / part).mkdir(parents=True)
        (package / part / "it.py").write_text("before")
    monkeypatch.setattr(checkpoints, "__file__", str(package / "study" / "checkpoints.py"))
    code = checkpoints.code_checksum.__wrapped__
    before = code()
    (package / "output" / "it.py").write_text("after")
    assert code() == before
    for part in checkpoints.CODE:
        (package / part / "it.py").write_text("after")
        assert code() != before
        before = code()
    (package / "experiments" / "chosen.json").write_text("{}")
    assert code() != before
    assert "commit" not in checkpoints.SAME


def test_a_run_of_another_precision_or_round_has_another_file_or_another_state(cut, kept):
    run, path = cut
    assert kept(run._replace(seed=1)).path != path
    assert kept(run._replace(device=Device(precision="bf16"))).of("") is None


def test_a_disk_that_is_full_ends_no_run(kept, sample, tiny_experiment, capsys):
    """Full half-way through a checkpoint: torch would tell that by a RuntimeError."""
    resource = pytest.importorskip("resource")
    run = Run(tiny_experiment("zadoks/twinnet", epochs=2), 0)
    undisturbed, checkpoint = plain(execute(run, sample)), kept(run)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        assert plain(execute(run, sample, checkpoint)) == undisturbed
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "cannot be written (File too large): the run goes on" in capsys.readouterr().err
    assert list(checkpoint.path.parent.glob("*checkpoint*")) == []


def test_two_processes_that_keep_the_same_run_leave_a_whole_checkpoint(kept, cut, sample):
    """As where a cluster's worker goes on with a run that was given to another one."""
    run, path = cut
    before = path.read_bytes()
    with core.replacing(path, lasting=True) as first:
        first.write(before[:1000])
        with core.replacing(path, lasting=True) as second:
            second.write(before)
        assert path.read_bytes() == before
        assert kept(run).of("")["epoch"] == 2
        first.write(before[1000:])
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_short_runs_have_none_and_a_record_ends_one(cut, tmp_path, tiny_experiment, monkeypatch):
    run, path = cut
    store = RecordStore(tmp_path, "sample")
    assert store.read(run.experiment.id) == []  # a checkpoint is no record
    monkeypatch.setattr(checkpoints, "EVERY", 300)
    monkeypatch.setattr(checkpoints, "save", never)
    other = Run(tiny_experiment("zadoks/twinnet+ws"), 0)
    monkeypatch.setattr(workers, "get_reusable_executor", no_pool)  # in this process
    assert workers.record_runs([run, other], store, 1) == []
    assert [len(store.read(r.experiment.id)) for r in (run, other)] == [1, 1]
    assert not path.exists() and not list(path.parent.glob("*checkpoint*"))


def never(*arguments, **options):
    raise AssertionError("a checkpoint of a short run")


def no_pool(*arguments, **options):
    raise ImportError("no semaphores")


def long_run(folder):
    """Train a run of many epochs as a worker does, and record it as the driver does."""
    twin = EXPERIMENTS["zadoks/twinnet+ws+aux"]
    sizes = {"epochs": 80, "train_pairs": 100, "test_pairs": 100, "precise_pairs": 100}
    recipe = twin.recipe.but(**sizes, batch_size=25)
    run = Run(twin.model_copy(update={"recipe": recipe}), 0)
    RecordStore(folder, "sample").append(workers._train(run, "sample", folder))
    checkpoints.remove(folder, [run], "sample")


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_killed_at_random_moments_a_long_run_ends_with_the_same_record(tmp_path, capfd):
    records, fork = {}, multiprocessing.get_context("fork")
    for name, kills in {"undisturbed": 0, "killed": 5}.items():
        folder, moments = tmp_path / name, random.Random(0)
        places, seen = folder / "sample" / "zadoks", 0
        folder.mkdir()
        for _ in range(kills):
            process = fork.Process(target=long_run, args=(folder,))
            process.start()
            while process.is_alive() and stamp(places) == seen:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.05))  # in an epoch, or in the middle of a write
            process.kill()
            process.join()
            assert process.exitcode == -signal.SIGKILL
            seen = stamp(places)
        last = fork.Process(target=long_run, args=(folder,))
        last.start()
        last.join()
        (records[name],) = RecordStore(folder, "sample").read("zadoks/twinnet+ws+aux")
        assert {file.name for file in places.iterdir()} == {"twinnet+ws+aux.jsonl"}
    assert plain(records["killed"]) == plain(records["undisturbed"])
    assert "starts from its beginning" not in capfd.readouterr().err  # it went on each time


def stamp(folder):
    """Say when the checkpoint in `folder` was written, 0 without one."""
    return max((file.stat().st_mtime_ns for file in folder.glob("*.checkpoint")), default=0)


def test_every_kind_of_recipe_is_among_those_that_are_cut():
    recipes = [EXPERIMENTS[name].recipe for name in KINDS]
    for field in ("validation_share", "folds", "score_in_training_mode"):
        assert any(getattr(recipe, field) for recipe in recipes), field
    assert {recipe.schedule for recipe in recipes} == {"constant", "one_cycle"}
    assert "shuffled once" in {recipe.order for recipe in recipes}
