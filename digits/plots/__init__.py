"""Every figure of the study: from tidy tables to pictures. Nothing here trains or reads records.

A figure says in its caption how many rounds and epochs it shows (see `tables.scope`).
"""

from digits.plots.beyond import (
    error_by_pairs,
    errors_by_digits,
    errors_by_distance,
    gallery,
    ladder,
    reliability,
    rounds_with_means,
    spread_by_stream,
)
from digits.plots.common import save
from digits.plots.comparison import (
    differences_forest,
    effects_forest,
    error_against_cost,
    error_boxes,
    ranking,
    seconds_a_round,
)
from digits.plots.exploration import balance, mean_digits, pairs_grid, strips
from digits.plots.training import (
    consecutive_trainings,
    error_by_epoch,
    loss_and_accuracy,
    validation_curves,
)
from digits.plots.verdicts import claims_at_a_glance, published_and_ours

__all__ = [
    "balance",
    "claims_at_a_glance",
    "consecutive_trainings",
    "differences_forest",
    "effects_forest",
    "error_against_cost",
    "error_boxes",
    "error_by_epoch",
    "error_by_pairs",
    "errors_by_digits",
    "errors_by_distance",
    "gallery",
    "ladder",
    "loss_and_accuracy",
    "mean_digits",
    "pairs_grid",
    "published_and_ours",
    "ranking",
    "reliability",
    "rounds_with_means",
    "save",
    "seconds_a_round",
    "spread_by_stream",
    "strips",
    "validation_curves",
]
