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
#: The effects that answer the study's question, by what a picture calls them.
ANSWER = dict(zip(MAIN_EFFECTS, ("weight sharing", "digit loss", "both"), strict=True))
#: Those of the forest plot, a panel each: against a network with one option fewer, or two.
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
    return figure


def effects_forest(
    effects: pd.DataFrame, title: str, caption: str, pooled: dict[str, tuple] | None = None
) -> Figure:
    """Show the effects of 2x2 designs with their intervals, a panel an effect.

    effects: what `effects.factorial_effects` gives. pooled: by the name of a mean its designs
    and what `effects.pooled_effects` gives of them: a diamond below those not yet shown.
    """
    designs = dict(list(effects.groupby("design", sort=False)))
    tables = {} if pooled else designs
    for mean, (members, summaries) in (pooled or {}).items():
        tables |= {name: designs[name] for name in designs if name in members} | {mean: summaries}
    shape = {"each": 0.26 * len(tables) + 0.75, "sharex": True, "sharey": True}
    figure, axes = style.new_figure(caption, 0.9, len(PANELS), 3, title=title, **shape)
    for axis, effect in zip(axes.flat, PANELS, strict=True):
        for height, (name, table) in enumerate(tables.items()):
            found = table[table.effect == effect].iloc[0]
            mean, low, high = found[["mean", "low", "high"]].astype(float)
            if name in DESIGNS:
                draw_rows(axis, [Row(name, colour_of(name), (), mean, low, high)], DOT, height)
                continue
            corners = [(low, height), (mean, height - 0.28), (high, height), (mean, height + 0.28)]
            if np.isfinite(corners).all():
                axis.add_patch(Polygon(corners, facecolor="black", edgecolor="none"))
            if height < len(tables) - 1:
                axis.axhline(height + 0.5, color="#bbbbbb", linewidth=0.6)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title(textwrap.fill(PANELS[effect], 28))
        style.name_rows(axis, [of_design(DESIGNS[n]) if n in DESIGNS else n for n in tables])
        axis.autoscale_view(scaley=False)
    plt.setp(axes[-1], xlabel="percentage points")
    return figure


def answer(effects: pd.DataFrame, pooled: pd.DataFrame, title: str, caption: str) -> Figure:
    """Show what both options change: a bar and its interval over designs, a point a design.

    effects: what `effects.factorial_effects` gives of the designs; pooled: `pooled_effects`. A
    design of too few rounds for the mean is hollow.
    """
    figure, [[axis]] = style.new_figure(caption, 2.7)
    means = pooled.set_index("effect")
    for height, effect in enumerate(ANSWER):
        mean, low, high = means.loc[effect, ["mean", "low", "high"]].astype(float)
        axis.barh(height, mean, height=0.55, color="#d9d9d9", zorder=1)
        axis.plot([low, high], [height] * 2, color="black", linewidth=1.6, zorder=3)
        says = {"text": f"{mean:.1f}".replace("-", "−"), "va": "center", "fontweight": "bold"}
        if np.isfinite(mean):
            axis.annotate(xy=(0.1, height), **says)
        for own in effects[effects.effect == effect].itertuples():
            colour = colour_of(own.design)
            face = {} if own.n >= LEAST_ROUNDS else {"mfc": "white"}
            axis.plot(own.mean, height, color=colour, **_POINT, **face)
    style.name_rows(axis, list(ANSWER.values()))
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set(xlabel=CHANGE)
    shown = effects[effects.effect.isin(ANSWER)]["mean"].max(), means.high[list(ANSWER)].max()
    axis.set_xlim(right=1.1 * np.nanmax([0.7, *shown]))
    keys = {"mean over designs": {"color": "#d9d9d9", "marker": "s", "linestyle": "none"}}
    keys |= {"95 % interval": {"color": "black"}}
    for name, n in effects.groupby("design", sort=False).n.min().items():
        few = {"mfc": "white"} if n < LEAST_ROUNDS else {}
        report = DESIGNS[name].report.capitalize() + (" (few rounds)" if few else "")
        keys[report] = {"color": colour_of(name), **_POINT, **few}
    columns = len(keys) if len(keys) < 6 or effects.n.max() >= LEAST_ROUNDS else 4
    return style.legend_above(figure, keys, columns=columns, title=title)


_POINT = {"marker": "o", "linestyle": "none", "markersize": 5, "zorder": 4}
