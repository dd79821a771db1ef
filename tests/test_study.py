"""A study trains what is missing and nothing else, the same bits on any number of workers."""

import json

import pytest

from digits import core, records, tables
from digits.core import InputError
from digits.data import load
from digits.frames import curves, stages, tidy
from digits.recipe import Recipe
from digits.runs import Outcome, expected_seconds
from digits.study import Study
from digits.training import train

SMALL = ("zadoks/twinnet+ws+aux", "kqiku/fcc*@published")


def content(found):
    return [(r.key, r.weights, r.curves, r.decisions, r.precise_error) for r in found]


def test_it_trains_what_is_missing_and_then_nothing():
    study = Study(profile="smoke")
    assert len(study.missing(*SMALL)) == 4  # two rounds, and one chain of each of two networks
    assert study.train_missing(*SMALL) == []
    assert study.missing(*SMALL) == []
    before = {f: f.stat().st_mtime_ns for f in core.results_dir().rglob("*.jsonl")}
    assert study.train_missing(*SMALL) == []
    assert before == {f: f.stat().st_mtime_ns for f in core.results_dir().rglob("*.jsonl")}


def test_one_worker_or_two_any_order_or_share_the_same_bits(monkeypatch, tmp_path):
    one, two = Study(profile="smoke", jobs=1), Study(profile="smoke", jobs=2)
    one.train_missing(*SMALL)
    first = content(one.records(*SMALL))
    monkeypatch.setenv("DIGITS_RESULTS", str(tmp_path / "elsewhere"))
    for share in ((2, 3), (3, 3), (1, 3)):
        two.train_missing(*SMALL, share=share)
    assert two.missing(*SMALL) == []
    assert content(two.records(*SMALL)) == first


def test_shares_divide_the_runs_whatever_is_done_already():
    study = Study(profile="smoke")
    before = [{str(run) for run in study.missing("zadoks/*", share=(i, 3))} for i in (1, 2, 3)]
    assert sum(len(part) for part in before) == 22
    assert set.union(*before) == {str(run) for run in study.runs("zadoks/*")}
    study.train_missing("zadoks/twinnet")
    after = [{str(run) for run in study.missing("zadoks/*", share=(i, 3))} for i in (1, 2, 3)]
    assert all(later <= earlier for later, earlier in zip(after, before, strict=True))
    assert sum(len(part) for part in after) == 20


def test_a_record_of_another_recipe_does_not_count(sample):
    Study(profile="smoke", seeds=(0,)).train_missing("zadoks/twinnet")
    assert Study(profile="smoke", seeds=(0,)).missing("zadoks/twinnet") == []
    assert len(Study(profile="quick", seeds=(0,)).missing("zadoks/twinnet")) == 1


def test_missing_runs_come_longest_first():
    costs = [expected_seconds(run.experiment) for run in Study(profile="quick").missing("*")]
    assert costs == sorted(costs, reverse=True)
    assert costs[0] > 5 * costs[-1]


def test_the_tidy_table_has_a_row_a_run_and_says_what_it_is():
    study = Study(profile="smoke")
    frame = study.ensure(*SMALL)
    assert frame.experiment.tolist() == [
        "kqiku/fcc@published",
        "kqiku/fcc+ws@published",
        "zadoks/twinnet+ws+aux",
        "zadoks/twinnet+ws+aux",
    ]
    row = frame.iloc[-1]
    assert (row.report, row.experiment, row.seed) == ("zadoks", "zadoks/twinnet+ws+aux", 1)
    chain = study.records("kqiku/fcc@published")[0]
    assert frame.iloc[0].test_error == sum(chain.after_each_training("test_error")) / 2
    assert len(curves([chain])) == 4
    assert stages([chain]).training.tolist() == [1, 2]
    assert stages([chain]).test_error.iloc[-1] == chain.test_error


def test_a_table_is_never_made_of_fewer_rounds_than_asked(sample):
    Study(profile="smoke", seeds=(0,)).train_missing("zadoks/twinnet")
    with pytest.raises(InputError, match="1 of 2 runs have no record, the first: zadoks/twinnet"):
        Study(profile="smoke").records("zadoks/twinnet")


@pytest.fixture
def with_a_bad_one(monkeypatch):
    """Give the first experiment that is selected a learning rate far too large."""
    import digits.study as module

    original = module.select

    def select(*patterns):
        found = original(*patterns)
        bad = found[0].recipe.but(learning_rate=1e30)
        return [found[0].model_copy(update={"recipe": bad}), *found[1:]]

    monkeypatch.setattr(module, "select", select)


def test_a_run_that_diverges_is_named_everywhere_and_trained_once(with_a_bad_one):
    study = Study(profile="smoke", seeds=(0, 1))
    patterns = ("zadoks/twinnet", "zadoks/twinnet+ws")
    failures = study.train_missing(*patterns)
    assert [outcome.failure[:41] for outcome in sorted(failures, key=lambda o: o.run.seed)] == [
        "zadoks/twinnet #0 diverged in epoch 1, st",
        "zadoks/twinnet #1 diverged in epoch 1, st",
    ]
    assert study.missing(*patterns) == []
    frame = study.ensure(*patterns)
    assert set(frame.experiment) == {"zadoks/twinnet+ws"}
    assert "; without results: zadoks/twinnet #0 diverged in epoch 1" in tables.scope(frame)
    assert "zadoks/twinnet #1 diverged" in tables.scope(frame[frame.seed == 0])
    with pytest.raises(InputError, match="no run has a result; zadoks/twinnet #0 diverged"):
        study.ensure("zadoks/twinnet")


