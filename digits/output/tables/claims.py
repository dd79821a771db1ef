"""Tables of claims: the verdict on each, and on the criteria that decide it."""

import pandas as pd

from digits.analysis.claims import CLAIM_VERDICTS, ClaimResult, CriterionResult
from digits.experiments.claim import Criterion
from digits.output.tables.format import QUANTITIES, interval, number


def claim_table(own: list[ClaimResult], common: list[ClaimResult]) -> pd.DataFrame:
    """Return one row per claim: verdict, criteria that hold, and the one that decides.

    own: decided by the networks and protocols of the reports; common: the same claims under the
    common protocol.
    """
    return pd.DataFrame(
        {
            "claim": result.claim.id,
            "report": result.claim.report,
            "what it says": result.claim.claim,
            "read as": result.claim.reading,
            "verdict": result.verdict,
            "parts that hold": result.held,
            "decided by": result_text(result.deciding),
            "under the common protocol": again.verdict if again.claim.criteria else "",
        }
        for result, again in zip(own, common, strict=True)
    )


def criterion_table(claims: list[ClaimResult]) -> pd.DataFrame:
    """Return one row per criterion of every claim: effect, interval, n, verdict."""
    return pd.DataFrame(
        {
            "claim": claim.claim.id,
            "part": _criterion(result.criterion),
            "effect": number(result.mean, "{:+.2f}"),
            "unit": QUANTITIES[result.criterion.quantity][1],
            "95 % interval": interval(result._asdict(), "+"),
            "n": result.n or "",
            "claimed": result.criterion.range.text,
            "verdict": result.verdict,
        }
        for claim in claims
        for result in claim.results
    )


def verdict_counts(claims: list[ClaimResult]) -> pd.DataFrame:
    """Return how many claims of each report have which verdict."""
    found = pd.DataFrame([(c.claim.report, c.verdict) for c in claims], columns=["report", "v"])
    counts = pd.crosstab(found.report, found.v).reindex(found.report.unique())
    counts = counts[[verdict for verdict in CLAIM_VERDICTS if verdict in counts]]
    return counts.assign(all=counts.sum(axis=1)).reset_index().rename_axis(columns=None)


def result_text(result: CriterionResult | None) -> str:
    """Return "quantity: mean (interval; n), claimed range", "" for none."""
    if result is None:
        return ""
    found = f"{result.mean:.4f}"
    if result.n:
        bounds = interval(result._asdict(), "+") or "no interval"
        found = f"{result.mean:+.2f} ({bounds}; n = {result.n})"
    return f"{_criterion(result.criterion)}: {found}, claimed {result.criterion.range.text}"


def _criterion(criterion: Criterion) -> str:
    """Return what a criterion is about, such as "error, kqiku/fcc+ws - kqiku/fcc"."""
    name = QUANTITIES[criterion.quantity][0]
    if criterion.quantity == "parameters":
        return f"{name}, {criterion.of} / {criterion.minus}"
    if criterion.minus_quantity:
        return f"{name}, minus {QUANTITIES[criterion.minus_quantity][0]}, {criterion.of}"
    spread = "distance from the median, " if criterion.spread else ""
    return f"{name}, {spread}{' - '.join(criterion.experiments)}"
