"""Tables of what was measured, in words that fit a page."""

import pandas as pd

from digits.analysis.numbers import time_ratios
from digits.analysis.statistics import by_round, summarise
from digits.experiments.experiment import Experiment
from digits.experiments.registry import select
from digits.models.summary import summary_of
from digits.output.tables.format import PRINTED, difference, interval, mean_sd, number, span


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the study's table of errors in per cent, mean ± SD over rounds, one row a network.

    frame: tidy rows (see `frames.tidy`).
    """
    errors = ["test_error", "precise_error", "train_error", "test_digit_accuracy"]
    groups = dict(list(frame[["experiment", *errors, "parameters"]].groupby("experiment")))
    rows = []
    for experiment in select(*groups):
        runs = groups[experiment.id]
        first, test = runs.iloc[0], summarise(runs.test_error)
        rows.append(
            {
                "experiment": experiment.id,
                "n": int(test["n"]),
                "published test error": _published(experiment),
                "test error (95 % interval)": _with(mean_sd(test), interval(test)),
                "large-sample test error": mean_sd(summarise(runs.precise_error)),
                "train error": mean_sd(summarise(runs.train_error)),
                "digit accuracy": number(runs.test_digit_accuracy.mean(), "{:.1f}"),
                "parameters": first.parameters,
            }
        )
    return pd.DataFrame(rows)


def gradient_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return median and range of the first layer's gradient in per cent of the last's."""
    rows = []
    for name, runs in frame.groupby("experiment"):
        row = {"experiment": name, "n": len(runs)}
        for when, column in (("before", "gradient_at_start"), ("after", "gradient_at_end")):
            found = runs[column].quantile([0.5, 0, 1])
            row[f"{when} training"] = "{:.1f} ({:.1f} to {:.1f})".format(*found)
        rows.append(row | {"rounds with none": int((runs.gradient_at_end == 0).sum())})
    return pd.DataFrame(rows)


def _with(value: str, bounds: str) -> str:
    """Return a value with its interval in brackets, where it has one."""
    return value + (bounds and f" ({bounds})")


def experiment_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per experiment: id, parameters, protocol, what was published.

    parameters: with what the report prints; rounds and epochs: of the full protocol; loss weights:
    of each auxiliary term and of the target; published: the test error. Columns that say nothing
    here are left out.
    """
    rows = []
    for experiment in experiments:
        recipe = experiment.recipe
        times = f"{recipe.trainings}x" if recipe.trainings > 1 else ""
        weights = f"{recipe.auxiliary_weight:g}, {recipe.target_weight:g}"
        rows.append(
            {
                "experiment": experiment.id,
                "parameters": _counts(experiment),
                "rounds": experiment.rounds,
                "epochs": f"{times}{recipe.epochs}",
                "batch": recipe.batch_size,
                "learning rate": f"{recipe.learning_rate:g}"
                + number(recipe.weight_decay or None, ", L2 {:g}"),
                "loss weights": weights if recipe.auxiliary_weight else "",
                "published (%)": _published(experiment),
            }
        )
    table = pd.DataFrame(rows)
    return table if any(table["loss weights"]) else table.drop(columns="loss weights")


def _counts(experiment: Experiment) -> str:
    """Return "482114", and whether a report or its code prints the same number or misprints it."""
    count, printed = summary_of(experiment.build).parameters, experiment.reported_parameters
    if printed is None:
        return f"{count}"
    if experiment.counted == "misprinted":
        return f"{count} (misprinted: {printed})"
    where = "by the code" if experiment.counted == "by the code" else "printed"
    return f"{count} (as {where})" if printed == count else f"{count} ({where}: {printed})"


def _published(experiment: Experiment) -> str:
    """Return the printed test errors of an experiment, mean ± SD in per cent, "" if none."""
    printed = [p.model_dump() for p in experiment.published if p.quantity == "test_error"]
    return ", ".join(mean_sd(error, decimals=2) for error in printed)


def effect_table(effects: pd.DataFrame) -> pd.DataFrame:
    """Return what `factorial_effects` found: points of error, interval, share of rounds, p."""
    names = {"design": "design", "without sharing": "baseline", "effect of": "effect"}
    return _differences(effects, names)


def difference_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Return what `paired_differences` found: points of error, interval, share of rounds, p."""
    return _differences(differences, {"difference": "difference", "from": "first", "to": "second"})


def _differences(found: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Return a table of differences; names: its first headings, and which columns they are."""
    return pd.DataFrame(
        {heading: row[name] for heading, name in names.items()}
        | {
            "points of error (95 % interval)": difference(row),
            "lower in": f"{row['below']:.0%}",
            "p (Wilcoxon, Holm)": number(row["p_holm"], "{:.2g}"),
            "n": int(row["n"]),
        }
        for row in found.to_dict("records")
    )


def pooled_table(pooled: pd.DataFrame) -> pd.DataFrame:
    """Return what `effects.pooled_effects` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "effect of": row["effect"],
            "points of error (95 % interval)": difference(row),
            "without one design": f"{row['least']:+.1f} to {row['most']:+.1f}",
            "designs": row["n"],
            "rounds of each": span(pd.Series(row["rounds"])),
        }
        for row in pooled.to_dict("records")
    )


def ranking_table(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return what `statistics.ranking` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "place": place,
            "network": row["network"],
            "large-sample test error": mean_sd(row),
            "95 % interval": interval(row),
            "above the best (95 % interval)": difference(row, of="above") if row["above"] else "",
            "n": int(row["n"]),
            "parameters": row["parameters"],
            "training GFLOP": f"{row['training_gflop']:,.0f}",
        }
        for place, row in enumerate(ranking.to_dict("records"), start=1)
    )


