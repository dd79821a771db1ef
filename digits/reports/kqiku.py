"""Kqiku, Soydinc, Noguerón: eight networks as written, as published, and repaired."""

from functools import partial

from digits.experiment import Experiment, Published
from digits.models import kqiku as networks
from digits.recipe import Recipe
from digits.reports.rows import design, two_by_two


def experiments() -> list[Experiment]:
    """Kqiku et al., table of section "Results" and published code (batch 100, order fixed).

    Four sets. As written: independent rounds, auxiliary loss on. @published: what the code did,
    ten trainings of one network without a reset and without the auxiliary loss; it gave both the
    plain and the "+aux" rows of the table, which therefore stand at one experiment. @repaired:
    the code's networks and order with these two slips mended. @no-final-relu: as written, but
    for the ReLU on the two logits.
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
    sets = {"as written": [], "@published": [], "@repaired": [], "@no-final-relu": []}
    for name, as_listed, in_code, count in (
        ("fcc", networks.fcc, networks.published_fcc, 483_618),
        ("cnn", networks.cnn, networks.published_cnn, 135_480),
    ):
        model = f"kqiku/{name}"
        published = {row.removeprefix(name): numbers[row] for row in table if row.startswith(name)}
        sets["as written"] += two_by_two(model, as_listed, written, 10, published=published)
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
        sets["@repaired"] += two_by_two(
            model,
            in_code,
            as_coded,
            10,
            variant="@repaired",
            published=published,
            reported=lambda shared, count=count: count,
            size="change",
        )
        sets["@no-final-relu"] += two_by_two(
            model,
            partial(as_listed, final_relu=False),
            written,
            10,
            variant="@no-final-relu",
            size="change",
        )
    return [experiment for experiments in sets.values() for experiment in experiments]


DESIGNS = [
    design(f"kqiku/{name}", variant) for variant in ("", "@repaired") for name in ("fcc", "cnn")
]
