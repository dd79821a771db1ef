"""Tables past the reports, in words that fit a page."""

import numpy as np
import pandas as pd

from digits.tables.words import blank, interval, mean_sd


def _rows(table: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in table.iterrows()]


def _change(row: pd.Series, name: str) -> tuple[str, str]:
    bounds = {limit: row.get(f"{name}_{limit}", np.nan) for limit in ("low", "high")}
    return blank(row.get(name, np.nan), "{:+.2f}"), interval(bounds, "+")


def rung_table(rungs: pd.DataFrame) -> pd.DataFrame:
    """Return what `ladder.rungs` found: errors in per cent, changes in points, intervals."""
    rows = []
    for row in _rows(rungs):
        kept = "yes" if row["kept"] else "no" if row["weighed"] else "larger budget"
        change, bounds = _change(row, "change")
        fold_change, fold_bounds = _change(row, "fold_change")
        tested = pd.notna(row["n"])
        rows.append(
            {
                "rung": row["says"],
                "in the best network": kept,
                "folds": blank(row["fold"], "{:.2f}"),
                "rounds of folds": blank(row["fold_n"], "{:.0f}"),
                "change on folds": fold_change,
                "95 % interval of that": fold_bounds,
                "precise test error": mean_sd(row) if tested else "",
                "n": blank(row["n"], "{:.0f}"),
                "change": change,
                "95 % interval of the change": bounds,
            }
        )
    return pd.DataFrame(rows)


def target_table(targets: pd.DataFrame) -> pd.DataFrame:
    """Return what `ladder.targets` found: errors in per cent, seconds a round on one core."""
    rows = _rows(targets)
    return pd.DataFrame(
        {
            "network": targets.experiment,
            "epochs": targets.epochs,
            "precise test error": [mean_sd(row) for row in rows],
            "95 % interval": [interval(row) for row in rows],
            "over all pairs": [blank(row["exact"], "{:.2f}") for row in rows],
            "n": targets.n.astype(int),
            "target": [f"at most {row['target']:.2f}" for row in rows],
            "seconds a round": targets.seconds.map("{:.0f}".format),
            "precision": targets.precision,
            "parameters": targets.parameters,
        }
    )


def option_table(options: pd.DataFrame) -> pd.DataFrame:
    """Return what `ladder.options_by_pairs` found, a row a number of pairs, a column an effect."""
    rows = []
    for pairs, found in options.groupby("train_pairs"):
        row = {"training pairs": pairs, "n": int(found.n.min())}
        for effect in _rows(found):
            bounds = interval(effect, "+")
            row[effect["effect"]] = f"{effect['mean']:+.2f}" + (f" ({bounds})" if bounds else "")
        rows.append(row)
    return pd.DataFrame(rows)


def limit_table(limits: pd.DataFrame) -> pd.DataFrame:
    """Return what `ladder.limits_of_ten` found, in points of error."""
    return pd.DataFrame(
        {
            "network": limits.network,
            "n": limits.n,
            "SD, 1000 test pairs": [blank(sd, "{:.2f}") for sd in limits.sd],
            "mean of ten known to": [blank(half, "± {:.2f}") for half in limits.half],
            "SD, precise test": [blank(sd, "{:.2f}") for sd in limits.sd_precise],
            "mean of ten known to, precise test": [
                blank(half, "± {:.2f}") for half in limits.half_precise
            ],
        }
    )


def calibration_table(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return one row per temperature: the error over all pairs, and the calibration error."""
    return pd.DataFrame(
        [
            {
                "posteriors": name,
                "error over all pairs": f"{row['error']:.3f}",
                "calibration error (points)": f"{row['calibration']:.2f}",
                "log loss": f"{row['loss']:.4f}".replace("inf", "no bound"),
            }
            for name, row in rows.items()
        ]
    )
