"""Every table of the study: made of experiments and records, saved as HTML, Markdown and LaTeX."""

from digits.tables.beyond import (
    calibration_table,
    limit_table,
    option_table,
    rung_table,
    target_table,
)
from digits.tables.networks import experiment_table, layer_table
from digits.tables.results import (
    difference_table,
    effect_table,
    error_table,
    fold_table,
    pooled_table,
    ranking_table,
    search_table,
    time_table,
)
from digits.tables.saving import markdown, save
from digits.tables.verdicts import (
    agreement_table,
    claim_table,
    finding_text,
    numbers_table,
    part_table,
    tally_table,
    verdict_counts,
)
from digits.tables.words import interval, points, scope

__all__ = [
    "agreement_table",
    "calibration_table",
    "claim_table",
    "difference_table",
    "effect_table",
    "error_table",
    "experiment_table",
    "finding_text",
    "fold_table",
    "interval",
    "layer_table",
    "limit_table",
    "markdown",
    "numbers_table",
    "option_table",
    "part_table",
    "points",
    "pooled_table",
    "ranking_table",
    "rung_table",
    "save",
    "scope",
    "search_table",
    "tally_table",
    "target_table",
    "time_table",
    "verdict_counts",
]
