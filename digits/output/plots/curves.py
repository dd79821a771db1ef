"""Figures of curves: of training by epoch, by consecutive training, by pairs, by distance."""

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from digits.analysis.beyond import LEARNING_CURVES
from digits.experiments.registry import EXPERIMENTS
from digits.output.names import name_of
from digits.output.plots import style
from digits.output.plots.style import COLOURS, PALETTE, legend_above, new_figure

#: The colours of kqiku's Figure 1; line styles tell them apart in grey.
TRAIN_LOSS = {"color": "#c1272d"}
TEST_LOSS = {"color": "#1f4fa3", "linestyle": "--"}
TEST = {"color": "#1b7f3b", "linestyle": "-."}
TRAIN = {"color": "black", "linestyle": ":"}
#: Lines that can be told apart in grey.
STYLES = ("-", "--", "-.", ":")


def _bands(axis: Axes, curves: pd.DataFrame, accuracy: bool = False, **lines: dict) -> None:
    """Draw the median and middle half of rounds of columns of `curves`, or of 100 - error."""
    for name, look in lines.items():
        table = curves.pivot(index="epoch", columns="seed", values=name)
        table = 100 - table if accuracy else table
        low, median, high = (table.quantile(share, axis=1) for share in (0.25, 0.5, 0.75))
        axis.plot(table.index, median, **look)
        axis.fill_between(table.index, low, high, color=look["color"], alpha=0.15, lw=0)


def loss_and_accuracy(
    curves: pd.DataFrame, experiments: list[str], columns: int, caption: str
) -> Figure:
    """Show loss (left) and accuracy (right) by epoch of `frames.curves`, a panel an experiment."""
    shape = {"each": 2.35, "width": max(8.5, 2.75 * columns + 0.6), "sharex": True}
    figure, axes = new_figure(caption, 0.8, len(experiments), columns, **shape)
    losses = curves[["objective", "test_loss"]].to_numpy()
    limits = losses.min() / 1.1, losses.max() * 1.1
    for index, (axis, name) in enumerate(zip(axes.flat, experiments, strict=False)):
        panel = curves[curves.experiment == name]
        first, last = index % columns == 0, index % columns == columns - 1
        _bands(axis, panel, objective=TRAIN_LOSS, test_loss=TEST_LOSS)
        axis.set(yscale="log", ylim=limits, title=name_of(EXPERIMENTS[name], report=False))
        axis.set_ylabel("cross-entropy, logarithmic" if first else "")
        axis.tick_params(labelleft=first)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
        right = axis.twinx()
        right.spines.right.set_visible(True)
        right.grid(False)
        _bands(right, panel, accuracy=True, test_error=TEST, train_error=TRAIN)
        _mark_gap(right, panel)
        right.set(ylim=(45, 101), ylabel="accuracy (%)" if last else "")
        right.tick_params(labelright=last)
    plt.setp(axes[-1], xlabel="epoch")
    keys = {"train loss (minimised)": TRAIN_LOSS, "test loss (target)": TEST_LOSS}
    keys |= {"test accuracy": TEST, "train accuracy": TRAIN}
    return legend_above(figure, keys, title="How far apart are training and test?")


def _mark_gap(axis: Axes, curves: pd.DataFrame) -> None:
    """Mark how far apart train and test accuracy are after the last epoch."""
    end = curves[curves.epoch == curves.epoch.max()]
    epoch, train, test = end[["epoch", "train_error", "test_error"]].median()
    ends = {"xytext": (epoch, 100 - test), "arrowprops": {"arrowstyle": "<->", "lw": 0.9}}
    axis.annotate("", (epoch, 100 - train), **ends, annotation_clip=False)
    place = {"xytext": (0, -6), "textcoords": "offset points", "ha": "right", "va": "top"}
    axis.annotate(f"{test - train:.1f} points apart", (epoch, 100 - test), **place, fontsize=8)


