"""Tables of results: made of records, saved as HTML, Markdown and LaTeX."""

from collections import Counter
from pathlib import Path

import pandas as pd
import torch
from pandas.api.types import is_numeric_dtype
from pandas.io.formats.style import Styler
from torch import nn

from digits.experiment import Experiment
from digits.experiments import experiment_of, select
from digits.models.blocks import parameter_count
from digits.recipe import Recipe
from digits.statistics import summarise


def experiment_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per experiment: id, parameters, those reported, protocol, what was published.

    rounds and epochs: of the full protocol; loss weights: of each auxiliary term and of the
    target; published: the test error. Columns that say nothing here are left out.
    """
    rows = []
    for experiment in experiments:
        recipe = experiment.recipe
        epochs = str(recipe.epochs)
        rows.append(
            {
                "experiment": experiment.id,
                "parameters": parameter_count(experiment.build()),
                "reported": _reported_text(experiment),
                "rounds": experiment.rounds,
                "epochs": f"{recipe.trainings}x{epochs}" if recipe.trainings > 1 else epochs,
                "batch": recipe.batch_size,
                "learning rate": f"{recipe.learning_rate:g}",
                "L2": f"{recipe.weight_decay:g}" if recipe.weight_decay else "",
                "loss weights": _weights_text(recipe),
                "published (%)": _published_text(experiment),
            }
        )
    table = pd.DataFrame(rows)
    return table.drop(columns=[name for name in ("L2", "loss weights") if not any(table[name])])


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
    rows = []
    for experiment in select(*frame.experiment.unique()):
        runs = frame[frame.experiment == experiment.id]
        test = summarise(runs.test_error)
        rows.append(
            {
                "experiment": experiment.id,
                "n": int(test["n"]),
                "published test error": _published_text(experiment),
                "test error": _mean_sd(test),
                "95 % interval": _interval(test),
                "precise test error": _mean_sd(summarise(runs.precise_error)),
                "train error": _mean_sd(summarise(runs.train_error)),
                "digit accuracy": _blank(runs.test_digit_accuracy.mean(), "{:.1f}"),
                "parameters": runs.parameters.iloc[0],
                "epochs": runs.epochs.iloc[0] * runs.trainings.iloc[0],
                "training pairs": runs.train_pairs.iloc[0],
            }
        )
    table = pd.DataFrame(rows)
    alike = [name for name in ("epochs", "training pairs") if table[name].nunique() == 1]
    return table.drop(columns=alike)


#: The names of published quantities on a page.
QUANTITIES = {
    "train_error": "train",
    "validation_error": "validation",
    "test_error": "test",
    "fold_error": "cross-validation",
    "test_error_training_mode": "test, training mode",
    "fold_error_training_mode": "cross-validation, training mode",
}


def agreement_table(agreement: pd.DataFrame) -> pd.DataFrame:
    """Return what `published_against_ours` found, in words that fit a page."""
    table = pd.DataFrame(
        {
            "experiment": agreement.experiment,
            "report's row": agreement.row,
            "error": agreement.quantity.map(QUANTITIES),
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
    verdicts = ["95 % interval", "holds 0", "under 1 point"]
    table.loc[agreement.shortened.to_numpy(), verdicts] = ["", "shortened", "shortened"]
    return table


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


def difference_table(differences: pd.DataFrame) -> pd.DataFrame:
    """Return what `paired_differences` found: points of error with their interval."""
    return pd.DataFrame(
        {
            "difference": differences.difference,
            "from": differences["first"],
            "to": differences["second"],
            "points of error": differences["mean"].map("{:+.2f}".format),
            "95 % interval": [_interval(row, "+") for _, row in differences.iterrows()],
            "n": differences.n.astype(int),
        }
    )


def fold_table(
    folds: pd.DataFrame, published: pd.DataFrame, medians: dict[str, float]
) -> pd.DataFrame:
    """Return the cross-validation errors, mean ± SD over folds, beside the published ones.

    folds: what `frames.folds` gives; published: what `published_numbers` gives; medians: the
    published medians as accuracies. The SD is the population SD over the folds of a round, as in
    damachi's Table I, averaged over rounds, and so is the median.
    """
    rows = []
    for name, found in folds.groupby("experiment", sort=False):
        row = {"experiment": name, "n": found.seed.nunique()}
        for quantity in ("fold_error", "fold_error_training_mode"):
            numbers = published[(published.experiment == name) & (published.quantity == quantity)]
            for number in numbers.itertuples():
                row["published"] = _mean_sd({"mean": number.mean, "sd": number.sd})
            if found[quantity].notna().any():
                rounds = found.groupby("seed")[quantity]
                sd = rounds.std(ddof=0).mean()
                row[QUANTITIES[quantity]] = _mean_sd({"mean": rounds.mean().mean(), "sd": sd})
        row["published median"] = f"{100 - medians[name]:.1f}"
        row["median"] = f"{found.groupby('seed').fold_error.median().mean():.1f}"
        rows.append(row)
    modes = ["cross-validation", "cross-validation, training mode"]
    columns = ["experiment", "n", "published", *modes, "published median", "median"]
    return pd.DataFrame(rows, columns=columns)


def time_table(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return training times as printed and as measured, in seconds and as ratios to `reference`.

    The machines differ, so only the ratios can be compared, and those roughly: the authors' times
    hold the making of the model and its transfer to the device, ours the training steps alone.
    """
    experiments = [e for e in select(*frame.experiment.unique()) if e.reported_seconds]
    printed = {e.id: e.reported_seconds for e in experiments}
    ours = frame.groupby("experiment").train_seconds.median()
    return pd.DataFrame(
        {
            "experiment": name,
            "published (s)": f"{seconds:.1f}",
            "ours, median (s)": f"{ours[name]:.2f}",
            "published ratio": f"{seconds / printed[reference]:.1f}",
            "our ratio": f"{ours[name] / ours[reference]:.1f}",
        }
        for name, seconds in printed.items()
    )


