"""What the records show: statistics, verdicts on numbers and claims, errors pair by pair."""

from digits.analysis.effects import factorial_effects
from digits.analysis.statistics import paired_differences, summarise
