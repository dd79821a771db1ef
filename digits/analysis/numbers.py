"""A verdict on every published number: errors and their SDs, parameters, training times.

See `equivalence` for what the verdicts mean. Like stands beside like: a printed mean over rounds
beside ours, one printed run among our rounds, an SD over folds among our SDs over folds.
"""

import numpy as np
import pandas as pd

from digits.analysis import equivalence
from digits.analysis.equivalence import VERDICTS, Judged
from digits.analysis.statistics import NOTHING, by_round, summarise
from digits.core import InputError
from digits.experiments.experiment import Experiment, Published
from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of

#: How a published number was run: by the report's text, and its code where that is silent; by its
#: authors' code; by that code without its bugs.
TEXT, CODE, FIXED = READINGS = (
    "following the text",
    "following the code",
    "following the code, bugs fixed",
)
TRAINING_MODE = "_training_mode"
#: Train error in per cent of a network that failed: it gives one answer to nearly all pairs.
FAILED = 40
#: What is published beside errors.
PARAMETERS, TIME, RATIO = OTHERS = ("parameters", "training time", "ratio of training times")


def failed(frame: pd.DataFrame) -> pd.Series:
    """Say of each of these tidy rows whether its network failed (see `FAILED`)."""
    return frame.train_error > FAILED


