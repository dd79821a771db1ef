"""Every table of the study: made of experiments and records, saved as HTML, Markdown and LaTeX."""

from digits.output.tables.claims import (
    claim_table,
    criterion_table,
    deviation_table,
    verdict_counts,
)
from digits.output.tables.format import markdown, points, save, scope
from digits.output.tables.numbers import VERDICTS, agreement_table, numbers_table, tally_table
from digits.output.tables.results import (
    best_table,
    calibration_table,
    difference_table,
    effect_table,
    error_table,
    experiment_table,
    fold_table,
    gradient_table,
    limit_table,
    option_table,
    pooled_table,
    ranking_table,
    search_table,
    step_table,
    time_table,
)