def fold_table(folds: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the cross-validation errors, mean ± SD over folds, beside the published ones.

    folds: what `frames.folds` gives; published: what `published_numbers` gives. The SD is the
    population SD over the folds of a round, as in damachi's Table I, averaged over rounds, and so
    is the median.
    """
    modes = ["fold_error", "fold_error_training_mode"]
    rows = []
    for name, found in folds.groupby("experiment", sort=False):
        rounds = found.groupby("seed")
        printed = published[published.experiment == name].set_index("quantity")
        row = {"experiment": name, "n": len(rounds)}
        for mode in modes:
            ours = {"mean": rounds[mode].mean().mean(), "sd": rounds[mode].std(ddof=0).mean()}
            row[PRINTED[mode]] = mean_sd(ours)
            if mode in printed.index:
                row["published"] = mean_sd(printed.loc[mode], decimals=2)
        row["published median"] = number(printed["mean"]["fold_median"], "{:.1f}")
        row["median"] = number(rounds.fold_error.median().mean(), "{:.1f}")
        rows.append(row)
    headings = ["experiment", "n", "published", *(PRINTED[mode] for mode in modes)]
    return pd.DataFrame(rows, columns=[*headings, "published median", "median"])


def time_table(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return training times as printed and as measured, in seconds and as ratios to `reference`.

    The machines differ, so only the ratios can be compared, and those roughly: the authors' times
    hold the making of the model and its transfer to the device, ours the training steps alone.
    """
    seconds = by_round(frame, "train_seconds")
    printed = {e.id: e.reported_seconds for e in select(*seconds) if e.reported_seconds}
    return pd.DataFrame(
        {
            "experiment": name,
            "published (s)": f"{theirs:.1f}",
            "ours, median (s)": f"{seconds[name].median():.2f}",
            "published ratio": f"{theirs / printed[reference]:.1f}",
            "our ratio, median": f"{time_ratios(seconds, name, reference).median():.1f}",
        }
        for name, theirs in printed.items()
    )


def search_table(choices: pd.DataFrame) -> pd.DataFrame:
    """Return what `choices.chosen_settings` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "network": row["network"],
            "best by folds": row["chosen"],
            "fold error": f"{row['fold_error']:.2f}",
            "used": row["used"] or "",
            "its fold error": number(row["used_fold_error"]),
            "its rank": number(row["rank"], f"{{:.0f}} of {row['of']}"),
            "n": row["n"],
        }
        for row in choices.to_dict("records")
    )


def step_table(steps: pd.DataFrame) -> pd.DataFrame:
    """Return what `beyond.steps` found: errors in per cent, changes in points, intervals."""
    return pd.DataFrame(
        {
            "step": row["says"],
            "verdict": row["verdict"],
            "in the best network": _kept(row),
            "cross-validation error": _of_rounds(number(row.get("fold")), row.get("fold_n")),
            "its change (corrected interval)": difference(row, of="fold_change"),
            "large-sample test error": _of_rounds(mean_sd(row), row["n"]),
            "change (95 % interval)": difference(row, of="change"),
        }
        for row in steps.to_dict("records")
    )


def _of_rounds(value: str, n: float | None) -> str:
    return value and f"{value} (n = {n:.0f})"


def _kept(step: dict) -> str:
    if step["kept"]:
        return "yes"
    return "no" if step["cross_validated"] else "larger budget"


def best_table(best: pd.DataFrame) -> pd.DataFrame:
    """Return what `beyond.best_networks` found: errors in per cent, seconds a round on one core."""
    return pd.DataFrame(
        {
            "network": row["says"],
            "rounds": f"{row['n']:.0f} {'fresh' if row['fresh'] else 'looked at'}",
            "error over all pairs (95 % interval, rounds and images)": _with(
                number(row["exact"]), interval(row, of="exact")
            ),
            "95 % interval, rounds alone": interval(row, of="rounds"),
            "large-sample test error": mean_sd(row),
            "epochs": row["epochs"],
            "seconds a round": f"{row['seconds']:.0f}",
            "parameters": row["parameters"],
        }
        for row in best.to_dict("records")
    )


def option_table(options: pd.DataFrame) -> pd.DataFrame:
    """Return what `beyond.options_by_pairs` found, a row a number of pairs, a column an effect."""
    return pd.DataFrame(
        {"training pairs": pairs, "n": int(found.n.min())}
        | {effect["effect"]: difference(effect) for effect in found.to_dict("records")}
        for pairs, found in options.groupby("train_pairs")
    )


def limit_table(limits: pd.DataFrame) -> pd.DataFrame:
    """Return what `beyond.limits_of_ten` found, in points of error."""
    return pd.DataFrame(
        {
            "network": row["network"],
            "n": row["n"],
            "SD, 1000 test pairs": number(row["sd"]),
            "mean of ten known to": number(row["half"], "± {:.2f}"),
            "SD, large-sample test": number(row["sd_precise"]),
            "mean of ten known to, large-sample test": number(row["half_precise"], "± {:.2f}"),
        }
        for row in limits.to_dict("records")
    )


def calibration_table(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return one row per temperature: the error over all pairs, and the calibration error."""
    return pd.DataFrame(
        {
            "posteriors": name,
            "error over all pairs": f"{row['error']:.3f}",
            "calibration error (percentage points)": f"{row['calibration']:.2f}",
            "log loss": f"{row['loss']:.4f}".replace("inf", "no bound"),
        }
        for name, row in rows.items()
    )
