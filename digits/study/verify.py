"""Train runs again that have records, and say how far the results are from them."""

import sys

import numpy as np
import pandas as pd

from digits.core import InputError
from digits.data.pairs import images_of_pairs, target_of
from digits.data.seeds import streams
from digits.data.sources import load
from digits.study import workers
from digits.study.runs import Run
from digits.study.store import OF_MACHINE
from digits.study.study import Study
from digits.training.device import PRECISIONS, Device, device_named, has_bf16
from digits.training.record import Curves, Diverged, Provenance, Record, unpack

#: How far, in points, an error may be where another processor or version rounds differently: the
#: first bits that differ grow within an epoch, and the run ends as another round would.
TOLERANCE = 5.0


def verify(study: Study, n: int, *patterns: str) -> pd.DataFrame:
    """Train `n` of the wanted runs again, drawn at random from those with records.

    One row a run (see `compare`). Raises `InputError` if there are fewer records than that, without
    those of a graphics card where there is none, and of bfloat16 where that is emulated.
    """
    found = _comparable(study, n, *patterns)
    drawn = np.random.default_rng().choice(len(found), n, replace=False)
    chosen = {}
    for run, record in [found[index] for index in drawn]:
        precision = next(p for p in PRECISIONS if Device(precision=p).dtype == record.precision)
        device = Device(kind=record.device, precision=precision)
        chosen[str(run)] = Run(run.experiment, run.seed, device), record
    again = workers.train_runs([run for run, _ in chosen.values()], study.source, study.n_jobs)
    rows = []
    for run, future in again:
        error = future.exception()
        now = workers.failure_of(run, error) if error else future.result()
        rows.append(compare(chosen[str(run)][1], now))
    return pd.DataFrame(rows).sort_values("run", ignore_index=True)


def _comparable(study: Study, n: int, *patterns: str) -> list[tuple[Run, Record]]:
    """Return the recorded runs that this machine can train again, if there are `n`."""
    here = {device_named("cpu"), device_named("auto")}

    def can_train(record: Record) -> bool:
        native = record.precision == "float32" or has_bf16(record.device)
        return record.device in here and native

    found = [(run, of) for run, of in study.recorded(*patterns) if isinstance(of, Record)]
    found = [(run, record) for run, record in found if can_train(record)]
    if not 1 <= n <= len(found):
        many = f"choose 1 to {len(found)}, or other" if found else "choose other"
        raise InputError(
            f"verify = {n}: there are {len(found)} records to draw from: {many} experiments."
        )
    return found


def compare(then: Record, now: Record | Diverged | str) -> dict:
    """Compare a record with that of the same run, trained again.

    now: why there is none, if it failed. The row that is returned: whether it was the same machine
    (kind of processor, versions), whether the final weights have the same bits, the largest
    differences of one of three errors and of a point of a curve, and which fields differ.
    """
    row = {"run": f"{then.experiment} #{then.seed}", "same machine": False, "same bits": False}
    row |= {"error": np.inf, "curves": np.inf, "differs": str(now)}
    if isinstance(now, str):
        return row
    row["same machine"] = same_machine(then, now)
    if not isinstance(now, Record):
        return row
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
        "differs": ", ".join(differing(then, now)),
    }


def differing(then: Record, now: Record) -> list[str]:
    """Name the fields of results that differ between two records, such as "curves.test_loss"."""
    found = []
    for name in Record.model_fields:
        one, other = getattr(then, name), getattr(now, name)
        if name in OF_MACHINE or one == other:
            continue
        if name == "curves":
            found += [
                f"curves.{c}" for c in Curves.model_fields if getattr(one, c) != getattr(other, c)
            ]
        else:
            found.append(name)
    return found


def same_machine(then: Provenance, now: Provenance) -> bool:
    """Say whether two runs were computed by the same kind of processor and the same versions.

    Of torch and numpy; which version of Python calls them changes no sum.
    """
    versions = ({**run.versions, "python": ""} for run in (then, now))
    same = len({tuple(sorted(these.items())) for these in versions}) == 1
    fields = ("processor", "device", "threads", "precision")
    return same and all(getattr(then, name) == getattr(now, name) for name in fields)


def holds(found: pd.DataFrame) -> bool:
    """Say whether the results are the same on the same machine, and near enough on another.

    With the bits of the weights, errors are the same on any machine.
    """
    near = (found.error <= TOLERANCE) & (~found["same bits"] | (found.error == 0))
    return bool(((found.differs == "") | (~found["same machine"] & near)).all())


def contradicted(study: Study, *patterns: str) -> list[str]:
    """Name the records whose decisions on the test pairs of their round give another test error.

    That needs no training: it tells another seed, other decisions or another error.
    """
    found = []
    for run, record in study.recorded(*patterns):
        if isinstance(record, Diverged):
            continue
        recipe, digits = record.recipe, load(record.recipe.digits_of(study.source))
        stream = streams(run.seed, recipe.varies)["pairs"]
        _, indices = images_of_pairs(digits, recipe.train_pairs, recipe.test_pairs, stream)
        target = target_of(digits.test.classes[indices]).numpy()
        wrong = unpack(record.decisions, recipe.test_pairs) != target
        error = 100 * int(wrong.sum()) / recipe.test_pairs
        if error != record.test_error:
            found.append(f"{run}: test_error = {record.test_error}, but its decisions give {error}")
    return found


def report(study: Study, n: int, patterns: tuple[str, ...]) -> int:
    """Train `n` recorded runs again, print how far they are from their records; 0 if it holds."""
    _comparable(study, n, *patterns)  # before the digits are read
    load(study.source)
    wrong = contradicted(study, *patterns)
    for sentence in wrong:
        print(f"run_all.py: {sentence}.", file=sys.stderr)
    found = verify(study, n, *patterns)
    print(found.to_markdown(index=False, floatfmt=".4g"))
    print(
        f"largest difference of an error {found.error.max():.4g} points, of a point of a curve "
        f"{found.curves.max():.4g}; {found['same bits'].sum()} of {n} have the same bits"
    )
    if holds(found):
        return bool(wrong)
    print(
        "run_all.py: a run failed, or differs from its record on the same kind of machine, or by "
        f"more than {TOLERANCE:g} points on another: see the column of what differs.",
        file=sys.stderr,
    )
    return 1
