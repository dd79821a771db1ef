"""An experiment: a network, how it is trained, how often, and what was published of it."""

from collections.abc import Callable
from typing import Literal

from pydantic import ConfigDict, Field
from torch import nn

from digits.core import Frozen
from digits.recipe import Recipe

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

#: How much work a run is: seconds, a minute, several minutes, or hours on one core; or one of
#: many: a network with one part changed, one of the common comparison, a deep one there, a setting
#: of a search; or past the reports: a twin net, a deeper one, that trained longer, the
#: cross-validation of either, a deeper one on fewer pairs, or a twin net or a deeper one that wants
#: more pairs than the sample has.
Size = Literal[
    "small",
    "medium",
    "large",
    "deep",
    "change",
    "comparison",
    "deep comparison",
    "search",
    "beyond twin",
    "beyond",
    "beyond longer",
    "beyond folds",
    "fewer pairs",
    "more pairs twin",
    "more pairs",
]


def report_of(name: str) -> str:
    """Return the short name of the report that an experiment or a design belongs to."""
    return name.removeprefix("search/").removeprefix("common/").split("/")[0]


class Published(Frozen):
    """A number of a report, as an error in per cent, whatever the report's own unit.

    quantity: which error; mean, sd: in per cent (sd None where none was given).
    n: how many independent runs the mean is over. 1 where the printed SD is not over such runs:
        kqiku's trainings of one network on end, the folds of damachi's one cross-validation,
        jaubert's trainings on one draw of pairs.
    row: the line of the report's table, or the place in its text.
    """

    quantity: Quantity
    mean: float
    sd: float | None
    n: int
    row: str


class Experiment(Frozen):
    """A network, how it is trained, how often, and what was published of it.

    id: `report/model+options@variant`; under the common protocol `common/` and that (see
        `common`), as a candidate of a search `search/`, the id and `@` with its setting.
    build: makes the network; called within the round's random stream for initial weights.
    rounds: independent rounds of the full protocol.
    published: the report's numbers for this experiment.
    reported_parameters: the count the authors gave, None where they gave none; misprinted: the
        report prints another number than its authors' program did.
    reported_seconds: of training, on the authors' machine.
    size: how much work a run is; profiles limit the larger ones more.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    id: str
    build: Callable[[], nn.Module]
    recipe: Recipe
    rounds: int = Field(ge=1)
    published: tuple[Published, ...] = ()
    reported_parameters: int | None = None
    misprinted: bool = False
    reported_seconds: float | None = None
    size: Size = "small"

    @property
    def report(self) -> str:
        """The short name of the report."""
        return report_of(self.id)

    @property
    def protocol(self) -> Literal["own", "common"]:
        """Whether this is a protocol of the report, or the common one (see `common`)."""
        return "common" if self.id.startswith("common/") else "own"

    @property
    def variant(self) -> str:
        """What follows the @, or "" for an experiment as written."""
        return self.id.partition("@")[2]

    @property
    def options(self) -> frozenset[str]:
        """The options of the network, such as {"ws", "aux"}."""
        return frozenset(self.id.partition("@")[0].split("+")[1:])


class Design(Frozen):
    """Four experiments that answer what weight sharing and the digit loss change.

    name: `report/architecture`, with the variant if there is one.
    cells: their ids: plain, weight sharing, auxiliary loss, both.
    baseline: what the networks without sharing are: "two branches" of the same shape as the
        shared one, or "one stacked net" that sees both images as channels, so that the effect of
        sharing is also that of looking at each image alone; or one that is "wider" than the
        shared branch as well.
    """

    name: str
    cells: tuple[str, str, str, str]
    baseline: Literal["two branches", "one stacked net", "one stacked net, wider"]
