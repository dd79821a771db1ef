"""Figures of effects: what an option or another change does to the error, with its interval."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from digits.analysis.effects import EFFECTS, LEAST_ROUNDS, MAIN_EFFECTS, RATHER
from digits.experiments.registry import DESIGNS
from digits.output.names import of_design
from digits.output.plots import style
from digits.output.plots.rows import figure_of
from digits.output.plots.style import DOT, Row, colour_of, draw_rows

#: What an axis of differences says.
CHANGE = "change in test error (percentage points; left: better)"
#: Effects of the forest plot, a panel each: against a network with one option fewer, or two.
PANELS = {effect: effect for effect in EFFECTS if effect != RATHER}
PANELS["interaction"] = "interaction: both minus the two alone"


def differences_forest(
    differences: pd.DataFrame, caption: str, title: str = "What does each change do to the error?"
) -> Figure:
    """Show what `statistics.paired_differences` gives: means with intervals, one row each."""
    rows = [
        Row(d.difference, colour_of(d.first), (), d.mean, d.low, d.high, f"n = {d.n:.0f}")
        for d in differences.itertuples()
    ]
    figure, axis = figure_of(rows, DOT, caption, 0.3, 1.1, xlabel=CHANGE, title=title)
    axis.axvline(0, color="black", linewidth=0.8)
    # An interval over two rounds may be ten times as long as all others; an arrow marks its end.
    known = differences[differences.n > 2]
    shown = pd.concat([differences["mean"], known.low, known.high, pd.Series([0.0])])
    room = 0.05 * (shown.max() - shown.min()) or 1.0
    axis.set_xlim(shown.min() - room, shown.max() + room)
    return figure


def effects_forest(
    effects: pd.DataFrame, title: str, caption: str, pooled: dict[str, tuple] | None = None
) -> Figure:
    """Show the effects of 2x2 designs with their intervals, a panel an effect.

    effects: what `effects.factorial_effects` gives. pooled: by the name of a mean its designs
    and what `effects.pooled_effects` gives of them: a diamond below those not yet shown. Designs
    of too few rounds for a mean are then hollow.
    """
    designs = dict(list(effects.groupby("design", sort=False)))
    tables = {} if pooled else designs
    for mean, (members, summaries) in (pooled or {}).items():
        tables |= {name: designs[name] for name in designs if name in members} | {mean: summaries}
    shape = {"each": 0.26 * len(tables) + 0.75, "sharex": True, "sharey": True}
    own_title = "" if pooled else title  # else that of the legend
    figure, axes = style.new_figure(caption, 1.0, len(PANELS), 3, title=own_title, **shape)
    for axis, effect in zip(axes.flat, PANELS, strict=True):
        for height, (name, table) in enumerate(tables.items()):
            found = table[table.effect == effect].iloc[0]
            mean, low, high = found[["mean", "low", "high"]].astype(float)
            last = axis in axes[:, -1]  # beside which stand the notes of its row
            if name in DESIGNS:
                few = {"mfc": "white"} if pooled and found.n < LEAST_ROUNDS else {}
                note = f"n = {found.n:.0f}" if last else ""
                row = Row(name, colour_of(name), (), mean, low, high, note)
                draw_rows(axis, [row], {**DOT, **few}, height)
                continue
            draw_rows(
                axis, [Row(name, "", note=f"{found.n:.0f} designs" if last else "")], None, height
            )
            corners = [(low, height), (mean, height - 0.28), (high, height), (mean, height + 0.28)]
            if np.isfinite(corners).all():
                axis.add_patch(Polygon(corners, facecolor="black", edgecolor="none"))
            if height < len(tables) - 1:
                axis.axhline(height + 0.5, color="#bbbbbb", linewidth=0.6)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(textwrap.fill(PANELS[effect], 24))
        style.name_rows(axis, [of_design(DESIGNS[n]) if n in DESIGNS else n for n in tables])
        axis.autoscale_view(scaley=False)
    plt.setp(axes[-1], xlabel="change in test error\n(points; left: better)")
    if not pooled:
        return figure
    point = {**_POINT, "color": "#555555"}
    keys = {"design, interval over rounds": point}
    if (effects.n < LEAST_ROUNDS).any():
        keys["too few rounds for a mean"] = {**point, "mfc": "white"}
    keys["mean and interval over designs"] = {**point, "marker": "D", "color": "black"}
    return style.legend_above(figure, keys, title=title)


def answer(effects: pd.DataFrame, pooled: pd.DataFrame, title: str, caption: str) -> Figure:
    """Show what both options change: a bar and its interval over designs, a point a design.

    effects: what `effects.factorial_effects` gives of the designs; pooled: `pooled_effects`. A
    design of too few rounds for the mean is hollow.
    """
    figure, [[axis]] = style.new_figure(caption, 3.3)
    means, designs = pooled.set_index("effect"), effects.groupby("design", sort=False).n.min()
    looks = {}
    for (name, n), marker in zip(designs.items(), "osD^v<>", strict=False):
        few = {"mfc": "white"} if n < LEAST_ROUNDS else {}
        looks[name] = {**_POINT, "color": colour_of(name), "marker": marker, **few}
    for height, effect in enumerate(MAIN_EFFECTS):
        mean, low, high = means.loc[effect, ["mean", "low", "high"]].astype(float)
        axis.barh(height, mean, height=0.75, color="#d9d9d9", zorder=1)
        axis.plot([low, high], [height - 0.28] * 2, color="black", linewidth=1.6, zorder=3)
        says = {"text": f"{mean:.1f}".replace("-", "−"), "va": "center", "fontweight": "bold"}
        if np.isfinite(mean):
            axis.annotate(xy=(0.1, height), **says)
        for place, own in enumerate(effects[effects.effect == effect].itertuples()):
            below = 0.12 * (place - (len(looks) - 1) / 2) + 0.08
            axis.plot(own.mean, height + below, **looks[own.design])
    style.name_rows(axis, list(MAIN_EFFECTS))
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set(xlabel=CHANGE)
    shown = (
        effects[effects.effect.isin(MAIN_EFFECTS)]["mean"].max(),
        means.high[list(MAIN_EFFECTS)].max(),
    )
    axis.set_xlim(right=1.1 * np.nanmax([0.7, *shown]))
    n = int(pooled.n.max())
    keys = (
        {f"mean of {n} designs": {"color": "#d9d9d9", "marker": "s", "linestyle": "none"}}
        if n
        else {}
    )
    keys |= {"95 % interval over designs": {"color": "black"}} if n else {}
    for name, look in looks.items():
        few = " (few rounds)" if "mfc" in look else ""
        keys[of_design(DESIGNS[name]) + few] = look
    return style.legend_above(figure, keys, columns=4, title=title)


_POINT = {"marker": "o", "linestyle": "none", "markersize": 5, "zorder": 4}