def validation_curves(curves: pd.DataFrame, experiments: list[str], caption: str) -> Figure:
    """Show what is minimised on training and validation pairs, by epoch, one panel an experiment.

    A dotted line marks the first round's lowest validation loss, a dot its epoch, which is kept.
    """
    figure, axes = new_figure(caption, 0.9, len(experiments), each=2.2)
    lowest = {"color": "black", "linestyle": ":", "linewidth": 1}
    for axis, name in zip(axes.flat, experiments, strict=True):
        for index, (_, run) in enumerate(curves[curves.experiment == name].groupby("seed")):
            fade = {"alpha": 0.3, "linewidth": 0.9} if index else {"alpha": 1, "linewidth": 1.4}
            axis.plot(run.epoch, run.objective, **TRAIN_LOSS, **fade)
            axis.plot(run.epoch, run.validation_loss, **TEST_LOSS, **fade)
            if index == 0:
                best = run.loc[run.validation_loss.idxmin()]
                axis.axhline(best.validation_loss, **lowest)
                axis.plot(best.epoch, best.validation_loss, "o", color="black", markersize=4)
        axis.set(title=name_of(EXPERIMENTS[name], report=False), yscale="log")
        axis.set_ylabel("loss, logarithmic")
        style.name_ticks(axis.yaxis)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes[-1, 0].set_xlabel("epoch")
    keys = {"training": TRAIN_LOSS, "validation": TEST_LOSS}
    keys["lowest validation loss of the first round"] = lowest
    return legend_above(figure, keys, title="When is the validation loss lowest?")


def error_by_epoch(curves: pd.DataFrame, experiments: list[str], caption: str) -> Figure:
    """Show train and test error by epoch, median and middle half, one panel an experiment."""
    figure, axes = new_figure(caption, 0.8, len(experiments), 3, each=2.1, sharey=True)
    test = {"color": TEST["color"]}
    for axis, name in zip(axes.flat, experiments, strict=False):
        _bands(axis, curves[curves.experiment == name], train_error=TRAIN, test_error=test)
        axis.set(title=name_of(EXPERIMENTS[name], report=False), ylim=(0, 60), xlabel="epoch")
    plt.setp(axes[:, 0], ylabel="error (%)")
    keys = {"train error": TRAIN, "test error": test}
    return legend_above(figure, keys, title="How do train and test error change during training?")


def consecutive_trainings(stages: pd.DataFrame, published: pd.DataFrame, caption: str) -> Figure:
    """Show the error after each of the consecutive trainings of one network, a panel a network.

    stages: what `frames.stages` gives; published: what `numbers.published_numbers` gives.
    """
    n = stages.experiment.nunique()
    figure, axes = new_figure(caption, 4.6, 2 * n, n, width=2.3 * n, sharex=True)
    one = {"color": "#b5b5b5", "linewidth": 0.8}
    ours = {"marker": "o", "markersize": 3.5}
    printed = {"color": "black", "linewidth": 1}
    with_aux = {**printed, "linestyle": "--"}
    for column, (name, runs) in zip(axes.T, stages.groupby("experiment", sort=False), strict=True):
        numbers = published[published.experiment == name]
        for axis, quantity in zip(column, ("test_error", "train_error"), strict=True):
            chains = runs.pivot(index="training", columns="seed", values=quantity)
            axis.plot(chains, **one)
            axis.plot(chains.mean(axis=1), color=style.colour_of(name), **ours)
            means = numbers[numbers.quantity == quantity]["mean"]
            for number, look in zip(means, (printed, with_aux), strict=False):
                axis.axhline(number, **look)
        title = name_of(EXPERIMENTS[name], report=False).partition(" (")[0]
        column[0].set(title=title, ylim=(0, 1.05 * stages.test_error.max()))
        column[1].set(xlabel="training", ylim=(0, 1.05 * stages.train_error.max()))
        column[1].xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes[0, 0].set_ylabel("test error (%)")
    axes[1, 0].set_ylabel("train error (%)")
    mean = {"color": style.colour_of(name), **ours}
    keys = {"one network": one, "mean": mean, "published mean": printed}
    keys['published, "+aux" row'] = with_aux
    return legend_above(figure, keys, title="What does training one network again and again do?")


