"""Figures that compare experiments: errors, effects, times."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from digits.experiment import report_of
from digits.plots.common import (
    COLOURS,
    PUBLISHED,
    STAR,
    colour_of,
    name_rows,
    note_beside,
    rows_of_points,
)
from digits.plots.common import caption as caption_below
from digits.statistics import EFFECTS


def error_boxes(
    frame: pd.DataFrame,
    published: pd.DataFrame,
    caption: str,
    *,
    value: str = "test_error",
    accuracy: bool = False,
    yardsticks: dict[str, float] | None = None,
    point: str = "one round",
    stars: bool = False,
) -> Figure:
    """Show every `value` as a point with a box around them, and the published mean and SD.

    frame: rows with `experiment` and `value`, an error in per cent.
    published: rows of experiment, quantity, mean, sd (see `tables.published_numbers`).
    accuracy: show 100 - error.
    yardsticks: errors to compare with, by name, drawn as vertical lines.
    point: what a point is. stars: mark our mean by a star, as damachi's Figure 7 does.
    """
    shown = frame[["experiment"]].assign(value=100 - frame[value] if accuracy else frame[value])
    rows = {name: runs.value for name, runs in shown.groupby("experiment", sort=False)}
    figure, axis = plt.subplots(figsize=(8.5, 0.27 * len(rows) + 1.4))
    colours = [colour_of(name) for name in rows]
    sns.boxplot(
        shown,
        x="value",
        y="experiment",
        hue="experiment",
        palette=colours,
        fill=False,
        showfliers=False,
        width=0.6,
        linewidth=1,
        legend=False,
        ax=axis,
    )
    rows_of_points(axis, rows, colours, _lengths(frame))
    lowest = [shown.value.min()]
    for height, (name, values) in enumerate(rows.items()):
        numbers = published[(published.quantity == value) & (published.experiment == name)]
        for index, number in enumerate(numbers.itertuples()):
            printed = 100 - number.mean if accuracy else number.mean
            lowest.append(printed - np.nan_to_num(number.sd))
            axis.errorbar(
                printed,
                height + 0.3 * (index - (len(numbers) - 1) / 2),
                xerr=number.sd,
                elinewidth=1.2,
                capsize=2.5,
                zorder=3,
                **PUBLISHED,
            )
        if stars:
            axis.plot(values.mean(), height, **STAR)
    kind = value.replace("fold_error", "cross-validation error").replace("_", " ")
    axis.set(xlabel=f"{kind.replace('error', 'accuracy') if accuracy else kind} (%)", ylabel="")
    if accuracy:
        axis.set_xlim(min(lowest) - 2, 101)
    handles = [
        Line2D([], [], color="#777777", marker="o", linestyle="none", label=point),
        Line2D([], [], **PUBLISHED, label="published mean ± SD"),
    ]
    if stars:
        handles.append(Line2D([], [], **STAR, label="our mean"))
    for (name, error), style in zip((yardsticks or {}).items(), ("--", ":", "-."), strict=False):
        handles.append(axis.axvline(error, color="#444444", lw=1.2, ls=style, zorder=0, label=name))
    figure.legend(handles=handles, loc="outside upper center", ncols=min(3, len(handles)))
    caption_below(figure, caption)
    return figure


def _lengths(frame: pd.DataFrame) -> dict[str, str]:
    """Say of each shortened experiment how long it was trained."""
    if "shortened" not in frame:
        return {}
    short = frame[frame.shortened].drop_duplicates("experiment")
    return {run.experiment: f", {run.epochs * run.trainings} epochs" for run in short.itertuples()}


def differences_forest(differences: pd.DataFrame, caption: str) -> Figure:
    """Show paired differences with their intervals, one row each.

    differences: what `statistics.paired_differences` gives.
    """
    figure, axis = plt.subplots(figsize=(8.5, 0.3 * len(differences) + 1.1))
    for height, row in enumerate(differences.itertuples()):
        colour = colour_of(row.first)
        axis.plot(row.mean, height, "o", color=colour)
        if np.isfinite(row.low):
            axis.plot([row.low, row.high], [height, height], color=colour)
        note_beside(axis, height, f"n = {row.n:.0f}")
    axis.axvline(0, color="black", linewidth=0.8)
    name_rows(axis, list(differences.difference))
    axis.set_xlabel("points of error")
    caption_below(figure, caption)
    return figure


def effects_forest(
    effects: pd.DataFrame,
    title: str,
    caption: str,
    pooled: dict[str, tuple[list[str], pd.DataFrame]] | None = None,
) -> Figure:
    """Show the effects of 2x2 designs with their intervals, a panel an effect.

    effects: what `statistics.factorial_effects` gives.
    pooled: means over designs by their name: which designs, and what `statistics.pooled_effects`
        gives of them. Each stands as a diamond below its designs, as far as they are not shown
        above it.
    """
    names = [name for name in EFFECTS if name in set(effects.effect)]
    designs = list(dict.fromkeys(effects.design))
    rows = {} if pooled else {design: None for design in designs}
    for mean, (members, summaries) in (pooled or {}).items():
        rows |= {design: None for design in designs if design in members}
        rows[mean] = summaries.set_index("effect")
    figure, axes = plt.subplots(
        2,
        3,
        figsize=(8.5, 2 * (0.26 * len(rows) + 0.75) + 0.9),
        sharex=True,
        sharey=True,
    )
    found = effects.set_index(["effect", "design"])
    for axis, name in zip(axes.flat, names, strict=True):
        for height, (row, means) in enumerate(rows.items()):
            if means is None:
                mean, low, high = found.loc[(name, row), ["mean", "low", "high"]].astype(float)
                axis.plot(mean, height, "o", color=colour_of(row))
                axis.plot([low, high], [height, height], color=colour_of(row))
                continue
            mean, low, high = means.loc[name, ["mean", "low", "high"]].astype(float)
            corners = [(low, height), (mean, height - 0.28), (high, height), (mean, height + 0.28)]
            if np.isfinite(corners).all():
                axis.add_patch(Polygon(corners, facecolor="black", edgecolor="none"))
            if height < len(rows) - 1:
                axis.axhline(height + 0.5, color="#bbbbbb", linewidth=0.6)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title("\n".join(textwrap.wrap(name, 28)))
        name_rows(axis, [row.removeprefix("common/") for row in rows])
        axis.autoscale_view(scaley=False)
    for axis in axes[-1]:
        axis.set_xlabel("points of error")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10)
    caption_below(figure, caption)
    return figure


def ranking(ranked: pd.DataFrame, frame: pd.DataFrame, caption: str) -> Figure:
    """Show networks from the fewest to the most errors: every round a point, mean and interval.

    ranked: what `statistics.ranking` gives of the tidy rows `frame`.
    """
    values = {
        name.removeprefix("common/"): frame.loc[frame.experiment == name, "precise_error"]
        for name in ranked.experiment
    }
    figure, axis = plt.subplots(figsize=(8.5, 0.21 * len(values) + 1.1))
    colours = [colour_of(name) for name in ranked.experiment]
    rows_of_points(axis, values, colours)
    for height, row in enumerate(ranked.itertuples()):
        axis.plot(row.mean, height, "|", color="black", markersize=9)
        axis.plot([row.low, row.high], [height, height], color="black", linewidth=1.2)
    axis.tick_params(axis="y", labelsize=7)
    axis.set_xlabel("precise test error (%)")
    caption_below(figure, caption)
    return figure


def error_against_cost(ranked: pd.DataFrame, caption: str) -> Figure:
    """Show error against parameters and against training compute, a point a network.

    ranked: what `statistics.ranking` gives. Marks tell weight sharing and the auxiliary loss; the
    line joins the networks that no cheaper one beats.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8.5, 4.2), sharey=True)
    for axis, cost, label in zip(
        axes,
        ("parameters", "training_gflop"),
        ("parameters", "training compute (GFLOP a round)"),
        strict=True,
    ):
        for row in ranked.itertuples():
            style = _OPTION_STYLES[_OPTIONS[row.shared, row.auxiliary]]
            axis.plot(getattr(row, cost), row.mean, color=colour_of(row.experiment), **style)
            if np.isfinite(row.low):
                axis.plot(
                    [getattr(row, cost)] * 2,
                    [row.low, row.high],
                    color=colour_of(row.experiment),
                    linewidth=0.8,
                )
        best = ranked.sort_values([cost, "mean"])
        best = best[best["mean"] <= best["mean"].cummin()]
        axis.plot(best[cost], best["mean"], color="#999999", linewidth=0.8, zorder=0)
        for place, row in enumerate(best.itertuples()):
            name = row.experiment.removeprefix("common/").partition("/")[2]
            where = (getattr(row, cost), row.mean)
            side = "right" if place == len(best) - 1 else "left"
            above = place % 2 == 0
            axis.annotate(
                name,
                where,
                xytext=(4 if side == "left" else -2, 5 if above else -6),
                textcoords="offset points",
                ha=side,
                va="bottom" if above else "top",
                fontsize=6.5,
            )
        axis.set(xscale="log", xlabel=label, ylim=(0, None))
    axes[0].set_ylabel("precise test error (%)")
    handles = [
        Line2D([], [], color="#444444", **style, label=name)
        for name, style in _OPTION_STYLES.items()
    ] + [
        Line2D([], [], color=colour, marker="s", linestyle="none", label=report)
        for report, colour in COLOURS.items()
        if report in {report_of(name) for name in ranked.experiment}
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=5)
    caption_below(figure, caption)
    return figure


