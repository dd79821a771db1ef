"""From records to tidy tables: one row a run, an epoch, or a training."""

import pandas as pd

from digits.experiments import EXPERIMENTS
from digits.records import Record

#: What a row of the tidy table takes from its record as it is.
COPIED = (
    "precise_error",
    "train_digit_accuracy",
    "test_digit_accuracy",
    "train_seconds",
    "seconds",
)


def tidy(records: list[Record]) -> pd.DataFrame:
    """Make one row per record. Errors and digit accuracy in per cent, times in seconds.

    Of a run of several trainings, train_error and test_error are the means over the errors after
    each, which is how the table that this protocol comes from was averaged (kqiku, P0.1).
    """
    rows = []
    for record in records:
        experiment = EXPERIMENTS[record.experiment]
        row = {
            "experiment": record.experiment,
            "report": experiment.report,
            "architecture": experiment.architecture,
            "ws": "ws" in experiment.options,
            "aux": "aux" in experiment.options,
            "variant": experiment.variant,
            "seed": record.seed,
            "parameters": record.parameters,
            "source": record.source,
            "epochs": record.recipe.epochs,
            "trainings": record.recipe.trainings,
            "train_pairs": record.recipe.train_pairs,
        }
        for error in ("train_error", "test_error"):
            after_each = record.after_each_training(error)
            row[error] = sum(after_each) / len(after_each)
        row |= {name: getattr(record, name) for name in COPIED}
        rows.append(row)
    return pd.DataFrame(rows).astype({"train_digit_accuracy": float, "test_digit_accuracy": float})


def curves(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and epoch: experiment, seed, epoch from 1, and every curve."""
    return pd.concat(
        (
            pd.DataFrame(record.curves.model_dump()).assign(
                experiment=record.experiment,
                seed=record.seed,
                epoch=range(1, len(record.curves.objective) + 1),
            )
            for record in records
        ),
        ignore_index=True,
    )


def stages(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and consecutive training: experiment, seed, training, two errors."""
    return pd.concat(
        (
            pd.DataFrame(
                {
                    "experiment": record.experiment,
                    "seed": record.seed,
                    "training": range(1, record.recipe.trainings + 1),
                    "train_error": record.after_each_training("train_error"),
                    "test_error": record.after_each_training("test_error"),
                }
            )
            for record in records
        ),
        ignore_index=True,
    )
