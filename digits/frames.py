"""From records to tidy tables: one row a run, an epoch, or a training."""

import numpy as np
import pandas as pd

from digits.experiments import experiment_of
from digits.recipe import Recipe
from digits.records import Record

#: What only some protocols measure.
NOT_IN_ALL = (
    "train_digit_accuracy",
    "test_digit_accuracy",
    "validation_error",
    "kept_epoch",
    "test_error_training_mode",
    "fold_error",
    "fold_error_training_mode",
)
#: What a row of the tidy table takes from its record as it is.
COPIED = (
    *("train_error", "test_error", "precise_error", "train_seconds", "seconds"),
    *(name for name in NOT_IN_ALL if not name.startswith("fold_error")),
)


def tidy(records: list[Record]) -> pd.DataFrame:
    """Make one row per record. Errors and digit accuracy in per cent, times in seconds.

    shortened: the run had fewer epochs, trainings or training pairs than its report has.

    Of a run of several trainings, train_error and test_error are the means over the errors after
    each, which is how the table that this protocol comes from was averaged (kqiku). Of a
    cross-validation, fold_error is the mean over its folds (see `folds`).
    """
    rows = []
    for record in records:
        experiment = experiment_of(record.experiment)
        row = {
            "experiment": record.experiment,
            "report": experiment.report,
            "variant": experiment.variant,
            "protocol": experiment.protocol,
            "seed": record.seed,
            "parameters": record.parameters,
            "source": record.source,
            "epochs": record.recipe.epochs,
            "trainings": record.recipe.trainings,
            "train_pairs": record.recipe.train_pairs,
            "shortened": _shortened(record.recipe, experiment.recipe),
        }
        row |= {name: getattr(record, name) for name in COPIED}
        if record.recipe.trainings > 1:
            for error in ("train_error", "test_error"):
                row[error] = np.mean(record.after_each_training(error))
        for name in ("fold_error", "fold_error_training_mode"):
            folds = getattr(record, name.replace("fold_error", "fold_errors"))
            row[name] = None if folds is None else np.mean(folds)
        rows.append(row)
    return pd.DataFrame(rows).astype({name: float for name in NOT_IN_ALL})


def unshortened(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of full length, which can be compared; all, if none is of full length."""
    return frame if frame.shortened.all() else frame[~frame.shortened]


def _shortened(recipe: Recipe, full: Recipe) -> bool:
    """Say whether a run had fewer epochs, trainings or training pairs than its report has."""
    counted = ("epochs", "trainings", "train_pairs")
    return any(getattr(recipe, name) < getattr(full, name) for name in counted)


def curves(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and point of its curves: experiment, seed, epoch, every curve."""
    tables = []
    for record in records:
        step = record.recipe.curve_step
        table = pd.DataFrame(record.curves.model_dump(exclude_none=True)).assign(
            experiment=record.experiment, seed=record.seed
        )
        tables.append(table.assign(epoch=range(step, step * len(table) + 1, step)))
    return pd.concat(tables, ignore_index=True)


def folds(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and fold: experiment, seed, fold from 1, and both fold errors."""
    rows = []
    for record in records:
        noisy = record.fold_errors_training_mode or [np.nan] * len(record.fold_errors)
        for fold, errors in enumerate(zip(record.fold_errors, noisy, strict=True), start=1):
            rows.append((record.experiment, record.seed, fold, *errors))
    columns = ["experiment", "seed", "fold", "fold_error", "fold_error_training_mode"]
    return pd.DataFrame(rows, columns=columns)


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
