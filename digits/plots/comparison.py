"""Figures that compare experiments: errors, effects, times."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from digits.plots.common import PUBLISHED, colour_of
from digits.plots.common import caption as caption_below
from digits.statistics import EFFECTS, summarise


def error_boxes(
    frame: pd.DataFrame, published: pd.DataFrame, caption: str, value: str = "test_error"
) -> Figure:
    """Show the test error of every round as a box and points, and the published mean and SD."""
    names = list(dict.fromkeys(frame.experiment))
    figure, axis = plt.subplots(figsize=(8.5, 0.27 * len(names) + 1.5))
    colours = {name: colour_of(name) for name in names}
    common = {"x": value, "y": "experiment", "order": names, "hue": "experiment", "legend": False}
    sns.boxplot(
        frame,
        **common,
        palette=colours,
        fill=False,
        showfliers=False,
        width=0.6,
        linewidth=1,
        ax=axis,
    )
    sns.stripplot(frame, **common, palette=colours, size=3, alpha=0.55, jitter=0.18, ax=axis)
    numbers = published[(published.quantity == value) & published.experiment.isin(names)]
    for name, rows in numbers.groupby("experiment"):
        for index, number in enumerate(rows.itertuples()):
            axis.errorbar(
                number.mean,
                names.index(name) + 0.3 * (index - (len(rows) - 1) / 2),
                xerr=number.sd,
                elinewidth=1.2,
                capsize=2.5,
                **PUBLISHED,
            )
    axis.set(xlabel="test error (%)", ylabel="")
    axis.set_xlim(left=0)
    axis.legend(
        handles=[
            Line2D([], [], color="#777777", marker="o", linestyle="none", label="one round"),
            Line2D([], [], **PUBLISHED, label="published mean ± SD"),
        ],
        loc="upper center",
        bbox_to_anchor=(0.4, 1.0),
        ncols=2,
    )
    axis.margins(y=0.02)
    axis.set_ylim(len(names) - 0.4, -1.6)
    caption_below(figure, caption)
    return figure


def effects_forest(effects: pd.DataFrame, title: str, caption: str) -> Figure:
    """Show the effects of the 2x2 design with their intervals, a panel an effect.

    effects: what `statistics.factorial_effects` gives.
    """
    names = [name for name in EFFECTS if name in set(effects.effect)]
    architectures = list(dict.fromkeys(effects.architecture))
    figure, axes = plt.subplots(
        2,
        3,
        figsize=(8.5, 2 * (0.26 * len(architectures) + 0.75) + 0.9),
        sharex=True,
        sharey=True,
    )
    for axis, name in zip(axes.flat, names, strict=True):
        for height, architecture in enumerate(architectures):
            row = effects[(effects.effect == name) & (effects.architecture == architecture)]
            mean, low, high = row[["mean", "low", "high"]].to_numpy(dtype=float)[0]
            colour = colour_of(architecture)
            axis.plot(mean, height, "o", color=colour)
            if np.isfinite(low):
                axis.plot([low, high], [height, height], color=colour)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_title("\n".join(textwrap.wrap(name, 28)))
        axis.set_yticks(range(len(architectures)), architectures)
        axis.grid(axis="y", visible=False)
    axes[0, 0].invert_yaxis()
    for axis in axes[-1]:
        axis.set_xlabel("points of error")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10)
    caption_below(figure, caption)
    return figure


def seconds_a_round(frame: pd.DataFrame, caption: str) -> Figure:
    """Show the seconds of training that a round takes, one box per experiment."""
    names = list(dict.fromkeys(frame.experiment))
    figure, axis = plt.subplots(figsize=(8.5, 0.3 * len(names) + 1.3))
    colours = {name: colour_of(name) for name in names}
    sns.stripplot(
        frame,
        x="train_seconds",
        y="experiment",
        hue="experiment",
        palette=colours,
        legend=False,
        size=4,
        alpha=0.6,
        ax=axis,
    )
    for height, name in enumerate(names):
        summary = summarise(frame.loc[frame.experiment == name, "train_seconds"])
        axis.plot([summary["mean"]] * 2, [height - 0.3, height + 0.3], color="black")
    axis.set(xlabel="seconds of training a round, one core", ylabel="")
    axis.set_xlim(left=0)
    caption_below(figure, caption)
    return figure
