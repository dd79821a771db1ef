"""Train runs again that have records, and say how far the results are from them."""

import numpy as np
import pandas as pd

from digits import workers
from digits.compute import PRECISIONS, Compute, device_named
from digits.core import InputError
from digits.records import Failure, Origin, Record
from digits.runs import Run
from digits.study import Study

#: How far, in points, an error may be where another processor or version rounds differently: the
#: first bits that differ grow within an epoch, and the run ends as another round would.
TOLERANCE = 5.0


def verify(study: Study, n: int, *patterns: str) -> pd.DataFrame:
    """Train `n` of the wanted runs again, drawn at random from those with records.

    One row a run: whether it was the same machine (kind of processor, versions), the same bits
    of the final weights, and the largest differences of an error and of a point of a curve.
    Raises `InputError` if there are fewer records than that.
    """
    found = [pair for pair in study.recorded(*patterns) if isinstance(pair[1], Record)]
    if not 1 <= n <= len(found):
        raise InputError(f"verify = {n}: there are {len(found)} records to draw from.")
    drawn = np.random.default_rng().choice(len(found), n, replace=False)
    chosen = {}
    for run, record in [found[index] for index in drawn]:
        precision = next(p for p in PRECISIONS if Compute(precision=p).dtype == record.precision)
        compute = Compute(device=device_named(record.device), precision=precision)
        chosen[str(run)] = Run(run.experiment, run.seed, compute), record
    again = workers.train_runs([run for run, _ in chosen.values()], study.source, study.n_jobs)
    return pd.DataFrame(
        [compare(chosen[str(outcome.run)][1], outcome.record) for outcome in again]
    ).sort_values("run", ignore_index=True)


def compare(then: Record, now: Record | Failure) -> dict:
    """Compare a record with that of the same run, trained again."""
    row = {"run": f"{then.experiment} #{then.seed}", "same machine": same_machine(then, now)}
    if not isinstance(now, Record):
        return row | {"same bits": False, "error": np.inf, "curves": np.inf}
    errors = [
        abs(getattr(then, name) - getattr(now, name))
        for name in ("train_error", "test_error", "precise_error")
    ]
    curves = [
        np.abs(np.subtract(points, getattr(now.curves, name))).max()
        for name, points in then.curves.model_dump(exclude_none=True).items()
    ]
    return row | {
        "same bits": then.weights == now.weights,
        "error": max(errors),
        "curves": max(curves),
    }


def same_machine(then: Origin, now: Origin) -> bool:
    """Say whether two runs were computed by the same kind of processor and the same versions."""
    return all(
        getattr(then, name) == getattr(now, name)
        for name in ("processor", "versions", "device", "threads", "precision")
    )


def holds(found: pd.DataFrame) -> bool:
    """Say whether runs of the same machine have the same bits, and others are near enough."""
    near = found["same bits"] | (~found["same machine"] & (found.error <= TOLERANCE))
    return bool(near.all())
