"""Train runs again that have records, and say how far the results are from them."""

import sys

import numpy as np
import pandas as pd

from digits.core import InputError
from digits.study import workers
from digits.study.runs import Run
from digits.study.study import Study
from digits.training.device import PRECISIONS, Device, device_named
from digits.training.record import Diverged, Provenance, Record

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
        precision = next(p for p in PRECISIONS if Device(precision=p).dtype == record.precision)
        device = Device(kind=device_named(record.device), precision=precision)
        chosen[str(run)] = Run(run.experiment, run.seed, device), record
    again = workers.train_runs([run for run, _ in chosen.values()], study.source, study.n_jobs)
    return pd.DataFrame(
        [compare(chosen[str(run)][1], future.result()) for run, future in again]
    ).sort_values("run", ignore_index=True)


def compare(then: Record, now: Record | Diverged) -> dict:
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


def same_machine(then: Provenance, now: Provenance) -> bool:
    """Say whether two runs were computed by the same kind of processor and the same versions."""
    return all(
        getattr(then, name) == getattr(now, name)
        for name in ("processor", "versions", "device", "threads", "precision")
    )


def holds(found: pd.DataFrame) -> bool:
    """Say whether runs of the same machine have the same bits, and others are near enough."""
    near = found["same bits"] | (~found["same machine"] & (found.error <= TOLERANCE))
    return bool(near.all())


def report(study: Study, n: int, patterns: tuple[str, ...]) -> int:
    """Train `n` recorded runs again, print how far they are from their records; 0 if it holds."""
    found = verify(study, n, *patterns)
    print(found.to_markdown(index=False, floatfmt=".4g"))
    print(
        f"largest difference of an error {found.error.max():.4g} points, of a point of a curve "
        f"{found.curves.max():.4g}; {found['same bits'].sum()} of {n} have the same bits"
    )
    if holds(found):
        return 0
    print(
        "run_all.py: a run on the same kind of machine gave other bits, or one on another differs "
        f"by more than {TOLERANCE:g} points.",
        file=sys.stderr,
    )
    return 1
