"""Every figure of the study: from tidy tables to pictures. Nothing here trains or reads records.

A figure says in its caption how many rounds and epochs it shows (see `tables.scope`).
"""

from digits.output.plots.beliefs import beliefs
from digits.output.plots.curves import (
    consecutive_trainings,
    error_by_epoch,
    error_by_pairs,
    errors_by_distance,
    loss_and_accuracy,
    reliability,
    validation_curves,
)
from digits.output.plots.effects import answer, differences_forest, effects_forest
from digits.output.plots.images import balance, errors_by_digits, gallery, mean_digits, pairs_grid
from digits.output.plots.rows import (
    ablation,
    error_against_cost,
    error_boxes,
    ranking,
    rounds_with_means,
    seconds_a_round,
    spread_by_source,
    strips,
)
from digits.output.plots.style import Picture, save, show
from digits.output.plots.verdicts import published_and_ours, verdicts_at_a_glance
