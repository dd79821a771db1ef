"""Every figure of the study: from tidy tables to pictures. Nothing here trains or reads records.

A figure says in its caption how many rounds and epochs it shows (see `tables.scope`).
"""

from digits.plots.common import save
from digits.plots.comparison import (
    differences_forest,
    effects_forest,
    error_boxes,
    seconds_a_round,
)
from digits.plots.exploration import balance, mean_digits, pairs_grid, strips
from digits.plots.training import (
    consecutive_trainings,
    error_by_epoch,
    loss_and_accuracy,
    validation_curves,
)

__all__ = [
    "balance",
    "consecutive_trainings",
    "differences_forest",
    "effects_forest",
    "error_boxes",
    "error_by_epoch",
    "loss_and_accuracy",
    "mean_digits",
    "pairs_grid",
    "save",
    "seconds_a_round",
    "strips",
    "validation_curves",
]
