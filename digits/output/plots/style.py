"""What every figure shares: colours, marks, a caption, rows of points, how it is saved."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.ticker import FixedLocator, NullLocator

from digits import core
from digits.analysis.statistics import summarise
from digits.experiments.registry import DESIGNS, EXPERIMENTS, REPORTS
from digits.output.names import labels

# A reader's own matplotlibrc changes no figure.
plt.style.use(["default", Path(__file__).parent / "style.mplstyle"])

PALETTE = sns.color_palette("colorblind")
#: One colour per report, in every figure.
COLOURS = dict(zip(REPORTS, (PALETTE[place] for place in (0, 2, 3, 4, 1, 5, 6, 8)), strict=False))
COLOURS["beyond"] = PALETTE[9]
#: What belongs to no report: data, simple methods.
NEUTRAL = PALETTE[7]

#: How a mean is drawn, and how wide its interval: among its points by a tick or a line, alone by a
#: dot in the row's colour, where a report drew a star by a star.
TICK = {"marker": "|", "color": "black", "markersize": 11, "linestyle": "none", "interval": 1.2}
LINE = {"color": "black"}
DOT = {"marker": "o", "markersize": 4.5, "linestyle": "none", "interval": 1.6}
STAR = {"marker": "*", "color": "black", "markersize": 8, "linestyle": "none", "mfc": "white"}
#: How a published number is drawn.
PUBLISHED = {"marker": "D", "color": "black", "markersize": 4, "linestyle": "none"}
#: The label of an interval's line, which no legend shows.
INTERVAL = "_interval"
#: Errors in per cent that a logarithmic axis names.
ERRORS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)


def colour_of(name: str) -> tuple[float, float, float]:
    """Return the colour of the report that an experiment or a design belongs to."""
    return COLOURS[(EXPERIMENTS.get(name) or DESIGNS[name]).report]


def new_figure(
    caption: str, height: float, n=1, columns=1, *, each=0.0, width=8.5, title="", **grid
) -> tuple[Figure, np.ndarray]:
    """Return a figure with its caption and title, and the axes (rows, columns) of its n panels.

    height: of the figure, to which every row of panels adds `each`.
    """
    rows = max(1, -(-n // columns))
    size = width, each * rows + height
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False, **grid)
    plt.setp(axes.flat[n:], visible=False)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10)
    if caption:
        caption_below(figure, caption)
    return figure, axes


def caption_below(figure: Figure, caption: str) -> None:
    """Put a caption below the axes, wrapped to the width of the figure."""
    figure.supxlabel(caption, x=0.01, ha="left", fontsize=8, color="#444444", wrap=True)


def legend_above(
    figure: Figure, keys: dict[str, dict | Artist], columns: int = 5, title: str = ""
) -> Figure:
    """Explain above the axes, by their labels, the styles of lines and artists; return `figure`.

    columns: at most, fewer where so many are wider than the figure.
    """
    handles = [Line2D([], [], **key) if isinstance(key, dict) else key for key in keys.values()]
    for ncols in range(max(1, min(columns, len(keys))), 0, -1):
        legend = figure.legend(
            handles,
            list(keys),
            loc="outside upper center",
            ncols=ncols,
            title=title,
            title_fontproperties={"weight": "bold", "size": 10},
        )
        if ncols == 1 or legend.get_window_extent().width < figure.bbox.width:
            break
        legend.remove()
    legend.get_title().set_visible(bool(title))
    return figure


class Row(NamedTuple):
    """One row: values (n,) as points; their mean and its interval, NaN for none; a note."""

    name: str
    colour: str | tuple[float, float, float]
    points: Sequence[float] = ()
    mean: float = np.nan
    low: float = np.nan
    high: float = np.nan
    note: str = ""


def row_of(name: str, values: Sequence[float], colour=None, more: str = "") -> Row:
    """Return the row of `values` (n,), noting n and `more`, in the colour of experiment `name`."""
    found = dict(summarise(values)) if len(values) else {}
    bounds = {name: found[name] for name in ("mean", "low", "high") if found}
    return Row(name, colour or colour_of(name), values, **bounds, note=f"n = {len(values)}{more}")


def draw_rows(axis: Axes, rows: list[Row], mark: dict | None = None, top: float | None = None):
    """Draw rows downwards: points, over them means with intervals, and notes at the right edge.

    mark: how means are drawn (see `TICK`), None for not; "below" is whether intervals lie below
    them. top: the height of the first row, from a caller who draws and names rows one by one;
    without it, points alone say where the axis ends.
    Points are spread across their row by the golden ratio: equal data give an equal picture.
    """
    heights = np.arange(len(rows)) + (top or 0)
    for height, row in zip(heights, rows, strict=True):
        if len(row.points):
            spread = (np.arange(len(row.points)) * 0.618 % 1 - 0.5) * 0.4
            style = {"color": row.colour, "alpha": 0.5, "markersize": 3.2, "mew": 0}
            axis.plot(row.points, height + spread, "o", **style)
        if row.note:
            place = {"xycoords": ("axes fraction", "data"), "va": "center"}
            axis.annotate(row.note, (1.01, height), fontsize=8, color="#444444", **place)
    if top is None:
        name_rows(axis, [row.name for row in rows])
        if any(len(row.points) for row in rows):
            axis.set_xlim(left=0)
    for height, row in zip(heights, rows, strict=True) if mark else ():
        style = {"color": row.colour, **mark}
        width, below = style.pop("interval", 0), style.pop("below", False)
        ends = [height] if "marker" in style else [height - 0.3, height + 0.3]
        mean = [row.mean] * len(ends), ends, style
        bar = [row.low, row.high], [height] * 2, {"color": style["color"], "linewidth": width}
        bar[-1]["label"] = INTERVAL
        lines = (mean, bar) if width else (mean,)
        for x, y, look in reversed(lines) if below else lines:
            if np.isfinite(x).all():
                axis.plot(x, y, **look)


def _mark_cut_intervals(axis: Axes) -> None:
    """Put an arrow where an interval goes on beyond the axis."""
    left, right = axis.get_xlim()
    for line in [line for line in axis.lines if line.get_label() == INTERVAL]:
        (low, high), (height, _) = line.get_data()
        look = {"color": line.get_color(), "markersize": 5, "mew": 0, "clip_on": False}
        if low < left < high:
            axis.plot(left, height, marker=CARETLEFT, **look)
        if low < right < high:
            axis.plot(right, height, marker=CARETRIGHT, **look)


def name_rows(axis: Axes, names: list[str]) -> None:
    """Name the rows 0, 1, ... of a figure from top to bottom, experiments in plain words."""
    axis.set_yticks(range(len(names)), labels(names))
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)


def logarithmic(axis: Axes, least: float) -> None:
    """Make the axis of errors logarithmic, from below the least of them."""
    axis.set_xscale("log", nonpositive="clip")
    axis.set_xlim(left=0.8 * max(0.1, least))
    name_ticks(axis.xaxis)


def name_ticks(axis: Axis, values: Sequence[float] = ERRORS) -> None:
    """Name those of `values` that the axis shows, and nothing else."""
    low, high = axis.get_view_interval()
    values = [value for value in values if low <= value <= high]
    axis.set_major_locator(FixedLocator(values))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels([f"{value:g}" for value in values])


def title_of(figure: Figure) -> str:
    """Return the title of a figure, which may be that of its legend or of its first panel."""
    legends = [legend.get_title().get_text() for legend in figure.legends]
    panels = [axis.get_title(loc="left") for axis in figure.axes]
    titles = [figure.get_suptitle(), *legends, *panels]
    return " ".join(next(filter(None, titles), "").split())


class Picture:
    """An SVG file for display, with the caption for those who do not see it.

    Its own class, since IPython's parses the whole file for its first line.
    """

    def __init__(self, svg: str, caption: str):
        self.svg, self.caption = svg, caption

    def _repr_mimebundle_(self, **wanted):
        return {"image/svg+xml": self.svg, "text/plain": self.caption}


def save(figure: Figure, folder: Path, name: str) -> Picture:
    """Write `figure` to `folder` as name.svg, close it, and return it for display."""
    picture = show(figure)
    core.write(folder / f"{name}.svg", picture.svg)
    return picture


def show(figure: Figure) -> Picture:
    """Return `figure` for display, and close it; no file is written."""
    file = io.StringIO()
    # With a layout engine `savefig` draws twice, first for the places; here they are found alone.
    with plt.rc_context({"figure.constrained_layout.use": False}):
        figure.set_dpi(FigureCanvasSVG(figure).fixed_dpi)
        figure.get_layout_engine().execute(figure)
        figure.set_layout_engine(None)
        for axis in figure.axes:
            _mark_cut_intervals(axis)
        metadata = {"Date": None, "Title": title_of(figure)}
        figure.savefig(file, format="svg", metadata=metadata)
    plt.close(figure)
    return Picture(file.getvalue(), figure.get_supxlabel())
