"""The rounds that were trained here beside the study: a sentence, a picture and a table."""

import pandas as pd
from matplotlib.figure import Figure

from digits.analysis.replication import compare
from digits.experiments.registry import EXPERIMENTS
from digits.output.names import name_of
from digits.output.plots import style
from digits.output.tables.format import span
from digits.study.replication import left_out, rounds_here

_INTERVAL = {"linewidth": 7, "alpha": 0.3, "solid_capstyle": "butt"}
_STUDY = {"marker": "|", "color": "black", "markersize": 9, "linestyle": "none"}
_HERE = {"marker": "o", "markersize": 6, "linestyle": "none", "mec": "white", "mew": 0.6}
_OUTSIDE = {**_HERE, "marker": "X", "markersize": 9}


def beside(study: pd.DataFrame, *patterns: str) -> pd.DataFrame:
    """Return `replication.compare` of the rounds trained here and the tidy rows `study`."""
    return compare(rounds_here(*patterns), study)


def sentence(compared: pd.DataFrame, *patterns: str) -> str:
    """Say in Markdown how many networks agree, which do not, and what was left out.

    compared: what `beside` gives of the experiments `patterns`.
    """
    without = [name_of(experiment) for experiment in left_out(*patterns)]
    left = f" Left out, since a round takes minutes to hours: {'; '.join(without)}."
    left = left if without else ""
    if compared.empty and compared.attrs["here"]:
        return (
            "Rounds were trained here, but the study shown has fewer than two rounds of their "
            f"networks at full length.{left}"
        )
    if compared.empty:
        return (
            "**No rounds were trained here yet.** `python run_all.py` trains some in a few minutes "
            f"and puts them beside the study.{left}"
        )
    outside, agree = compared[~compared.agrees], compared.agrees.sum()
    networks = f"network{'s' if len(compared) > 1 else ''} {'agrees' if agree == 1 else 'agree'}"
    names = "; ".join(
        f"{name_of(EXPERIMENTS[row.experiment])}, {row.here:.1f} % here and "
        f"{max(0, row.low):.1f} to {row.high:.1f} % expected"
        for row in outside.itertuples()
    )
    return (
        f"**{agree} of {len(compared)} {networks} with the study**: the "
        f"mean test error of the rounds that were trained here ({compared.n.sum()} in all, at "
        "their reports' full length) lies in the 95 % interval that the study gives for as many "
        f"more rounds.{' Outside: ' + names + '.' if names else ''} One in twenty lies outside by "
        "chance. Rounds here draw their pairs from 5,000 digits, those of the study from all "
        f"70,000, so other images are learned and tested.{left}"
    )


def caption(compared: pd.DataFrame) -> str:
    """Say what `picture` shows."""
    return (
        "Bar: 95 % interval of the study for the mean of as many more rounds; tick: mean of the "
        f"study (n = {span(compared.study_n)} rounds, all of MNIST). Dot: mean of the rounds here "
        f"(n = {span(compared.n)}, sample digits); cross: outside the interval. Where a bar is "
        "wide, rounds differ much, and agreement says little."
    )


def picture(compared: pd.DataFrame, caption: str) -> Figure:
    """Show the mean error of the rounds here in the interval that the study gives for it."""
    figure, [[axis]] = style.new_figure(caption, 0.24 * len(compared) + 1.4)
    for height, row in enumerate(compared.itertuples()):
        colour = style.colour_of(row.experiment)
        axis.plot([max(0, row.low), row.high], [height] * 2, color=colour, **_INTERVAL)
        axis.plot(row.study, height, **_STUDY)
        mark = _HERE if row.agrees else _OUTSIDE
        axis.plot(row.here, height, color=colour if row.agrees else "black", **mark)
    style.name_rows(axis, list(compared.experiment))
    axis.set(xlabel="test error (%)", title="Do rounds trained here agree with the study?")
    axis.set_xlim(left=0)
    return figure


def table(compared: pd.DataFrame) -> pd.DataFrame:
    """Return one row a network: does it agree, the error here, and what the study expects."""
    return pd.DataFrame(
        {
            "network": name_of(EXPERIMENTS[row.experiment]),
            "agrees": "yes" if row.agrees else "no",
            "error here (%)": f"{row.here:.1f}",
            "rounds here": row.n,
            "expected by the study (%)": f"{max(0, row.low):.1f} to {row.high:.1f}",
            "rounds of the study": row.study_n,
        }
        for row in compared.itertuples()
    )


def show(study: pd.DataFrame, *patterns: str) -> None:
    """Show in a notebook how the rounds trained here compare with the study's tidy rows."""
    from IPython.display import Markdown, display  # training alone does without Jupyter

    if set(study.source) - {"mnist"}:
        display(Markdown("Rounds trained here are put beside a study of all of MNIST only."))
        return
    compared = beside(study, *patterns)
    display(Markdown(sentence(compared, *patterns)))
    if len(compared):
        display(style.show(picture(compared, caption(compared))))
