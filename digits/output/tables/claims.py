"""Tables of claims: the verdict on each, what decides it, and where our runs leave the texts."""

import tomllib
from collections.abc import Callable
from importlib.resources import files

import numpy as np
import pandas as pd

from digits.analysis.claims import CLAIM_VERDICTS, ClaimResult, CriterionResult
from digits.analysis.statistics import CONFIDENCE, MOST_ROUNDS
from digits.experiments.claim import Criterion
from digits.output.names import plain_name
from digits.output.tables.format import QUANTITIES, difference, interval, number


def claim_table(own: list[ClaimResult], common: list[ClaimResult]) -> pd.DataFrame:
    """Return one row per claim: verdict, criteria that hold, and the one that decides.

    own: decided by the networks and protocols of the reports; common: the same claims under the
    common protocol, with how many of their criteria count there.
    """
    return pd.DataFrame(
        {
            "claim": f"{result.claim.id}, {result.claim.report}" + ", ours" * result.claim.ours,
            "verdict": result.verdict,
            "what it says": result.claim.claim,
            "read as": result.claim.reading,
            "criteria that hold": result.held,
            "decided by": result_text(result.deciding),
            "second reading": _second(result),
            "under the common protocol": _again(result, again),
        }
        for result, again in zip(own, common, strict=True)
    )


def _second(result: ClaimResult) -> str:
    """Return "against two towers: supported (2 of 2)", "" for a claim with one reading.

    Also the verdict without failed rounds, where it is another one.
    """
    second, told = result.second, []
    if second:
        told.append(f"{result.claim.second_reading}: {second.verdict} ({second.held})")
    if result.learned not in (None, result.verdict):
        told.append(f"without rounds that fail: {result.learned}")
    return "; ".join(told)


def _again(own: ClaimResult, common: ClaimResult) -> str:
    """Return "supported, 4 of 12 criteria", "" where the common protocol decides none."""
    counted, every = len(common.claim.criteria), len(own.claim.criteria)
    if common.verdict == "not run":
        return "not run" if counted else ""
    return f"{common.verdict}, {counted} of {every} criteria"


def criterion_table(claims: list[ClaimResult]) -> pd.DataFrame:
    """Return one row per criterion of every claim and reading: effect, interval, n, verdict.

    The intervals of one claim hold together with the confidence in their heading, but for those
    of printed numbers, which are those of the table of numbers.
    """
    readings = [
        (result.claim.id + name, reading)
        for result in claims
        for name, reading in (("", result), (", second reading", result.second))
        if reading
    ]
    return pd.DataFrame(
        {
            "claim": name,
            "verdict": result.verdict,
            "criterion": criterion_text(result.criterion),
            f"effect (simultaneous {100 * CONFIDENCE:g} % interval)": difference(
                result._asdict(), sign=_sign(result.criterion)
            ),
            "unit": _unit(result.criterion),
            "n": result.n or "",
            "claimed": result.criterion.claimed + number(result.criterion.margin, " (margin {:g})"),
            "rounds to decide": rounds_text(result.enough),
        }
        for name, reading in readings
        for result in reading.results
    )


def rounds_text(rounds: float) -> str:
    """Return "about 240", of so many rounds two digits, and "" for NaN."""
    if np.isinf(rounds):
        return f"over {MOST_ROUNDS:,}"
    return number(float(f"{rounds:.2g}"), "about {:,.0f}")


def verdict_counts(claims: list[ClaimResult]) -> pd.DataFrame:
    """Return how many claims of each report have which verdict, without those that are ours."""
    theirs = [(c.claim.report, c.verdict) for c in claims if not c.claim.ours]
    found = pd.DataFrame(theirs, columns=["report", "v"])
    counts = pd.crosstab(found.report, found.v).reindex(found.report.unique())
    counts = counts[[verdict for verdict in CLAIM_VERDICTS if verdict in counts]]
    return counts.assign(all=counts.sum(axis=1)).reset_index().rename_axis(columns=None)


def result_text(result: CriterionResult | None) -> str:
    """Return "quantity: mean (interval; n), claimed range", "" for none."""
    if result is None:
        return ""
    about = criterion_text(result.criterion)
    if result.verdict == "not run":
        return f"{about}: not run"
    return f"{about}: {measured(result)}, claimed {result.criterion.claimed}"


def measured(result: CriterionResult) -> str:
    """Return "mean (interval; n)" of a criterion that was run."""
    if not result.n:
        return f"{result.mean:.4f}"
    known = "" if interval(result._asdict()) else "no interval; "
    return difference(result._asdict(), also=f"{known}n = {result.n}", sign=_sign(result.criterion))


def _sign(criterion: Criterion) -> str:
    """Return how a plus sign is shown: "+" where the quantity is a difference, "" for a level."""
    if criterion.quantity == "parameters":
        return ""
    apart = criterion.minus or criterion.minus_quantity or criterion.published
    return "+" if apart or criterion.quantity == "gap" else ""


def _unit(criterion: Criterion) -> str:
    """Return the unit of a criterion: differences of percentages, and their spread, are points."""
    unit = QUANTITIES[criterion.quantity][1]
    return "points" if unit == "%" and (_sign(criterion) or criterion.spread) else unit


def criterion_text(criterion: Criterion, call: Callable[[str], str] = str, minus: str = "-") -> str:
    """Return what a criterion is about, such as "error, kqiku/fcc+ws - kqiku/fcc".

    call: from an id to what the experiment is called; minus: how a difference is written.
    """
    name = QUANTITIES[criterion.quantity][0]
    of, *others = map(call, criterion.experiments)
    if criterion.quantity == "parameters":
        return f"{name}, {of} / {others[0]}"
    if criterion.published:
        return f"{name} minus the printed one, {of}"
    if criterion.minus_quantity:
        other = f"{QUANTITIES[criterion.minus_quantity][0]}, {others[0] if others else of}"
        return f"{name}, {of}, minus {other}" if others else f"{name}, minus {other}"
    spread = "distance from the median, " if criterion.spread else ""
    times = f"{criterion.factor:g} x " if criterion.factor != 1 else ""
    return f"{name}, {spread}{f' {minus} {times}'.join([of, *others])}"


def deviations(report: str) -> list[dict]:
    """Return where our runs following a report's text leave it or fill a gap in it.

    Each with what the text says, what we run, why, and the ids of experiments that run it
    otherwise, with other changes as well (see `deviations.toml`).
    """
    file = files("digits.experiments") / "deviations.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))[report]


def deviation_table(report: str, recorded: set[str] | None = None) -> pd.DataFrame:
    """Return one row per deviation of our runs from a report's text.

    recorded: the ids of the experiments that have records, to name no others; None for all.
    """
    return pd.DataFrame(
        {
            "the text says": deviation["text"],
            "we run": deviation["ours"],
            "why": deviation["why"],
            "run otherwise in (may differ elsewhere too)": "; ".join(
                plain_name(name)
                for name in deviation["other"]
                if recorded is None or name in recorded
            )
            or "nowhere",
        }
        for deviation in deviations(report)
    )
