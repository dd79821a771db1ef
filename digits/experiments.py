"""The one table of experiments: which network, which recipe, and what the report published.

Everything reads it: run_all.py, the notebooks, the tests and the README's table. An id reads
`report/model+options@variant`: `+ws` weight sharing, `+aux` auxiliary loss; without a variant it
is the network and the protocol as the report writes them.
"""

from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import partial
from typing import Literal

from pydantic import ConfigDict, Field
from torch import nn

from digits.errors import InputError
from digits.models import kqiku, zadoks
from digits.recipe import Recipe, Value


class Published(Value):
    """A number of a report, as an error in per cent, whatever the report's own unit.

    quantity: which error; mean, sd: in per cent (sd None where none was given).
    n: how many independent runs the mean is over; 1 for kqiku's chains of one network, whose
        printed SD is over the trainings of that network.
    row: the line of the report's table, or the place in its text.
    """

    quantity: Literal["train_error", "test_error"]
    mean: float
    sd: float | None
    n: int
    row: str


class Experiment(Value):
    """A network, how it is trained, how often, and what was published of it.

    id: `report/model+options@variant`.
    build: makes the network; called within the round's random stream for initial weights.
    rounds: independent rounds of the full protocol.
    published: the report's numbers for this experiment.
    reported_parameters: the count the authors gave, None where they gave none.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: str
    build: Callable[[], nn.Module]
    recipe: Recipe
    rounds: int = Field(ge=1)
    published: tuple[Published, ...] = ()
    reported_parameters: int | None = None

    @property
    def report(self) -> str:
        """The short name of the report."""
        return self.id.split("/")[0]

    @property
    def variant(self) -> str:
        """What follows the @, or "" for an experiment as written."""
        return self.id.partition("@")[2]

    @property
    def options(self) -> frozenset[str]:
        """The options of the network, such as {"ws", "aux"}."""
        return frozenset(self.id.partition("@")[0].split("+")[1:])

    @property
    def architecture(self) -> str:
        """The id without its options: what the variants of one 2x2 design have in common."""
        base, _, variant = self.id.partition("@")
        return base.split("+")[0] + (f"@{variant}" if variant else "")


class Profile(Value):
    """How much of the full protocol is run; None leaves it as the experiment has it.

    usual_source: the digits that this profile is meant for.
    """

    name: str
    usual_source: str = "sample"
    rounds: int | None = None
    epochs: int | None = None
    trainings: int | None = None
    train_pairs: int | None = None
    test_pairs: int | None = None
    precise_pairs: int | None = None

    def seeds(self, experiment: Experiment) -> tuple[int, ...]:
        """Return the seeds of the rounds that this profile runs of `experiment`.

        A run of several consecutive trainings stands for as many rounds of the limit.
        """
        rounds = experiment.rounds
        if self.rounds:
            rounds = min(rounds, max(1, self.rounds // experiment.recipe.trainings))
        return tuple(range(rounds))

    def recipe(self, experiment: Experiment) -> Recipe:
        """Return the recipe of `experiment` with no field above this profile's limit."""
        recipe = experiment.recipe
        limits = {name: getattr(self, name) for name in Recipe.model_fields if hasattr(self, name)}
        return recipe.but(
            **{name: min(limit, getattr(recipe, name)) for name, limit in limits.items() if limit}
        )


PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            rounds=2,
            epochs=2,
            trainings=2,
            train_pairs=250,
            test_pairs=200,
            precise_pairs=500,
        ),
        Profile(name="quick", rounds=3),
        Profile(name="paper", usual_source="mnist"),
    )
}


def _two_by_two(
    model: str,
    build: Callable[..., nn.Module],
    recipe: Recipe,
    rounds: int,
    *,
    variant: str = "",
    published: dict[str, tuple[Published, ...]],
    reported: Callable[[bool], int | None] = lambda shared: None,
) -> list[Experiment]:
    """Make the four experiments that the reports have in common: weight sharing x auxiliary loss.

    published: the report's numbers by suffix, "" to "+ws+aux"; reported: the count it gives for a
    shared and for an unshared network. The auxiliary loss has weight 1, as in both reports' code.
    """
    return [
        Experiment(
            id=model + suffix + variant,
            build=partial(build, shared=shared, auxiliary=auxiliary),
            recipe=recipe.but(auxiliary_weight=1.0) if auxiliary else recipe,
            rounds=rounds,
            published=published.get(suffix, ()),
            reported_parameters=reported(shared),
        )
        for suffix, shared, auxiliary in (
            ("", False, False),
            ("+ws", True, False),
            ("+aux", False, True),
            ("+ws+aux", True, True),
        )
    ]


