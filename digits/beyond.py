"""Past the reports: how well the task can be done with 1000 pairs, and what makes the difference.

A ladder leads from Zadoks' twin net to the best network, one step a rung. What a rung adds, but for
the larger budget at the top, is weighed by cross-validation on training pairs; if it does not lower
the mean error on many pairs of images of the folds left out, by however little, it is not in the
rungs above. Around it: other heads, other numbers of pairs, one random stream at a time, and the
same branch trained on all digits of the training set.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from digits.experiment import Experiment, Size
from digits.models import beyond as networks
from digits.models import zadoks
from digits.recipe import Recipe
from digits.reports.rows import CELLS
from digits.search import FOLDS
from digits.seeds import STREAMS

ROUNDS = 10
#: The ladder's foot, which has records of its own: both options, as its report writes it.
FOOT = "zadoks/twinnet+ws+aux"
_FOOT_RECIPE = Recipe(epochs=25, batch_size=25, learning_rate=0.01, auxiliary_weight=1.0)

#: Of the posteriors of smoothed labels: about that of the least loss on held-out folds.
TEMPERATURE = 0.6

_deep = partial(networks.deep_net, networks.SumOverDigits)
_sharper = partial(networks.SumOverDigits, temperature=TEMPERATURE)
_detached = partial(_sharper, detached=True)

#: The budget of the committees.
_LONGEST = {"epochs": 180, "batch_size": 50}


class Rung(NamedTuple):
    """One step, added to the rung below it that is kept.

    says: what it adds, in a few words. change: of the recipe. build: the network, None for that of
    the rung below. kept: whether the folds say that it helps; not a larger budget. rounds: of
    the test; 0 for a rung that the folds alone have weighed. fold_rounds: of cross-validation, as
    many as the network's size affords; 0 for a larger budget, which is no ingredient.
    """

    name: str
    says: str
    change: dict = {}
    build: Callable[[], nn.Module] | None = None
    kept: bool = True
    rounds: int = ROUNDS
    fold_rounds: int = 2


#: From the foot to the top; a test compares `kept` with the records of the folds.
RUNGS = (
    Rung("standardised", "standardised pixels", {"standardised": True}, fold_rounds=ROUNDS),
    Rung(
        "one-cycle",
        "AdamW, one-cycle schedule, weight decay",
        {
            "schedule": "one_cycle",
            "optimizer": "adamw",
            "weight_decay": 0.01,
        },
        fold_rounds=ROUNDS,
    ),
    Rung("sum", "sum over the digits as head", {}, networks.twin_net, fold_rounds=ROUNDS),
    Rung("deep", "deeper branch, no dropout, own learning rate", {"learning_rate": 0.003}, _deep),
    Rung(
        "permuting",
        "pairs formed anew every epoch",
        {"augmentation": "permuting"},
        kept=False,
        rounds=0,
    ),
    Rung("affine", "affine distortions", {"distortion": "affine"}),
    Rung("elastic", "elastic distortions as well", {"distortion": "elastic"}, kept=False, rounds=0),
    Rung(
        "averaged", "running mean of the weights", {"weight_averaging": 0.99}, kept=False, rounds=0
    ),
    Rung("smoothed", "label smoothing", {"label_smoothing": 0.1}),
    Rung(
        "undistorted",
        "the last fifth of the epochs without distortions",
        {"undistorted_share": 0.2},
    ),
    Rung(
        "sharper",
        f"digit logits divided by {TEMPERATURE} once trained",
        {},
        partial(networks.deep_net, _sharper),
    ),
    Rung(
        "detached",
        "the digit loss alone trains the branch",
        {},
        partial(networks.deep_net, _detached),
    ),
    Rung("long", "120 epochs", {"epochs": 120}, kept=False, fold_rounds=0),
    Rung(
        "committee",
        "180 epochs, a committee of two branches, batches of 50",
        _LONGEST,
        partial(networks.committee, _detached),
        kept=False,
        fold_rounds=0,
    ),
    Rung(
        "holes",
        "the same committee, one of the two learns with holes",
        _LONGEST,
        partial(networks.committee, _detached, holes=True),
        kept=False,
        fold_rounds=0,
    ),
)
#: The best network, within the reports' own 25 epochs; and what is best with a larger budget.
BEST, TOP = "detached", "holes"
#: Whose posteriors are recorded: near the top, and while held out, which gives the temperature. The
#: figures are of the last three; the recipes of earlier records hold it of the others.
POSTERIORS = tuple(
    f"beyond/deepnet@{name}"
    for name in (
        "smoothed",
        "sharper",
        "sharper-folds",
        "long",
        "committee",
        BEST,
        f"{BEST}-folds",
        TOP,
    )
)
#: The rungs whose branch is the twin net's subnet.
TWINS = ("foot", "standardised", "one-cycle", "sum")

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


def rung_recipes() -> dict[str, tuple[Callable[[], nn.Module], Recipe]]:
    """Return the network and the recipe of every rung by name: the kept one below it, changed."""
    build, recipe = partial(zadoks.twin_net, shared=True, auxiliary=True), _FOOT_RECIPE
    found = {}
    for rung in RUNGS:
        found[rung.name] = rung.build or build, recipe.but(**rung.change)
        if rung.kept:
            build, recipe = found[rung.name]
    return found


def id_of(rung: str) -> str:
    """Return the id of a rung's experiment."""
    return FOOT if rung == "foot" else _name(rung)


