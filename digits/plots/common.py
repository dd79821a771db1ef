"""What every figure shares: the style, one colour per report, the caption, how it is saved."""

import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

plt.style.use(Path(__file__).parent.parent / "style.mplstyle")

PALETTE = sns.color_palette("colorblind")
#: One colour per report, in every figure.
COLOURS = {"kqiku": PALETTE[0], "zadoks": PALETTE[1]}
#: What belongs to no report: data, simple methods.
NEUTRAL = PALETTE[2]
#: How a published number is drawn.
PUBLISHED = {"marker": "D", "color": "black", "markersize": 4, "linestyle": "none"}


def colour_of(name: str) -> tuple[float, float, float]:
    """Return the colour of the report that an experiment or an architecture belongs to."""
    return COLOURS[name.split("/")[0]]


def caption(figure: Figure, text: str) -> None:
    """Put `text` below the axes, wrapped to the width of the figure."""
    lines = textwrap.fill(text, width=int(figure.get_figwidth() * 17))
    figure.supxlabel(lines, x=0.01, ha="left", fontsize=8, color="#444444")


def save(figure: Figure, folder: Path, name: str) -> Figure:
    """Write `figure` to `folder` as name.svg and name.png, close it, and return it for display."""
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    plt.close(figure)
    return figure
