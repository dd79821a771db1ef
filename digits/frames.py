"""From records to tidy tables: one row a run, an epoch, or a training."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from digits.experiments import experiment_of
from digits.models.blocks import flops_a_pair, shares_weights
from digits.recipe import Recipe
from digits.records import Failure, Record

#: What only some protocols measure.
NOT_IN_ALL = (
    "train_digit_accuracy",
    "test_digit_accuracy",
    "validation_error",
    "kept_epoch",
    "test_error_training_mode",
)
#: What a row of the tidy table takes from its record as it is.
COPIED = (
    *("train_error", "test_error", "precise_error", "train_seconds", "seconds"),
    *NOT_IN_ALL,
)


def tidy(records: list[Record], diverged: Sequence[Failure] = ()) -> pd.DataFrame:
    """Make one row per record. Errors and digit accuracy in per cent, times in seconds.

    diverged: the runs that have none, which the table keeps in mind (see `words.scope`).

    shortened: the run had fewer epochs, trainings or training pairs than its report has.
    shared: both images pass one branch; auxiliary: a loss on the digits is trained;
    training_gflop: billions of floating-point operations of the training steps.

    Of a run of several trainings, train_error and test_error are the means over the errors after
    each, which is how the table that this protocol comes from was averaged (kqiku). Of a
    cross-validation, fold_errors are those of its folds (see `folds`), fold_error their mean,
    fold_median their median and fold_sd their population SD; precise_fold_errors those on many
    pairs of each fold, if it was asked for.

    What claims are about, made of these: gap, the test error minus the train error; digit_error,
    of single digits; and of the curves what `_course` gives.
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
            "precision": record.precision,
            "epochs": record.recipe.epochs,
            "trainings": record.recipe.trainings,
            "train_pairs": record.recipe.train_pairs,
            "precise_pairs": record.recipe.precise_pairs,
            "learning_rate": record.recipe.learning_rate,
            "shared": shares_weights(experiment.build),
            "auxiliary": record.recipe.auxiliary_weight > 0
            and record.test_digit_accuracy is not None,
            "training_gflop": _training_gflop(record.recipe, experiment.build),
            "shortened": _shortened(record.recipe, experiment.recipe),
        }
        row |= {name: getattr(record, name) for name in COPIED}
        if record.recipe.trainings > 1:
            for error in ("train_error", "test_error"):
                row[error] = np.mean(record.after_each_training(error))
        folds = np.array(record.fold_errors or [np.nan])
        noisy = np.array(record.fold_errors_training_mode or [np.nan])
        row["fold_errors"] = record.fold_errors
        row["precise_fold_errors"] = record.precise_fold_errors
        row |= {"fold_error": folds.mean(), "fold_error_training_mode": noisy.mean()}
        row |= {"fold_median": np.median(folds), "fold_sd": folds.std()}
        row["fold_median_training_mode"] = np.median(noisy)
        rows.append(row | _course(record))
    frame = pd.DataFrame(rows).astype({name: float for name in NOT_IN_ALL})
    frame = frame.assign(
        gap=frame.test_error - frame.train_error, digit_error=100 - frame.test_digit_accuracy
    )
    frame.attrs["diverged"] = {str(failure): failure.experiment for failure in diverged}
    return frame


def _training_gflop(recipe: Recipe, build: Callable) -> float:
    """Return the billions of floating-point operations of the main training's steps.

    A step costs a forward pass and, for the gradient, about two more.
    """
    passes = 3 * recipe.epoch_sizes[0] * recipe.epochs * recipe.trainings
    return passes * flops_a_pair(build) / 1e9


def _course(record: Record) -> dict[str, float]:
    """Return how a run went, from its curves.

    peak_epoch: the point with the lowest test error, in epochs, the first one of equals.
    fluctuation: mean size of the change of the test error from one point to the next, in points,
        over the second half of the points.
    rises: in which share of those steps the validation loss rises; NaN without one.
    """
    errors = np.array(record.curves.test_error)
    steps = np.diff(errors)[len(errors) // 2 :]
    losses = record.curves.validation_loss
    rising = np.nan if losses is None else np.diff(losses)[len(losses) // 2 :]
    return {
        "peak_epoch": record.recipe.curve_step * (int(errors.argmin()) + 1),
        "fluctuation": np.abs(steps).mean() if len(steps) else np.nan,
        "rises": np.nan if losses is None or not len(rising) else float((rising > 0).mean()),
    }


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
