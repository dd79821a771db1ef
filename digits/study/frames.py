"""From records to tidy tables: one row a run, an epoch, or a training."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of
from digits.study.runs import Run
from digits.training.recipe import Recipe
from digits.training.record import Diverged, Record

#: What only some protocols measure.
NOT_IN_ALL = (
    "train_digit_accuracy",
    "test_digit_accuracy",
    "validation_error",
    "test_error_training_mode",
    "dead_units",
    "shift_changes",
    "gradient_at_start",
    "gradient_at_end",
)
#: What a row of the tidy table takes as it is: of the record, of its recipe, of the experiment.
OF_RECORD = (
    *("experiment", "seed", "parameters", "source", "precision", "train_error", "test_error"),
    *("precise_error", "train_seconds", "seconds", "fold_errors", "precise_fold_errors"),
    *NOT_IN_ALL,
)
OF_RECIPE = ("epochs", "trainings", "train_pairs", "precise_pairs", "learning_rate", "digits")
OF_EXPERIMENT = ("report", "network", "variant", "protocol", "setting")
#: Test error of guessing the more frequent answer, in per cent: of two uniform digits the first is
#: the greater in 45 of 100 pairs.
GUESSING = 45.0


class Note(dict):
    """What `attrs` of a tidy table say of it; pandas would copy another with each table made."""

    def __deepcopy__(self, memo):
        return self


_rows: dict[int, tuple[Record, dict]] = {}  # by the identity of the record, which is kept


def tidy(
    records: list[Record], diverged: Sequence[Diverged] = (), wanted: Sequence[Run] = ()
) -> pd.DataFrame:
    """Make one row per record.

    Parameters
    ----------
    records : list of Record
        The runs.
    diverged : sequence of Diverged
        Those without a result, which captions name (see `format.scope`).
    wanted : sequence of Run
        All that are wanted: captions also name networks with fewer rounds than that.

    Returns
    -------
    pandas.DataFrame
        Errors and digit accuracy in per cent, times in seconds, and: shortened, whether the run
        had fewer epochs, trainings or training pairs than its report has; shared, whether both
        images pass one branch; auxiliary, whether a loss on the digits is trained;
        training_gflop, billions of floating-point operations of the training steps. Of a run of
        several trainings, train_error and test_error are the means over the errors after each,
        which is how the table of that protocol was averaged (kqiku), train_error_sd and
        test_error_sd their sample SD. Of a cross-validation, fold_errors are those of its folds,
        fold_error their mean, fold_median their median and fold_sd their population SD;
        precise_fold_errors those on many pairs of each fold. What
        claims are about: gap, the test error minus the train error; digit_error, of single
        digits; and what `_course` makes of the curves.
    """
    frame = pd.DataFrame([_row_of(record) for record in records])
    frame = frame.astype({name: float for name in NOT_IN_ALL})
    frame = frame.assign(
        gap=frame.test_error - frame.train_error, digit_error=100 - frame.test_digit_accuracy
    )
    frame.attrs["diverged"] = Note({str(run): run.experiment for run in diverged})
    lost = {(run.experiment, run.seed) for run in diverged}
    frame.attrs["wanted"] = Note()
    for run in wanted:
        if (run.experiment.id, run.seed) not in lost:
            frame.attrs["wanted"].setdefault(run.experiment.id, set()).add(run.seed)
    return frame


def in_seeds(frame: pd.DataFrame, wanted: Callable[[int], bool]) -> pd.DataFrame:
    """Return the rows of the rounds that are `wanted`, so that no caption misses the others."""
    rows = frame[frame.seed.map(wanted)]
    seeds = rows.attrs.get("wanted", {})
    rows.attrs["wanted"] = Note({name: set(filter(wanted, own)) for name, own in seeds.items()})
    return rows


def _row_of(record: Record) -> dict:
    """Return the row of a record, made once in a process."""
    if id(record) not in _rows:
        _rows[id(record)] = record, _row(record)  # with the record, so that its id stays its own
    return _rows[id(record)][1]


def _row(record: Record) -> dict:
    experiment, recipe = EXPERIMENTS[record.experiment], record.recipe
    row = {
        name: getattr(of, name)
        for of, names in (*((record, OF_RECORD), (recipe, OF_RECIPE)), (experiment, OF_EXPERIMENT))
        for name in names
    }
    row |= {
        "shared": summary_of(experiment.build).shared,
        "auxiliary": recipe.auxiliary_weight > 0 and record.test_digit_accuracy is not None,
        "training_gflop": _training_gflop(recipe, experiment.build),
        "shortened": _shortened(recipe, experiment.recipe),
    }
    for error in ("train_error", "test_error"):
        stages = record.after_each_training(error) if recipe.trainings > 1 else [row[error]]
        sd = pd.Series(stages).std() if len(stages) > 1 else np.nan
        row |= {error: np.mean(stages), f"{error}_sd": sd}
    for suffix in ("", "_training_mode"):
        errors = np.array(getattr(record, f"fold_errors{suffix}") or [np.nan])
        row |= {f"fold_error{suffix}": errors.mean(), f"fold_median{suffix}": np.median(errors)}
        row[f"fold_sd{suffix}"] = errors.std()
    return row | _course(record)


def _training_gflop(recipe: Recipe, build: Callable) -> float:
    """Return the billions of floating-point operations of the main training's steps.

    A step costs a forward pass and, for the gradient, about two more.
    """
    passes = 3 * recipe.epoch_sizes[0] * recipe.epochs * recipe.trainings
    return passes * summary_of(build).flops / 1e9


def _course(record: Record) -> dict[str, float]:
    """Return how a run went, from its curves.

    epochs_to_half: the first point with at most half the test error of guessing, in epochs; one
        step more than the last point if there is none.
    epochs_to_own_half: the same for half-way from guessing to the mean of the last fifth of the
        points.
    fluctuation: mean size of the change of the test error from one point to the next, in points,
        over the second half of the points.
    loss_fluctuation: the same of the validation loss, as a share of its mean there; NaN without
        one.
    """
    errors, losses = np.array(record.curves.test_error), record.curves.validation_loss
    last = errors[-max(1, len(errors) // 5) :].mean()
    loss = _fluctuation(losses) / np.mean(losses[len(losses) // 2 :]) if losses else np.nan
    return {
        "epochs_to_half": record.recipe.curve_step * _points_to(errors, GUESSING / 2),
        "epochs_to_own_half": record.recipe.curve_step * _points_to(errors, (GUESSING + last) / 2),
        "fluctuation": _fluctuation(errors),
        "loss_fluctuation": loss,
    }


def _points_to(curve: np.ndarray, level: float) -> int:
    """Return which point, from 1, is the first that is no higher; one more than all if none."""
    reached = np.flatnonzero(curve <= level)
    return 1 + (int(reached[0]) if len(reached) else len(curve))


def _fluctuation(curve: Sequence[float]) -> float:
    """Return the mean size of the changes in the second half of a curve, NaN if it is a point."""
    changes = np.abs(np.diff(curve[len(curve) // 2 :]))
    return float(changes.mean()) if len(changes) else np.nan


def unshortened(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the runs of full length, which can be compared; all, if none is of full length."""
    return frame if frame.shortened.all() else frame[~frame.shortened]


def _shortened(recipe: Recipe, full: Recipe) -> bool:
    """Say whether a run had fewer epochs, trainings or training pairs than its report has."""
    counted = ("epochs", "trainings", "train_pairs")
    return any(getattr(recipe, name) < getattr(full, name) for name in counted)


def curves(records: list[Record]) -> pd.DataFrame:
    """Make one row per record and point of its curves.

    Parameters
    ----------
    records : list of Record
        The runs.

    Returns
    -------
    pandas.DataFrame
        Columns experiment, seed, epoch, and every curve (see `record.Curves`).
    """
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
    tables = []
    for record in records:
        errors = {name: record.after_each_training(name) for name in ("train_error", "test_error")}
        table = pd.DataFrame(errors).assign(experiment=record.experiment, seed=record.seed)
        tables.append(table.assign(training=range(1, len(table) + 1)))
    return pd.concat(tables, ignore_index=True)
