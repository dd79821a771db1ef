"""Figures of the data: pairs, balance, resolution, and how far simple methods get."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from digits.data import Digits, Pairs
from digits.plots.common import NEUTRAL, rows_of_points
from digits.plots.common import caption as caption_below


def pairs_grid(pairs: Pairs, caption: str, rows: int = 3, columns: int = 6) -> Figure:
    """Show the first pairs with their digits and their target."""
    figure, axes = plt.subplots(rows, columns, figsize=(8.5, 1.05 * rows + 0.5))
    for index, axis in enumerate(axes.flat):
        first, second = pairs.classes[index].tolist()
        gap = np.full((14, 1), 90.0)
        images = pairs.images[index].numpy()
        image = np.hstack([images[0], gap, images[1]])
        axis.imshow(image, cmap="gray_r", vmin=0, vmax=255)
        sign = "≤" if pairs.target[index] else ">"
        axis.set_title(f"{first} {sign} {second}: {pairs.target[index]}", loc="center")
        axis.set_axis_off()
    caption_below(figure, caption)
    return figure


def balance(rounds: dict[int, Pairs], caption: str) -> Figure:
    """Show how often each digit stands first and second (mean, SD), and how often the target is 1.

    rounds: the pairs of each round by its seed.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2), width_ratios=(2.2, 1))
    counts = pd.DataFrame(
        [
            {"digit": digit, "position": position, "share": 100 * (classes == digit).mean()}
            for pairs in rounds.values()
            for position, classes in zip(("first", "second"), pairs.classes.numpy().T, strict=True)
            for digit in range(10)
        ]
    )
    sns.barplot(
        counts,
        x="digit",
        y="share",
        hue="position",
        errorbar="sd" if len(rounds) > 1 else None,
        palette=["#9c9c9c", "#565656"],
        err_kws={"linewidth": 1},
        ax=left,
    )
    left.axhline(10, color="black", linewidth=0.8, linestyle="--")
    left.set(title="Each digit is near a tenth of the images", ylabel="share of images (%)")
    sns.move_legend(left, "lower center", ncols=2, title=None, frameon=True)
    shares = [100 * pairs.target.float().mean().item() for pairs in rounds.values()]
    right.plot(range(len(shares)), shares, "o", color=NEUTRAL)
    right.axhline(55, color="black", linewidth=0.8, linestyle="--")
    right.set(
        title="The target is 1 for about 55 %",
        xlabel="round",
        ylabel="pairs with first ≤ second (%)",
        ylim=(min([48, *shares]) - 1, max([62, *shares]) + 1),
        xlim=(-0.5, len(shares) - 0.5),
    )
    every = -(-len(shares) // 8)  # as many labels as do not touch
    right.set_xticks(range(0, len(shares), every), list(rounds)[::every])
    caption_below(figure, caption)
    return figure


def mean_digits(digits: Digits, caption: str) -> Figure:
    """Show the mean of each class, and one example at both resolutions."""
    figure, axes = plt.subplots(3, 10, figsize=(8.5, 3.2))
    pool = digits.train
    for digit in range(10):
        members = (pool.classes == digit).nonzero().flatten()
        shown = pool.originals[members[0]], pool.images[members[0]], pool.images[members].mean(0)
        for axis, image in zip(axes[:, digit], shown, strict=True):
            axis.imshow(image.numpy(), cmap="gray_r", vmin=0, vmax=255)
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(False)
    for axis, label in zip(axes[:, 0], ("28x28", "14x14", "mean at\n14x14"), strict=True):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    caption_below(figure, caption)
    return figure


def strips(frame: pd.DataFrame, x: str, y: str, label: str, title: str, caption: str) -> Figure:
    """Show every round of a few methods as a point, with the mean as a line and a number.

    x: the column to show, y: the column of the methods' names.
    """
    rows = {name: values for name, values in frame.groupby(y, sort=False)[x]}
    figure, axis = plt.subplots(figsize=(8.5, 0.42 * len(rows) + 1.3))
    rows_of_points(axis, rows, [NEUTRAL] * len(rows))
    for height, values in enumerate(rows.values()):
        mean = values.mean()
        axis.plot([mean, mean], [height - 0.3, height + 0.3], color="black")
        axis.annotate(
            f"{mean:.1f}",
            (mean, height - 0.3),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=8,
        )
    axis.set(title=title, xlabel=label)
    caption_below(figure, caption)
    return figure
