"""How rows that several reports have in common are written."""

from collections.abc import Callable
from functools import partial

from torch import nn

from digits.experiment import Design, Experiment, Published, Size
from digits.recipe import Recipe

#: The cells of the 2x2 design by suffix: weight sharing, auxiliary loss.
CELLS = {
    "": (False, False),
    "+ws": (True, False),
    "+aux": (False, True),
    "+ws+aux": (True, True),
}


def two_by_two(
    model: str,
    build: Callable[..., nn.Module],
    recipe: Recipe,
    rounds: int,
    *,
    variant: str = "",
    published: dict[str, tuple[Published, ...]] | None = None,
    reported: Callable[[bool], int | None] = lambda shared: None,
    size: Size = "small",
) -> list[Experiment]:
    """Make the four experiments of a two-branch net: weight sharing x auxiliary loss.

    build: takes `shared` and `auxiliary`. published: the report's numbers by suffix, "" to
    "+ws+aux"; reported: the count it gives for a shared and for an unshared network. The
    auxiliary loss has weight 1.
    """
    return [
        Experiment(
            id=model + suffix + variant,
            build=partial(build, shared=shared, auxiliary=auxiliary),
            recipe=recipe.but(auxiliary_weight=1.0) if auxiliary else recipe,
            rounds=rounds,
            published=(published or {}).get(suffix, ()),
            reported_parameters=reported(shared),
            size=size,
        )
        for suffix, (shared, auxiliary) in CELLS.items()
    ]


def design(model: str, variant: str = "") -> Design:
    """Return the design of the four experiments that `two_by_two` makes."""
    return Design(
        name=model + variant,
        cells=tuple(model + suffix + variant for suffix in CELLS),
        baseline="two branches",
    )
