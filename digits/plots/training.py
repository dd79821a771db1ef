"""Figures of training: loss and accuracy by epoch, and error by consecutive training."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from digits.plots.common import caption as caption_below
from digits.plots.common import colour_of


def _mean_band(axis, curves: pd.DataFrame, name: str, transform=None, **style) -> Line2D:
    """Draw the mean over rounds of one curve, with a band of one SD."""
    table = curves.pivot(index="epoch", columns="seed", values=name)
    if transform is not None:
        table = transform(table)
    mean, sd = table.mean(axis=1), table.std(axis=1).fillna(0)
    (line,) = axis.plot(table.index, mean, **style)
    low = (mean - sd).clip(lower=1e-6)  # above 0 for a log axis, and below what any axis shows
    axis.fill_between(table.index, low, mean + sd, color=line.get_color(), alpha=0.15, lw=0)
    return line


def loss_and_accuracy(
    curves: pd.DataFrame, experiments: list[str], columns: int, caption: str
) -> Figure:
    """Show loss (left axis) and accuracy (right axis) by epoch, one panel per experiment.

    The colours are those of kqiku's Figure 1: train loss red, test loss blue, test accuracy green,
    train accuracy black; line styles tell them apart in grey.
    """
    rows = -(-len(experiments) // columns)
    width = max(8.5, 2.75 * columns + 0.6)
    figure, axes = plt.subplots(
        rows, columns, figsize=(width, 2.35 * rows + 0.8), sharex=True, squeeze=False
    )
    losses = curves[["objective", "test_loss"]].to_numpy()
    for index, (axis, name) in enumerate(zip(axes.flat, experiments, strict=True)):
        panel = curves[curves.experiment == name]
        axis.set_yscale("log")
        accuracy = axis.twinx()
        accuracy.spines.right.set_visible(True)
        accuracy.grid(False)
        lines = [
            _mean_band(axis, panel, "objective", color="#c1272d", label="train loss (minimised)"),
            _mean_band(
                axis,
                panel,
                "test_loss",
                color="#1f4fa3",
                linestyle="--",
                label="test loss (target)",
            ),
            _mean_band(
                accuracy,
                panel,
                "test_error",
                lambda error: 100 - error,
                color="#1b7f3b",
                linestyle="-.",
                label="test accuracy",
            ),
            _mean_band(
                accuracy,
                panel,
                "train_error",
                lambda error: 100 - error,
                color="black",
                linestyle=":",
                label="train accuracy",
            ),
        ]
        accuracy.set_ylim(45, 101)
        axis.set_ylim(losses.min() / 1.1, losses.max() * 1.1)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.set_title(name.split("/")[1])
        if index % columns == 0:
            axis.set_ylabel("cross-entropy")
        else:
            axis.tick_params(labelleft=False)
        if index % columns == columns - 1:
            accuracy.set_ylabel("accuracy (%)")
        else:
            accuracy.tick_params(labelright=False)
        if index // columns == rows - 1:
            axis.set_xlabel("epoch")
    figure.legend(handles=lines, loc="outside upper center", ncols=4)
    caption_below(figure, caption)
    return figure


def validation_curves(curves: pd.DataFrame, experiments: list[str], caption: str) -> Figure:
    """Show what is minimised on training and validation pairs, by epoch, one panel an experiment.

    One line a round, as cadei's Figure 3 has one; a dotted line marks the first round's lowest
    validation loss, a dot its epoch, which is the one that is kept.
    """
    figure, axes = plt.subplots(
        len(experiments), 1, figsize=(8.5, 2.2 * len(experiments) + 0.9), squeeze=False
    )
    for axis, name in zip(axes[:, 0], experiments, strict=True):
        for index, (_, run) in enumerate(curves[curves.experiment == name].groupby("seed")):
            fade = {"alpha": 1 if index == 0 else 0.3, "linewidth": 1.4 if index == 0 else 0.9}
            axis.plot(run.epoch, run.objective, color="#c1272d", **fade)
            axis.plot(
                run.epoch,
                run.validation_loss,
                color="#1f4fa3",
                linestyle="--",
                **fade,
            )
            if index == 0:
                best = run.loc[run.validation_loss.idxmin()]
                lowest = axis.axhline(best.validation_loss, color="black", ls=":", lw=1)
                axis.plot(best.epoch, best.validation_loss, "o", color="black", markersize=4)
        axis.set_title(name)
        axis.set_ylim(bottom=0)
        axis.set_ylabel("loss")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[-1, 0].set_xlabel("epoch")
    handles = [
        Line2D([], [], color="#c1272d", label="training"),
        Line2D([], [], color="#1f4fa3", linestyle="--", label="validation"),
        lowest,
    ]
    lowest.set_label("lowest validation loss of the first round")
    figure.legend(handles=handles, loc="outside upper center", ncols=3)
    caption_below(figure, caption)
    return figure


def error_by_epoch(curves: pd.DataFrame, experiments: list[str], caption: str) -> Figure:
    """Show train and test error by epoch, mean and SD over rounds, one panel an experiment."""
    columns = 3
    rows = -(-len(experiments) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(8.5, 2.1 * rows + 0.8), sharey=True, squeeze=False
    )
    for axis in axes.flat[len(experiments) :]:
        axis.set_visible(False)
    for axis, name in zip(axes.flat, experiments, strict=False):
        panel = curves[curves.experiment == name]
        lines = [
            _mean_band(
                axis, panel, f"{of}_error", color=color, linestyle=style, label=f"{of} error"
            )
            for of, color, style in (("train", "black", ":"), ("test", "#1b7f3b", "-"))
        ]
        axis.set_title(name.split("/")[1])
        axis.set_ylim(0, 60)
        axis.set_xlabel("epoch")
    for axis in axes[:, 0]:
        axis.set_ylabel("error (%)")
    figure.legend(handles=lines, loc="outside upper center", ncols=2)
    caption_below(figure, caption)
    return figure


def consecutive_trainings(stages: pd.DataFrame, published: pd.DataFrame, caption: str) -> Figure:
    """Show the error after each of the consecutive trainings of one network, a panel a network.

    stages: rows of experiment, seed, training (from 1), train_error, test_error.
    published: rows of experiment, quantity, row, mean (see `tables.published_numbers`).
    """
    names = list(dict.fromkeys(stages.experiment))
    figure, axes = plt.subplots(
        2, len(names), figsize=(2.3 * len(names), 4.6), sharex=True, squeeze=False
    )
    for column, name in enumerate(names):
        for axis, quantity in zip(axes[:, column], ("test_error", "train_error"), strict=True):
            runs = stages[stages.experiment == name]
            for _, run in runs.groupby("seed"):
                axis.plot(run.training, run[quantity], color="#b5b5b5", linewidth=0.8)
            mean = runs.groupby("training")[quantity].mean()
            axis.plot(mean.index, mean, "o-", color=colour_of(name), markersize=3.5)
            numbers = published[
                (published.experiment == name) & (published.quantity == quantity)
            ].itertuples()
            for number, style in zip(numbers, ("-", "--"), strict=False):
                axis.axhline(number.mean, color="black", linewidth=1, linestyle=style)
        axes[1, column].set_ylim(bottom=0)
        axes[0, column].set_ylim(0, 1.05 * stages.test_error.max())
        axes[0, column].set_title(name.split("/")[1])
        axes[1, column].set_xlabel("training")
        axes[1, column].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0, 0].set_ylabel("test error (%)")
    axes[1, 0].set_ylabel("train error (%)")
    handles = [
        Line2D([], [], color="#b5b5b5", linewidth=0.8, label="one network"),
        Line2D([], [], color=colour_of(names[0]), marker="o", markersize=3.5, label="mean"),
        Line2D([], [], color="black", linewidth=1, label="published mean"),
        Line2D([], [], color="black", linewidth=1, linestyle="--", label='published, "+aux" row'),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    caption_below(figure, caption)
    return figure
