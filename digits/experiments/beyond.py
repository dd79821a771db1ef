"""Beyond the reports: how well the task can be done with 1000 pairs, and what makes the difference.

An ablation leads from Zadoks' twin net, the baseline, to the best network, step by step. What a
step adds is evaluated by cross-validation on training pairs, and kept only if it lowers the mean
error on many pairs of images of the held-out folds; larger budgets are not cross-validated. Around
it: other heads, other numbers of pairs, one source of randomness at a time, and the same branch
trained on the full training set.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from digits.data.seeds import STREAMS
from digits.experiments.chosen import CHOSEN
from digits.experiments.experiment import CELLS, FOLDS, Experiment, Tag, named
from digits.models import beyond as networks
from digits.models import zadoks
from digits.training.recipe import Recipe

ROUNDS = 10
#: The baseline, an experiment of its report: both options, following the text.
BASELINE = "zadoks/twinnet+ws+aux"
_BASELINE_RECIPE = Recipe(epochs=25, batch_size=25, learning_rate=0.01, auxiliary_weight=1.0)

#: Of the posteriors of smoothed labels: about the one of the lowest loss on held-out folds.
TEMPERATURE = 0.6

_deep = partial(networks.deep_net, networks.SumOverDigits)
_sharper = partial(networks.SumOverDigits, temperature=TEMPERATURE)
_detached = partial(_sharper, detached=True)

#: The budget of the ensembles.
_LONGEST = {"epochs": 180, "batch_size": 50}


class Step(NamedTuple):
    """One step of the ablation, added to the kept one before it.

    says: what it adds, in a few words. change: of the recipe. build: the network, None for that of
    the step before. rounds: of the test; 0 for a step that was cross-validated only. fold_rounds:
    of cross-validation, as many as the network's size affords; 0 for a larger budget.
    """

    name: str
    says: str
    change: dict = {}
    build: Callable[[], nn.Module] | None = None
    rounds: int = ROUNDS
    fold_rounds: int = 2

    @property
    def kept(self) -> bool:
        """Whether its cross-validation error is lower; a larger budget is never kept."""
        return CHOSEN.kept.get(self.name, False)


#: From the baseline to the best network, and the larger budgets.
STEPS = (
    Step("standardised", "standardised pixels", {"standardised": True}, fold_rounds=ROUNDS),
    Step(
        "one-cycle",
        "AdamW, one-cycle schedule, weight decay",
        {"schedule": "one_cycle", "optimizer": "adamw", "weight_decay": 0.01},
        fold_rounds=ROUNDS,
    ),
    Step("sum", "sum over the digits as head", {}, networks.twin_net, fold_rounds=ROUNDS),
    Step("deep", "deeper branch, no dropout, own learning rate", {"learning_rate": 0.003}, _deep),
    Step("permuting", "pairs re-sampled each epoch", {"augmentation": "permuting"}, rounds=0),
    Step("affine", "affine distortions", {"distortion": "affine"}),
    Step("elastic", "elastic distortions as well", {"distortion": "elastic"}, rounds=0),
    Step("averaged", "running mean of the weights", {"weight_averaging": 0.99}, rounds=0),
    Step("smoothed", "label smoothing", {"label_smoothing": 0.1}),
    Step(
        "undistorted",
        "the last fifth of the epochs without distortions",
        {"undistorted_share": 0.2},
    ),
    Step(
        "sharper",
        f"digit logits divided by {TEMPERATURE} once trained",
        {},
        partial(networks.deep_net, _sharper),
    ),
    Step(
        "detached",
        "the digit loss alone trains the branch",
        {},
        partial(networks.deep_net, _detached),
    ),
    Step("long", "120 epochs", {"epochs": 120}, fold_rounds=0),
    Step(
        "committee",
        "180 epochs, an ensemble of two networks, batches of 50",
        _LONGEST,
        partial(networks.ensemble, _detached),
        fold_rounds=0,
    ),
    Step(
        "holes",
        "the same ensemble, one of the two with random erasing",
        _LONGEST,
        partial(networks.ensemble, _detached, erasing=True),
        fold_rounds=0,
    ),
)
#: The best network, within the reports' own 25 epochs; and what is best with a larger budget.
BEST, LARGER_BUDGET = "detached", "holes"
#: Rounds of these two that no choice was made on.
FRESH = tuple(range(200, 210))
#: Whose posteriors are recorded: near the top, and while held out, which gives the temperature. The
#: figures are of the last three; the recipes of earlier records hold it of the others.
POSTERIORS = (
    "smoothed",
    "sharper",
    "sharper-folds",
    "long",
    "committee",
    BEST,
    f"{BEST}-folds",
    LARGER_BUDGET,
)
#: The steps whose branch is the twin net's subnet.
TWINS = ("baseline", "standardised", "one-cycle", "sum")

#: Other heads on the best branch: how the target is decided, and what trains the branch.
HEADS = {
    "learned": ("learned comparison, trained by both losses", networks.learned, True),
    "most-likely": (
        "most likely digits, trained by the digit loss",
        networks.MostLikelyDigits,
        True,
    ),
    "no-labels": ("sum over the digits, trained by the target", networks.SumOverDigits, False),
}

#: Numbers of training pairs beside the 1000 of the reports. With fewer there are more epochs, so
#: that no network takes fewer steps; with more there are as many epochs, and so more steps.
SIZES = (125, 250, 500, 2000, 8000)
#: The best network on every digit of the training set: fewer epochs, ten times the steps.
ORACLE = "beyond/deepnet@oracle"
ORACLE_PAIRS, ORACLE_EPOCHS = 30_000, 8


def recipes() -> dict[str, tuple[Callable[[], nn.Module], Recipe]]:
    """Return the network and the recipe of every step by name: the kept one before it, changed."""
    build, recipe = partial(zadoks.twin_net, shared=True, auxiliary=True), _BASELINE_RECIPE
    found = {}
    for step in STEPS:
        found[step.name] = step.build or build, recipe.but(**step.change)
        if step.kept:
            build, recipe = found[step.name]
    return found


def id_of(step: str) -> str:
    """Return the id of a step's experiment, or of the baseline's."""
    return BASELINE if step == "baseline" else f"beyond/{_network(step)}@{step}"


def folds_id_of(step: str) -> str:
    """Return the id of the cross-validation of a step, or of the baseline."""
    return f"beyond/{_network(step)}@{'foot' if step == 'baseline' else step}-folds"


def _network(step: str) -> str:
    return "twinnet+ws+aux" if step in TWINS else "deepnet"


def experiments() -> list[Experiment]:
    """Return all experiments beyond the reports but those on other digits (`handwriting`)."""
    return [*ablation(), *heads(), *by_number_of_pairs(), *oracle(), *by_source()]


def ablation() -> list[Experiment]:
    """Return the steps, each tested and each cross-validated."""
    twin = partial(zadoks.twin_net, shared=True, auxiliary=True)
    rows = [_folds("foot", "twinnet+ws+aux", twin, _BASELINE_RECIPE, ROUNDS)]
    for step in STEPS:
        (build, recipe), network = recipes()[step.name], _network(step.name)
        kind = "twin" if step.name in TWINS else "deep branch" if step.fold_rounds else "longer"
        if step.rounds:
            rows.append(_row(network, step.name, build, recipe, step.rounds, kind))
        if step.fold_rounds:
            rows.append(_folds(step.name, network, build, recipe, step.fold_rounds))
    return rows


def _folds(
    step: str, network: str, build: Callable[[], nn.Module], recipe: Recipe, rounds: int
) -> Experiment:
    crossed = recipe.but(folds=FOLDS, precise_folds=True)
    return _row(network, f"{step}-folds", build, crossed, rounds, "folds")


def heads() -> list[Experiment]:
    """Return the best branch of 25 epochs with other heads."""
    _, recipe = recipes()[BEST]
    rows = []
    for name, (_, head, labels) in HEADS.items():
        build = partial(networks.deep_net, head, auxiliary=labels)
        own = recipe if labels else recipe.but(auxiliary_weight=0.0, label_smoothing=0.0)
        rows.append(_row("deepnet", name, build, own, 5))
    return rows


def by_number_of_pairs() -> list[Experiment]:
    """Return the four twin nets and the best network on other numbers of training pairs."""
    rows = []
    for pairs in SIZES:
        few = pairs < 1000
        change = {"train_pairs": pairs, "epochs": 25 * 1000 // pairs if few else 25}
        more = () if few else ("more pairs",)
        for cell, options in CELLS.items():
            shared, auxiliary = "ws" in options, "aux" in options
            build = partial(zadoks.twin_net, shared=shared, auxiliary=auxiliary)
            recipe = _BASELINE_RECIPE.but(auxiliary_weight=float(auxiliary), **change)
            tags = ("twin", *more)
            rows.append(_row(f"twinnet{cell}", f"{pairs}-pairs", build, recipe, 5, *tags))
        build, recipe = recipes()[BEST]
        tags = ("deep branch", "fewer pairs" if few else "more pairs")
        rows.append(_row("deepnet", f"{pairs}-pairs", build, recipe.but(**change), 2, *tags))
    return rows


def oracle() -> list[Experiment]:
    """Return the best network on every digit of the training set, for fewer epochs."""
    build, recipe = recipes()[BEST]
    recipe = recipe.but(train_pairs=ORACLE_PAIRS, epochs=ORACLE_EPOCHS)
    return [_row("deepnet", "oracle", build, recipe, 2, "deep branch", "more pairs")]


def by_source() -> list[Experiment]:
    """Return three networks with one random stream varied at a time, the others those of round 0.

    What all sources together do is seen in the records of the networks themselves.
    """
    twin = partial(zadoks.twin_net, shared=False, auxiliary=False)
    both = partial(zadoks.twin_net, shared=True, auxiliary=True)
    plain = _BASELINE_RECIPE.but(auxiliary_weight=0.0)
    networks_varied = (  # the fourth is the stream that the network does not draw from
        ("twinnet", twin, plain, "augment", ROUNDS, "twin"),
        ("twinnet+ws+aux", both, _BASELINE_RECIPE, "augment", ROUNDS, "twin"),
        ("deepnet", *recipes()[BEST], "dropout", 5, "deep branch"),
    )
    rows = []
    for stream in STREAMS:
        for network, build, recipe, unused, rounds, tag in networks_varied:
            if stream != unused:
                own = recipe.but(varies=stream)
                rows.append(_row(network, f"only-{stream}", build, own, rounds, tag))
    return rows


def _row(
    network: str,
    variant: str,
    build: Callable[[], nn.Module],
    recipe: Recipe,
    rounds: int,
    *tags: Tag,
) -> Experiment:
    recipe = recipe.but(
        curve_step=recipe.epochs // 5,  # five points of the curves, or a few more
        keep_posteriors=network == "deepnet" and variant in POSTERIORS,
    )
    return Experiment(
        **named("beyond", network, variant),
        build=build,
        recipe=recipe,
        rounds=rounds,
        fresh=FRESH if network == "deepnet" and variant in (BEST, LARGER_BUDGET) else (),
        tags=frozenset({"beyond", *(tags or ("deep branch",))}),
    )
