"""Zadoks: the twin net as written and as published."""

from functools import partial

from digits.experiment import Experiment, Published
from digits.models import zadoks as networks
from digits.recipe import Recipe
from digits.reports.rows import design, two_by_two


def experiments() -> list[Experiment]:
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
        *two_by_two("zadoks/twinnet", networks.twin_net, written, 16, **common),
        *two_by_two(
            "zadoks/twinnet",
            partial(networks.twin_net, relu=True),
            written.but(batch_size=128, order="fixed"),
            32,
            variant="@published",
            **common,
        ),
    ]


DESIGNS = [design("zadoks/twinnet"), design("zadoks/twinnet", "@published")]
