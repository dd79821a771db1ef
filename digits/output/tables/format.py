"""How numbers and tables are written: means, intervals, captions; HTML, Markdown and LaTeX."""

import re
from collections import Counter
from collections.abc import Callable
from html import escape
from importlib.resources import files
from pathlib import Path

import pandas as pd
from pandas.api.types import is_numeric_dtype
from pandas.io.formats.style import Styler

from digits import core
from digits.data.sources import OTHER
from digits.experiments.registry import EXPERIMENTS

#: What a column of the tidy table is: its name on a page, its unit; differences of % are points.
QUANTITIES = {
    "precise_error": ("error", "%"),
    "train_error": ("train error", "%"),
    "test_error": ("test error", "%"),
    "test_error_training_mode": ("test error, scored in training mode", "%"),
    "digit_error": ("error on digits", "%"),
    "fold_error": ("cross-validation error", "%"),
    "fold_sd": ("SD over folds", "points"),
    "gap": ("test minus train error", "points"),
    "epochs_to_half": ("epochs to half the error of guessing", "epochs"),
    "epochs_to_own_half": ("epochs to half-way from guessing to its own last errors", "epochs"),
    "fluctuation": ("change of test error between epochs", "points"),
    "loss_fluctuation": ("change of validation loss between epochs over its mean", ""),
    "train_seconds": ("training time", "s"),
    "dead_units": ("dead units", "%"),
    "shift_changes": ("answers that a shift changes", "%"),
    "gradient_at_start": ("first layer's gradient over the last's, before training", "%"),
    "gradient_at_end": ("first layer's gradient over the last's, after training", "%"),
    "parameters": ("parameters", ""),
}
#: What tables call the errors that reports print.
PRINTED = {
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

#: What captions call the digits.
DIGITS = {
    "sample": "the 5,000 sample digits",
    "mnist": "all of MNIST",
    OTHER: "scikit-learn's 1,797 digits",
}


def scope(frame: pd.DataFrame) -> str:
    """Say what a figure or a table of `frame` shows: rounds, epochs, pairs and source."""
    if frame.empty:
        return "no runs"
    rounds = frame.groupby("experiment", sort=False).seed.nunique()
    drawn = frame.source.where(frame.digits != OTHER, OTHER)
    parts = [
        f"n = {span(rounds)} round{'s' if rounds.max() > 1 else ''}",
        f"{span(frame.epochs * frame.trainings)} epochs",
        f"{span(frame.train_pairs)} training pairs a round",
        " and ".join(DIGITS[name] for name in drawn.unique()),
    ]
    reports, diverged = set(frame.report), frame.attrs.get("diverged", {})
    notes = {
        "shortened": _shortened(frame),
        "in bfloat16": _in_bfloat16(frame),
        "rounds are missing": _missing_rounds(frame),
        # Of the reports' other networks too: one that always diverges has no row here.
        "without results": [run for run, e in diverged.items() if EXPERIMENTS[e].report in reports],
    }
    notes = [f"; {what}: {', '.join(names)}" for what, names in notes.items() if names]
    return ", ".join(parts) + "".join(notes)


def _shortened(frame: pd.DataFrame) -> list[str]:
    """Say which networks got fewer epochs, trainings or pairs than their report has."""
    counts = Counter()
    # The settings of a search are one network.
    networks = frame.experiment.where(frame.setting == "", frame.network)
    for run in frame[frame.shortened & ~networks.duplicated()].itertuples():
        full = EXPERIMENTS[run.experiment].recipe
        short = [f"{run.trainings} trainings"] if run.trainings < full.trainings else []
        short += [f"{run.epochs} epochs"] if not short or run.epochs < full.epochs else []
        short += [f"{run.train_pairs} pairs"] if run.train_pairs < full.train_pairs else []
        counts[run.report, " of ".join(short)] += 1
    return [f"{n} of {report}'s networks to {short}" for (report, short), n in counts.items()]


def _missing_rounds(frame: pd.DataFrame) -> list[str]:
    """Name the networks that have fewer rounds than the study wants of them (`Study.table`)."""
    wanted, have = frame.attrs.get("wanted", {}), frame.groupby("experiment", sort=False).seed
    return [
        f"{name} ({n} of {len(wanted[name])})"
        for name, n in have.nunique().items()
        if n < len(wanted.get(name, ()))
    ]


def _in_bfloat16(frame: pd.DataFrame) -> list[str]:
    """Say of how many networks rounds were computed in bfloat16, and whose were only in part."""
    precisions = frame.groupby("experiment", sort=False).precision.agg(set)
    fewer = precisions[["bfloat16" in these for these in precisions]]
    reports = pd.Series([EXPERIMENTS[name].report for name in fewer.index], dtype=str)
    told = [f"{n} of {of}'s networks" for of, n in reports.value_counts(sort=False).items()]
    return told + [f"{name} in part" for name, these in fewer.items() if len(these) > 1]


def number(value: float | None, form: str = "{:.2f}") -> str:
    """Return `value` as `form` says, "" where there is none."""
    return "" if value is None or pd.isna(value) else form.format(value)


# A summary is a mapping with `mean`, `sd`, `low` and `high`, or with another quantity and what is
# known of it, such as `change`, `change_low`, `change_high`. What it lacks is written "".


def places(*values: float | None) -> int:
    """Return how many decimals values in one cell have: one, or two if all are below 2."""
    known = [abs(value) for value in values if value is not None and not pd.isna(value)]
    return 1 if max(known, default=0) >= 2 else 2


def mean_sd(summary, of: str = "mean", decimals: int | None = None) -> str:
    """Return "5.1 ± 0.8", without the second half where there is no SD.

    decimals: None for what `places` says of the mean.
    """
    mean, sd = summary[of], summary[_part(of, "sd")]
    decimals = places(mean) if decimals is None else decimals
    return number(mean, f"{{:.{decimals}f}}") + number(sd, f" ± {{:.{decimals}f}}")


def interval(summary, sign: str = "", of: str = "mean", decimals: int | None = None) -> str:
    """Return "1.2 to 3.4", "" where there is none; sign: "+" to show plus signs."""
    bounds = [summary.get(_part(of, limit)) for limit in ("low", "high")]
    form = f"{{:{sign}.{places(*bounds) if decimals is None else decimals}f}}"
    low, high = (number(bound, form) for bound in bounds)
    return low and f"{low} to {high}"


def difference(summary, of: str = "mean", unit: str = "", also: str = "", sign: str = "+") -> str:
    """Return "+1.2 (-0.3 to +2.7)", without an interval where there is none, "" without a mean.

    unit: after the difference; also: after the interval, in the same brackets; sign: "" for what is
    no difference.
    """
    mean = summary.get(of)
    if pd.isna(mean):
        return ""
    decimals = places(mean, *(summary.get(_part(of, limit)) for limit in ("low", "high")))
    notes = "; ".join(filter(None, (interval(summary, sign, of, decimals), also)))
    return f"{mean:{sign}.{decimals}f}{unit and f' {unit}'}{notes and f' ({notes})'}"


def points_of(effect) -> str:
    """Return "−1.2 (−2.7 to +0.3)" of an effect with its interval if any, with one decimal."""
    bounds = interval(effect, "+", decimals=1)
    return with_minus(f"{effect['mean']:+.1f}{bounds and f' ({bounds})'}")


def amount(effect: pd.Series, sign: int) -> str:
    """Return "2.3 percentage points (0.7 to 3.9)" of an effect, or its opposite."""
    low, high = sorted((sign * effect.low, sign * effect.high))
    form = "{:.1f}" if sign < 0 else "{:+.1f}"
    mean, low, high = (form.format(value) for value in (sign * effect["mean"], low, high))
    return f"{mean} percentage points ({low} to {high})"


def points(summary) -> str:
    """Return the mean of a difference, its interval and n, as words in a sentence."""
    mean, _, bounds = difference(summary).partition(" (")
    known = f"95 % interval {bounds[:-1]}" if bounds else "too few rounds for an interval"
    return f"{mean} points ({known}; n = {summary['n']:.0f})"


def _part(of: str, name: str) -> str:
    return name if of == "mean" else f"{of}_{name}"


def span(values: pd.Series) -> str:
    """Return "3", or "3 to 10" where the values differ."""
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"


#: Of a table on a page, by CSS selector.
STYLE = {
    "": "border-collapse: collapse; font: 14px system-ui, sans-serif;",
    "th, td": "padding: .25em .7em; text-align: left; vertical-align: top;",
    "thead th": "border-bottom: 1px solid #666;",
    "tbody tr": "border-bottom: 1px solid #eee;",
    "caption": "caption-side: bottom; text-align: left; color: #555; padding-top: .6em;",
}
#: What LaTeX reads as commands. The Styler escapes cells and headings, but no caption.
ESCAPED = str.maketrans(
    {character: "\\" + character for character in "&%_#${}"}
    | {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum "}
)
#: The Styler leaves these as they are, and not every LaTeX has a letter for them.
SYMBOLS = str.maketrans({"±": r"$\pm$", "≤": r"$\leq$", "−": "$-$"})
LONG = 20  # rows of a table that a page shows folded


def escaped(text: str) -> str:
    """Return `text` for Markdown: no cell, formula, HTML tag or link begins in it."""
    return re.sub(r"[|$]|<(?=[a-zA-Z/!?])|(?<=])\(", lambda sign: f"&#{ord(sign[0])};", text)


def in_one_line(text: str) -> str:
    """Return `text` without control characters: a line end would end a row; with real minuses."""
    return with_minus(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text))


def with_minus(text: str) -> str:
    """Return `text` with a minus for each hyphen that is one: before a number, or on its own."""
    return re.sub(r"(?<=\S )-(?= )|(?<![^\s(*:])-(?=\d)", "−", text)


def _in_texts(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return `table` with its texts changed, those of the headings too."""

    def changed(cell):
        return change(cell) if isinstance(cell, str) else cell

    return table.map(changed).rename(columns=changed)


def markdown(table: pd.DataFrame) -> str:
    """Return `table` as Markdown, an empty cell for what is not there."""
    align = ["right" if is_numeric_dtype(kind) else "left" for kind in table.dtypes]
    cells = table.astype(object).where(table.notna(), "")
    cells = _in_texts(cells, lambda text: escaped(in_one_line(text)))
    return cells.to_markdown(index=False, disable_numparse=True, colalign=align)


#: Lets a phone show a page in its own width.
PHONE = '<meta name="viewport" content="width=device-width, initial-scale=1">'


class Folded:
    """A long table for display, which a click unfolds."""

    def __init__(self, shown: Styler, rows: int, caption: str):
        self.shown, self.summary = shown, f"{re.split(r'[:;.] ', caption)[0]} ({rows} rows)"

    def _repr_html_(self) -> str:
        table = self.shown.to_html()
        return f"<details><summary>{escape(self.summary)}</summary>{table}</details>"


def save(
    table: pd.DataFrame, folder: Path, name: str, caption: str, folded: bool = False
) -> Styler | Folded:
    """Write `table` to `folder` as name.html, name.md and name.tex.

    Return it as the page and a notebook show it: text left, numbers right, no index, and folded if
    it is long or `folded` says so.
    """
    table, caption = _in_texts(table, in_one_line), in_one_line(caption)
    latex = table.style.hide(axis="index").format(na_rep="", escape="latex")
    latex = latex.format_index(axis="columns", escape="latex").to_latex(
        hrules=True, caption=caption.translate(ESCAPED), label=f"tab:{folder.name}-{name}"
    )
    numeric = [place for place, kind in enumerate(table.dtypes) if is_numeric_dtype(kind)]
    rules = STYLE | {f".col{place}": "text-align: right; white-space: nowrap;" for place in numeric}
    shown = table.style.hide(axis="index").format(na_rep="", escape="html")
    shown.format_index(axis="columns", escape="html").set_caption(escape(caption)).set_uuid(name)
    shown.set_table_styles([{"selector": s, "props": props} for s, props in rules.items()])
    page = shown.to_html(doctype_html=True, encoding="utf-8").replace("</head>", f"{PHONE}</head>")
    sort = (files("digits.output") / "templates" / "sort.js").read_text(encoding="utf-8")
    for suffix, text in {
        "md": f"{markdown(table)}\n\n{escaped(caption)}\n",
        "tex": latex.translate(SYMBOLS),
        "html": page.replace("</body>", f"<script>\n{sort}</script></body>"),
    }.items():
        core.write(folder / f"{name}.{suffix}", text)
    return Folded(shown, len(table), caption) if folded or len(table) > LONG else shown
