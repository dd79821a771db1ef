"""Numbers as words: means with their spread, intervals, and what a table or a figure shows."""

from collections import Counter, defaultdict

import pandas as pd

from digits.experiments import experiment_of


def scope(frame: pd.DataFrame) -> str:
    """Say what a figure or a table of `frame` shows: rounds, epochs, pairs and source."""
    rounds = frame.groupby("experiment", sort=False).seed.nunique()
    epochs = frame.epochs * frame.trainings
    source = {"sample": "the 5,000 sample digits", "mnist": "all of MNIST"}
    parts = [
        f"n = {span(rounds)} round{'s' if rounds.max() > 1 else ''}",
        f"{span(epochs)} epochs",
        f"{span(frame.train_pairs)} training pairs a round",
        " and ".join(source[name] for name in frame.source.unique()),
    ]
    notes = (_shortened, _bfloat16, _missing_rounds, _diverged)
    return ", ".join(parts) + "".join(note(frame) for note in notes)


def _missing_rounds(frame: pd.DataFrame) -> str:
    """Name the networks that lack rounds which others of the same size and protocol have."""
    have = {name: set(seeds) for name, seeds in frame.groupby("experiment", sort=False).seed}
    alike = defaultdict(set)
    for name, seeds in have.items():
        alike[_kind(name)] |= seeds
    lacking = []
    for name, seeds in have.items():
        wanted = {seed for seed in alike[_kind(name)] if seed < experiment_of(name).rounds}
        if not wanted <= seeds:
            lacking.append(f"{name} ({len(seeds & wanted)} of {len(wanted)})")
    return f"; rounds are missing: {', '.join(lacking)}" if lacking else ""


def _diverged(frame: pd.DataFrame) -> str:
    """Name the runs of the networks in `frame`, and of its reports' others, that diverged."""
    known = frame.attrs.get("diverged", {})
    reports = set(frame.report)
    here = [run for run, name in known.items() if experiment_of(name).report in reports]
    return f"; without results: {', '.join(here)}" if here else ""


def _kind(name: str) -> tuple[str, int]:
    """Return what decides how many of an experiment's rounds a profile runs."""
    experiment = experiment_of(name)
    return experiment.size, experiment.recipe.trainings


def _shortened(frame: pd.DataFrame) -> str:
    """Say which networks got fewer epochs, trainings or pairs than their report has."""
    groups = Counter()
    # The settings of a search are one network.
    networks = frame.experiment.where(
        ~frame.experiment.str.startswith("search/"), frame.experiment.str.partition("@")[0]
    )
    for run in frame[frame.shortened & ~networks.duplicated()].itertuples():
        full = experiment_of(run.experiment).recipe
        short = f"{run.trainings} trainings" if run.trainings < full.trainings else ""
        if not short or run.epochs < full.epochs:
            short += f"{' of ' if short else ''}{run.epochs} epochs"
        if run.train_pairs < full.train_pairs:
            short += f" of {run.train_pairs} pairs"
        groups[run.report, short] += 1
    named = [f"{n} of {report}'s networks to {short}" for (report, short), n in groups.items()]
    return f"; shortened: {', '.join(named)}" if named else ""


def _bfloat16(frame: pd.DataFrame) -> str:
    """Say whose networks were computed in less than float32."""
    fewer = frame[frame.precision == "bfloat16"].drop_duplicates("experiment")
    named = [f"{n} of {report}'s networks" for report, n in fewer.report.value_counts().items()]
    return f"; in bfloat16: {', '.join(named)}" if named else ""


def points(summary) -> str:
    """Return the mean of a difference and its interval, as words in a sentence."""
    bounds = interval(summary, "+")
    known = f"95 % interval {bounds}" if bounds else "too few rounds for an interval"
    return f"{summary['mean']:+.2f} points ({known}; n = {summary['n']:.0f})"


def mean_sd(summary) -> str:
    """Return "5.10 ± 0.80", without the second half where there is no SD."""
    sd = blank(summary["sd"], " ± {:.2f}")
    return f"{summary['mean']:.2f}{sd}"


def interval(summary, sign: str = "") -> str:
    """Return "1.20 to 3.40", "" where there is none; sign: "+" to show plus signs."""
    if pd.isna(summary["low"]):
        return ""
    return f"{summary['low']:{sign}.2f} to {summary['high']:{sign}.2f}"


def blank(value: float | None, form: str) -> str:
    """Return `value` as `form` says, "" where there is none."""
    return "" if value is None or pd.isna(value) else form.format(value)


def span(values: pd.Series) -> str:
    """Return "3", or "3 to 10" where the values differ."""
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"
