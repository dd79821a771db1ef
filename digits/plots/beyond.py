"""Figures past the reports: the ladder, heads, numbers of pairs, random streams, errors."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from digits.beyond import TWINS
from digits.data import Pool
from digits.ladder import DRAWN
from digits.plots.common import COLOURS, NEUTRAL, PALETTE, name_rows, note_beside, rows_of_points
from digits.plots.common import caption as caption_below
from digits.seeds import STREAMS
from digits.statistics import summarise

#: One colour per network: the four twin nets, and the best one.
NETWORKS = dict(
    zip(
        ("twin net", "+ weight sharing", "+ digit loss", "+ both", "best network"),
        (PALETTE[7], PALETTE[2], PALETTE[4], PALETTE[1], PALETTE[9]),
        strict=True,
    )
)

#: Errors in per cent that a logarithmic axis names.
ERRORS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def ladder(rungs: pd.DataFrame, frame: pd.DataFrame, caption: str) -> Figure:
    """Show what each ingredient brings: every round a point, the mean with its interval, the folds.

    rungs: what `ladder.rungs` gives of the tidy rows `frame`. The error axis is logarithmic. Beside
    each rung stands its change of the error on the same test pairs. What the folds speak against is
    grey.
    """
    figure, axis = plt.subplots(figsize=(9.5, 0.46 * len(rungs) + 1.6))
    for height, row in enumerate(rungs.itertuples()):
        colour = "#999999" if row.weighed and not row.kept else _colour(row)
        values = frame.loc[frame.experiment == row.experiment, "precise_error"]
        if len(values):
            spread = (np.arange(len(values)) * 0.618 % 1 - 0.5) * 0.4
            style = {"color": colour, "alpha": 0.5, "markersize": 3.2, "mew": 0}
            axis.plot(values, height + spread, "o", **style)
            axis.plot(row.mean, height, "|", color="black", markersize=11)
            if np.isfinite(row.low):
                axis.plot([row.low, row.high], [height, height], color="black", linewidth=1.2)
        if np.isfinite(row.fold):
            hollow = {"marker": "D", "mfc": "white", "mec": colour, "markersize": 5}
            axis.plot(row.fold, height, linestyle="none", **hollow)
        note_beside(axis, height, _note(row))
    steps = frame.loc[frame.experiment.isin(rungs.experiment), "precise_error"]
    names = [
        "\n".join(textwrap.wrap(("" if row.rung == "foot" else "+ ") + row.says, 36))
        + ("" if row.kept else "  (not kept)" if row.weighed else "  (a larger budget)")
        for row in rungs.itertuples()
    ]
    name_rows(axis, names)
    _logarithmic(axis, steps.min())
    axis.set(xlabel="error (%), logarithmic", title="What does each ingredient bring?")
    caption_below(figure, caption)
    return figure


def _logarithmic(axis: Axes, least: float) -> None:
    """Make the axis of errors logarithmic, from below the least of them."""
    axis.set_xscale("log", nonpositive="clip")
    axis.set_xlim(left=0.8 * max(0.1, least))
    low, high = axis.get_xlim()
    _plain_ticks(axis.xaxis, [t for t in ERRORS if low <= t <= high], "{:g}")


def _colour(row) -> tuple[float, float, float]:
    return COLOURS["zadoks" if row.rung in TWINS else "beyond"]


def _note(row) -> str:
    """Write a rung's error and its change beside it: of the test, or else of the folds."""
    if np.isfinite(getattr(row, "mean", np.nan)):
        count = f"n = {row.n:.0f}"
        if not np.isfinite(row.change):
            return f"{row.mean:.2f} %, {count}"
        bounds = f" ({row.change_low:+.2f} to {row.change_high:+.2f})"
        bounds = bounds if np.isfinite(row.change_low) else ""
        return f"{row.mean:.2f} %, {count}; {row.change:+.2f}{bounds}"
    if np.isfinite(row.fold_change):
        return f"folds {row.fold:.2f} %; {row.fold_change:+.2f}"
    return ""


