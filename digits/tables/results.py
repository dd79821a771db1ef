"""Tables of what was measured, in words that fit a page."""

import pandas as pd

from digits.experiments import select
from digits.statistics import summarise
from digits.tables.networks import published_text
from digits.tables.verdicts import QUANTITIES
from digits.tables.words import blank, interval, mean_sd, span
from digits.verdicts import time_ratios


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the study's table of errors in per cent, mean ± SD over rounds, one row a network.

    frame: tidy rows (see `frames.tidy`).
    """
    rows = []
    for experiment in select(*frame.experiment.unique()):
        runs = frame[frame.experiment == experiment.id]
        test = summarise(runs.test_error)
        rows.append(
            {
                "experiment": experiment.id,
                "n": int(test["n"]),
                "published test error": published_text(experiment),
                "test error": mean_sd(test),
                "95 % interval": interval(test),
                "precise test error": mean_sd(summarise(runs.precise_error)),
                "train error": mean_sd(summarise(runs.train_error)),
                "digit accuracy": blank(runs.test_digit_accuracy.mean(), "{:.1f}"),
                "parameters": runs.parameters.iloc[0],
                "epochs": runs.epochs.iloc[0] * runs.trainings.iloc[0],
                "training pairs": runs.train_pairs.iloc[0],
            }
        )
    table = pd.DataFrame(rows)
    alike = [name for name in ("epochs", "training pairs") if table[name].nunique() == 1]
    return table.drop(columns=alike)


def effect_table(effects: pd.DataFrame) -> pd.DataFrame:
    """Return what `factorial_effects` found: points of error, interval, share of rounds, p."""
    return pd.DataFrame(
        {
            "design": effects.design,
            "without sharing": effects.baseline,
            "effect of": effects.effect,
            **_difference_columns(effects),
        }
    )


def difference_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Return what `paired_differences` found: points of error, interval, share of rounds, p."""
    return pd.DataFrame(
        {
            "difference": differences.difference,
            "from": differences["first"],
            "to": differences["second"],
            **_difference_columns(differences),
        }
    )


def _difference_columns(differences: pd.DataFrame) -> dict[str, list]:
    """Return the columns that every table of differences ends with."""
    rows = [row for _, row in differences.iterrows()]
    return {
        "points of error": [f"{row['mean']:+.2f}" for row in rows],
        "95 % interval": [interval(row, "+") for row in rows],
        "lower in": [f"{row['below']:.0%}" for row in rows],
        "p (Wilcoxon, Holm)": [blank(row["p_holm"], "{:.2g}") for row in rows],
        "n": [int(row["n"]) for row in rows],
    }


def fold_table(folds: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Return the cross-validation errors, mean ± SD over folds, beside the published ones.

    folds: what `frames.folds` gives; published: what `published_numbers` gives. The SD is the
    population SD over the folds of a round, as in damachi's Table I, averaged over rounds, and so
    is the median.
    """
    rows = []
    for name, found in folds.groupby("experiment", sort=False):
        row = {"experiment": name, "n": found.seed.nunique()}
        for quantity in ("fold_error", "fold_error_training_mode"):
            numbers = published[(published.experiment == name) & (published.quantity == quantity)]
            for number in numbers.itertuples():
                row["published"] = mean_sd({"mean": number.mean, "sd": number.sd})
            if found[quantity].notna().any():
                rounds = found.groupby("seed")[quantity]
                sd = rounds.std(ddof=0).mean()
                row[QUANTITIES[quantity]] = mean_sd({"mean": rounds.mean().mean(), "sd": sd})
        printed = published[(published.experiment == name) & (published.quantity == "fold_median")]
        row["published median"] = f"{printed['mean'].item():.1f}"
        row["median"] = f"{found.groupby('seed').fold_error.median().mean():.1f}"
        rows.append(row)
    modes = ["cross-validation", "cross-validation, training mode"]
    columns = ["experiment", "n", "published", *modes, "published median", "median"]
    return pd.DataFrame(rows, columns=columns)


def ranking_table(ranking: pd.DataFrame) -> pd.DataFrame:
    """Return what `statistics.ranking` found, in words that fit a page."""
    rows = [row for _, row in ranking.iterrows()]
    return pd.DataFrame(
        {
            "place": range(1, len(ranking) + 1),
            "network": ranking.experiment.str.removeprefix("common/"),
            "precise test error": [mean_sd(row) for row in rows],
            "95 % interval": [interval(row) for row in rows],
            "n": ranking.n.astype(int),
            "above the best": [blank(row["above"] or None, "{:+.2f}") for row in rows],
            "95 % interval of that": [
                interval({"low": row["above_low"], "high": row["above_high"]}, "+") for row in rows
            ],
            "parameters": ranking.parameters,
            "training GFLOP": ranking.training_gflop.map("{:.4g}".format),
            "learning rate": ranking.learning_rate.map("{:g}".format),
        }
    )


def pooled_table(pooled: pd.DataFrame) -> pd.DataFrame:
    """Return what `statistics.pooled_effects` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "effect of": pooled.effect,
            "points of error": [blank(mean, "{:+.2f}") for mean in pooled["mean"]],
            "95 % interval": [interval(row, "+") for _, row in pooled.iterrows()],
            "designs": pooled.n,
            "rounds of each": [span(pd.Series(rounds)) for rounds in pooled.rounds],
        }
    )


def time_table(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return training times as printed and as measured, in seconds and as ratios to `reference`.

    The machines differ, so only the ratios can be compared, and those roughly: the authors' times
    hold the making of the model and its transfer to the device, ours the training steps alone.
    """
    experiments = [e for e in select(*frame.experiment.unique()) if e.reported_seconds]
    printed = {e.id: e.reported_seconds for e in experiments}
    seconds = frame.pivot(index="seed", columns="experiment", values="train_seconds")
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
    """Return what `search.choices` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "network": choices.network,
            "best by folds": choices.chosen,
            "fold error": choices.fold_error.map("{:.2f}".format),
            "used": choices.used,
            "its fold error": choices.used_fold_error.map("{:.2f}".format),
            "its rank": [f"{r} of {n}" for r, n in zip(choices["rank"], choices.of, strict=True)],
            "n": choices.n,
        }
    )
