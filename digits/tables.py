"""Tables of results: made of records, saved as HTML, Markdown and LaTeX."""

from pathlib import Path

import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype
from pandas.io.formats.style import Styler
from torch import nn

from digits.experiment import Experiment
from digits.experiments import select
from digits.models.blocks import parameter_count
from digits.statistics import summary_table


def experiment_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per experiment: id, parameters, those reported, rounds, epochs, published."""
    rows = []
    for experiment in experiments:
        recipe = experiment.recipe
        epochs = str(recipe.epochs)
        rows.append(
            {
                "experiment": experiment.id,
                "parameters": parameter_count(experiment.build()),
                "reported": experiment.reported_parameters,
                "rounds in full": experiment.rounds,
                "epochs": f"{recipe.trainings}x{epochs}" if recipe.trainings > 1 else epochs,
                "batch": recipe.batch_size,
                "published test error (%)": _published_text(experiment),
            }
        )
    return pd.DataFrame(rows).astype({"reported": "Int64"})


def layer_table(model: nn.Module) -> pd.DataFrame:
    """Return one row per layer in the order of the forward pass.

    Columns: its place in the model, its kind, the shape of its output for one pair or image, its
    parameters, and how often it is applied: twice where both images pass the same layer.
    """
    rows: dict[nn.Module, dict] = {}

    def note(name):
        def hook(layer, _, output):
            if layer in rows:
                rows[layer]["applied"] += 1
            else:
                rows[layer] = {
                    "layer": name,
                    "kind": type(layer).__name__,
                    "output": "x".join(map(str, output.shape[1:])),
                    "parameters": parameter_count(layer),
                    "applied": 1,
                }

        return hook

    leaves = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(note(name)) for name, layer in leaves]
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 2, 14, 14))
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows.values())


def published_numbers(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per published number: experiment, quantity, mean, sd, n, row."""
    return pd.DataFrame(
        [
            {"experiment": experiment.id, **number.model_dump()}
            for experiment in experiments
            for number in experiment.published
        ],
        columns=["experiment", "quantity", "mean", "sd", "n", "row"],
    )


