"""Tables of published numbers: the verdict on each, beside what we measure."""

import pandas as pd

from digits.analysis.numbers import FIXED, PARAMETERS, RATIO, TIME, tally
from digits.output.tables.format import PRINTED, difference, mean_sd, number

#: What a caption says of verdicts.
VERDICTS = (
    "equivalent: the 90 % interval of the difference lies within the margin; different: its 95 % "
    "interval excludes 0; typical: a printed number that is one draw lies in the central 95 % of "
    "what our rounds give"
)
DIFFERENCE = "ours - published (95 % interval; margin)"
#: How published numbers that are no errors are written.
OTHERS = {PARAMETERS: "{:.0f}", TIME: "{:.1f} s", RATIO: "{:.1f}"}


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    return _table(agreement.to_dict("records"), "error", "experiment")


def numbers_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return every published number beside ours, one row following the text, one the code.

    numbers: what `numbers.all_numbers` gives; runs of fixed code are left out. Errors and their
    differences are in per cent and percentage points. A number has one row where the code ran what
    the text says, or where only the code's is known.
    """
    alike = numbers[numbers.reading != FIXED].groupby(["report", "row", "quantity"], sort=False)
    rows = [row for _, own in alike for row in own.to_dict("records")]
    return _table([r | {"row": f"{r['report']}: {r['row']}"} for r in rows], "number", "reading")


def _table(rows: list[dict], called: str, last: str) -> pd.DataFrame:
    """Return a row a number; called: what it is a table of; last: its last column."""
    return pd.DataFrame(
        {
            "report's row": row["row"],
            "verdict": _verdict(row),
            called: PRINTED.get(row["quantity"], row["quantity"]),
            "published": _plain(row, "published") or _printed(row),
            "ours": _ours(row),
            DIFFERENCE: _difference(row),
            "verdict on the SD": _verdict(row, "sd_"),
            last: row[last],
        }
        for row in rows
    )


def _printed(row: dict) -> str:
    """Return a printed error with its SD, and over how many values it is."""
    values = f" (n = {row['published_n']:.0f})" if row["published_n"] > 1 else ""
    return mean_sd(row, "published", decimals=2) + values


def _plain(row: dict, of: str) -> str:
    """Return a number of parameters, a time or a ratio of times, "" for an error."""
    form = OTHERS.get(row["quantity"])
    return number(row[of], form) if form else ""


def _ours(row: dict) -> str:
    error = mean_sd(row, "ours")
    return _plain(row, "ours") or (error and f"{error} (n = {row['n']:.0f})")


def _difference(row: dict) -> str:
    if row["quantity"] == PARAMETERS:
        return number(row["difference"], "{:+.0f}") if row["difference"] else ""
    if row["quantity"] in OTHERS or row["shortened"] or pd.isna(row["difference"]):
        return ""
    found = {"mean": row["difference"], "low": row["low"], "high": row["high"]}
    # What is one draw is judged without a margin.
    return difference(found, also=f"margin {row['margin']:.2g}" if row["kind"] == "rounds" else "")


def _verdict(row: dict, of: str = "") -> str:
    verdict, why = row[f"{of}verdict"], row[f"{of}why"]
    if not isinstance(verdict, str):
        return ""  # no SD is printed
    ratio = of and pd.notna(row["sd_low"])
    bounds = f" (ratio {row['sd_low']:.2f} to {row['sd_high']:.2f})" if ratio else ""
    return (f"{verdict}: {why}" if why else verdict) + bounds


def tally_table(numbers: pd.DataFrame, of: str = "verdict") -> pd.DataFrame:
    """Return how many published errors of each report have which verdict (see `tally`)."""
    counts = tally(numbers, of).reset_index().rename_axis(columns=None)
    counts.insert(0, "printed errors of", counts.pop("report") + ", " + counts.pop("reading"))
    return counts
