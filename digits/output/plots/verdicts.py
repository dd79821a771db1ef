"""Figures of verdicts: published numbers beside ours, and claims."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from digits.analysis.claims import ClaimResult
from digits.analysis.numbers import CODE, FIXED, OTHERS, TEXT, errors_of
from digits.analysis.statistics import CONFIDENCE
from digits.output.plots import style
from digits.output.plots.style import COLOURS, PALETTE, PUBLISHED, Row, draw_rows

_GOOD, _BAD, _OPEN, _ABSENT = PALETTE[0], PALETTE[3], "#9a9a9a", "#b5b5b5"
#: How a verdict is shown, the firmest first: marker, face, edge, size. The marker tells it in grey.
VERDICT_STYLES = {
    "equivalent": ("s", _GOOD, _GOOD, 7.5),
    "supported": ("s", _GOOD, _GOOD, 7.5),
    "typical": ("s", "white", _GOOD, 7),
    "different": ("X", _BAD, _BAD, 8),
    "contradicted": ("X", _BAD, _BAD, 8),
    "not typical": ("X", "white", _BAD, 7.5),
    "no difference": ("d", PALETTE[1], PALETTE[1], 8),
    "cannot tell": ("o", "white", _OPEN, 6.5),
    "undecided": ("o", "white", _OPEN, 6.5),
    "not run": (".", _ABSENT, _ABSENT, 3),
}
ORDER = list(VERDICT_STYLES)
#: Marks in a line of the picture of verdicts.
ACROSS = 14
_PRINTED = {**PUBLISHED, "markersize": 3.5}
_OURS = {"marker": "o", "markersize": 4, "linestyle": "none"}
#: How far below its row each reading of a report stands, and how its mean is drawn.
READINGS = {TEXT: (0.08, _OURS), CODE: (0.36, {**_OURS, "mfc": "white"})}


def published_and_ours(numbers: pd.DataFrame, caption: str) -> Figure:
    """Show each published error with its interval beside ours, one row a number, a panel a report.

    numbers: what `numbers.all_numbers` gives, of which errors are shown. A report's bar is the t
    interval of its mean, where that is over independent rounds. At the right edge n of ours, of
    each reading.
    """
    errors = numbers[~numbers.quantity.isin(OTHERS) & (numbers.reading != FIXED)]
    quantity = errors.quantity.str.removesuffix("_error").str.replace("fold", "cross-validation")
    errors = errors.assign(name=errors.row + ", " + quantity.str.replace("_", " "))
    counts = errors.groupby("report", sort=False).name.nunique()
    height, shares = 0.19 * counts.sum() + 1, counts + 1.2
    figure, axes = style.new_figure(caption, height, len(counts), each=0.55, height_ratios=shares)
    for axis, report in zip(axes.flat, counts.index, strict=True):
        rows = {}
        for number in errors[errors.report == report].to_dict("records"):
            rows.setdefault(number["name"], []).append(number)
        for height, readings in enumerate(rows.values()):
            _number(axis, height, readings)
        style.name_rows(axis, list(rows))
        axis.tick_params(axis="y", labelsize=7)
        axis.set_title(report.capitalize(), loc="left", fontsize=9, color=COLOURS[report])
        axis.set_xlim(0, min(axis.get_xlim()[1], 100))
    axes[-1, 0].set_xlabel("error (%)")
    keys = {
        f"ours {name}": {"color": "#444444", **look}
        for name, (_, look) in READINGS.items()
        if (errors.reading[errors.n > 0] == name).any()
    }
    keys = {"published mean (interval if over rounds)": _PRINTED} | keys
    return style.legend_above(figure, keys, title="Are the published errors the same as ours?")


def _number(axis: Axes, height: float, readings: list[dict]) -> None:
    n, sd = readings[0]["published_n"], readings[0]["published_sd"]
    independent = n > 1 and readings[0]["kind"] == "rounds"
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) / np.sqrt(n) if independent else np.nan
    half *= np.nan if pd.isna(sd) else sd
    printed = readings[0]["published"]
    bar = Row("", "black", (), printed, printed - half, printed + half)
    draw_rows(axis, [bar], {**_PRINTED, "interval": 1}, height - 0.2)
    run = [ours for ours in readings if ours["n"] > 0]
    rounds = ", ".join(f"{ours['n']:.0f}" for ours in run)
    draw_rows(axis, [Row("", "", note=f"n = {rounds}" if rounds else "no records")], top=height)
    for ours in run:
        below, look = READINGS[ours["reading"]]
        mark = {**look, "alpha": 0.45 if ours["shortened"] else 1, "interval": 1, "below": True}
        bounds = (ours[name] for name in ("ours", "ours_low", "ours_high"))
        draw_rows(axis, [Row("", COLOURS[ours["report"]], (), *bounds)], mark, height + below)


def verdicts_at_a_glance(numbers: pd.DataFrame, claims: list[ClaimResult], caption: str) -> Figure:
    """Show the verdict on every printed error, by both readings, and on every claim of a report.

    numbers: what `numbers.all_numbers` gives; following the code, what it computes differently.
    One mark each, a row a report, the firmest verdicts first; what was not run is small.
    """
    errors = errors_of(numbers, in_both=False)
    names = {TEXT: f"Printed errors, {TEXT}", CODE: "Following the code, if other"}
    panels = {
        name: errors[errors.reading == reading].groupby("report").verdict
        for reading, name in names.items()
    }
    said = [(c.claim.report, c.verdict) for c in claims if not c.claim.ours]
    said = pd.DataFrame(said, columns=["report", "verdict"])
    panels["Claims"] = said.groupby("report").verdict
    lines = pd.concat([verdicts.size() for verdicts in panels.values()], axis=1).max(axis=1)
    lines = np.ceil(lines / ACROSS)[list(dict.fromkeys([*errors.report, *said.report]))]
    tops = dict(zip(lines.index, (lines + 0.6).cumsum() - lines, strict=True))
    height = lines.sum() + 0.6 * len(lines)
    figure, axes = style.new_figure(caption, 0.19 * height + 1.4, 3, 3, sharey=True)
    for axis, (title, verdicts) in zip(axes.flat, panels.items(), strict=True):
        for report, own in verdicts:
            for place, verdict in enumerate(sorted(own, key=ORDER.index)):
                look = _look(*VERDICT_STYLES[verdict])
                axis.plot(place % ACROSS, tops[report] + place // ACROSS, **look)
        axis.set(title=title, xlim=(-0.7, ACROSS - 0.3), xticks=[], ylim=(height, 0))
        axis.set_yticks(list(tops.values()), [report.capitalize() for report in tops])
        axis.tick_params(length=0)
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    seen = {verdict for verdicts in panels.values() for verdict in verdicts.obj}
    keys = {}
    for verdict in (verdict for verdict in ORDER if verdict in seen):
        keys.setdefault(VERDICT_STYLES[verdict], []).append(verdict)
    handles = {" / ".join(names): _look(*look) for look, names in keys.items()}
    title = "Which published numbers and claims hold up?"
    return style.legend_above(figure, handles, columns=4, title=title)


def _look(marker: str, face, edge, size: float) -> dict:
    return {"marker": marker, "mfc": face, "mec": edge, "markersize": size, "linestyle": "none"}
