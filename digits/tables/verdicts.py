"""Tables of verdicts: on published numbers, and on claims."""

import pandas as pd

from digits.claims import Decision
from digits.claims.parts import VERDICTS, Finding
from digits.tables.words import blank, interval, mean_sd
from digits.verdicts import tally

#: The names of published quantities on a page.
QUANTITIES = {
    "train_error": "train",
    "validation_error": "validation",
    "test_error": "test",
    "fold_error": "cross-validation",
    "fold_median": "cross-validation, median",
    "digit_error": "single digits",
    "test_error_training_mode": "test, training mode",
    "fold_error_training_mode": "cross-validation, training mode",
    "fold_median_training_mode": "cross-validation, median, training mode",
}


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    rows = [row for _, row in agreement.iterrows()]
    return pd.DataFrame(
        {
            "experiment": agreement.experiment,
            "report's row": agreement.row,
            "error": agreement.quantity.map(QUANTITIES),
            "published": [_mean_sd(row, "published") for row in rows],
            "ours": [_mean_sd(row, "ours") for row in rows],
            "n": agreement.n,
            "ours - published": [blank(row["difference"], "{:+.2f}") for row in rows],
            "95 % interval": ["" if row["shortened"] else interval(row, "+") for row in rows],
            "holds 0": [_yes(row, row["low"] <= 0 <= row["high"]) for row in rows],
            "under 1 point": [_yes(row, abs(row["difference"]) < 1) for row in rows],
            "verdict": [_verdict(row) for row in rows],
        }
    )


def numbers_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return every published number in a row, beside ours as written and as published.

    numbers: what `verdicts.all_numbers` gives; repaired readings are left out. Errors and their
    differences are in per cent and points; times are ratios. Where the code ran what is written,
    or only the code's number is known, one of the two is empty.
    """
    rows = []
    shown = numbers[numbers.reading != "repaired"]
    for (report, place, quantity), readings in shown.groupby(
        ["report", "row", "quantity"], sort=False
    ):
        row = {
            "report": report,
            "report's row": place,
            "number": QUANTITIES.get(quantity, quantity),
            "published": _published(readings.iloc[0]),
        }
        for reading in ("as written", "as published"):
            found = readings[readings.reading == reading]
            cell = found.iloc[0] if len(found) else None
            row |= {
                f"ours, {reading}": "" if cell is None else _ours(cell),
                f"difference, {reading}": "" if cell is None else _difference(cell),
                f"verdict, {reading}": "" if cell is None else _verdict(cell),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def tally_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return how many published errors of each report have which verdict (see `tally`)."""
    return tally(numbers).reset_index().rename_axis(columns=None)


def claim_table(own: list[Decision], common: list[Decision]) -> pd.DataFrame:
    """Return one row per claim: verdict, parts that hold, and the part that decides.

    own: decided by the networks and protocols of the reports; common: the same claims under the
    common protocol.
    """
    return pd.DataFrame(
        {
            "claim": decision.claim.id,
            "report": decision.claim.report,
            "what it says": decision.claim.claim,
            "read as": decision.claim.reading,
            "verdict": decision.verdict,
            "parts that hold": decision.held,
            "decided by": finding_text(decision.deciding),
            "under the common protocol": again.verdict if again.claim.parts else "",
        }
        for decision, again in zip(own, common, strict=True)
    )


def part_table(decisions: list[Decision]) -> pd.DataFrame:
    """Return one row per part of every claim: effect, interval, n, verdict."""
    return pd.DataFrame(
        {
            "claim": decision.claim.id,
            "part": finding.what,
            "effect": blank(finding.mean, "{:+.2f}"),
            "unit": finding.unit,
            "95 % interval": interval(finding._asdict(), "+"),
            "n": finding.n or "",
            "claimed": finding.claimed,
            "verdict": finding.verdict,
        }
        for decision in decisions
        for finding in decision.findings
    )


def verdict_counts(decisions: list[Decision]) -> pd.DataFrame:
    """Return how many claims of each report have which verdict."""
    found = pd.DataFrame([(d.claim.report, d.verdict) for d in decisions], columns=["report", "v"])
    counts = pd.crosstab(found.report, found.v).reindex(found.report.unique())
    counts = counts[[verdict for verdict in VERDICTS if verdict in counts]]
    return counts.assign(all=counts.sum(axis=1)).reset_index().rename_axis(columns=None)


def finding_text(finding: Finding | None) -> str:
    """Return "what: mean (interval; n)", "" for none."""
    if finding is None:
        return ""
    number = f"{finding.mean:+.2f}" if finding.n else f"{finding.mean:.4f}"
    bounds = interval(finding._asdict(), "+") or "no interval"
    over = f" ({bounds}; n = {finding.n})" if finding.n else ""
    return f"{finding.what}: {number}{over}, claimed {finding.claimed}"


def _yes(row: pd.Series, holds: bool) -> str:
    if row["shortened"]:
        return "shortened"
    return "" if pd.isna(row["low"]) else "yes" if holds else "no"


def _verdict(row: pd.Series) -> str:
    return f"{row['verdict']}: {row['why']}" if row["why"] else row["verdict"]


def _mean_sd(row: pd.Series, name: str) -> str:
    if pd.isna(row[name]):
        return ""
    return mean_sd({"mean": row[name], "sd": row[f"{name}_sd"]})


def _published(row: pd.Series) -> str:
    if row["quantity"] == "parameters":
        return f"{row['published']:.0f}"
    if row["quantity"] == "training time":
        return f"{row['published']:.1f}"
    return _mean_sd(row, "published")


def _ours(row: pd.Series) -> str:
    if row["quantity"] == "parameters":
        return f"{row['ours']:.0f}"
    if row["quantity"] == "training time":
        return blank(row["ours"], "{:.1f}")
    text = _mean_sd(row, "ours")
    return f"{text} (n = {row['n']:.0f})" if text else ""


def _difference(row: pd.Series) -> str:
    if row["quantity"] == "parameters":
        return blank(row["difference"] or None, "{:+.0f}")
    if row["quantity"] == "training time" or pd.isna(row["difference"]) or row["shortened"]:
        return ""
    bounds = interval(row, "+")
    return f"{row['difference']:+.2f}" + (f" ({bounds})" if bounds else "")
