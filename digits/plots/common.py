"""What every figure shares: the style, one colour per report, the caption, how it is saved."""

import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digits.experiment import report_of

plt.style.use(Path(__file__).parent.parent / "style.mplstyle")

PALETTE = sns.color_palette("colorblind")
#: One colour per report, in every figure.
COLOURS = {
    "kqiku": PALETTE[0],
    "cadei": PALETTE[2],
    "jaubert": PALETTE[3],
    "damachi": PALETTE[4],
    "zadoks": PALETTE[1],
    "beyond": PALETTE[9],
}
#: What belongs to no report: data, simple methods.
NEUTRAL = PALETTE[7]
#: How a published number is drawn.
PUBLISHED = {"marker": "D", "color": "black", "markersize": 4, "linestyle": "none"}
#: How our mean is drawn where a report drew a star.
STAR = {"marker": "*", "color": "black", "markersize": 8, "linestyle": "none", "mfc": "white"}


def colour_of(name: str) -> tuple[float, float, float]:
    """Return the colour of the report that an experiment or a design belongs to."""
    return COLOURS[report_of(name)]


def caption(figure: Figure, text: str) -> None:
    """Put `text` below the axes, wrapped to the width of the figure."""
    lines = textwrap.fill(text, width=int(figure.get_figwidth() * 17))
    figure.supxlabel(lines, x=0.01, ha="left", fontsize=8, color="#444444")


def rows_of_points(
    axis: Axes, rows: dict[str, pd.Series], colours: list, notes: dict[str, str] | None = None
) -> None:
    """Draw one row per entry from top to bottom: every value a point, n at the right edge.

    notes: what to add to n, by row. Points are spread across the row by the golden ratio, so that
    equal data give an equal picture.
    """
    for height, ((name, values), colour) in enumerate(zip(rows.items(), colours, strict=True)):
        spread = (np.arange(len(values)) * 0.618 % 1 - 0.5) * 0.4
        axis.plot(values, height + spread, "o", color=colour, alpha=0.5, markersize=3.2, mew=0)
        note_beside(axis, height, f"n = {len(values)}{(notes or {}).get(name, '')}")
    name_rows(axis, list(rows))
    axis.set_xlim(left=0)


def note_beside(axis: Axes, height: float, text: str) -> None:
    """Write `text` at the right edge of the axes, beside the row at `height`."""
    place = {"xycoords": ("axes fraction", "data"), "va": "center"}
    axis.annotate(text, (1.01, height), fontsize=8, color="#444444", **place)


def name_rows(axis: Axes, names: list[str]) -> None:
    """Name the rows 0, 1, ... of a figure from top to bottom."""
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="y", visible=False)


def save(figure: Figure, folder: Path, name: str) -> Figure:
    """Write `figure` to `folder` as name.svg and name.png, close it, and return it for display."""
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    plt.close(figure)
    return figure
