"""Figures of verdicts: published numbers beside ours, and claims."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy import stats

from digits.claims import Decision
from digits.plots.common import PALETTE, caption, colour_of, name_rows, note_beside
from digits.statistics import CONFIDENCE

#: How a verdict is shown: face, text colour, mark. Dark and light differ in grey as well.
VERDICT_STYLES = {
    "supported": (PALETTE[0], "white", "✓"),
    "contradicted": (PALETTE[3], "white", "✗"),
    "undecided": ("#d5d5d5", "black", "?"),
    "no records": ("white", "#777777", "…"),
    "design argument": ("#f3ead2", "#777777", "–"),
}


def published_and_ours(numbers: pd.DataFrame, caption_text: str) -> Figure:
    """Show each published error with its interval beside ours, one row a number, a panel a report.

    numbers: what `verdicts.all_numbers` gives; errors alone are shown. Where a report gives mean,
    SD and n > 1, its bar is the t interval of its mean; otherwise there is none. At the right edge
    our rounds, of both readings where there are two; rows without any keep the published number.
    """
    errors = numbers[~numbers.quantity.isin(["parameters", "training time"])]
    errors = errors[errors.reading != "repaired"]
    rows = list(dict.fromkeys(zip(errors.report, errors.row, errors.quantity, strict=True)))
    reports = list(dict.fromkeys(errors.report))
    counts = [sum(report == name for report, *_ in rows) for name in reports]
    figure, axes = plt.subplots(
        len(reports),
        1,
        figsize=(8.5, 0.19 * len(rows) + 0.55 * len(reports) + 1),
        height_ratios=[count + 1.2 for count in counts],
        squeeze=False,
    )
    for axis, report in zip(axes[:, 0], reports, strict=True):
        own = [row for row in rows if row[0] == report]
        for height, key in enumerate(own):
            same = (errors.report == report) & (errors.row == key[1]) & (errors.quantity == key[2])
            _number(axis, height, errors[same])
        name_rows(axis, [f"{place}, {_short(quantity)}" for _, place, quantity in own])
        axis.tick_params(axis="y", labelsize=7)
        axis.set_title(report, loc="left", fontsize=9, color=colour_of(f"{report}/"))
        axis.set_xlim(0, min(axis.get_xlim()[1], 100))
    axes[-1, 0].set_xlabel("error (%)")
    marks = [
        Line2D([], [], **_PRINTED, label="published mean, 95 % interval"),
        Line2D([], [], **_OURS["as written"], color="#444444", label="ours as written"),
        Line2D([], [], **_OURS["as published"], color="#444444", label="ours as published"),
    ]
    figure.legend(handles=marks, loc="outside upper center", ncols=3)
    caption(figure, caption_text)
    return figure


_PRINTED = {"marker": "D", "color": "black", "markersize": 3.5, "linestyle": "none"}
_OURS = {
    "as written": {"marker": "o", "markersize": 4, "linestyle": "none"},
    "as published": {"marker": "o", "markersize": 4, "linestyle": "none", "mfc": "white"},
}


def _number(axis, height: float, readings: pd.DataFrame) -> None:
    printed = readings.iloc[0]
    half = np.nan
    if printed.published_n > 1 and pd.notna(printed.published_sd):
        half = stats.t.ppf((1 + CONFIDENCE) / 2, printed.published_n - 1)
        half *= printed.published_sd / np.sqrt(printed.published_n)
    axis.errorbar(printed.published, height - 0.2, xerr=half, elinewidth=1, **_PRINTED)
    places = {"as written": 0.08, "as published": 0.36}
    rounds = [str(n) for n in readings.n.astype(int) if n]
    note_beside(axis, height, f"n = {', '.join(rounds)}" if rounds else "no records")
    for found in readings[readings.n > 0].itertuples():
        style = {**_OURS[found.reading], "color": colour_of(f"{found.report}/")}
        where = height + places[found.reading]
        axis.plot([found.ours_low, found.ours_high], [where] * 2, color=style["color"], lw=1)
        axis.plot(found.ours, where, alpha=0.45 if found.shortened else 1, **style)


def _short(quantity: str) -> str:
    return quantity.removesuffix("_error").replace("fold", "cross-validation").replace("_", " ")


def claims_at_a_glance(own: list[Decision], common: list[Decision], caption_text: str) -> Figure:
    """Show the verdict on every claim as a square, a row a report.

    The large square: decided by the report's own networks and protocol; the small one at its
    lower right corner: under the common protocol, where that has records.
    """
    reports = list(dict.fromkeys(decision.claim.report for decision in own))
    longest = max(sum(d.claim.report == report for d in own) for report in reports)
    figure, axis = plt.subplots(figsize=(8.5, 0.52 * len(reports) + 1.2))
    for height, report in enumerate(reports):
        pairs = [pair for pair in zip(own, common, strict=True) if pair[0].claim.report == report]
        for place, (decision, again) in enumerate(pairs):
            _square(axis, place, height, 0.9, decision.verdict, decision.claim.id)
            if again.claim.parts and again.verdict != "no records":
                _square(axis, place + 0.62, height + 0.56, 0.34, again.verdict, "")
    axis.set(xlim=(-0.1, longest + 0.1), ylim=(len(reports) + 0.05, -0.1), xticks=[])
    axis.set_yticks([height + 0.45 for height in range(len(reports))], reports)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    shown = [verdict for verdict in VERDICT_STYLES if any(d.verdict == verdict for d in own)]
    handles = [
        Patch(
            facecolor=VERDICT_STYLES[v][0], edgecolor="#777777", label=f"{VERDICT_STYLES[v][2]} {v}"
        )
        for v in shown
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles))
    caption(figure, caption_text)
    return figure


def _square(axis, left: float, top: float, side: float, verdict: str, name: str) -> None:
    face, text, mark = VERDICT_STYLES[verdict]
    edge = "white" if side < 0.5 else "#777777"
    axis.add_patch(Rectangle((left, top), side, side, facecolor=face, edgecolor=edge, lw=0.6))
    centre = left + side / 2
    if name:
        place = {"ha": "center", "va": "center", "color": text}
        axis.text(centre, top + 0.22, name, fontsize=6.5, **place)
        axis.text(centre - 0.12, top + 0.6, mark, fontsize=11, **place)