_OPTION_STYLES = {
    "plain": {"marker": "o", "markersize": 6, "linestyle": "none", "mfc": "white"},
    "weight sharing": {"marker": "s", "markersize": 6, "linestyle": "none", "mfc": "white"},
    "auxiliary loss": {"marker": "o", "markersize": 6, "linestyle": "none"},
    "both": {"marker": "s", "markersize": 6, "linestyle": "none"},
}


#: Which of them: is one branch shared by both images, is there an auxiliary loss?
_OPTIONS = {
    (False, False): "plain",
    (True, False): "weight sharing",
    (False, True): "auxiliary loss",
    (True, True): "both",
}


def seconds_a_round(frame: pd.DataFrame, caption: str) -> Figure:
    """Show the seconds of training that each round took, and their mean."""
    rows = {name: runs.train_seconds for name, runs in frame.groupby("experiment", sort=False)}
    figure, axis = plt.subplots(figsize=(8.5, 0.3 * len(rows) + 1.1))
    rows_of_points(axis, rows, [colour_of(name) for name in rows])
    for height, seconds in enumerate(rows.values()):
        axis.plot([seconds.mean()] * 2, [height - 0.3, height + 0.3], color="black")
    axis.set_xlabel("seconds of training a round, one core")
    caption_below(figure, caption)
    return figure
