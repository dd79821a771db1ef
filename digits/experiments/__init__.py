"""The one table of experiments, one file a report: what it ran, printed and claimed."""

from digits.experiments.experiment import Experiment
from digits.experiments.registry import select