def folds_id_of(rung: str) -> str:
    """Return the id of a rung's cross-validation."""
    return f"{_name(rung)}-folds"


def _name(rung: str) -> str:
    return f"beyond/{'twinnet+ws+aux' if rung in TWINS else 'deepnet'}@{rung}"


def experiments() -> list[Experiment]:
    """Return all experiments past the reports but for those that have ids there."""
    return [*ladder(), *heads(), *by_number_of_pairs(), *oracle(), *by_stream()]


def ladder() -> list[Experiment]:
    """Return the rungs, each tested and each cross-validated."""
    twin = partial(zadoks.twin_net, shared=True, auxiliary=True)
    rows = [_folds("foot", twin, _FOOT_RECIPE, ROUNDS)]
    recipes = rung_recipes()
    for rung in RUNGS:
        build, recipe = recipes[rung.name]
        if rung.rounds:
            rows.append(_row(id_of(rung.name), build, recipe, rung.rounds, _size_of(rung)))
        if rung.fold_rounds:
            rows.append(_folds(rung.name, build, recipe, rung.fold_rounds))
    return rows


def _size_of(rung: Rung) -> Size:
    if rung.name in TWINS:
        return "beyond twin"
    return "beyond" if rung.fold_rounds else "beyond longer"


def _folds(rung: str, build: Callable[[], nn.Module], recipe: Recipe, rounds: int) -> Experiment:
    crossed = recipe.but(folds=FOLDS, precise_folds=True)
    return _row(folds_id_of(rung), build, crossed, rounds, "beyond folds")


def heads() -> list[Experiment]:
    """Return the best branch of 25 epochs with other heads."""
    _, recipe = rung_recipes()[BEST]
    rows = []
    for name, (_, head, labels) in HEADS.items():
        build = partial(networks.deep_net, head, auxiliary=labels)
        own = recipe if labels else recipe.but(auxiliary_weight=0.0, label_smoothing=0.0)
        rows.append(_row(f"beyond/deepnet@{name}", build, own, 5))
    return rows


def by_number_of_pairs() -> list[Experiment]:
    """Return the four twin nets and the best network on other numbers of training pairs."""
    rows = []
    for pairs in SIZES:
        few = pairs < 1000
        change = {"train_pairs": pairs, "epochs": 25 * 1000 // pairs if few else 25}
        for suffix, (shared, auxiliary) in CELLS.items():
            build = partial(zadoks.twin_net, shared=shared, auxiliary=auxiliary)
            recipe = _FOOT_RECIPE.but(auxiliary_weight=float(auxiliary), **change)
            size = "beyond twin" if few else "more pairs twin"
            rows.append(_row(f"beyond/twinnet{suffix}@{pairs}-pairs", build, recipe, 5, size))
        build, recipe = rung_recipes()[BEST]
        size = "fewer pairs" if few else "more pairs"
        rows.append(_row(f"beyond/deepnet@{pairs}-pairs", build, recipe.but(**change), 2, size))
    return rows


def oracle() -> list[Experiment]:
    """Return the best network on every digit of the training set, for fewer epochs."""
    build, recipe = rung_recipes()[BEST]
    recipe = recipe.but(train_pairs=ORACLE_PAIRS, epochs=ORACLE_EPOCHS)
    return [_row(ORACLE, build, recipe, 2, "more pairs")]


def by_stream() -> list[Experiment]:
    """Return three networks with one random stream varied at a time, the others those of round 0.

    What all streams together do is seen in the records of the networks themselves.
    """
    twin = partial(zadoks.twin_net, shared=False, auxiliary=False)
    both = partial(zadoks.twin_net, shared=True, auxiliary=True)
    plain = _FOOT_RECIPE.but(auxiliary_weight=0.0)
    networks_varied = (  # the fourth is the stream that the network does not draw from
        ("twinnet", twin, plain, "augment", ROUNDS, "beyond twin"),
        ("twinnet+ws+aux", both, _FOOT_RECIPE, "augment", ROUNDS, "beyond twin"),
        ("deepnet", *rung_recipes()[BEST], "dropout", 5, "beyond"),
    )
    rows = []
    for stream in STREAMS:
        for name, build, recipe, unused, rounds, size in networks_varied:
            if stream != unused:
                own = recipe.but(varies=stream)
                rows.append(_row(f"beyond/{name}@only-{stream}", build, own, rounds, size))
    return rows


def _row(
    name: str,
    build: Callable[[], nn.Module],
    recipe: Recipe,
    rounds: int,
    size: Size = "beyond",
) -> Experiment:
    recipe = recipe.but(
        curve_step=recipe.epochs // 5,  # five points of the curves
        keep_posteriors=name in POSTERIORS,
    )
    return Experiment(id=name, build=build, recipe=recipe, rounds=rounds, size=size)