def test_a_fault_in_a_run_is_reported_and_the_others_are_kept(monkeypatch):
    import digits.study as module

    def outcomes(runs, source, jobs):
        yield Outcome(runs[0], None, f"{runs[0]}: OSError: no luck")
        yield Outcome(runs[1], train(runs[1].experiment, runs[1].seed, load("sample")))

    monkeypatch.setattr(module.workers, "train_runs", outcomes)
    study = Study(profile="smoke", seeds=(0, 1))
    with pytest.raises(InputError, match="1 runs failed, the first: zadoks/twinnet #0: OSError"):
        study.ensure("zadoks/twinnet")
    assert [str(run) for run in study.missing("zadoks/twinnet")] == ["zadoks/twinnet #0"]


def test_seeds_are_understood_as_a_list_or_as_papermill_writes_them():
    assert Study(seeds=[0, 2]).seeds == (0, 2)
    assert Study(seeds="[0, 1, 2]").seeds == (0, 1, 2)
    assert Study(seeds=None).seeds is None
    assert [run.seed for run in Study(seeds="[7]").runs("zadoks/twinnet")] == [7]


def test_more_pairs_than_the_source_holds_are_refused_before_training(monkeypatch):
    from digits.profiles import PROFILES, Limits, Profile

    limits = {"small": Limits(rounds=1)}
    monkeypatch.setitem(PROFILES, "smoke", Profile(name="smoke", limits=limits))
    import digits.study as module

    original = module.select
    monkeypatch.setattr(
        module,
        "select",
        lambda *p: [
            e.model_copy(update={"recipe": e.recipe.but(train_pairs=5000)}) for e in original(*p)
        ],
    )
    with pytest.raises(InputError, match="5000 pairs were asked of a pool of 2500 images"):
        Study(profile="smoke").train_missing("zadoks/twinnet")
    assert not list(core.results_dir().rglob("*.jsonl"))


def test_a_record_of_another_recipe_or_network_is_refused_not_used():
    study = Study(profile="smoke", seeds=(0,))
    study.train_missing("zadoks/twinnet")
    path = records.path_of(core.results_dir(), "zadoks/twinnet", "sample")
    good = path.read_text()
    for change in ({"parameters": 1}, {"precise_pairs": 20_000}):
        line = json.loads(good)
        where = line if "parameters" in change else line["recipe"]
        where |= change
        line["recipe_hash"] = Recipe(**line["recipe"]).hash
        path.write_text(json.dumps(line) + "\n")
        if "parameters" in change:
            with pytest.raises(InputError, match=r"zadoks/twinnet #0 .* --fresh"):
                study.missing("zadoks/twinnet")
        else:
            assert len(study.missing("zadoks/twinnet")) == 1  # another recipe: another run


def test_a_changed_default_does_not_let_old_records_pass(monkeypatch):
    """The hash leaves out fields at their default, so a changed default must show otherwise."""
    study = Study(profile="smoke", seeds=(0,))
    study.train_missing("zadoks/twinnet")
    path = records.path_of(core.results_dir(), "zadoks/twinnet", "sample")
    line = json.loads(path.read_text())
    line["recipe"]["order"] = "shuffled"
    assert Recipe(**line["recipe"]).hash == line["recipe_hash"]
    changed = Recipe.model_construct(**line["recipe"] | {"order": "fixed"})
    monkeypatch.setattr(type(changed), "hash", line["recipe_hash"])
    runs = study.runs("zadoks/twinnet")
    run = runs[0]._replace(experiment=runs[0].experiment.model_copy(update={"recipe": changed}))
    with pytest.raises(InputError, match="another recipe or network"):
        study._read([run])


def test_moving_aside_takes_the_wanted_runs_and_leaves_the_others():
    Study(profile="smoke", seeds=(0, 1, 2)).train_missing("zadoks/twinnet")
    path = records.path_of(core.results_dir(), "zadoks/twinnet", "sample")
    lines = path.read_text().splitlines()
    aside = Study(profile="smoke", seeds=(1,)).move_aside("zadoks/*")
    left = records.read(core.results_dir(), "zadoks/twinnet", "sample")
    assert sorted(record.seed for record in left) == [0, 2]
    (moved,) = aside.rglob("*.jsonl")
    assert sorted([*path.read_text().splitlines(), *moved.read_text().splitlines()]) == sorted(
        lines
    )
    assert Study(profile="smoke", seeds=(1,)).move_aside("zadoks/*") is None


def test_figures_of_another_source_go_to_a_folder_of_their_own():
    def name(**parameters):
        return Study(**parameters).figures_folder.name

    assert name(profile="quick") == "quick"
    assert name(profile="quick", source="mnist") == "quick-mnist"
    assert name(profile="paper", source="mnist") == "paper"
    assert name(profile="paper") == "paper-sample"
    assert name(profile="quick", seeds=[0]) == "quick-seeds"


def test_tidy_is_ordered_like_its_records():
    study = Study(profile="smoke", seeds=(1, 0))
    study.train_missing("zadoks/twinnet")
    assert tidy(study.records("zadoks/twinnet")).seed.tolist() == [1, 0]


def test_light_leaves_out_the_deep_networks_and_says_which():
    everything, light = Study(), Study(light=True)
    left_out = {r.experiment.id for r in everything.runs("*")} - {
        r.experiment.id for r in light.runs("*")
    }
    assert len(left_out) == 18
    assert all("deepconvnet" in n or "resnet" in n or "siamese" in n for n in left_out)
    assert everything.left_out("*") == ""
    sentence = light.left_out("*")
    assert "18 experiments with twenty convolutions and more" in sentence
    assert all(name in sentence for name in left_out)
    assert light.left_out("kqiku/*") == light.left_out("common/*") == ""
    assert light.figures_folder.name == "quick-light"
