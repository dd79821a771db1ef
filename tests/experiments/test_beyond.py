"""Beyond the reports: each step adds what it names, and no network takes fewer steps."""

from digits.data.seeds import STREAMS
from digits.experiments.beyond import (
    BASELINE,
    BEST,
    LARGER_BUDGET,
    SIZES,
    STEPS,
    Step,
    folds_id_of,
    id_of,
    recipes,
)
from digits.experiments.chosen import CHOSEN
from digits.experiments.registry import EXPERIMENTS, select
from digits.study.study import Study


def test_each_step_adds_what_it_names_to_the_kept_one_before():
    before = EXPERIMENTS[BASELINE].recipe
    builds = 0
    for step in STEPS:
        _, recipe = recipes()[step.name]
        changed = {k for k, v in recipe.model_dump().items() if v != before.model_dump()[k]}
        assert changed == set(step.change) and (step.change or step.build)
        builds += step.build is not None
        assert step.rounds or step.fold_rounds
        assert (id_of(step.name) in EXPERIMENTS) == (step.rounds > 0)
        assert (folds_id_of(step.name) in EXPERIMENTS) == (step.fold_rounds > 0)
        if step.fold_rounds:
            assert EXPERIMENTS[folds_id_of(step.name)].recipe.folds == 5
            assert step.name in CHOSEN.kept  # cross-validation decides
        else:  # a larger budget is not cross-validated
            assert not step.kept
        if step.kept:
            before = recipe
    assert builds == 6
    assert set(CHOSEN.kept) == {step.name for step in STEPS if step.fold_rounds}


def test_the_best_networks_train_on_1000_pairs_in_ten_rounds():
    best, larger = (EXPERIMENTS[id_of(name)] for name in (BEST, LARGER_BUDGET))
    assert best.recipe.epochs == 25
    assert best.recipe.train_pairs == larger.recipe.train_pairs == 1000
    assert best.rounds >= 10 and larger.rounds >= 10
    assert larger.recipe.validation_share == 0  # the last epoch counts
    kept = [step.name for step in STEPS if step.kept]
    assert kept[-1] == BEST  # all that is kept


def test_the_folds_of_a_step_are_its_recipe_with_folds():
    for step in [Step("baseline", ""), *STEPS]:
        if step.rounds and step.fold_rounds:
            own, crossed = EXPERIMENTS[id_of(step.name)], EXPERIMENTS[folds_id_of(step.name)]
            assert crossed.build is own.build or step.name == "baseline"
            leave = {"folds", "precise_folds", "curve_step", "keep_posteriors"}
            assert crossed.recipe.model_dump(exclude=leave) == own.recipe.model_dump(exclude=leave)


def test_no_network_takes_fewer_steps_than_on_1000_pairs():
    for pairs in SIZES:
        for network in ("twinnet", "twinnet+ws+aux", "deepnet"):
            recipe = EXPERIMENTS[f"beyond/{network}@{pairs}-pairs"].recipe
            assert recipe.train_pairs == pairs and recipe.epochs >= 25
            assert recipe.epochs * pairs >= 25_000


def test_the_sample_trains_nothing_that_needs_more_pairs_than_it_has():
    for profile in ("smoke", "paper"):
        for run in Study(profile=profile, source="sample").runs("beyond/*"):
            assert run.experiment.recipe.train_pairs <= 1250
    more = {e.id for e in select("beyond/*") if "more pairs" in e.tags}
    full = {run.experiment.id for run in Study(source="mnist", profile="paper").runs("beyond/*")}
    assert more < full == {e.id for e in select("beyond/*")} and "beyond/twinnet@8000-pairs" in more


def test_one_source_of_randomness_varies_at_a_time():
    for stream in STREAMS:
        rows = select(f"beyond/*@only-{stream}")
        # Each network with the sources that it draws from: two distort nothing, one drops nothing.
        assert len(rows) == {"augment": 1, "dropout": 2}.get(stream, 3)
        assert {row.recipe.varies for row in rows} == {stream}
        for row in rows:
            deep = row.model == "deepnet"
            whole = EXPERIMENTS[id_of(BEST) if deep else f"zadoks/{row.cell}"]
            leave = {"varies", "curve_step", "keep_posteriors"}
            assert row.recipe.model_dump(exclude=leave) == whole.recipe.model_dump(exclude=leave)