def rounds_with_means(
    frame: pd.DataFrame, by: str, title: str, caption: str, value: str = "precise_error"
) -> Figure:
    """Show every round of some networks as a point, the mean as a bar with its interval.

    by: the column of the networks' names. Ordered from the most errors to the fewest; the error
    axis is logarithmic.
    """
    order = frame.groupby(by)[value].mean().sort_values(ascending=False).index
    rows = {name: frame.loc[frame[by] == name, value] for name in order}
    figure, axis = plt.subplots(figsize=(8.5, 0.42 * len(rows) + 1.2))
    notes = {name: f", {values.mean():.2f} %" for name, values in rows.items()}
    rows_of_points(axis, rows, [COLOURS["beyond"]] * len(rows), notes)
    # Points set the limits; the longest interval may pass them by a factor of two.
    limits = [least := frame[value].min(), most := frame[value].max()]
    for height, values in enumerate(rows.values()):
        found = summarise(values)
        axis.plot(found["mean"], height, "|", color="black", markersize=11)
        if np.isfinite(found["low"]):
            axis.plot([found["low"], found["high"]], [height] * 2, color="black", linewidth=1.2)
            limits += [max(least / 2, found["low"]), min(2 * most, found["high"])]
    axis.set_xlim(right=1.1 * max(limits))
    _logarithmic(axis, min(limits))
    axis.set(title=title, xlabel="precise test error (%), logarithmic")
    caption_below(figure, caption)
    return figure


def error_by_pairs(rows: pd.DataFrame, caption: str) -> Figure:
    """Show the error of each network against its number of training pairs, both logarithmic.

    rows: what `ladder.by_pairs` gives. Points are rounds, lines join their means.
    """
    figure, axis = plt.subplots(figsize=(8.5, 4.4))
    for network, colour in NETWORKS.items():
        runs = rows[rows.network == network]
        means = runs.groupby("train_pairs").precise_error.agg(["mean", "count"])
        if means.empty:
            continue
        rounds = "–".join(
            str(n) for n in dict.fromkeys([means["count"].min(), means["count"].max()])
        )
        label = f"{network} (n = {rounds})"
        axis.plot(means.index, means["mean"], "-", color=colour, label=label)
        axis.plot(runs.train_pairs, runs.precise_error, "o", color=colour, alpha=0.4, ms=3.5, mew=0)
    sizes = sorted(rows.train_pairs.unique())
    axis.set(xscale="log", yscale="log")
    _plain_ticks(axis.xaxis, sizes, "{:.0f}")
    low, high = axis.get_ylim()
    _plain_ticks(axis.yaxis, [t for t in ERRORS if low <= t <= high], "{:g}")
    axis.set(
        title="How much do more pairs buy, and when do the options stop mattering?",
        xlabel="training pairs",
        ylabel="precise test error (%)",
    )
    figure.legend(loc="outside right center")
    caption_below(figure, caption)
    return figure


def _plain_ticks(axis: Axis, ticks: list, form: str) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels([form.format(tick) for tick in ticks])


def spread_by_stream(spreads: pd.DataFrame, caption: str) -> Figure:
    """Show how much each random stream alone makes the error vary, with intervals.

    spreads: what `ladder.by_stream` gives; a panel a network.
    """
    networks = list(dict.fromkeys(spreads.network))
    here = set(spreads.stream)
    streams = [name for name in ("all streams", *STREAMS, *DRAWN) if name in here]
    figure, axes = plt.subplots(1, len(networks), figsize=(9.5, 3.4), sharey=True)
    for axis, network in zip(axes, networks, strict=True):
        rows = spreads[spreads.network == network].set_index("stream")
        for height, stream in enumerate(streams):
            if stream not in rows.index:
                continue
            row = rows.loc[stream]
            drawn = stream in DRAWN
            colour = (
                NEUTRAL if drawn else COLOURS["beyond" if network == "best network" else "zadoks"]
            )
            axis.plot(row["sd"], height, "s" if drawn else "o", color=colour)
            if np.isfinite(row["low"]):
                axis.plot([row["low"], row["high"]], [height, height], color=colour)
        name_rows(axis, streams)
        axis.set(
            xlabel="SD of the error (points)", title=f"{network}: {rows['mean'].iloc[0]:.2f} %"
        )
        axis.set_xlim(left=0)
    figure.suptitle(
        "Where does the noise come from?", x=0.01, ha="left", fontweight="bold", fontsize=10
    )
    caption_below(figure, caption)
    return figure


