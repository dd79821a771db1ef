"""Zadoks: the twin net as written and as published, and what its layers are worth."""

from functools import partial

from torch import nn

from digits.experiment import Experiment, Published
from digits.models import zadoks as networks
from digits.recipe import Recipe
from digits.reports.rows import design, two_by_two

#: What the report says of tanh, dropout and batch norm, one change each.
CHANGES = {
    "tanh": {"activation": nn.Tanh},
    "no-dropout": {"dropout": 0.0},
    "no-batch-norm": {"batch_norm": False},
}


def experiments() -> list[Experiment]:
    """Zadoks: as written (batch 25, 16 rounds), as published (ReLU, batch 128, 32 rounds), changed.

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
    return [
        *two_by_two("zadoks/twinnet", networks.twin_net, written, 16, published=published),
        *two_by_two(
            "zadoks/twinnet",
            partial(networks.twin_net, relu=True),
            written.but(batch_size=128, order="fixed"),
            32,
            variant="@published",
            published=published,
            reported=lambda shared: 9_574 if shared else 18_896,
        ),
        *(
            experiment
            for variant, change in CHANGES.items()
            for experiment in two_by_two(
                "zadoks/twinnet",
                partial(networks.twin_net, **change),
                written,
                16,
                variant=f"@{variant}",
                size="change",
            )
            if experiment.options in (set(), {"ws", "aux"})
        ),
    ]


DESIGNS = [design("zadoks/twinnet"), design("zadoks/twinnet", "@published")]
