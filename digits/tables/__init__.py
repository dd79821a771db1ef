"""Every table of the study: made of experiments and records, saved as HTML, Markdown and LaTeX."""

from digits.tables.networks import experiment_table, layer_table, published_numbers
from digits.tables.results import (
    agreement_table,
    difference_table,
    effect_table,
    error_table,
    fold_table,
    search_table,
    time_table,
)
from digits.tables.saving import markdown, save
from digits.tables.words import points, scope

__all__ = [
    "agreement_table",
    "difference_table",
    "effect_table",
    "error_table",
    "experiment_table",
    "fold_table",
    "layer_table",
    "markdown",
    "points",
    "published_numbers",
    "save",
    "scope",
    "search_table",
    "time_table",
]
