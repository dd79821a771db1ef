"""An experiment: a network, how it is trained, how often, and what was published of it."""

from collections.abc import Callable
from functools import partial
from itertools import product
from typing import Literal, NamedTuple

from pydantic import ConfigDict, Field
from torch import nn

from digits.core import Frozen
from digits.training.recipe import Recipe

Quantity = Literal[
    "train_error",
    "validation_error",
    "test_error",
    "fold_error",
    "fold_median",
    "digit_error",
    "test_error_training_mode",
    "fold_error_training_mode",
    "fold_median_training_mode",
]

#: What a printed mean and SD are over: independent rounds; or they are one draw of what a protocol
#: gives: a single run, the folds of one cross-validation, the trainings of one network in a row,
#: the trainings of new networks on one draw of pairs.
Kind = Literal["rounds", "run", "folds", "trainings in a row", "trainings on one draw"]

#: The four cells of a 2x2 design by what follows the model in their ids, and their options:
#: weight sharing and a digit loss.
CELLS = {"": (), "+ws": ("ws",), "+aux": ("aux",), "+ws+aux": ("ws", "aux")}

#: What a profile may treat alike. By cost: several minutes, or hours on one core ("deep": twenty
#: convolutions or more); by kind: a network with one part changed, trainings on one draw of pairs,
#: the common protocol, a candidate of a search; beyond the reports, with the branch of the twin net
#: or a deeper one, more epochs, cross-validation, fewer pairs, or more than the sample's.
Tag = Literal[
    *("large", "deep"),
    *("control", "one draw", "common", "search", "searched always", "searched never"),
    *("beyond", "twin", "deep branch", "longer", "folds", "fewer pairs", "more pairs"),
]


def margin_of(quantity: str, mean: float) -> float:
    """Return how far, in percentage points, an error may be from a printed one and equal it.

    quantity: which error; mean: the printed one, in per cent. A point; half a point for train
    errors; a fifth of a printed error below 5 %, but at least a quarter of a point.
    """
    if quantity == "train_error":
        return 0.5
    return 1.0 if mean >= 5 else max(0.25, mean / 5)


class Published(Frozen):
    """A number of a report, as an error in per cent, whatever the report's own unit.

    quantity: which error; mean, sd: in per cent (sd None where none was given).
    n: how many values the mean and the SD are over; kind: of what.
    row: the line of the report's table, or the place in its text. about: how far it may be from
        the mean, where the text says "about".
    """

    quantity: Quantity
    mean: float
    sd: float | None = None
    n: int = 1
    kind: Kind = "rounds"
    row: str
    about: float = 0.0

    @property
    def margin(self) -> float:
        """How far an error may be from this one and equal it (see `margin_of`)."""
        return margin_of(self.quantity, self.mean)


class Experiment(Frozen):
    """A network, how it is trained, how often, and what was published of it.

    report: the short name of the report, or "beyond".
    model, options, variant: the network, such as "fcc", ("ws", "aux"), "published".
    protocol: the report's own, or the common one (see `common`).
    setting: of a candidate of a search, such as "adam-0.001-50"; "" otherwise.
    build: makes the network; called within the round's random stream for initial weights.
    rounds: independent rounds of the full protocol, 0 and on; fresh: further ones, on which nothing
        was chosen.
    published: the report's numbers for this experiment.
    reported_parameters: the count the authors gave, None where they gave none; counted: whether
        it is printed in the report, is printed there as another number than their program gave,
        or is the program's alone.
    as_coded: whether the authors' code has this network, where no variant follows the code.
    reported_seconds: of training, on the authors' machine.
    tags: what a profile goes by.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    report: str
    model: str
    options: tuple[str, ...] = ()
    variant: str = ""
    protocol: Literal["own", "common"] = "own"
    setting: str = ""
    build: Callable[[], nn.Module]
    recipe: Recipe
    rounds: int = Field(ge=1)
    fresh: tuple[int, ...] = ()
    published: tuple[Published, ...] = ()
    reported_parameters: int | None = None
    counted: Literal["printed", "misprinted", "by the code"] = "printed"
    as_coded: bool = True
    reported_seconds: float | None = None
    tags: frozenset[Tag] = frozenset()

    @property
    def cell(self) -> str:
        """The model with its options, such as "fcc+ws"."""
        return "+".join((self.model, *self.options))

    @property
    def name(self) -> str:
        """The network without its report, such as "fcc+ws@published"."""
        return f"{self.cell}@{self.variant}" if self.variant else self.cell

    @property
    def network(self) -> str:
        """The network, whatever the protocol, such as "kqiku/fcc+ws@published"."""
        return f"{self.report}/{self.name}"

    @property
    def searched(self) -> str:
        """The id without the setting: the experiment that a candidate is searched for."""
        return self.network if self.protocol == "own" else f"{self.protocol}/{self.network}"

    @property
    def id(self) -> str:
        """What records and files are called by: `report/model+options@variant`.

        Under the common protocol `common/` and that; for a candidate of a search `search/`, the
        id of the experiment, and `@` with the setting.
        """
        return f"search/{self.searched}@{self.setting}" if self.setting else self.searched

    @property
    def follows_the_text(self) -> bool:
        """Whether it is a network of a report, trained as the report's text has it."""
        changed = self.variant or self.setting or self.protocol != "own"
        return not changed and self.report != "beyond"

    @property
    def on_request(self) -> str:
        """What a pattern must begin with to find this experiment, "" for nothing."""
        return "search/" if self.setting else "beyond/" if self.report == "beyond" else ""