def errors_by_digits(by_digits: np.ndarray, caption: str) -> Figure:
    """Show the error of every pair of digits (10, 10), in per cent, as a heat map."""
    figure, axis = plt.subplots(figsize=(7, 5.4))
    sns.heatmap(
        by_digits,
        annot=True,
        fmt=".1f",
        annot_kws={"size": 7.5},
        cmap="Greys",
        linewidths=0.4,
        linecolor="white",
        cbar_kws={"label": "error (%)"},
        ax=axis,
    )
    axis.set(
        title="Which digits are compared wrongly?", xlabel="second digit", ylabel="first digit"
    )
    axis.tick_params(axis="y", rotation=0)
    caption_below(figure, caption)
    return figure


def errors_by_distance(distances: dict[str, pd.DataFrame], caption: str) -> Figure:
    """Show the error against the difference b - a of the digits, a line a network, SD as a band.

    distances: what `posteriors.by_distance` gives, by the name of the network.
    """
    figure, axis = plt.subplots(figsize=(8.5, 3.4))
    for (name, rows), colour in zip(
        distances.items(), (PALETTE[7], COLOURS["beyond"]), strict=False
    ):
        band = "sd" if rows.network.nunique() > 1 else None
        sns.lineplot(
            rows,
            x="distance",
            y="error",
            errorbar=band,
            color=colour,
            marker="o",
            label=name,
            ax=axis,
        )
    axis.axvline(-0.5, color="black", linewidth=0.8, linestyle="--")
    axis.set(
        title="Does the distance between the digits matter?",
        xlabel="second digit minus first digit",
        ylabel="error (%)",
        xticks=range(-9, 10),
    )
    axis.set_ylim(bottom=0)
    caption_below(figure, caption)
    return figure


def gallery(hardest: pd.DataFrame, pool: Pool, caption: str, columns: int = 6) -> Figure:
    """Show the pairs that most rounds get wrong, with what they are and what is thought of them.

    hardest: what `posteriors.hardest_pairs` gives of images of `pool`.
    """
    rows = max(1, -(-len(hardest) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(8.5, 1.35 * rows + 0.9), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, row in zip(axes.flat, hardest.itertuples(), strict=False):
        pair = [pool.images[place].numpy() for place in (row.first, row.second)]
        axis.imshow(
            np.hstack([pair[0], np.full((14, 1), 90.0), pair[1]]), cmap="gray_r", vmin=0, vmax=255
        )
        first, second = (int(pool.classes[place]) for place in (row.first, row.second))
        sign = "≤" if first <= second else ">"
        axis.set_title(
            f"{first} {sign} {second}, wrong in {row.wrong} of {row.of}\n"
            f"read: {row.read_first} ({row.sure_first:.2f}), {row.read_second} "
            f"({row.sure_second:.2f})\nP(a ≤ b) = {row.p:.2f}",
            loc="center",
            fontsize=7.5,
            fontweight="normal",
        )
    figure.suptitle(
        "Which pairs do most rounds get wrong?", x=0.01, ha="left", fontweight="bold", fontsize=10
    )
    caption_below(figure, caption)
    return figure


def reliability(tables: dict[str, pd.DataFrame], caption: str) -> Figure:
    """Show how often a <= b comes true where P(a <= b) says so, a panel an entry.

    tables: what `posteriors.calibration` gives, by name. Points are rounds.
    """
    figure, axes = plt.subplots(1, len(tables), figsize=(8.5, 4.0), sharey=True, squeeze=False)
    for axis, (name, table) in zip(axes.flat, tables.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        axis.plot(table.p, table.share, "o", color=COLOURS["beyond"], alpha=0.5, ms=3.5, mew=0)
        means = table.groupby("bin")[["p", "share"]].mean()
        axis.plot(means.p, means.share, "-", color="black", linewidth=1.2)
        axis.set(title=name, xlabel="P(a ≤ b)", aspect="equal", xlim=(-0.02, 1.02))
    axes[0, 0].set_ylabel("share of pairs with a ≤ b")
    figure.suptitle(
        "Is a probability of 0.8 right in 80 %?", x=0.01, ha="left", fontweight="bold", fontsize=10
    )
    caption_below(figure, caption)
    return figure