def error_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the study's table of errors in per cent, mean ± SD over rounds, one row a network.

    frame: tidy rows (see `frames.tidy`).
    """
    summaries = {
        name: summary_table(frame, name) for name in ("train_error", "test_error", "precise_error")
    }
    rows = []
    for experiment in select(*frame.experiment.unique()):
        test = summaries["test_error"].loc[experiment.id]
        runs = frame[frame.experiment == experiment.id]
        rows.append(
            {
                "experiment": experiment.id,
                "n": int(test["n"]),
                "published test error": _published_text(experiment),
                "test error": _mean_sd(test),
                "95 % interval": _interval(test),
                "precise test error": _mean_sd(summaries["precise_error"].loc[experiment.id]),
                "train error": _mean_sd(summaries["train_error"].loc[experiment.id]),
                "digit accuracy": _blank(runs.test_digit_accuracy.mean(), "{:.1f}"),
                "parameters": runs.parameters.iloc[0],
            }
        )
    return pd.DataFrame(rows)


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "experiment": agreement.experiment,
            "report's row": agreement.row,
            "error": agreement.quantity.str.removesuffix("_error"),
            "published": [
                _mean_sd({"mean": m, "sd": s})
                for m, s in zip(agreement.published, agreement.published_sd, strict=True)
            ],
            "ours": [
                _mean_sd({"mean": m, "sd": s})
                for m, s in zip(agreement.ours, agreement.ours_sd, strict=True)
            ],
            "n": agreement.n,
            "ours - published": agreement.difference.map("{:+.2f}".format),
            "95 % interval": [
                _interval({"low": low, "high": high}, "+")
                for low, high in zip(agreement.low, agreement.high, strict=True)
            ],
            "holds 0": [
                "" if pd.isna(low) else "yes" if low <= 0 <= high else "no"
                for low, high in zip(agreement.low, agreement.high, strict=True)
            ],
            "under 1 point": ["yes" if abs(d) < 1 else "no" for d in agreement.difference],
        }
    )


def effect_table(effects: pd.DataFrame) -> pd.DataFrame:
    """Return what `factorial_effects` found: points of error with their interval."""
    return pd.DataFrame(
        {
            "design": effects.design,
            "without sharing": effects.baseline,
            "effect of": effects.effect,
            "points of error": effects["mean"].map("{:+.2f}".format),
            "95 % interval": [_interval(row, "+") for _, row in effects.iterrows()],
            "n": effects.n.astype(int),
        }
    )


def scope(frame: pd.DataFrame) -> str:
    """Say what a figure or a table of `frame` shows: rounds, epochs, pairs and source."""
    rounds = frame.groupby("experiment", sort=False).seed.nunique()
    epochs = frame.epochs * frame.trainings
    source = {"sample": "the 5,000 sample digits", "mnist": "all of MNIST"}
    parts = [
        f"n = {_range(rounds)} round{'s' if rounds.max() > 1 else ''}",
        f"{_range(epochs)} epochs",
        f"{_range(frame.train_pairs)} training pairs a round",
        " and ".join(source[name] for name in frame.source.unique()),
    ]
    return ", ".join(parts)


def markdown(table: pd.DataFrame) -> str:
    """Return `table` as Markdown, an empty cell for what is not there."""
    align = ["right" if is_numeric_dtype(kind) else "left" for kind in table.dtypes]
    return _without_gaps(table).to_markdown(index=False, disable_numparse=True, colalign=align)


def save(table: pd.DataFrame, folder: Path, name: str, caption: str) -> Styler:
    """Write `table` to `folder` as name.html, name.md and name.tex; return it styled."""
    (folder / f"{name}.md").write_text(f"{markdown(table)}\n\n{caption}\n", encoding="utf-8")
    latex = _without_gaps(table).map(_latex).rename(columns=_latex).style.hide(axis="index")
    (folder / f"{name}.tex").write_text(
        latex.to_latex(hrules=True, caption=_latex(caption), label=f"tab:{folder.name}-{name}"),
        encoding="utf-8",
    )
    shown = styled(table, caption, name)
    page = shown.to_html(doctype_html=True, encoding="utf-8")
    (folder / f"{name}.html").write_text(page, encoding="utf-8")
    return shown


def styled(table: pd.DataFrame, caption: str, name: str) -> Styler:
    """Return `table` as a page or a notebook shows it: text left, numbers right, no index."""
    rules = [
        {"selector": "", "props": "border-collapse: collapse; font: 14px system-ui, sans-serif;"},
        {
            "selector": "th, td",
            "props": "padding: .25em .7em; text-align: left; white-space: nowrap;",
        },
        {"selector": "thead th", "props": "border-bottom: 1px solid #666;"},
        {
            "selector": "caption",
            "props": "caption-side: bottom; text-align: left; color: #555; padding-top: .6em;",
        },
    ]
    for place, kind in enumerate(table.dtypes):
        if is_numeric_dtype(kind):
            rules.append({"selector": f".col{place}", "props": "text-align: right;"})
    style = _without_gaps(table).style.hide(axis="index").set_caption(caption).set_uuid(name)
    return style.set_table_styles(rules)


def _without_gaps(table: pd.DataFrame) -> pd.DataFrame:
    return table.map(lambda cell: "" if pd.isna(cell) else cell)


def _published_text(experiment: Experiment) -> str:
    numbers = [p for p in experiment.published if p.quantity == "test_error"]
    return ", ".join(_mean_sd({"mean": p.mean, "sd": p.sd}) for p in numbers)


def _mean_sd(summary) -> str:
    sd = _blank(summary["sd"], " ± {:.2f}")
    return f"{summary['mean']:.2f}{sd}"


def _interval(summary, sign: str = "") -> str:
    if pd.isna(summary["low"]):
        return ""
    return f"{summary['low']:{sign}.2f} to {summary['high']:{sign}.2f}"


def _blank(value: float | None, form: str) -> str:
    return "" if value is None or pd.isna(value) else form.format(value)


def _range(values: pd.Series) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low} to {high}"


def _latex(cell):
    if not isinstance(cell, str):
        return cell
    for character in "&%_#":
        cell = cell.replace(character, "\\" + character)
    return cell.replace("±", r"$\pm$").replace("≤", r"$\leq$")