def named(report: str, cell: str, variant: str = "") -> dict:
    """Return the fields that name an experiment; cell: the model with its options, "fcc+ws"."""
    model, *options = cell.split("+")
    return {"report": report, "model": model, "options": tuple(options), "variant": variant}


class Design(Frozen):
    """Four experiments that answer what weight sharing and the digit loss change.

    report, model, variant, protocol: of its experiments.
    cells: their ids: plain, weight sharing, auxiliary loss, both.
    baseline: what the networks without sharing are: "two branches" of the same shape as the
        shared one, or "one stacked net" that sees both images as channels, so that the effect of
        sharing is also that of looking at each image alone; or one that is "wider" than the
        shared branch as well.
    """

    report: str
    model: str
    variant: str = ""
    protocol: Literal["own", "common"] = "own"
    cells: tuple[str, str, str, str]
    baseline: Literal["two branches", "one stacked net", "one stacked net, wider"]

    @property
    def network(self) -> str:
        """The networks that it compares, whatever the protocol, such as "kqiku/fcc"."""
        return f"{self.report}/{self.model}" + (f"@{self.variant}" if self.variant else "")

    @property
    def name(self) -> str:
        """What tables call it: the networks, after `common/` under the common protocol."""
        return self.network if self.protocol == "own" else f"{self.protocol}/{self.network}"


def two_by_two(
    report: str,
    model: str,
    build: Callable[..., nn.Module],
    recipe: Recipe,
    rounds: int,
    *,
    variant: str = "",
    published: dict[str, tuple[Published, ...]] | None = None,
    reported: Callable[[bool], int | None] = lambda shared: None,
    tags: frozenset[Tag] = frozenset(),
) -> list[Experiment]:
    """Make the four experiments of a two-branch net: weight sharing x auxiliary loss.

    build: takes `shared` and `auxiliary`. published: the report's numbers by the key of `CELLS`;
    reported: the count that its code gives, with and without sharing. The auxiliary loss has
    weight 1.
    """
    return [
        Experiment(
            report=report,
            model=model,
            options=options,
            variant=variant,
            build=partial(build, shared="ws" in options, auxiliary="aux" in options),
            recipe=recipe.but(auxiliary_weight=1.0) if "aux" in options else recipe,
            rounds=rounds,
            published=(published or {}).get(cell, ()),
            reported_parameters=reported("ws" in options),
            counted="by the code",
            tags=tags,
        )
        for cell, options in CELLS.items()
    ]


def design_of(experiments: list[Experiment]) -> Design:
    """Return the design of the four experiments that `two_by_two` makes."""
    first = experiments[0]
    return Design(
        report=first.report,
        model=first.model,
        variant=first.variant,
        cells=tuple(experiment.id for experiment in experiments),
        baseline="two branches",
    )


FOLDS = 5  # of a search for hyper-parameters
#: Optimiser, learning rate and batch size of each setting.
Grid = tuple[tuple[str, float, int], ...]


class Search(NamedTuple):
    """A search for the hyper-parameters of an experiment: every setting of a grid, by folds.

    Each is trained by 5-fold cross-validation on the training pairs of some rounds, and the
    setting with the lowest mean error on the held-out folds is chosen. No test pair has a say. (A
    sixth network is trained on all pairs, as in every run, and not used.)

    in_use: whether our runs have the chosen rate; else it is shown beside the authors' own choice.
    """

    experiment: Experiment
    settings: Grid
    tags: frozenset[Tag] = frozenset()
    rounds: int = 1
    in_use: bool = True


def grid(optimizers: dict[str, tuple[float, ...]], batch_sizes: tuple[int, ...]) -> Grid:
    """Return every setting of some learning rates by optimiser, and of some batch sizes."""
    rates = [(name, rate) for name, rates in optimizers.items() for rate in rates]
    return tuple((*optimizer, size) for optimizer, size in product(rates, batch_sizes))


def candidates(search: Search) -> list[Experiment]:
    """Return one experiment per setting: the network of the search, cross-validated."""
    own = search.experiment
    recipes = [
        own.recipe.but(
            optimizer=optimizer,
            learning_rate=rate,
            batch_size=batch_size,
            folds=FOLDS,
            curve_step=own.recipe.epochs,  # one point: only the folds count
            precise_pairs=1000,
        )
        for optimizer, rate, batch_size in search.settings
    ]
    return [
        Experiment(
            **{name: getattr(own, name) for name in ("report", "model", "options", "variant")},
            protocol=own.protocol,
            setting=setting_of(recipe),
            build=own.build,
            recipe=recipe,
            rounds=search.rounds,
            tags=search.tags | {"search"},
        )
        for recipe in recipes
    ]


def setting_of(recipe: Recipe) -> str:
    """Return how a setting is written in an id, such as "adam-0.001-50"."""
    return f"{recipe.optimizer}-{recipe.learning_rate:g}-{recipe.batch_size}"
