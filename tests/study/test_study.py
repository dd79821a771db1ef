"""A study trains what is missing and nothing else, the same bits on any number of workers."""

import json
import shutil
from concurrent.futures import Future

import pytest

from digits import core
from digits.core import InputError
from digits.experiments.registry import select
from digits.output import tables
from digits.study import checkpoints, workers
from digits.study import study as module
from digits.study.profiles import PROFILES, Limits, Profile
from digits.study.runs import expected_seconds
from digits.study.study import Study
from digits.training.recipe import Recipe
from digits.training.record import Record

SMALL = ("zadoks/twinnet+ws+aux", "kqiku/fcc*@published")
NAME = "zadoks/twinnet"


@pytest.fixture
def recorded(smoke_results):
    """Return a function that copies the smoke records of experiments to this test's results."""

    def copy(*names):
        study = Study(profile="smoke")
        for name in names:
            path = study.store.path_of(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(smoke_results / "sample" / f"{name}.jsonl", path)
        return path

    return copy


def content(found):
    return [(r.key, r.weights, r.curves, r.decisions, r.precise_error) for r in found]


def times():
    return {file: file.stat().st_mtime_ns for file in core.results_dir().rglob("*.jsonl")}


def test_it_trains_what_is_missing_and_then_nothing():
    study = Study(profile="smoke", jobs=1)
    assert len(study.missing(*SMALL)) == 4  # two rounds, and one chain of each of two networks
    assert study.train_missing("zadoks/twinnet+ws+aux") == []
    before = times()
    assert [run.experiment.report for run in study.missing(*SMALL)] == ["kqiku", "kqiku"]
    assert study.train_missing("zadoks/twinnet+ws+aux") == []
    assert before == times()
    assert study.table("zadoks/twinnet+ws+aux").seed.tolist() == [0, 1]


def test_what_a_run_killed_after_its_record_left_goes_with_the_next_training(recorded, monkeypatch):
    recorded(NAME)
    study = Study(profile="smoke")
    runs = study.runs(NAME)[0], study.runs("zadoks/twinnet+ws")[0]  # one done, one missing
    paths = [checkpoints.path_of(core.results_dir(), run, "sample") for run in runs]
    paths.append(paths[0].with_name(f"{paths[0].name}.1f{core.NEW}"))  # never finished
    for path in paths:
        path.touch()
    monkeypatch.setattr(module, "record_runs", lambda *arguments: [])
    study.train_missing("zadoks/*")
    assert [path.exists() for path in paths] == [False, True, False]


def test_one_process_or_workers_any_order_or_shard_the_same_bits(train_record):
    study = Study(profile="smoke", jobs=2)
    for shard in ((2, 3), (3, 3), (1, 3)):
        study.train_missing(*SMALL, shard=shard)
    assert study.missing(*SMALL) == []
    here = [train_record(run.experiment, run.seed) for run in study.runs(*SMALL)]
    assert content(study.records(*SMALL)) == content(here)


def test_shards_divide_the_runs_whatever_is_done_already(recorded):
    study = Study(profile="smoke")
    before = [{str(run) for run in study.missing("zadoks/*", shard=(i, 3))} for i in (1, 2, 3)]
    assert sum(len(part) for part in before) == 44
    assert set.union(*before) == {str(run) for run in study.runs("zadoks/*")}
    recorded(NAME)
    after = [{str(run) for run in study.missing("zadoks/*", shard=(i, 3))} for i in (1, 2, 3)]
    assert all(later <= earlier for later, earlier in zip(after, before, strict=True))
    assert sum(len(part) for part in after) == 42


def test_a_record_of_another_recipe_does_not_count(recorded):
    recorded(NAME)
    assert Study(profile="smoke", seeds=(0,)).missing(NAME) == []
    assert len(Study(profile="quick", seeds=(0,)).missing(NAME)) == 1


def test_missing_runs_come_longest_first():
    costs = [expected_seconds(run.experiment) for run in Study(profile="quick").missing("*")]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 5 * costs[-1]


def test_a_table_has_the_rounds_that_are_there_and_trains_none(recorded):
    study, path = Study(profile="smoke"), recorded(NAME)
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    before = times()
    assert study.table(NAME, "zadoks/twinnet+ws").seed.tolist() == [0]
    assert [record.seed for record in study.records(NAME)] == [0]
    assert before == times()
    assert [str(run) for run in study.missing(NAME)] == ["zadoks/twinnet #1"]


def test_no_records_at_all_are_told_and_nothing_to_run_as_well():
    for read in (Study(profile="smoke").table, Study(profile="smoke").records):
        with pytest.raises(InputError, match=r"has a record: run_all.py trains what is missing"):
            read(NAME)
        with pytest.raises(InputError, match=r"no runs of search/common/\* in profile 'smoke' on"):
            read("search/common/*")


def patched(monkeypatch, **changes):
    """Change the recipe of the first experiment that is selected."""

    def select_changed(*patterns):
        first, *others = select(*patterns)
        bad = first.model_copy(update={"recipe": first.recipe.but(**changes)})
        return [bad, *others]

    monkeypatch.setattr(module, "select", select_changed)


def test_a_run_that_diverges_is_named_everywhere_and_trained_once(monkeypatch):
    patched(monkeypatch, learning_rate=1e30)
    study = Study(profile="smoke", seeds=(0, 1), jobs=1)
    patterns = (NAME, "zadoks/twinnet+ws")
    failures = study.train_missing(*patterns)
    assert [failed.failure[:41] for failed in sorted(failures, key=lambda f: f.run.seed)] == [
        "zadoks/twinnet #0 diverged in epoch 1, st",
        "zadoks/twinnet #1 diverged in epoch 1, st",
    ]
    assert study.missing(*patterns) == []
    assert [record.seed for record in study.diverged(*patterns)] == [0, 1]
    frame = study.table(*patterns)
    assert set(frame.experiment) == {"zadoks/twinnet+ws"}
    assert "; without results: zadoks/twinnet #0 diverged in epoch 1" in tables.scope(frame)
    assert "zadoks/twinnet #1 diverged" in tables.scope(frame[frame.seed == 0])
    with pytest.raises(InputError, match="has a result; zadoks/twinnet #0 diverged"):
        study.table(NAME)


def test_a_fault_in_a_run_is_reported_and_the_others_are_kept(monkeypatch, train_record):
    def trained(runs, source, jobs, scheduler, folder):
        for run, fault in zip(runs, (OSError("no luck"), None), strict=True):
            future = Future()
            if fault:
                future.set_exception(fault)
            else:
                future.set_result(train_record(run.experiment, run.seed))
            yield run, future

    monkeypatch.setattr(workers, "train_runs", trained)
    study = Study(profile="smoke", seeds=(0, 1))
    (failed,) = study.train_missing(NAME)
    assert failed.failure == "zadoks/twinnet #0: OSError: no luck" and not failed.recorded
    assert [str(run) for run in study.missing(NAME)] == ["zadoks/twinnet #0"]


def test_seeds_are_understood_as_a_list_or_as_papermill_writes_them():
    assert Study(seeds=[0, 2]).seeds == (0, 2)
    assert Study(seeds="[0, 1, 2]").seeds == (0, 1, 2)
    assert Study(seeds=None).seeds is None
    assert [run.seed for run in Study(seeds="[7]").runs(NAME)] == [7]


def test_more_pairs_than_the_source_has_are_refused_before_training(monkeypatch):
    monkeypatch.setitem(PROFILES, "smoke", Profile(name="smoke", limits=(Limits(rounds=1),)))
    patched(monkeypatch, train_pairs=5000)
    with pytest.raises(InputError, match="5000 pairs were asked of a pool of 2500 images"):
        Study(profile="smoke").train_missing(NAME)
    with pytest.raises(InputError, match="5000 pairs were asked of a pool of 2500 images"):
        Study(profile="smoke").move_aside(NAME)
    assert not list(core.results_dir().rglob("*.jsonl"))


@pytest.mark.parametrize("change", [{"parameters": 1}, {"precise_pairs": 20_000}])
def test_a_record_of_another_recipe_or_network_is_refused_not_used(recorded, change):
    path = recorded(NAME)
    line = json.loads(path.read_text().splitlines()[0])
    (line if "parameters" in change else line["recipe"]).update(change)
    line["recipe_hash"] = Recipe(**line["recipe"]).hash
    path.write_text(json.dumps(line) + "\n")
    study = Study(profile="smoke", seeds=(0,))
    if "parameters" in change:
        with pytest.raises(InputError, match=r"zadoks/twinnet #0 .* --fresh"):
            study.missing(NAME)
    else:
        assert len(study.missing(NAME)) == 1  # another recipe: another run


def test_a_changed_default_does_not_let_old_records_pass(recorded, monkeypatch):
    """The hash leaves out fields at their default, so a changed default must show otherwise."""
    recorded(NAME)
    study = Study(profile="smoke", seeds=(0,))
    (run,) = study.runs(NAME)
    recipe = run.experiment.recipe
    assert recipe.order == Recipe.model_fields["order"].default == "shuffled"
    changed = Recipe.model_construct(**recipe.model_dump() | {"order": "fixed"})
    monkeypatch.setattr(Recipe, "hash", recipe.hash)
    run = run._replace(experiment=run.experiment.model_copy(update={"recipe": changed}))
    with pytest.raises(InputError, match="another recipe or network"):
        study.store.of_runs([run])


def test_moving_aside_takes_the_wanted_runs_and_leaves_the_others(recorded):
    path = recorded(NAME)
    lines = path.read_text().splitlines()
    folder = Study(profile="smoke", seeds=(1,)).move_aside("zadoks/*")
    assert [record.seed for record in Study(profile="smoke").store.read(NAME)] == [0]
    (moved,) = folder.rglob("*.jsonl")
    left = [*path.read_text().splitlines(), *moved.read_text().splitlines()]
    assert sorted(map(plain, left)) == sorted(map(plain, lines))
    assert Study(profile="smoke", seeds=(1,)).move_aside("zadoks/*") is None


def plain(line):
    """Return a record as text, whatever fields at their defaults its line left out."""
    return Record.model_validate_json(line).model_dump_json()


def test_figures_of_another_source_go_to_a_folder_of_their_own():
    def name(**parameters):
        return Study(**parameters).figures_folder.name

    assert name() == name(profile="paper", source="mnist") == "paper"
    assert name(profile="paper", source="sample") == "paper-sample"
    assert name(profile="smoke") == "smoke"
    assert name(profile="smoke", source="mnist") == "smoke-mnist"
    assert name(seeds=[0]) == "paper-seeds"


def test_without_a_source_it_is_the_one_that_the_profile_is_meant_for():
    assert [Study(profile=name).source for name in PROFILES] == ["sample", "sample", "mnist"]
    assert Study().profile == "paper"
    with pytest.raises(InputError, match="a replication is trained on the sample digits"):
        Study(profile="quick", source="mnist")


def test_a_replication_is_shown_beside_the_study_that_it_replicates():
    study = Study(jobs=3)
    assert study.shown == study and Study(profile="smoke").shown == Study(profile="smoke")
    assert Study(profile="quick", jobs=3, seeds=[5]).shown == study
    assert study.at_hand == Study(profile="quick", jobs=3)
    assert Study(profile="smoke").at_hand == Study(profile="smoke")


def test_a_person_can_choose_what_is_trained_first():
    study = Study(profile="quick", seeds=(0, 1))
    cheapest, longest, rounds = (
        study.missing("kqiku/*", "cadei/*", order=order)
        for order in ("cheapest", "longest", "rounds")
    )
    costs = [expected_seconds(run.experiment) for run in cheapest]
    assert costs == sorted(costs) and costs[0] < costs[-1]
    assert [expected_seconds(run.experiment) for run in longest] == costs[::-1]
    assert [run.seed for run in rounds] == [0] * 10 + [1] * 10
    assert {str(run) for run in rounds} == {str(run) for run in cheapest}
