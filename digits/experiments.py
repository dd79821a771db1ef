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
    n: how many runs the report says the mean is over.
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
    """How much of the full protocol is run; None leaves it as the experiment has it."""

    name: str
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
        Profile(name="paper"),
    )
}

#: The 2x2 design that the reports have in common: (id suffix, weight sharing, auxiliary loss).
FOUR_VARIANTS = (
    ("", False, False),
    ("+ws", True, False),
    ("+aux", False, True),
    ("+ws+aux", True, True),
)


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

    def published(*rows: str) -> tuple[Published, ...]:
        return tuple(
            Published(quantity=quantity, mean=float(mean), sd=float(sd), n=10, row=row)
            for row in rows
            for quantity, mean, sd in (
                ("train_error", *table[row][:2]),
                ("test_error", *table[row][2:]),
            )
        )

    written = Recipe(epochs=25, batch_size=100, learning_rate=0.01)
    as_coded = written.but(order="fixed")
    networks = {
        "fcc": (kqiku.fcc, kqiku.published_fcc, 483_618),
        "cnn": (kqiku.cnn, kqiku.published_cnn, 135_480),
    }
    experiments = []
    for name, (build, build_published, published_count) in networks.items():
        for suffix, shared, auxiliary in FOUR_VARIANTS:
            weight = {"auxiliary_weight": 1.0} if auxiliary else {}
            experiments += [
                Experiment(
                    id=f"kqiku/{name}{suffix}",
                    build=partial(build, shared=shared, auxiliary=auxiliary),
                    recipe=written.but(**weight),
                    rounds=10,
                    published=published(name + suffix),
                ),
                Experiment(
                    id=f"kqiku/{name}{suffix}@repaired",
                    build=partial(build_published, shared=shared, auxiliary=auxiliary),
                    recipe=as_coded.but(**weight),
                    rounds=10,
                    published=published(name + suffix),
                    reported_parameters=published_count,
                ),
            ]
            if not auxiliary:
                experiments.append(
                    Experiment(
                        id=f"kqiku/{name}{suffix}@published",
                        build=partial(build_published, shared=shared, auxiliary=False),
                        recipe=as_coded.but(trainings=10),
                        rounds=10,
                        published=published(name + suffix, f"{name}{suffix}+aux"),
                        reported_parameters=published_count,
                    )
                )
    return experiments


def _zadoks() -> list[Experiment]:
    """Zadoks: as written (batch 25, 16 rounds) and as published (ReLU, batch 128, 32 rounds).

    One number: 95.22 +- 0.62 % test accuracy of the net with both options.
    """
    number = Published(
        quantity="test_error", mean=4.78, sd=0.62, n=16, row="abstract: 95.22 +- 0.62 % accuracy"
    )
    written = Recipe(epochs=25, batch_size=25, learning_rate=0.01)
    as_coded = written.but(batch_size=128, order="fixed")
    experiments = []
    for suffix, shared, auxiliary in FOUR_VARIANTS:
        weight = {"auxiliary_weight": 1.0} if auxiliary else {}
        published = (number,) if shared and auxiliary else ()
        for variant, recipe, relu, rounds in (
            ("", written, False, 16),
            ("@published", as_coded, True, 32),
        ):
            experiments.append(
                Experiment(
                    id=f"zadoks/twinnet{suffix}{variant}",
                    build=partial(zadoks.twin_net, shared=shared, auxiliary=auxiliary, relu=relu),
                    recipe=recipe.but(**weight),
                    rounds=rounds,
                    published=published,
                    reported_parameters=9_574 if shared else 18_896,
                )
            )
    return experiments


EXPERIMENTS = {experiment.id: experiment for experiment in (*_kqiku(), *_zadoks())}
REPORTS = tuple(dict.fromkeys(experiment.report for experiment in EXPERIMENTS.values()))


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