def _kqiku() -> list[Experiment]:
    """Kqiku et al., table of section "Results" and published code (batch 100, order fixed).

    Three sets. As written: independent rounds, auxiliary loss on. @published: what the code did,
    ten trainings of one network without a reset and without the auxiliary loss; it gave both the
    plain and the "+aux" rows of the table, which therefore stand at one experiment. @repaired:
    the code's networks and order with these two slips mended.
    """
    table = {  # row: train mean, train SD, test mean, test SD; error in %, n = 10
        "fcc": (0.17, 0.4, 17.45, 0.82),
        "fcc+ws": (0.06, 0.13, 13.84, 0.67),
        "fcc+aux": (0.08, 0.22, 18.11, 1.06),
        "fcc+ws+aux": (0.02, 0.06, 13.94, 0.76),
        "cnn": (1.65, 1.85, 15.10, 0.95),
        "cnn+ws": (2.45, 0.98, 14.10, 1.18),
        "cnn+aux": (2.9, 4.02, 15.6, 2.25),
        "cnn+ws+aux": (2.53, 1.58, 12.8, 1.72),
    }
    numbers = {
        row: (
            Published(quantity="train_error", mean=train, sd=train_sd, n=10, row=row),
            Published(quantity="test_error", mean=test, sd=test_sd, n=10, row=row),
        )
        for row, (train, train_sd, test, test_sd) in table.items()
    }
    written = Recipe(epochs=25, batch_size=100, learning_rate=0.01)
    as_coded = written.but(order="fixed")
    sets = {"as written": [], "@published": [], "@repaired": []}
    for name, as_listed, in_code, count in (
        ("fcc", kqiku.fcc, kqiku.published_fcc, 483_618),
        ("cnn", kqiku.cnn, kqiku.published_cnn, 135_480),
    ):
        model = f"kqiku/{name}"
        published = {row.removeprefix(name): numbers[row] for row in table if row.startswith(name)}
        sets["as written"] += _two_by_two(model, as_listed, written, 10, published=published)
        sets["@published"] += [
            Experiment(
                id=f"{model}{suffix}@published",
                build=partial(in_code, shared=bool(suffix), auxiliary=False),
                recipe=as_coded.but(trainings=10),
                rounds=10,
                published=tuple(
                    Published(**number.model_dump() | {"n": 1})
                    for number in published[suffix] + published[f"{suffix}+aux"]
                ),
                reported_parameters=count,
            )
            for suffix in ("", "+ws")
        ]
        sets["@repaired"] += _two_by_two(
            model,
            in_code,
            as_coded,
            10,
            variant="@repaired",
            published=published,
            reported=lambda shared, count=count: count,
        )
    return [experiment for experiments in sets.values() for experiment in experiments]


def _zadoks() -> list[Experiment]:
    """Zadoks: as written (batch 25, 16 rounds) and as published (ReLU, batch 128, 32 rounds).

    One number: 95.22 +- 0.62 % test accuracy of the net with both options. The counts are the
    subnet's 9322 and the comparison's 252 of the author's final report.
    """
    published = {
        "+ws+aux": (
            Published(
                quantity="test_error",
                mean=4.78,
                sd=0.62,
                n=16,
                row="abstract",
            ),
        )
    }
    written = Recipe(epochs=25, batch_size=25, learning_rate=0.01)
    common = {"published": published, "reported": lambda shared: 9_574 if shared else 18_896}
    return [
        *_two_by_two("zadoks/twinnet", zadoks.twin_net, written, 16, **common),
        *_two_by_two(
            "zadoks/twinnet",
            partial(zadoks.twin_net, relu=True),
            written.but(batch_size=128, order="fixed"),
            32,
            variant="@published",
            **common,
        ),
    ]


EXPERIMENTS = {experiment.id: experiment for experiment in (*_kqiku(), *_zadoks())}


def select(*patterns: str) -> list[Experiment]:
    """Return the experiments whose ids match any pattern, such as "kqiku/*" or a whole id.

    Raises `InputError` for a pattern that matches none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in EXPERIMENTS):
            raise InputError(
                f"no experiment is called {pattern!r}: `python -m digits` lists them all."
            )
    return [
        experiment
        for name, experiment in EXPERIMENTS.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
