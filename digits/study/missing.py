"""Train what a study lacks, and say what is done and what failed, as run_all.py does."""

import contextlib
import sys
import time

from digits import core
from digits.core import InputError
from digits.data.sources import load
from digits.study import replication
from digits.study.profiles import PROFILES
from digits.study.runs import Order
from digits.study.store import Shard, check_writable
from digits.study.study import WHOLE, Study


def train_missing(
    study: Study,
    patterns: tuple[str, ...],
    *,
    shard: Shard,
    order: Order,
    scheduler: str | None = None,
) -> bool:
    """Train the missing runs (see `Study.train_missing`) and return whether one has no result."""
    part = {"shard": shard, "order": order}
    missing = study.missing(*patterns, **part)
    if missing:  # else the folder may be read-only
        check_writable(core.results_dir())
        study.store.check_writable(missing)
        load(study.source)  # a source that is missing or damaged is told before anything starts
    if diverged := study.diverged(*patterns):
        print(
            f"{len(diverged)} of the runs have no result, the first: {diverged[0]}; --fresh trains "
            "them again"
        )
    where = core.short(core.results_dir() / study.source)
    named = "" if shard == WHOLE else " of part {}/{}".format(*shard)
    if not missing:
        print(f"nothing to train: all runs{named} have their records in {where}")
        return False
    workers = min(study.n_jobs, len(missing))
    means = f"{workers} worker{'s' if workers > 1 else ''}"
    means = f"the cluster of {scheduler}" if scheduler else means
    print(
        f"{len(missing)} runs{named} have no record in {where} yet; training on {means}", flush=True
    )
    if PROFILES[study.profile].replicates and (without := replication.left_out(*patterns)):
        print(
            f"a replication, each network at its report's full length; {len(without)} are left "
            "out, since a round of them takes minutes to hours"
        )
    start = time.time()
    try:
        failures = study.train_missing(*patterns, **part, scheduler=scheduler)
    except KeyboardInterrupt:
        with contextlib.suppress(InputError):  # of records that cannot be read meanwhile
            done = len(missing) - len(study.missing(*patterns, **part))
            print(f"\n{done} of {len(missing)} runs were trained and recorded", file=sys.stderr)
        raise
    print(f"trained in {time.time() - start:.0f} s, {len(failures)} failed")
    for failed in failures:
        print(f"failed: {failed.failure}", file=sys.stderr)
    lost = len(study.missing(*patterns, **part)) - sum(not failed.recorded for failed in failures)
    if lost > 0:
        print(
            f"{lost} runs were trained, but their records are no longer in {where}: restore the "
            "files that were removed, or train them again",
            file=sys.stderr,
        )
    return bool(failures) or lost > 0