#: One colour and line per network: the four twin nets, and the best one.
NETWORKS = {
    name: {"color": PALETTE[at], "linestyle": line}
    for name, at, line in zip(LEARNING_CURVES, (7, 2, 4, 1, 9), (*STYLES, "-"), strict=True)
}


def error_by_pairs(rows: pd.DataFrame, caption: str) -> Figure:
    """Show what `beyond.learning_curves` gives: errors by training pairs, lines through means."""
    figure, [[axis]] = new_figure(caption, 4.4)
    shifts = (0.94, 0.97, 1.0, 1.03, 1.06)  # so that points of different networks do not cover
    for network, shift in zip(NETWORKS, shifts, strict=True):
        if network not in set(rows.network):
            continue
        runs, look = rows[rows.network == network], NETWORKS[network]
        means = runs.groupby("train_pairs").precise_error.agg(["mean", "count"])
        rounds = "–".join(map(str, sorted({means["count"].min(), means["count"].max()})))
        axis.plot(means["mean"], label=f"{network} (n = {rounds})", **look)
        points = {"color": look["color"], "alpha": 0.4, "ms": 3.5, "mew": 0}
        axis.plot(shift * runs.train_pairs, runs.precise_error, "o", **points)
    axis.set(xscale="log", xlabel="training pairs, logarithmic")
    axis.set(yscale="log", ylabel="large-sample test error (%), logarithmic")
    axis.set_title("How much do more training pairs help each network?")
    style.name_ticks(axis.xaxis, sorted(rows.train_pairs.unique()))
    style.name_ticks(axis.yaxis)
    figure.legend(loc="outside right center")
    return figure


def errors_by_distance(distances: dict[str, pd.DataFrame], caption: str) -> Figure:
    """Show what `posteriors.by_distance` gives, by network: errors by b - a, SD as a band."""
    figure, [[axis]] = new_figure(caption, 3.4)
    for (name, rows), place, mark in zip(distances.items(), (7, 9), "os", strict=False):
        look = {"errorbar": "sd" if rows.network.nunique() > 1 else None, "color": PALETTE[place]}
        sns.lineplot(rows, x="distance", y="error", marker=mark, label=name, ax=axis, **look)
    axis.axvline(-0.5, color="black", linewidth=0.8, linestyle="--")
    for x, side, says in ((-0.7, "right", "first > second"), (-0.3, "left", "first ≤ second")):
        axis.annotate(says, (x, 0.02), xycoords=("data", "axes fraction"), ha=side, fontsize=8)
    axis.set(title="Does the distance between the digits matter?", ylabel="error (%)")
    axis.set(xlabel="second digit minus first digit", xticks=range(-9, 10), ylim=(0, None))
    return figure


def reliability(tables: dict[str, pd.DataFrame], caption: str) -> Figure:
    """Show what `posteriors.calibration` gives, by name: P(a <= b), and how often it comes true."""
    figure, axes = new_figure(caption, 4.2, len(tables), len(tables), sharey=True)
    for axis, (name, table) in zip(axes.flat, tables.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        axis.plot(table.p, table.share, color=COLOURS["beyond"], **_BIN)
        means = table.groupby("bin")[["p", "share"]].mean()
        axis.plot(means.p, means.share, "-", color="black", linewidth=1.2)
        axis.set(title=name, xlabel="P(a ≤ b)", aspect="equal", xlim=(-0.02, 1.02))
    axes[0, 0].set_ylabel("share of pairs with a ≤ b")
    keys = {"a bin of one round": {**_BIN, "color": COLOURS["beyond"]}}
    keys |= {"mean over rounds": {"color": "black"}, "as often as said": {"color": "#999999"}}
    return legend_above(figure, keys, title="Is a probability of 0.8 right in 80 %?")


_BIN = {"marker": "o", "linestyle": "none", "alpha": 0.5, "ms": 3.5, "mew": 0}
