"""Figures of verdicts: published numbers beside ours, and claims."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from scipy import stats

from digits.analysis.claims import ClaimResult
from digits.analysis.statistics import CONFIDENCE
from digits.output.plots import style
from digits.output.plots.style import COLOURS, PALETTE, PUBLISHED, Row, draw_rows

#: How a verdict is shown: face, text colour, mark. Dark and light differ in grey as well.
VERDICT_STYLES = {
    "supported": (PALETTE[0], "white", "✓"),
    "contradicted": (PALETTE[3], "white", "✗"),
    "undecided": ("#d5d5d5", "black", "?"),
    "no records": ("white", "#777777", "…"),
    "design argument": ("#f3ead2", "#777777", "–"),
}
_PRINTED = {**PUBLISHED, "markersize": 3.5}
_OURS = {"marker": "o", "markersize": 4, "linestyle": "none"}
#: How far below its row each reading of a report stands, and how its mean is drawn.
READINGS = {"as written": (0.08, _OURS), "as published": (0.36, {**_OURS, "mfc": "white"})}


def published_and_ours(numbers: pd.DataFrame, caption: str) -> Figure:
    """Show each published error with its interval beside ours, one row a number, a panel a report.

    numbers: what `numbers.all_numbers` gives, of which errors are shown. A report's bar is the t
    interval of its mean, where it gives SD and n > 1. At the right edge n of ours, of each reading.
    """
    errors = numbers[~numbers.quantity.isin(["parameters", "training time"])]
    errors = errors[errors.reading != "repaired"]
    quantity = errors.quantity.str.removesuffix("_error").str.replace("fold", "cross-validation")
    errors = errors.assign(name=errors.row + ", " + quantity.str.replace("_", " "))
    counts = errors.groupby("report", sort=False).name.nunique()
    height, shares = 0.19 * counts.sum() + 1, counts + 1.2
    figure, axes = style.new_figure(caption, height, len(counts), each=0.55, height_ratios=shares)
    for axis, report in zip(axes.flat, counts.index, strict=True):
        rows = errors[errors.report == report]
        for height, (_, readings) in enumerate(rows.groupby("name", sort=False)):
            _number(axis, height, readings)
        style.name_rows(axis, list(rows.name.unique()))
        axis.tick_params(axis="y", labelsize=7)
        axis.set_title(report, loc="left", fontsize=9, color=COLOURS[report])
        axis.set_xlim(0, min(axis.get_xlim()[1], 100))
    axes[-1, 0].set_xlabel("error (%)")
    keys = {f"ours {name}": {"color": "#444444", **look} for name, (_, look) in READINGS.items()}
    return style.legend_above(figure, {"published mean, 95 % interval": _PRINTED} | keys)


def _number(axis: Axes, height: float, readings: pd.DataFrame) -> None:
    printed = readings.iloc[0]
    n, sd = printed.published_n, printed.published_sd
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) / np.sqrt(n) if n > 1 else np.nan
    half *= np.nan if pd.isna(sd) else sd
    axis.errorbar(printed.published, height - 0.2, xerr=half, elinewidth=1, **_PRINTED)
    rounds = ", ".join(str(n) for n in readings.n.astype(int) if n)
    draw_rows(axis, [Row("", "", note=f"n = {rounds}" if rounds else "no records")], top=height)
    for ours in readings[readings.n > 0].itertuples():
        below, look = READINGS[ours.reading]
        mark = {**look, "alpha": 0.45 if ours.shortened else 1, "interval": 1, "below": True}
        row = Row("", COLOURS[ours.report], (), ours.ours, ours.ours_low, ours.ours_high)
        draw_rows(axis, [row], mark, height + below)


def claims_at_a_glance(own: list[ClaimResult], common: list[ClaimResult], caption: str) -> Figure:
    """Show the verdict on every claim as a square, a row a report.

    The large square: decided by the report's own networks and protocol; the small one at its
    lower right corner: under the common protocol, where that has records.
    """
    reports = {}
    for pair in zip(own, common, strict=True):
        reports.setdefault(pair[0].claim.report, []).append(pair)
    figure, [[axis]] = style.new_figure(caption, 0.52 * len(reports) + 1.2)
    for height, pairs in enumerate(reports.values()):
        for place, (result, again) in enumerate(pairs):
            _square(axis, place, height, 0.9, result.verdict, result.claim.id)
            if again.claim.criteria and again.verdict != "no records":
                _square(axis, place + 0.62, height + 0.56, 0.34, again.verdict)
    longest = max(len(pairs) for pairs in reports.values())
    axis.set(xlim=(-0.1, longest + 0.1), ylim=(len(reports) + 0.05, -0.1), xticks=[])
    axis.set_yticks([height + 0.45 for height in range(len(reports))], list(reports))
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    keys = {
        f"{mark} {verdict}": Patch(facecolor=face, edgecolor="#777777")
        for verdict, (face, _, mark) in VERDICT_STYLES.items()
        if any(result.verdict == verdict for result in own)
    }
    return style.legend_above(figure, keys)


def _square(axis: Axes, left: float, top: float, side: float, verdict: str, name: str = "") -> None:
    face, text, mark = VERDICT_STYLES[verdict]
    edge = "#777777" if name else "white"
    axis.add_patch(Rectangle((left, top), side, side, facecolor=face, edgecolor=edge, lw=0.6))
    centre = left + side / 2
    if name:
        place = {"ha": "center", "va": "center", "color": text}
        axis.text(centre, top + 0.22, name, fontsize=6.5, **place)
        axis.text(centre - 0.12, top + 0.6, mark, fontsize=11, **place)
