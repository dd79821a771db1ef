"""A verdict on every published number, whether we measure it too.

reproduced: the 95 % interval of the difference holds 0, or the difference is under one point; the
first is easily met where the interval is wide, so the tally counts the second apart. better,
worse: we measure fewer or more errors (of times: relatively less or more). not comparable: with
the reason. misprint: a number of parameters that its authors' program printed otherwise.
"""

from typing import Literal

import numpy as np
import pandas as pd

from digits.analysis.statistics import difference_from_published, summarise
from digits.core import InputError
from digits.experiments.experiment import Experiment
from digits.models.summary import summary_of

NumberVerdict = Literal["reproduced", "better", "worse", "not comparable", "misprint"]

#: Points of error below which a difference does not matter.
MARGIN = 1.0
#: Times are of other machines: a ratio counts as reproduced within this factor.
TIME_FACTOR = 1.5
#: How a published number was run: by the report's text, by its authors' code, by that code with
#: its slips mended.
READINGS = ("as written", "as published", "repaired")
TRAINING_MODE = "_training_mode"


def published_numbers(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per published error: experiment, quantity, mean, sd, n, row."""
    return pd.DataFrame(
        [
            {"experiment": experiment.id, **number.model_dump()}
            for experiment in experiments
            for number in experiment.published
        ],
        columns=["experiment", "quantity", "mean", "sd", "n", "row"],
    )


def published_against_ours(frame: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return one row per published error: both means, SDs and n, their difference, the verdict.

    frame: tidy rows of runs; published: see `published_numbers`. ours: NaN, with n = 0, where
    `frame` has no run.
    """
    rows = []
    for number in published.itertuples():
        runs = frame[frame.experiment == number.experiment]
        ours = summarise(runs[number.quantity]) if len(runs) else _NOTHING
        difference, low, high = difference_from_published(ours, number.mean, number.sd, number.n)
        shortened = bool(runs.shortened.any())
        found = {
            "experiment": number.experiment,
            "row": number.row,
            "quantity": number.quantity,
            "published": number.mean,
            "published_sd": number.sd,
            "published_n": number.n,
            "ours": ours["mean"],
            "ours_sd": ours["sd"],
            "ours_low": ours["low"],
            "ours_high": ours["high"],
            "n": int(ours["n"]),
            "difference": difference,
            "low": low,
            "high": high,
            "shortened": shortened,
        }
        verdict, why = verdict_on_difference(difference, low, high, int(ours["n"]), shortened)
        rows.append(found | {"verdict": verdict, "why": why})
    return pd.DataFrame(rows)


_NOTHING = pd.Series({"n": 0, "mean": np.nan, "sd": np.nan, "low": np.nan, "high": np.nan})


def verdict_on_difference(
    difference: float, low: float, high: float, n: int, shortened: bool = False
) -> tuple[NumberVerdict, str]:
    """Return the verdict on a published error, and the reason where it cannot be compared.

    difference, low, high: ours minus the published one in points, with its interval; n: our runs;
    shortened: they were shorter than the report's.
    """
    if n == 0:
        return "not comparable", "no records"
    if shortened:
        return "not comparable", "our runs were shortened"
    if n == 1:
        return "not comparable", "one round of ours"
    if abs(difference) < MARGIN or low <= 0 <= high:
        return "reproduced", ""
    if np.isnan(low):
        return "not comparable", "no spread for an interval"
    return ("better" if difference < 0 else "worse"), ""


def all_numbers(frame: pd.DataFrame, experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per published number of any kind and reading of it.

    Errors as `published_against_ours` gives them, the quantity without the way of scoring, which
    is part of the reading; numbers of parameters; training times as ratios within a report.
    """
    errors = published_against_ours(frame, published_numbers(experiments))
    noisy = errors.quantity.str.endswith(TRAINING_MODE)
    by_id = {experiment.id: experiment for experiment in experiments}
    errors["reading"] = [
        "as published" if in_training_mode else reading(by_id[name])
        for name, in_training_mode in zip(errors.experiment, noisy, strict=True)
    ]
    errors["quantity"] = errors.quantity.str.removesuffix(TRAINING_MODE)
    found = [errors, _counts(experiments), _times(frame, experiments)]
    numbers = pd.concat([part for part in found if len(part)], ignore_index=True)
    order = list(dict.fromkeys(experiment.report for experiment in experiments))
    numbers.insert(0, "report", [by_id[name].report for name in numbers.experiment])
    return numbers.sort_values(
        "report", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def reading(experiment: Experiment) -> str:
    """Return which of `READINGS` an experiment with published numbers is."""
    if experiment.variant.endswith("published"):
        return "as published"
    return "repaired" if experiment.variant == "repaired" else "as written"


def _counts(experiments: list[Experiment]) -> pd.DataFrame:
    rows = {}
    for experiment in experiments:
        reported, count = experiment.reported_parameters, summary_of(experiment.build).parameters
        if reported is None:
            continue
        if count != reported and not experiment.misprinted:
            raise InputError(
                f"{experiment.id} has {count} parameters, but its report {reported}: mend the "
                "network, or mark the number as misprinted."
            )
        name = experiment.cell
        row = {
            "experiment": experiment.id,
            "row": f"text, {name}" if experiment.variant == "text" else name,
            "quantity": "parameters",
            "published": reported,
            "ours": count,
            "difference": count - reported,
            "shortened": False,
            "verdict": "misprint" if experiment.misprinted else "reproduced",
            "why": "the authors' program prints our number" if experiment.misprinted else "",
            "reading": reading(experiment),
        }
        rows.setdefault((experiment.report, row["row"]), row)
    return pd.DataFrame(rows.values())


def _times(frame: pd.DataFrame, experiments: list[Experiment]) -> pd.DataFrame:
    """Compare ratios of training times to that of the first network of a report."""
    rows, first = [], {}
    seconds = frame.pivot(index="seed", columns="experiment", values="train_seconds")
    for experiment in experiments:
        if not experiment.reported_seconds:
            continue
        reference = first.setdefault(experiment.report, experiment)
        if reference is experiment:
            continue
        row = {
            "experiment": experiment.id,
            "row": f"{experiment.name} / {reference.name}",
            "quantity": "training time",
            "published": experiment.reported_seconds / reference.reported_seconds,
            "reading": "as written",
        }
        verdict, why = "not comparable", "no records"
        ratios = time_ratios(seconds, experiment.id, reference.id)
        if len(ratios):
            row |= {"ours": ratios.median(), "n": len(ratios)}
            verdict = verdict_on_ratio(row["ours"] / row["published"])
            why = "" if verdict == "reproduced" else "other machines: theirs a GPU"
        rows.append(row | {"shortened": False, "verdict": verdict, "why": why})
    return pd.DataFrame(rows)


def time_ratios(seconds: pd.DataFrame, of: str, to: str) -> pd.Series:
    """Return by round how often as long one experiment trained as another; empty without runs.

    seconds: rounds by experiments. Of these the median counts: what else a machine did in one
    round makes a mean of times worthless.
    """
    if not {of, to} <= set(seconds.columns):
        return pd.Series(dtype=float)
    return (seconds[of] / seconds[to]).dropna()


def verdict_on_ratio(factor: float) -> NumberVerdict:
    """Return the verdict on a ratio of times of which ours is `factor` times the published one."""
    if 1 / TIME_FACTOR <= factor <= TIME_FACTOR:
        return "reproduced"
    return "better" if factor < 1 else "worse"


def tally(numbers: pd.DataFrame) -> pd.DataFrame:
    """Count the verdicts on published errors: one row per report and reading.

    numbers: what `all_numbers` gives. A number that has no reading as published, since our reading
    of the text follows the code where the text is silent, counts under both. Columns: "within a
    point", how many of the reproduced differ by less than that; every verdict that occurs; all.
    """
    errors = numbers[~numbers.quantity.isin(["parameters", "training time"])]
    errors = pd.concat([errors[errors.reading != "repaired"], _also_as_published(errors)])
    counts = pd.crosstab([errors.report, errors.reading], errors.verdict)
    counts["all"] = counts.sum(axis=1)
    near = (errors.verdict == "reproduced") & (errors.difference.abs() < MARGIN)
    near = near.groupby([errors.report, errors.reading]).sum()
    counts.insert(0, "within a point", near)
    order = [
        (report, reading)
        for report in dict.fromkeys(errors.report)
        for reading in READINGS
        if (report, reading) in counts.index
    ]
    return counts.loc[order]


def _also_as_published(errors: pd.DataFrame) -> pd.DataFrame:
    """Return the rows as written of numbers that have no other reading, as published."""
    key = ["report", "row", "quantity"]
    coded = errors[errors.reading == "as published"].set_index(key).index
    written = errors[errors.reading == "as written"]
    alone = ~pd.MultiIndex.from_frame(written[key]).isin(coded)
    return written[alone].assign(reading="as published")
