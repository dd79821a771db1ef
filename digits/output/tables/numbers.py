"""Tables of published numbers: the verdict on each, beside what we measure."""

import pandas as pd

from digits.analysis.numbers import CODE, FIXED, PARAMETERS, RATIO, TEXT, TIME, tally
from digits.output.tables.format import PRINTED, difference, interval, mean_sd, number

#: What a caption says of verdicts.
VERDICTS = (
    "equivalent: the 90 % interval of the difference lies within the margin; different: its 95 % "
    "interval excludes 0; typical: a printed number that is one draw lies in the central 95 % of "
    "what our rounds give"
)
#: How published numbers that are no errors are written.
OTHERS = {PARAMETERS: "{:.0f}", TIME: "{:.1f} s", RATIO: "{:.1f}"}


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "report's row": row["row"],
            "verdict": _verdict(row),
            "error": PRINTED[row["quantity"]],
            "published": _printed(row),
            "ours": mean_sd(row, "ours"),
            "n": row["n"],
            "ours - published": number(row["difference"], "{:+.2f}"),
            "95 % interval": "" if row["shortened"] else interval(row, "+"),
            "margin": f"± {row['margin']:.2f}",
            "verdict on the SD": _verdict(row, "sd_"),
            "experiment": row["experiment"],
        }
        for row in agreement.to_dict("records")
    )


def numbers_table(numbers: pd.DataFrame) -> pd.DataFrame:
    """Return every published number in a row, beside ours by the text and by the code.

    numbers: what `numbers.all_numbers` gives; runs of fixed code are left out. Errors and their
    differences are in per cent and percentage points. Where the code ran what the text says, or
    only the code's number is known, one of the two is empty.
    """
    rows = []
    cells = {"verdict": _verdict, "ours": _ours, "difference": _difference}
    cells["verdict on the SD"] = lambda row: _verdict(row, "sd_")
    found = {}
    for row in numbers[numbers.reading != FIXED].to_dict("records"):
        of_number = found.setdefault((row["report"], row["row"], row["quantity"]), {})
        of_number[row["reading"]] = row
    for (report, place, quantity), readings in found.items():
        first = next(iter(readings.values()))
        row = {
            "report": report,
            "report's row": place,
            "number": PRINTED.get(quantity, quantity),
            "published": _plain(first, "published") or _printed(first),
            "margin": number(first["margin"], "± {:.2f}"),
        }
        for name, text in cells.items():
            for reading in (TEXT, CODE):
                cell = readings.get(reading)
                row[f"{name}, {reading}"] = cell and text(cell)
        rows.append(row)
    return pd.DataFrame(rows).fillna("")


def _printed(row: dict) -> str:
    """Return a printed error with its SD, and over how many values it is."""
    values = f" (n = {row['published_n']:.0f})" if row["published_n"] > 1 else ""
    return mean_sd(row, "published") + values


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
    if row["quantity"] in OTHERS or row["shortened"]:
        return ""
    return difference({"mean": row["difference"], "low": row["low"], "high": row["high"]})


def _verdict(row: dict, of: str = "") -> str:
    verdict, why = row[f"{of}verdict"], row[f"{of}why"]
    if not isinstance(verdict, str):
        return ""  # no SD is printed
    ratio = of and pd.notna(row["sd_low"])
    bounds = f" (ratio {row['sd_low']:.2f} to {row['sd_high']:.2f})" if ratio else ""
    return (f"{verdict}: {why}" if why else verdict) + bounds


def tally_table(numbers: pd.DataFrame, of: str = "verdict") -> pd.DataFrame:
    """Return how many published errors of each report have which verdict (see `tally`)."""
    return tally(numbers, of).reset_index().rename_axis(columns=None)
