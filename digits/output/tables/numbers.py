"""Tables of published numbers: the verdict on each, beside what we measure."""

import pandas as pd

from digits.analysis.numbers import tally
from digits.output.tables.format import PRINTED, difference, interval, mean_sd, number

#: How published numbers that are no errors are written.
COUNTS_AND_TIMES = {"parameters": "{:.0f}", "training time": "{:.1f}"}


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "experiment": row["experiment"],
            "report's row": row["row"],
            "error": PRINTED[row["quantity"]],
            "published": mean_sd(row, "published"),
            "ours": mean_sd(row, "ours"),
            "n": row["n"],
            "ours - published": number(row["difference"], "{:+.2f}"),
            "95 % interval": "" if row["shortened"] else interval(row, "+"),
            "holds 0": _yes(row, row["low"] <= 0 <= row["high"]),
            "under 1 point": _yes(row, abs(row["difference"]) < 1),
            "verdict": _verdict(row),
        }
        for row in agreement.to_dict("records")
    )


def _yes(row: dict, holds: bool) -> str:
    if row["shortened"]:
        return "shortened"
    return "" if pd.isna(row["low"]) else "yes" if holds else "no"


def numbers_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return every published number in a row, beside ours as written and as published.

    numbers: what `numbers.all_numbers` gives; repaired readings are left out. Errors and their
    differences are in per cent and points; times are ratios. Where the code ran what is written,
    or only the code's number is known, one of the two is empty.
    """
    rows = []
    cells = {"ours": _ours, "difference": _difference, "verdict": _verdict}
    shown = numbers[numbers.reading != "repaired"]
    for _, found in shown.groupby(["report", "row", "quantity"], sort=False):
        readings = {row["reading"]: row for row in found.to_dict("records")}
        first = found.iloc[0]
        row = {
            "report": first.report,
            "report's row": first.row,
            "number": PRINTED.get(first.quantity, first.quantity),
            "published": _plain(first, "published") or mean_sd(first, "published"),
        }
        for reading in ("as written", "as published"):
            cell = readings.get(reading)
            row |= {f"{name}, {reading}": cell and text(cell) for name, text in cells.items()}
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def _plain(row: dict, of: str) -> str:
    """Return a number of parameters or a ratio of times, "" for an error."""
    form = COUNTS_AND_TIMES.get(row["quantity"])
    return number(row[of], form) if form else ""


def _ours(row: dict) -> str:
    error = mean_sd(row, "ours")
    return _plain(row, "ours") or (error and f"{error} (n = {row['n']:.0f})")


def _difference(row: dict) -> str:
    if row["quantity"] == "parameters":
        return number(row["difference"], "{:+.0f}") if row["difference"] else ""
    if row["quantity"] == "training time" or row["shortened"]:
        return ""
    return difference({"mean": row["difference"], "low": row["low"], "high": row["high"]})


def _verdict(row: dict) -> str:
    return f"{row['verdict']}: {row['why']}" if row["why"] else row["verdict"]


def tally_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return how many published errors of each report have which verdict (see `tally`)."""
    return tally(numbers).reset_index().rename_axis(columns=None)
