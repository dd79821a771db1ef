"""Profiles: how much of the full protocol is run."""

from digits.core import Frozen
from digits.experiment import Experiment, Size
from digits.experiments import SEARCHES
from digits.recipe import Recipe
from digits.reports import jaubert


class Limits(Frozen):
    """The most that is run of an experiment; None leaves it as the experiment has it.

    curves: whether networks that train for fewer epochs are scored after each.
    """

    rounds: int | None = None
    epochs: int | None = None
    trainings: int | None = None
    train_pairs: int | None = None
    test_pairs: int | None = None
    precise_pairs: int | None = None
    curves: bool = True


class Profile(Frozen):
    """How much of the full protocol is run.

    usual_source: the digits that this profile is meant for.
    limits: by how much work a run is.
    bf16: of which sizes runs are computed in bfloat16, where the device multiplies it itself.
    searched: the experiments whose hyper-parameters are searched (see `search`), None for all.
    """

    name: str
    usual_source: str = "sample"
    limits: dict[Size, Limits] = {}
    bf16: tuple[Size, ...] = ()
    searched: tuple[str, ...] | None = None

    def limits_of(self, experiment: Experiment) -> Limits:
        """Return the limits that hold for `experiment`."""
        return self.limits.get(experiment.size, Limits())

    def seeds(self, experiment: Experiment) -> tuple[int, ...]:
        """Return the seeds of the rounds that this profile runs of `experiment`.

        A run of several consecutive trainings stands for as many rounds of the limit.
        """
        rounds, limit = experiment.rounds, self.limits_of(experiment).rounds
        if experiment.size == "search" and self.searched is not None:
            network = experiment.id.removeprefix("search/").rpartition("@")[0]
            if network not in self.searched:
                return ()
        if limit:
            rounds = min(rounds, max(1, limit // experiment.recipe.trainings))
        return tuple(range(rounds))

    def recipe(self, experiment: Experiment) -> Recipe:
        """Return the recipe of `experiment` with no field above this profile's limit.

        Batches are no larger than the pairs that are left, and short curves have every epoch, or
        only the last.
        """
        full = experiment.recipe
        own = self.limits_of(experiment)
        limits = own.model_dump(exclude={"rounds", "curves"}, exclude_none=True)
        if not limits:
            return full
        changes = {name: min(limit, getattr(full, name)) for name, limit in limits.items()}
        pairs = changes.get("train_pairs", full.train_pairs)
        if changes.get("epochs", full.epochs) < full.epochs:
            changes["curve_step"] = 1 if own.curves else changes["epochs"]
        left = pairs - round(full.validation_share * pairs)
        return full.but(**changes, batch_size=min(full.batch_size, left))


_SMOKE = Limits(rounds=2, epochs=2, trainings=2, train_pairs=250, test_pairs=200, precise_pairs=500)
_TINY = Limits(rounds=1, epochs=1, train_pairs=10, test_pairs=10, precise_pairs=10)
_BEYOND = Limits(
    rounds=1, epochs=3, train_pairs=150, test_pairs=100, precise_pairs=500, curves=False
)
#: The sizes of the deeper branch past the reports.
_DEEP_BEYOND = ("beyond", "beyond longer", "beyond folds", "fewer pairs", "more pairs")

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            limits={
                "small": _SMOKE,
                "medium": _SMOKE,
                "large": _SMOKE.model_copy(update={"rounds": 1, "train_pairs": 120}),
                "change": _TINY.model_copy(update={"train_pairs": 120}),
                "comparison": _TINY.model_copy(update={"train_pairs": 60}),
                "search": _SMOKE,
                "deep": _TINY,
                "deep comparison": _TINY,
                "beyond twin": _TINY.model_copy(update={"rounds": 2, "train_pairs": 60}),
                "beyond": _TINY.model_copy(update={"rounds": 2}),
                "beyond longer": _TINY.model_copy(update={"rounds": 2}),
                "beyond folds": _TINY,
                "fewer pairs": _TINY,
                "more pairs twin": _TINY.model_copy(update={"train_pairs": 60}),
                "more pairs": _TINY,
            },
            searched=("jaubert/model_1+ws+aux",),
        ),
        Profile(
            name="quick",
            limits={
                "small": Limits(rounds=3, trainings=2, precise_pairs=2000),
                "medium": Limits(rounds=1, epochs=100, precise_pairs=2000),
                "large": Limits(rounds=1, epochs=3, precise_pairs=2000),
                "deep": _TINY,
                "deep comparison": _TINY,
                "change": Limits(rounds=1, precise_pairs=2000),
                "comparison": Limits(rounds=2, epochs=2, precise_pairs=2000),
                "search": Limits(epochs=1),
                "beyond twin": Limits(rounds=2, epochs=3, precise_pairs=2000, curves=False),
                "beyond": _BEYOND.model_copy(update={"rounds": 2}),
                "beyond longer": _BEYOND.model_copy(update={"epochs": 5}),
                "beyond folds": _BEYOND.model_copy(update={"train_pairs": 100}),
                "fewer pairs": Limits(rounds=1, epochs=2, test_pairs=100, precise_pairs=500),
                "more pairs twin": Limits(rounds=1, epochs=2, precise_pairs=2000, curves=False),
                "more pairs": Limits(rounds=1, epochs=1, train_pairs=2000, precise_pairs=2000),
            },
            bf16=("deep", "deep comparison", *_DEEP_BEYOND),
            searched=("jaubert/model_1+ws+aux",),
        ),
        Profile(
            name="paper",
            usual_source="mnist",
            bf16=("deep comparison", *_DEEP_BEYOND),
            searched=tuple(name for name in SEARCHES if name not in jaubert.NOT_SEARCHED),
        ),
    )
}
