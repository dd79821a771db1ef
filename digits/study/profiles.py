"""Profiles: how much of the full protocol is run."""

from digits.core import Frozen
from digits.experiments.experiment import Experiment, Tag
from digits.training.recipe import Recipe


class Limits(Frozen):
    """The most that is run of the experiments with certain tags; None leaves it as it is.

    rounds: 0 leaves them out.
    """

    tags: frozenset[Tag] = frozenset()
    rounds: int | None = None
    epochs: int | None = None
    trainings: int | None = None
    train_pairs: int | None = None
    test_pairs: int | None = None
    precise_pairs: int | None = None


class Profile(Frozen):
    """How much of the full protocol is run.

    usual_source: the digits that this profile is meant for.
    replicates: whether it runs only the reports' own networks as their texts have them. What it
        trains is a replication, shown beside the study and never in its place.
    limits: the first whose tags an experiment has is the one that counts.
    bf16: runs with all of one of these tags compute in bfloat16 where the device multiplies it.
    """

    name: str
    usual_source: str = "sample"
    replicates: bool = False
    limits: tuple[Limits, ...] = ()
    bf16: tuple[frozenset[Tag], ...] = ()

    def limits_of(self, experiment: Experiment) -> Limits:
        """Return the limits that count for `experiment`."""
        return next((own for own in self.limits if own.tags <= experiment.tags), Limits())

    def in_bf16(self, experiment: Experiment) -> bool:
        """Say whether `experiment` computes in bfloat16 where the device multiplies it."""
        return any(tags <= experiment.tags for tags in self.bf16)

    def seeds(self, experiment: Experiment) -> tuple[int, ...]:
        """Return the seeds of the rounds that this profile runs of `experiment`.

        A run of several consecutive trainings stands for as many rounds of the limit.
        """
        if self.replicates and not experiment.follows_the_text:
            return ()
        limit = self.limits_of(experiment).rounds
        if limit is None:
            return (*range(experiment.rounds), *experiment.fresh)
        if limit:
            limit = max(1, limit // experiment.recipe.trainings)
        return tuple(range(min(experiment.rounds, limit)))

    def recipe(self, experiment: Experiment) -> Recipe:
        """Return the recipe of `experiment` with no field above this profile's limit.

        Batches are no larger than the pairs that are left, and short curves have every epoch.
        """
        full, own = experiment.recipe, self.limits_of(experiment)
        limits = own.model_dump(exclude={"tags", "rounds"}, exclude_none=True)
        if not limits:
            return full
        changes = {name: min(limit, getattr(full, name)) for name, limit in limits.items()}
        pairs = changes.get("train_pairs", full.train_pairs)
        if changes.get("epochs", full.epochs) < full.epochs:
            changes["curve_step"] = 1
        left = pairs - round(full.validation_share * pairs)
        return full.but(**changes, batch_size=min(full.batch_size, left))


def _limits(*tags: Tag, of: dict | None = None, **limits) -> Limits:
    return Limits(tags=frozenset(tags), **(of or {}) | limits)


_SMOKE = dict(rounds=2, epochs=2, trainings=2, train_pairs=250, test_pairs=200, precise_pairs=500)
_TINY = dict(rounds=1, epochs=1, train_pairs=10, test_pairs=10, precise_pairs=10)
#: Beyond the reports all but the twin nets.
_DEEP_BEYOND = tuple(frozenset({tag}) for tag in ("deep branch", "longer", "folds"))

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="smoke",
            limits=(
                _limits("deep", of=_TINY),
                _limits("search", "searched always", of=_SMOKE),
                _limits("search", rounds=0),
                _limits("control", of=_TINY, train_pairs=120),
                _limits("one draw", of=_TINY, train_pairs=60),
                _limits("common", of=_TINY, train_pairs=60),
                _limits("folds", of=_TINY),
                _limits("more pairs", "twin", of=_TINY, train_pairs=60),
                _limits("twin", of=_TINY, rounds=2, train_pairs=60),
                _limits("fewer pairs", of=_TINY),
                _limits("more pairs", of=_TINY),
                _limits("beyond", of=_TINY, rounds=2),
                _limits("large", of=_SMOKE, rounds=1, train_pairs=120),
                _limits(of=_SMOKE),
            ),
        ),
        Profile(
            name="quick",
            replicates=True,
            # At its report's full length or not at all: "large" and "deep" take minutes to hours.
            limits=(_limits("deep", rounds=0), _limits("large", rounds=0), _limits(rounds=1)),
        ),
        Profile(
            name="paper",
            usual_source="mnist",
            limits=(_limits("searched never", rounds=0),),
            bf16=(frozenset({"deep"}), *_DEEP_BEYOND),
        ),
    )
}
