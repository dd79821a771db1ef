"""Figures that compare experiments: errors, effects, times."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from digits.analysis.beyond import DRAWN
from digits.analysis.effects import LEAST_ROUNDS
from digits.data.seeds import STREAMS
from digits.experiments.beyond import TWINS
from digits.experiments.registry import EXPERIMENTS
from digits.output.names import name_of
from digits.output.plots import style
from digits.output.plots.style import DOT, LINE, STAR, TICK, Row, colour_of, draw_rows, row_of
from digits.output.tables.format import difference

#: What a picture calls the sources of randomness.
SOURCES = {
    "all streams": "everything",
    "init": "initial weights",
    "order": "order of the pairs",
    "augment": "distortions",
}


def figure_of(rows: list[Row], mark: dict, caption: str, each: float, height: float, **labels):
    """Return a figure of rows, as high as `height` and `each` of them, and its axes."""
    figure, [[axis]] = style.new_figure(caption, each * len(rows) + height)
    draw_rows(axis, rows, mark)
    axis.set(**labels)
    return figure, axis


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
    title: str = "",
) -> Figure:
    """Show every `value` as a point with a box around ten or more, and the published mean and SD.

    frame: rows with `experiment` and `value`, an error in per cent. published: rows of experiment,
    quantity, mean, sd (see `numbers.published_numbers`). accuracy: show 100 - error. yardsticks:
    errors to compare with, by name, as vertical lines. point: what a point is. stars: mark our
    mean by a star, as damachi's Figure 7 does.
    """
    shown = frame.assign(shown=100 - frame[value] if accuracy else frame[value])
    short = frame[frame.shortened].itertuples() if "shortened" in frame else ()
    lengths = {run.experiment: f", {run.epochs * run.trainings} epochs" for run in short}
    groups = shown.groupby("experiment", sort=False).shown
    unit = " folds" if "fold" in point else ""
    rows = [row_of(name, values, more=unit + lengths.get(name, "")) for name, values in groups]
    figure, [[axis]] = style.new_figure(caption, 0.27 * len(rows) + 1.4)
    boxed = _boxes(axis, rows)
    draw_rows(axis, rows, STAR if stars else None)
    numbers = published[(published.quantity == value) & published.experiment.isin(shown.experiment)]
    numbers = numbers.assign(mean=100 - numbers["mean"] if accuracy else numbers["mean"])
    own = {name: found.to_dict("records") for name, found in numbers.groupby("experiment")}
    for height, row in enumerate(rows):
        printed = own.get(row.name, [])
        for index, number in enumerate(printed):
            place = height + 0.3 * (index - (len(printed) - 1) / 2)
            look = {"elinewidth": 1.2, "capsize": 2.5, "zorder": 3, **style.PUBLISHED}
            axis.errorbar(number["mean"], place, xerr=number["sd"], **look)
    kind = value.replace("fold", "cross-validation").replace("_", " ")
    axis.set(xlabel=f"{kind.replace('error', 'accuracy') if accuracy else kind} (%)", ylabel="")
    if accuracy:
        lowest = (numbers["mean"] - numbers.sd.astype(float).fillna(0)).min()
        axis.set_xlim(np.fmin(lowest, shown.shown.min()) - 2, 101)
    keys = {point: {"color": "#777777", "marker": "o", "linestyle": "none"}}
    if boxed:
        keys["box: middle half, its line: median"] = Patch(fill=False, edgecolor="#777777")
    keys |= {"published mean ± SD": style.PUBLISHED} | ({"our mean": STAR} if stars else {})
    for (name, error), dashes in zip((yardsticks or {}).items(), ("--", ":", "-."), strict=False):
        look = {"color": "#444444", "linewidth": 1.2, "linestyle": dashes}
        keys[name] = axis.axvline(error, zorder=0, **look)
    what = "accuracies" if accuracy else "errors"
    title = title or f"How large are the {what}, and which were published?"
    return style.legend_above(figure, keys, columns=4, title=title)


def _boxes(axis: Axes, rows: list[Row]) -> bool:
    """Draw a box around the middle half of each row's points, whiskers and median, as an outline.

    Fewer than ten points have none; return whether any row has one. All at once, which takes a
    third of the time of seaborn's boxes, one by one.
    """
    values = {place: row.points.dropna().to_numpy() for place, row in enumerate(rows)}
    values = {place: own for place, own in values.items() if len(own) >= 10}
    if not values:
        return False
    found = boxplot_stats(list(values.values()))
    line, flat = {"linewidth": 1}, {"linewidth": 1, "solid_capstyle": "butt"}
    looks = {"boxprops": line, "capprops": line, "whiskerprops": flat, "medianprops": flat}
    shape = {"positions": list(values), "widths": [0.6] * len(values)}
    shape |= {"orientation": "horizontal", "showfliers": False, "manage_ticks": False}
    for lines in axis.bxp(found, **shape, **looks).values():
        colours = np.repeat([rows[place].colour for place in values], len(lines) // len(values), 0)
        for drawn, colour in zip(lines, colours, strict=True):
            drawn.set_color(colour)
    return True


def ranking(ranked: pd.DataFrame, frame: pd.DataFrame, caption: str) -> Figure:
    """Show what `statistics.ranking` gives of `frame`: rounds as points, mean and interval."""
    errors = dict(list(frame.groupby("experiment").precise_error))
    names = zip(ranked.network, ranked.experiment, strict=True)
    rows = [row_of(name, errors[of], colour_of(of)) for name, of in names]
    mark = {**TICK, "markersize": 9}
    labels = {"xlabel": "large-sample test error (%)"}
    labels["title"] = "Which networks have the lowest error under one protocol?"
    figure, axis = figure_of(rows, mark, caption, 0.21, 1.1, **labels)
    axis.tick_params(axis="y", labelsize=7)
    return figure


def error_against_cost(ranked: pd.DataFrame, caption: str) -> Figure:
    """Show error against parameters and against training compute, a point a network.

    ranked: what `statistics.ranking` gives. The line joins the networks that no cheaper one beats;
    some of them are numbered, and named below.
    """
    figure, axes = style.new_figure(caption, 4.4, 2, 2, sharey=True)
    numbered: dict[str, int] = {}
    costs = {"parameters": "parameters", "training_gflop": "training compute (GFLOP a round)"}
    for axis, (cost, label) in zip(axes.flat, costs.items(), strict=True):
        for row in ranked.assign(cost=ranked[cost]).itertuples():
            colour = colour_of(row.experiment)
            axis.plot(row.cost, row.mean, color=colour, **_look(row.shared, row.auxiliary))
            if np.isfinite(row.low) and row.n >= LEAST_ROUNDS:
                axis.plot([row.cost] * 2, [row.low, row.high], color=colour, linewidth=0.8)
        best = ranked.sort_values([cost, "mean"])
        best = best[best["mean"] <= best["mean"].cummin()]
        axis.plot(best[cost], best["mean"], color="#999999", linewidth=0.8, zorder=0)
        for name, *where in _far_apart(best[["experiment", cost, "mean"]].to_numpy()):
            number = numbered.setdefault(name, len(numbered) + 1)
            look = {"textcoords": "offset points", "ha": "right", "va": "top", "fontsize": 9}
            axis.annotate(f"{number}", where, xytext=(-3, -2), fontweight="bold", **look)
        low, high = 0.75 * ranked["mean"].min(), 1.25 * ranked["mean"].max()
        axis.set(xscale="log", yscale="log", xlabel=label, ylim=(low, high))
        style.name_ticks(axis.yaxis)
    axes[0, 0].set_ylabel("large-sample test error (%), logarithmic")
    names = "; ".join(f"{n}: {name_of(EXPERIMENTS[name])}" for name, n in numbered.items())
    style.caption_below(figure, f"{caption} {names}.")
    options = {"plain": (0, 0), "weight sharing": (1, 0), "digit loss": (0, 1), "both": (1, 1)}
    keys = {name: {"color": "#444444", **_look(*option)} for name, option in options.items()}
    for report in (name for name in style.COLOURS if name in set(ranked.report)):
        keys[report.capitalize()] = Patch(color=style.COLOURS[report])
    return style.legend_above(figure, keys, title="Do larger networks have lower errors?")


def _far_apart(networks: list) -> list:
    """Return the first of networks with falling errors, and those a fifth lower than the last."""
    kept = []
    for network in networks:
        if not kept or network[-1] < 0.8 * kept[-1][-1]:
            kept.append(network)
    return kept


def _look(shared: bool, auxiliary: bool) -> dict:
    face = {} if auxiliary else {"mfc": "white"}
    return {"marker": "s" if shared else "o", "markersize": 6, "linestyle": "none", **face}


def seconds_a_round(frame: pd.DataFrame, caption: str) -> Figure:
    """Show the seconds of training that each round took, and their median."""
    groups = frame.groupby("experiment", sort=False).train_seconds
    rows = [row_of(*group)._replace(mean=group[1].median()) for group in groups]
    labels = {"xlabel": "seconds of training, on one core", "title": "How long does a round train?"}
    return figure_of(rows, LINE, caption, 0.3, 1.1, **labels)[0]


def ablation(steps: pd.DataFrame, frame: pd.DataFrame, caption: str) -> Figure:
    """Show what each step brings: every round a point, the mean with its interval, the folds.

    steps: what `beyond.steps` gives of the tidy rows `frame`. Beside each stand its errors and its
    changes. A step whose change is undecided is pale.
    """
    figure, [[axis]] = style.new_figure(caption, 0.46 * len(steps) + 1.9, width=9.5)
    frame = frame[frame.experiment.isin(steps.experiment)]
    errors, names = dict(list(frame.groupby("experiment").precise_error)), []
    folds = {"marker": "D", "mfc": "white", "markersize": 5, "linestyle": "none"}
    pale = "#bbbbbb"
    for height, step in enumerate(steps.itertuples()):
        weak = step.verdict == "undecided"
        colour = pale if weak else style.COLOURS["zadoks" if step.step in TWINS else "beyond"]
        row = row_of(step.step, errors.get(step.experiment, ()), colour)
        mark = {**TICK, "color": pale if weak else "black"}
        draw_rows(axis, [row._replace(note=_note(step))], mark, height)
        if np.isfinite(step.fold):
            axis.plot(step.fold, height, mec=colour, **folds)
        larger = not (step.kept or step.cross_validated)  # against the best network, each of them
        names.append(textwrap.fill(("+ " if height and not larger else "") + step.says, 36))
        if not step.kept:
            names[-1] += "  (not kept)" if step.cross_validated else "  (a larger budget)"
    style.name_rows(axis, names)
    for name, verdict in zip(axis.get_yticklabels(), steps.verdict, strict=True):
        name.set(color="#888888" if verdict == "undecided" else "black")
    style.logarithmic(axis, frame.precise_error.min())
    axis.set(xlabel="error (%), logarithmic")
    keys = {
        "test error of a round": {"marker": "o", "color": "#555555", "linestyle": "none"},
        "mean, 95 % interval": {"marker": "|", "color": "black", "markersize": 11},
        "cross-validation error": {**folds, "mec": "#555555"},
        "branch of the twin net": Patch(color=style.COLOURS["zadoks"]),
        "deeper branch": Patch(color=style.COLOURS["beyond"]),
        "undecided": Patch(color=pale),
    }
    return style.legend_above(figure, keys, columns=3, title="What does each step change?")


def _note(step) -> str:
    """Write the errors of a step and its changes, of the test and of the folds, a line each."""
    row, lines = step._asdict(), []
    for name, error, n, change in (
        ("test", "mean", "n", "change"),
        ("folds", "fold", "fold_n", "fold_change"),
    ):
        if np.isfinite(row[error]):
            changed = difference(row, of=change).replace("-", "−")
            lines.append(f"{name} {row[error]:.2f} %, n = {row[n]:.0f}{changed and f'; {changed}'}")
    return "\n".join(lines)


def rounds_with_means(frame: pd.DataFrame, by: str, title: str, caption: str) -> Figure:
    """Show rounds of networks, named by column `by`, means and intervals, the most errors first."""
    groups = sorted(frame.groupby(by).precise_error, key=lambda group: -group[1].mean())
    colour = style.COLOURS["beyond"]
    rows = [row_of(name, own, colour, f", {own.mean():.2f} %") for name, own in groups]
    labels = {"title": title, "xlabel": "large-sample test error (%), logarithmic"}
    figure, axis = figure_of(rows, TICK, caption, 0.42, 1.2, **labels)
    # Points set the limits; the longest interval may pass them by a factor of two.
    least, most = frame.precise_error.min(), frame.precise_error.max()
    longest = np.nanmax([most, *(row.high for row in rows)])
    axis.set_xlim(right=1.1 * min(2 * most, longest))
    style.logarithmic(axis, max(least / 2, np.nanmin([least, *(row.low for row in rows)])))
    return figure


def spread_by_source(spreads: pd.DataFrame, caption: str) -> Figure:
    """Show what `beyond.variance_by_source` gives: SDs with intervals, a panel a network."""
    here, n = set(spreads.stream), spreads.network.nunique()
    streams = [name for name in ("all streams", *STREAMS, *DRAWN) if name in here]
    shape = {"width": 9.5, "sharex": True, "sharey": True}
    figure, axes = style.new_figure(caption, 3.6, n, n, **shape)
    for axis, (network, rows) in zip(
        axes.flat, spreads.groupby("network", sort=False), strict=True
    ):
        own = DOT, style.COLOURS["beyond" if network == "best network" else "zadoks"]
        drawn = {**DOT, "marker": "s"}, style.NEUTRAL
        for row in rows.itertuples():
            mark, colour = drawn if row.stream in DRAWN else own
            shown = Row(row.stream, colour, (), row.sd, row.low, row.high)
            draw_rows(axis, [shown], mark, streams.index(row.stream))
        for stream in set(streams) - set(rows.stream):
            place = {"xycoords": ("axes fraction", "data"), "va": "center", "fontsize": 8}
            axis.annotate("none in this network", (0.03, streams.index(stream)), **place)
        style.name_rows(axis, [SOURCES.get(stream, stream) for stream in streams])
        title = f"{network}:\nmean error {rows['mean'].iloc[0]:.2f} %"
        axis.set(xlabel="SD of the error (points), logarithmic", title=title, xscale="log")
    style.name_ticks(axes[0, 0].xaxis, (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2))
    keys = {
        "only this drawn anew, or everything": {**own[0], "color": "#444444"},
        "what drawing so many test pairs makes": {**drawn[0], "color": drawn[1]},
    }
    for look in keys.values():
        del look["interval"]
    return style.legend_above(figure, keys, title="Where does the noise come from?")


def strips(frame: pd.DataFrame, x: str, y: str, label: str, title: str, caption: str) -> Figure:
    """Show rounds of methods, named by column `y`, as points at column `x`, and their means."""
    rows = [row_of(*group, style.NEUTRAL) for group in frame.groupby(y, sort=False)[x]]
    figure, axis = figure_of(rows, LINE, caption, 0.42, 1.3, title=title, xlabel=label)
    for height, row in enumerate(rows):
        look = {"textcoords": "offset points", "ha": "center", "fontsize": 8}
        axis.annotate(f"{row.mean:.1f}", (row.mean, height - 0.3), xytext=(0, 3), **look)
    return figure
