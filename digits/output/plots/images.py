"""Figures of the data: pairs, balance, resolution, and how far simple methods get."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.data.pairs import Pairs
from digits.data.sources import Digits, Pool
from digits.output.plots.style import NEUTRAL, caption_below, new_figure

INK = {"cmap": "gray_r", "vmin": 0, "vmax": 255}


def side_by_side(axis: Axes, images: np.ndarray) -> None:
    """Show two images (14, 14) with a grey line between them."""
    axis.imshow(np.hstack([images[0], np.full((14, 1), 90.0), images[1]]), **INK)
    axis.set_axis_off()


def _show_pair(axis: Axes, images: np.ndarray, first: int, second: int, says: str, **font) -> None:
    """Show two images (14, 14) side by side, their digits compared, and what else to say."""
    side_by_side(axis, images)
    sign = "≤" if first <= second else ">"
    axis.set_title(f"{first} {sign} {second}{says}", loc="center", **font)


def pairs_grid(pairs: Pairs, caption: str) -> Figure:
    """Show the first pairs with their digits and their target."""
    title = "Is the first digit less than or equal to the second?"
    figure, axes = new_figure(caption, 0.6, 18, 6, each=1.05, title=title)
    for index, axis in enumerate(axes.flat):
        images, target = pairs.images[index].numpy(), pairs.target[index]
        _show_pair(axis, images, *pairs.classes[index].tolist(), f": target {target}")
    return figure


def balance(rounds: dict[int, Pairs], caption: str) -> Figure:
    """Show how often digits stand first and second, and the target is 1; rounds: pairs by seed."""
    figure, [[left, right]] = new_figure(caption, 3.2, 2, 2, width_ratios=(2.2, 1))
    counts = [
        (digit, position, 100 * (classes == digit).mean())
        for pairs in rounds.values()
        for position, classes in zip(("first", "second"), pairs.classes.numpy().T, strict=True)
        for digit in range(10)
    ]
    counts = pd.DataFrame(counts, columns=["digit", "position", "share"])
    look = {"errorbar": "sd" if len(rounds) > 1 else None, "err_kws": {"linewidth": 1}}
    look |= {"hue": "position", "palette": ["#9c9c9c", "#565656"]}
    sns.barplot(counts, x="digit", y="share", ax=left, **look)
    left.axhline(10, color="black", linewidth=0.8, linestyle="--")
    left.set(title="Each digit is near a tenth of the images", ylabel="share of images (%)")
    left.set_ylim(top=1.2 * left.get_ylim()[1])  # room for the legend
    sns.move_legend(left, "upper right", ncols=2, title=None)
    shares = [100 * pairs.target.float().mean().item() for pairs in rounds.values()]
    right.plot(range(len(shares)), shares, "o", color=NEUTRAL)
    right.axhline(55, color="black", linewidth=0.8, linestyle="--")
    right.set(title="The target is 1 for about 55 %", ylabel="pairs with first ≤ second (%)")
    right.set(xlabel="round", xlim=(-0.5, len(shares) - 0.5))
    right.set_ylim(min([48, *shares]) - 1, max([62, *shares]) + 1)
    every = -(-len(shares) // 8)  # as many labels as do not touch
    right.set_xticks(range(0, len(shares), every), list(rounds)[::every])
    return figure


def mean_digits(digits: Digits, caption: str) -> Figure:
    """Show the mean of each class, and one example at both resolutions."""
    title = "What is left of the digits at 14x14 pixels?"
    figure, axes = new_figure(caption, 3.4, 30, 10, title=title)
    pool = digits.train
    for digit in range(10):
        members = (pool.classes == digit).nonzero().flatten()
        shown = pool.originals[members[0]], pool.images[members[0]], pool.images[members].mean(0)
        for axis, image in zip(axes[:, digit], shown, strict=True):
            axis.imshow(image.numpy(), **INK)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
    for axis, label in zip(axes[:, 0], ("28x28", "14x14", "mean at\n14x14"), strict=True):
        axis.set_ylabel(label, rotation=0, ha="right", va="center")
    return figure


def errors_by_digits(by_digits: np.ndarray, caption: str) -> Figure:
    """Show the error of every pair of digits (10, 10), in per cent, as a heat map."""
    figure, [[axis]] = new_figure("", 5.4, width=7)
    numbers = {"annot": True, "fmt": ".1f", "annot_kws": {"size": 7.5}}
    cells = {"cmap": "Greys", "linewidths": 0.4, "linecolor": "white"}
    sns.heatmap(by_digits, cbar_kws={"label": "error (%)"}, ax=axis, **numbers, **cells)
    title = "Which digits are compared wrongly?"
    axis.set(title=title, xlabel="second digit", ylabel="first digit")
    axis.tick_params(axis="y", rotation=0)
    caption_below(figure, caption)  # the heat map has laid out the figure once without it
    return figure


def gallery(hardest: pd.DataFrame, pool: Pool, caption: str) -> Figure:
    """Show what `posteriors.hardest_pairs` gives of images of `pool`: what they are, read as."""
    title = "Which pairs do most rounds get wrong?"
    figure, axes = new_figure(caption, 0.9, len(hardest), 6, each=1.35, title=title)
    for axis, row in zip(axes.flat, hardest.itertuples(), strict=False):
        pair = [row.first, row.second]
        says = (
            f", wrong in {row.wrong} of {row.of}\n"
            f"read: {row.read_first} ({row.sure_first:.2f}), {row.read_second} "
            f"({row.sure_second:.2f})\nP(a ≤ b) = {row.p:.2f}"
        )
        font = {"fontsize": 7.5, "fontweight": "normal"}
        _show_pair(axis, pool.images[pair].numpy(), *pool.classes[pair].tolist(), says, **font)
    return figure