def search_table(choices: pd.DataFrame) -> pd.DataFrame:
    """Return what `search.choices` found, in words that fit a page."""
    return pd.DataFrame(
        {
            "network": choices.network,
            "chosen": choices.chosen,
            "its fold error": choices.fold_error.map("{:.2f}".format),
            "the authors' choice": choices.published,
            "its fold error here": choices.published_fold_error.map("{:.2f}".format),
            "its rank": [f"{r} of {n}" for r, n in zip(choices["rank"], choices.of, strict=True)],
            "n": choices.n,
        }
    )


def points(summary) -> str:
    """Return the mean of a difference and its interval, as words in a sentence."""
    interval = _interval(summary, "+")
    known = f"95 % interval {interval}" if interval else "too few rounds for an interval"
    return f"{summary['mean']:+.2f} points ({known}; n = {summary['n']:.0f})"


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
    return ", ".join(parts) + _shortened(frame)


def _shortened(frame: pd.DataFrame) -> str:
    """Say which networks got fewer epochs, trainings or pairs than their report has."""
    groups = Counter()
    for run in frame[frame.shortened].drop_duplicates("experiment").itertuples():
        full = experiment_of(run.experiment).recipe
        short = f"{run.trainings} trainings" if run.trainings < full.trainings else ""
        if not short or run.epochs < full.epochs:
            short += f"{' of ' if short else ''}{run.epochs} epochs"
        if run.train_pairs < full.train_pairs:
            short += f" of {run.train_pairs} pairs"
        groups[run.report, short] += 1
    named = [f"{n} of {report}'s networks to {short}" for (report, short), n in groups.items()]
    return f"; shortened: {', '.join(named)}" if named else ""


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


def _reported_text(experiment: Experiment) -> str:
    if experiment.reported_parameters is None:
        return ""
    return f"{experiment.reported_parameters}{' (misprint)' if experiment.misprinted else ''}"


def _weights_text(recipe: Recipe) -> str:
    weights = recipe.auxiliary_weight, recipe.target_weight
    return "{:g}, {:g}".format(*weights) if recipe.auxiliary_weight else ""


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