def published_numbers(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per published error: experiment, margin, and the fields of `Published`.

    And new_pairs: on how many pairs of each round that were not fitted it is counted, or NaN.
    """
    rows = []
    for experiment in experiments:
        recipe = experiment.recipe
        new = {"test_error": recipe.test_pairs, "validation_error": recipe.validation_pairs}
        rows += [
            {"experiment": experiment.id, "margin": number.margin, **number.model_dump()}
            | {"new_pairs": new.get(number.quantity)}
            for number in experiment.published
        ]
    columns = ["experiment", "margin", *Published.model_fields, "new_pairs"]
    return pd.DataFrame(rows, columns=columns).astype({"new_pairs": float})


def published_against_ours(frame: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return one row per published error: both means, SDs and n, and the verdicts on mean and SD.

    frame: tidy rows of runs; published: see `published_numbers`. ours: NaN, with n = 0, where
    `frame` has no run; without rounds that failed, where the printed SD shows that none of the
    report's did. difference: ours minus the printed mean, or minus the nearest value of the range
    that is printed as "about", with its 95 % interval where it has one (low, high).
    """
    rows, none = [], frame.iloc[:0]
    names = [name + of for name in published.experiment.unique() for of in ("", "@one-draw")]
    groups = dict(list(frame[frame.experiment.isin(names)].groupby("experiment")))
    for number in published.itertuples():
        runs, left_out = _without_failures(groups.get(number.experiment, none), number)
        ours = summarise(runs[number.quantity]) if len(runs) else NOTHING
        shortened = bool(runs.shortened.any())
        one_draw = groups.get(f"{number.experiment}@one-draw", none)
        one_draw = one_draw[~one_draw.shortened]
        mean = _judge_mean(number, ours, runs, one_draw)
        about = f"printed as about, within {number.about:g}" if number.about else ""
        sd = _judge_sd(number, ours, runs, one_draw)
        if shortened or runs.empty:
            absent = Judged("not run", "our runs were shortened" if shortened else "")
            mean, sd = absent, sd and absent
        rows.append(
            {
                "experiment": number.experiment,
                "row": number.row,
                "quantity": number.quantity,
                "kind": number.kind,
                "published": number.mean,
                "published_sd": number.sd,
                "published_n": number.n,
                "margin": number.margin,
                **{f"ours{'_' * bool(of)}{of}": ours[of or "mean"] for of in _OURS},
                "n": int(ours["n"]),
                "difference": ours["mean"] - _nearest(number, ours["mean"]),
                "low": mean.low,
                "high": mean.high,
                "shortened": shortened,
                "verdict": mean.verdict,
                "why": "; ".join(filter(None, (mean.why, about, left_out))),
                "sd_verdict": sd and sd.verdict,
                "sd_why": sd and sd.why,
                "sd_low": sd and sd.low,
                "sd_high": sd and sd.high,
            }
        )
    least = ["experiment", "row", "quantity", "published", "ours", "n", "verdict", "sd_verdict"]
    return pd.DataFrame(rows, columns=None if rows else least)


def _without_failures(runs: pd.DataFrame, number) -> tuple[pd.DataFrame, str]:
    """Leave out rounds in which the network failed, if none of the printed ones did; say so.

    One failure among the n values of a printed mean would make their SD at least its distance from
    the mean over the root of n. A printed SD of less than half of that shows none.
    """
    several = number.kind in ("rounds", "trainings on one draw") and number.n > 1
    if not several or pd.isna(number.sd) or runs.empty or runs.shortened.any():
        return runs, ""
    lost = failed(runs)
    if not lost.any() or lost.all():
        return runs, ""
    distance = abs(runs.loc[lost, number.quantity].mean() - number.mean)
    if number.sd >= distance / np.sqrt(number.n) / 2:
        return runs, ""
    what = f"{lost.sum()} failed round{'s' if lost.sum() > 1 else ''} of ours left out"
    return runs[~lost], f"{what}, the printed SD shows none"


_OURS = ("", "sd", "low", "high")


def _judge_mean(number, ours: pd.Series, runs: pd.DataFrame, one_draw: pd.DataFrame) -> Judged:
    """Judge a printed mean; one_draw: our runs of the same network on one draw of pairs."""
    if number.kind == "rounds":
        printed = number.mean, number.sd, number.n
        return equivalence.of_mean(ours, *printed, number.margin, number.new_pairs)
    if number.kind != "trainings on one draw":
        return equivalence.of_run(runs[number.quantity], number.mean)
    sd, of = number.sd, number.n
    if pd.isna(sd):
        sd, of = one_draw[number.quantity].std(), len(one_draw)
    if pd.isna(sd):
        return Judged("cannot tell", "no SD is printed, and no trainings of ours on one draw")
    nearest = _nearest(number, ours["mean"])
    found = equivalence.of_draw(ours, nearest, sd, number.n, of)
    return equivalence.also_by_rank(found, runs[number.quantity], nearest)


def _nearest(number, ours: float) -> float:
    """Return the printed number, of a range printed as "about" the value nearest to ours."""
    return np.clip(ours, number.mean - number.about, number.mean + number.about)


def _judge_sd(number, ours: pd.Series, runs: pd.DataFrame, one_draw: pd.DataFrame) -> Judged | None:
    """Judge a printed SD by ours of the same kind, None if none is printed."""
    if pd.isna(number.sd):
        return None
    if number.kind in ("folds", "trainings in a row"):
        column = number.quantity.replace("fold_error", "fold_sd")
        column = column if number.kind == "folds" else f"{number.quantity}_sd"
        return equivalence.of_run(runs[column], number.sd)
    if number.kind == "trainings on one draw":
        if one_draw.empty:
            return Judged("not run", "no trainings of ours on one draw")
        ours = summarise(one_draw[number.quantity])
    if number.quantity == "train_error":
        return Judged("cannot tell", "train errors are too skewed to compare SDs")
    found = equivalence.of_sd(ours, number.sd, number.n)
    if number.kind == "trainings on one draw":  # the table shows another SD of ours
        shown = filter(None, (found.why, f"on one draw ours is {ours['sd']:.2f}"))
        found = found._replace(why="; ".join(shown))
    return found


def all_numbers(frame: pd.DataFrame, experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per published number of any kind and reading of it.

    Errors as `published_against_ours` gives them, the quantity without the way of scoring, which
    is part of the reading; numbers of parameters; training times, and their ratios in a report.
    """
    errors = published_against_ours(frame, published_numbers(experiments))
    noisy = errors.quantity.str.endswith(TRAINING_MODE)
    by_id = {experiment.id: experiment for experiment in experiments}
    errors["reading"] = [
        CODE if in_training_mode else reading(by_id[name])
        for name, in_training_mode in zip(errors.experiment, noisy, strict=True)
    ]
    errors["quantity"] = errors.quantity.str.removesuffix(TRAINING_MODE)
    found = [errors, _counts(experiments), _times(frame[~frame.shortened], experiments)]
    numbers = pd.concat([part for part in found if len(part)], ignore_index=True)
    order = list(dict.fromkeys(experiment.report for experiment in experiments))
    numbers.insert(0, "report", [by_id[name].report for name in numbers.experiment])
    return numbers.sort_values(
        "report", key=lambda names: names.map(order.index), kind="stable", ignore_index=True
    )


def reading(experiment: Experiment) -> str:
    """Return which of `READINGS` an experiment with published numbers is."""
    if experiment.variant.endswith("published"):
        return CODE
    return FIXED if experiment.variant == "repaired" else TEXT


def _counts(experiments: list[Experiment]) -> pd.DataFrame:
    """Compare the numbers of parameters that reports print; those of their code are checked."""
    rows = {}
    for experiment in experiments:
        reported, count = experiment.reported_parameters, summary_of(experiment.build).parameters
        misprinted = experiment.counted == "misprinted"
        if reported not in (None, count) and not misprinted:
            raise InputError(
                f"{experiment.id} has {count} parameters, but its report {reported}: correct the "
                "network, or mark the number as misprinted."
            )
        if reported is None or experiment.counted == "by the code":
            continue
        place = "text, " * (experiment.variant == "text") + experiment.cell
        place += ", Table II" if experiment.variant.startswith("augmented") else ""
        row = {
            "experiment": experiment.id,
            "row": place,
            "quantity": PARAMETERS,
            "published": reported,
            "ours": count,
            "difference": count - reported,
            "verdict": "different" if misprinted else "equivalent",
            "why": "misprint: the network has our number" if misprinted else "",
        }
        rows.setdefault((experiment.report, place), row)
    return pd.DataFrame(rows.values()).assign(reading=TEXT, shortened=False)


def _times(frame: pd.DataFrame, experiments: list[Experiment]) -> pd.DataFrame:
    """Compare training times, on other hardware, and their ratios to a report's first network."""
    rows, first = [], {}
    seconds = by_round(frame, "train_seconds")
    for experiment in (e for e in experiments if e.reported_seconds):
        reference = first.setdefault(experiment.report, experiment)
        own = seconds.get(experiment.id, pd.Series(dtype=float)).dropna()
        row = {"experiment": experiment.id, "row": experiment.name, "n": len(own)}
        row |= {"quantity": TIME, "published": experiment.reported_seconds, "ours": own.median()}
        rows.append(row | {"verdict": "not compared", "why": "other hardware"})
        if reference is experiment:
            continue
        printed = experiment.reported_seconds / reference.reported_seconds
        ratios = time_ratios(seconds, experiment.id, reference.id)
        found = equivalence.of_ratios(ratios, printed) if len(ratios) else Judged("not run")
        row |= {"row": f"{experiment.name} / {reference.name}", "quantity": RATIO}
        row |= {"published": printed, "ours": ratios.median(), "n": len(ratios)}
        rows.append(row | {"verdict": found.verdict, "why": found.why})
    return pd.DataFrame(rows).assign(reading=TEXT, shortened=False)


def time_ratios(seconds: pd.DataFrame, of: str, to: str) -> pd.Series:
    """Return by round how often as long one experiment trained as another; empty without runs.

    seconds: rounds by experiments. Of these the median counts: what else a machine did in one
    round makes a mean of times worthless.
    """
    if not {of, to} <= set(seconds.columns):
        return pd.Series(dtype=float)
    return (seconds[of] / seconds[to]).dropna()


def errors_of(numbers: pd.DataFrame, in_both: bool = True) -> pd.DataFrame:
    """Return the rows of errors in what `all_numbers` gives, without those of fixed code.

    in_both: whether a number that has no reading of its own following the code, since our reading
    of the text follows the code where the text is silent, stands in both readings. One of which
    the code has another network stands in both in any case, following the code as not run.
    """
    errors = numbers[~numbers.quantity.isin(OTHERS)]
    key = ["report", "row", "quantity"]
    coded = pd.MultiIndex.from_frame(errors[errors.reading == CODE][key])
    written = errors[errors.reading == TEXT]
    also = written[~pd.MultiIndex.from_frame(written[key]).isin(coded)].assign(reading=CODE)
    other = also.experiment.map(lambda name: not EXPERIMENTS[name].as_coded)
    for of in ("", "sd_"):
        changed = other & also[f"{of}verdict"].notna()
        also.loc[changed, f"{of}verdict"] = "not run"
        also.loc[changed, f"{of}why"] = "the code has another network"
    also = also if in_both else also[other]
    return pd.concat([errors[errors.reading != FIXED], also], ignore_index=True)


def tally(numbers: pd.DataFrame, of: str = "verdict") -> pd.DataFrame:
    """Count the verdicts on published errors: one row per report and reading.

    numbers: what `all_numbers` gives. of: "verdict" for the means, "sd_verdict" for their SDs.
    Columns: every verdict that occurs, and all.
    """
    errors = errors_of(numbers).dropna(subset=of)
    counts = pd.crosstab([errors.report, errors.reading], errors[of])
    counts = counts[[verdict for verdict in VERDICTS if verdict in counts]]
    order = [
        (report, reading)
        for report in dict.fromkeys(errors.report)
        for reading in READINGS
        if (report, reading) in counts.index
    ]
    return counts.assign(all=counts.sum(axis=1)).loc[order]
