"""Write RESULTS.md from every part that was measured (see measure.py)."""

import json
import statistics
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent


def _spread(values: pd.Series, form: str) -> str:
    return (
        f"{form.format(statistics.median(values))} "
        f"({form.format(values.min())} to {form.format(values.max())})"
    )


def _plain_table(found: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for name, these in found.groupby("network", sort=False):
        rows.append(
            {
                "network": name,
                "rounds a minute": _spread(these.ours, "{:.1f}"),
                "plain loop": _spread(these.plain, "{:.1f}"),
                "ratio": _spread(these.ours / these.plain, "{:.2f}"),
                "pairs of runs": len(these),
            }
        )
    return pd.DataFrame(rows)


def _limit_table(found: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for (name, precision), these in found.groupby(["network", "precision"], sort=False):
        rows.append(
            {
                "network": name,
                "precision": precision,
                "batch": these.batch.iloc[0],
                "ms a step": _spread(these.ms_a_step, "{:.2f}"),
                "GFLOP/s": f"{these.gflops.median():.0f}",
                "matrix product": f"{these.product_gflops.median():.0f}",
                "share in %": _spread(100 * these.gflops / these.product_gflops, "{:.0f}"),
            }
        )
    return pd.DataFrame(rows)


def _memory_table(found: pd.DataFrame) -> pd.DataFrame:
    grown = found.grown_mb.map("{:+.1f}".format).where(found.grown_mb.notna(), "")
    return pd.DataFrame(
        {
            "process": found.process,
            "peak in MB": found.peak_mb.map("{:.0f}".format),
            "growth in MB after the first tenth of the runs": grown,
        }
    )


def _time_table(found: pd.DataFrame) -> pd.DataFrame:
    def blank(values: pd.Series, form: str) -> pd.Series:
        return values.map(form.format).where(values.notna(), "")

    return pd.DataFrame(
        {
            "family": found.family,
            "runs": blank(found.runs, "{:.0f}"),
            "seconds of one core": blank(found.seconds, "{:.0f}"),
            "of them training steps": blank(found.training, "{:.0f}"),
            "seconds on the clock": blank(found.wall, "{:.0f}"),
        }
    )


TITLES = {
    "plain": (
        "Against a plain loop",
        "Rounds a minute of whole runs on all cores: the study's worker processes of one thread "
        "each, the test error on 20,000 pairs included, and a plain loop of as many threads "
        "(`plain_loop.py`: DataLoader, default Adam, contiguous format, train and test error every "
        "epoch), in turn. Median, least and most.",
        _plain_table,
    ),
    "limit": (
        "Against the machine",
        "Training steps on one thread, beside the product of two 1024x1024 matrices in the same "
        "precision, in turn. A step counts three forward passes of arithmetic, convolutions and "
        "dense layers alone.",
        _limit_table,
    ),
    "memory": ("Memory", "Peak of a process while it trains.", _memory_table),
    "quick": (
        "The quick profile from nothing",
        "`python run_all.py`: the replication and every notebook.",
        _time_table,
    ),
}


def write_results() -> None:
    """Write RESULTS.md from every part that was measured."""
    parts = [
        "# How fast it is",
        "Made by `python benchmarks/measure.py`. Times on shared machines vary; the ratios were "
        "taken within one run.",
    ]
    for name, (title, text, table) in TITLES.items():
        file = HERE / "measured" / f"{name}.json"
        if not file.exists():
            continue
        part = json.loads(file.read_text())
        parts += [
            f"## {title}",
            text,
            table(pd.DataFrame(part["rows"])).to_markdown(index=False, disable_numparse=True),
            f"Measured on {part['date']} at {part['commit']}: {part['hardware']}, torch "
            f"{part['torch']}, Python {part['python']}.",
        ]
    (HERE / "RESULTS.md").write_text("\n\n".join(parts) + "\n")
