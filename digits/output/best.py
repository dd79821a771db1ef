"""Sentences that tell how good the best networks are, and which steps led there."""

import numpy as np
import pandas as pd

from digits.analysis import beyond
from digits.experiments.beyond import BASELINE, ORACLE, STEPS
from digits.output.tables.format import difference, interval, mean_sd


def best_networks(
    frame: pd.DataFrame,
    by_image: dict[str, dict[int, np.ndarray]] | None = None,
    bullets: bool = False,
) -> str:
    """Say what errors the best networks have, how they were chosen, and what all digits give.

    frame, by_image: what `beyond.best_networks` takes. Without the latter, the intervals are over
    rounds alone, and the sentence says so. bullets: one for each thing that is said.
    """
    rows = beyond.best_networks(frame, by_image)
    sentences = [_error_of(row) for row in rows.to_dict("records")]
    validated = sum(step.fold_rounds > 0 for step in STEPS)
    chosen, compared = (f"{of[0]} to {of[-1]}" for of in (beyond.CHOSEN_ON, beyond.COMPARED_ON))
    sentences.append(
        f"Rounds {chosen} were looked at while choosing, and ensembles were compared in rounds "
        f"{compared}. {validated} variants were cross-validated and {len(STEPS) - validated} "
        "larger budgets were trained; further variants were tried outside the records. Networks "
        "that were chosen while looking at some rounds may do worse on others."
    )
    if lacking := _unconfirmed(rows):
        sentences.append(
            f"A confirmation of {' and '.join(lacking)} on fresh rounds, on which nothing was "
            "chosen, is not run."
        )
    baseline, oracle = (
        frame.loc[frame.experiment == name, "precise_error"] for name in (BASELINE, ORACLE)
    )
    if len(baseline):
        sentences.append(
            "For comparison, Zadoks' twin net with weight sharing and a digit loss, from which all "
            f"steps start, has a test error of {baseline.mean():.2f} % on many test pairs."
        )
    if len(oracle):
        sentences.append(
            "Trained on all digits of the training set, the best network has a test error of "
            f"{oracle.mean():.2f} % on many test pairs (n = {len(oracle)})."
        )
    return "\n".join(f"- {told}" for told in sentences) if bullets else " ".join(sentences)


def brief(frame: pd.DataFrame) -> str:
    """Return the test errors of the best networks in a few words, with intervals over rounds.

    On fresh rounds where there are any, else on those that were looked at while choosing.
    """
    told = []
    for _, own in beyond.best_networks(frame).groupby("says", sort=False):
        row = own.sort_values("fresh").iloc[-1]
        where = "fresh rounds" if row.fresh else "rounds looked at while choosing it"
        known = ", ".join(filter(None, (interval(row), f"n = {row.n:.0f}", where)))
        told.append(f"{row['mean']:.2f} % ({known}) in {row.epochs} epochs")
    return " and ".join(told)


def _unconfirmed(rows: pd.DataFrame) -> list[str]:
    """Name the networks among rows of `beyond.best_networks` that have no fresh rounds."""
    confirmed = rows.groupby("says", sort=False).fresh.any()
    return [f"the {says}" for says in confirmed.index[~confirmed]]


def _error_of(row: dict) -> str:
    """Write a row of `beyond.best_networks` as a sentence."""
    if "exact" in row:
        error = (
            f"a test error of **{row['exact']:.2f} %** over all pairs of test images "
            f"({row['mean']:.2f} % on {row['precise_pairs']:,} random ones)"
        )
        over = {"exact": "rounds and test images", "rounds": "rounds alone"}
    else:
        error = f"a test error of **{mean_sd(row)} %** on {row['precise_pairs']:,} pairs"
        over = {"mean": "rounds alone"}
    limits = {what: interval(row, of=of) for of, what in over.items()}
    bounds = ", ".join(f"{limit} over {what}" for what, limit in limits.items() if limit)
    bounds = bounds and f"; 95 % interval {bounds}"
    which = "On fresh rounds" if row["fresh"] else f"Trained for {row['epochs']} epochs"
    return (
        f"{which}, the {row['says']} has {error} (n = {row['n']:.0f}{bounds}; computed in "
        f"{row['precision']}, {row['seconds']:.0f} seconds a round on one core)."
    )


def measured_steps(steps: pd.DataFrame) -> str:
    """Say which steps change the error measurably, in percentage points with intervals.

    steps: what `beyond.steps` gives, or some of its rows.
    """
    verdicts = {"gain": "Measurable gains", "loss": "Measurable losses"}
    sentences = []
    for verdict, says in (verdicts | {"undecided": "Undecided"}).items():
        for validated, change, by in (
            (True, "fold_change", "by cross-validation"),
            (
                False,
                "change",
                "of a larger budget, against the best network of 25 epochs, by the "
                "test error of the rounds looked at",
            ),
        ):
            own = steps[(steps.verdict == verdict) & (steps.cross_validated == validated)]
            changes = [
                f"{row['says']}, {difference(row, of=change).replace('-', '−')}"
                for row in own.to_dict("records")
            ]
            if changes:
                sentences.append(f"{says} {by}: {'; '.join(changes)}.")
    return " ".join(sentences)
