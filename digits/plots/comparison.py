"""Figures that compare experiments: errors, effects, times."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from digits.plots.common import PUBLISHED, colour_of, rows_of_points
from digits.plots.common import caption as caption_below
from digits.statistics import EFFECTS


def error_boxes(
    frame: pd.DataFrame, published: pd.DataFrame, yardsticks: dict[str, float], caption: str
) -> Figure:
    """Show the test error of every round as a box and points, and the published mean and SD.

    yardsticks: errors to compare with, by name, drawn as vertical lines.
    """
    rows = {name: runs.test_error for name, runs in frame.groupby("experiment", sort=False)}
    figure, axis = plt.subplots(figsize=(8.5, 0.27 * len(rows) + 1.3))
    colours = [colour_of(name) for name in rows]
    sns.boxplot(
        frame,
        x="test_error",
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
    rows_of_points(axis, rows, colours)
    for height, name in enumerate(rows):
        numbers = published[(published.quantity == "test_error") & (published.experiment == name)]
        for index, number in enumerate(numbers.itertuples()):
            axis.errorbar(
                number.mean,
                height + 0.3 * (index - (len(numbers) - 1) / 2),
                xerr=number.sd,
                elinewidth=1.2,
                capsize=2.5,
                zorder=3,
                **PUBLISHED,
            )
    axis.set(xlabel="test error (%)", ylabel="")
    handles = [
        Line2D([], [], color="#777777", marker="o", linestyle="none", label="one round"),
        Line2D([], [], **PUBLISHED, label="published mean ± SD"),
    ]
    for (name, error), style in zip(yardsticks.items(), ("--", ":", "-."), strict=False):
        handles.append(axis.axvline(error, color="#444444", lw=1.2, ls=style, zorder=0, label=name))
    figure.legend(handles=handles, loc="outside upper center", ncols=2)
    caption_below(figure, caption)
    return figure


def effects_forest(effects: pd.DataFrame, title: str, caption: str) -> Figure:
    """Show the effects of the 2x2 design with their intervals, a panel an effect.

    effects: what `statistics.factorial_effects` gives.
    """
    names = [name for name in EFFECTS if name in set(effects.effect)]
    designs = list(dict.fromkeys(effects.design))
    figure, axes = plt.subplots(
        2,
        3,
        figsize=(8.5, 2 * (0.26 * len(designs) + 0.75) + 0.9),
        sharex=True,
        sharey=True,
    )
    for axis, name in zip(axes.flat, names, strict=True):
        for height, design in enumerate(designs):
            row = effects[(effects.effect == name) & (effects.design == design)]
            mean, low, high = row[["mean", "low", "high"]].to_numpy(dtype=float)[0]
            colour = colour_of(design)
            axis.plot(mean, height, "o", color=colour)
            if np.isfinite(low):
                axis.plot([low, high], [height, height], color=colour)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title("\n".join(textwrap.wrap(name, 28)))
        axis.set_yticks(range(len(designs)), designs)
        axis.set_ylim(len(designs) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
    for axis in axes[-1]:
        axis.set_xlabel("points of error")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10)
    caption_below(figure, caption)
    return figure


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
