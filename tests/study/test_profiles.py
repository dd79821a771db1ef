"""A profile runs less of an experiment, never more, and leaves its protocol as it is."""

from digits.analysis.beyond import CHOSEN_ON, COMPARED_ON
from digits.experiments.beyond import BEST, FRESH, LARGER_BUDGET, folds_id_of, id_of
from digits.experiments.registry import EXPERIMENTS, REPORTS, select
from digits.study.profiles import PROFILES, Limits, Profile
from digits.study.study import Study

#: What makes a protocol, apart from how much of it is run.
KEPT = {
    *("learning_rate", "optimizer", "schedule", "weight_decay", "loss", "target_weight"),
    *("auxiliary_weight", "label_smoothing", "order", "standardised", "augmentation"),
    *("distortion", "weight_averaging", "validation_share", "folds", "varies"),
}


def test_quick_replicates_the_reports_networks_at_full_length_or_not_at_all():
    quick, ran = PROFILES["quick"], set()
    for experiment in EXPERIMENTS.values():
        assert quick.recipe(experiment) == experiment.recipe
        if seeds := quick.seeds(experiment):
            ran.add(experiment.id)
            assert seeds == tuple(range(len(seeds))) and len(seeds) <= 3
            assert experiment.protocol == "own" and experiment.report in REPORTS
            assert not experiment.variant and not experiment.setting
    written = {e.id for e in EXPERIMENTS.values() if e.follows_the_text}
    assert ran < written and len(ran) == 28
    assert written - ran == {
        *("damachi/cnn", "damachi/cnn+aux", "cadei/deepconvnet", "cadei/deepconvnet+aux"),
        *("cadei/resnet", "cadei/siamese", "cadei/siamese+aux"),
    }
    assert quick.seeds(EXPERIMENTS["damachi/nn+aux"]) == (0,)  # a minute a round


def test_a_short_profile_scores_each_epoch():
    smoke = PROFILES["smoke"]
    for name in ("damachi/cnn", id_of(BEST), folds_id_of(BEST)):
        recipe = smoke.recipe(EXPERIMENTS[name])
        assert recipe.curve_step == 1 and recipe.epochs < EXPERIMENTS[name].recipe.epochs


def test_paper_is_the_experiment_as_it_stands():
    paper = PROFILES["paper"]
    for experiment in EXPERIMENTS.values():
        assert paper.recipe(experiment) == experiment.recipe
        never = "searched never" in experiment.tags
        all_of_them = (*range(experiment.rounds), *experiment.fresh)
        assert paper.seeds(experiment) == (() if never else all_of_them)
    fresh = {e.id: e.fresh for e in EXPERIMENTS.values() if e.fresh}
    assert fresh == dict.fromkeys((id_of(BEST), id_of(LARGER_BUDGET)), FRESH)
    assert set(FRESH).isdisjoint([*CHOSEN_ON, *COMPARED_ON]) and len(FRESH) == 10


def test_smoke_is_short_and_raises_no_field():
    smoke = PROFILES["smoke"]
    run = [experiment for experiment in EXPERIMENTS.values() if smoke.seeds(experiment)]
    assert all(experiment.setting for experiment in EXPERIMENTS.values() if experiment not in run)
    for experiment in run:
        recipe, full = smoke.recipe(experiment), experiment.recipe
        brief = experiment.tags & {"deep", "control", "one draw", "common", "beyond"}
        assert recipe.epochs == (1 if brief else 2)
        assert recipe.trainings == min(2, full.trainings)
        assert recipe.batch_size == min(full.batch_size, recipe.fitted_pairs)
        for size in ("train_pairs", "test_pairs", "precise_pairs"):
            assert getattr(recipe, size) <= min(500, getattr(full, size))
        assert recipe.model_dump(include=KEPT) == full.model_dump(include=KEPT)
        assert len(smoke.seeds(experiment)) <= 2


def test_smoke_is_short_on_all_of_mnist_too():
    for run in Study(source="mnist", profile="smoke").runs("beyond/*"):
        recipe = run.experiment.recipe
        assert recipe.epochs * recipe.train_pairs <= 25_000, run


def test_the_first_limits_whose_tags_an_experiment_has_count():
    few = Limits(tags=frozenset({"common"}), epochs=3)
    fewer = Limits(tags=frozenset({"common", "deep"}), epochs=2)
    rest = Limits(rounds=1)
    deep, plain, own = (
        EXPERIMENTS[name] for name in ("common/cadei/resnet", "common/kqiku/fcc", "kqiku/fcc")
    )
    profile = Profile(name="own", limits=(fewer, few, rest))
    assert [profile.limits_of(e) for e in (deep, plain, own)] == [fewer, few, rest]
    assert Profile(name="own", limits=(few, fewer)).limits_of(deep) == few
    assert Profile(name="own", limits=(few,)).limits_of(own) == Limits()
    assert profile.seeds(own) == (0,)
    assert profile.recipe(own) == own.recipe
    assert profile.recipe(plain) == plain.recipe.but(epochs=3, curve_step=1)


def test_bfloat16_is_for_runs_with_all_of_one_set_of_tags():
    names = ("cadei/resnet", "common/cadei/resnet", "zadoks/twinnet", id_of(LARGER_BUDGET))
    in_bf16 = {
        profile: [PROFILES[profile].in_bf16(EXPERIMENTS[name]) for name in names]
        for profile in PROFILES
    }
    assert in_bf16 == {
        "smoke": [False, False, False, False],
        "quick": [False, False, False, False],
        "paper": [True, True, False, True],
    }


def test_of_searches_smoke_runs_one_and_paper_those_that_decide_something():
    def searched(profile):
        runs = Study(profile=profile).runs("search/*")
        return {run.experiment.searched for run in runs}

    assert searched("smoke") == {"jaubert/model_1+ws+aux"} and searched("quick") == set()
    never = {e.searched for e in select("search/*") if "searched never" in e.tags}
    assert never and searched("paper") == {e.searched for e in select("search/*")} - never
