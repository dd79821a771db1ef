"""The README's results in brief and RESULTS.md, from the committed records alone."""

from typing import Any

import jinja2
import pandas as pd

from digits import core
from digits.analysis import beyond, choices, findings, statistics
from digits.analysis.effects import MAIN_EFFECTS, RATHER, factorial_effects
from digits.analysis.findings import Findings
from digits.core import InputError
from digits.experiments import handwriting
from digits.experiments.beyond import BASELINE
from digits.experiments.chosen import Chosen
from digits.experiments.registry import EXPERIMENTS, SEARCHES, designs
from digits.output import best, other_digits, sentences, tables
from digits.output.tables.format import amount, with_minus
from digits.study.study import Study

BEGIN = "<!-- results: made by `python -m digits readme` -->"
END = "<!-- end of results -->"
README, RESULTS = core.ROOT / "README.md", core.ROOT / "RESULTS.md"

#: cadei's network whose dropout was left on in the test, and its small ones on re-sampled pairs;
#: zadoks' network without and with the ReLU that only the code has.
WITH_DROPOUT = "cadei/convnet@published"
THIRD_RELU = ("zadoks/twinnet+ws+aux", "zadoks/twinnet+ws+aux@third-relu")
AUGMENTED = {name: (f"cadei/{name}", f"cadei/{name}@augmented") for name in ("mlp", "convnet")}


def study() -> Study:
    """Return the study of the full protocol."""
    return Study(source="mnist", profile="paper")


def pages() -> dict[str, str]:
    """Return the results in brief, for README.md, and RESULTS.md, both by their templates."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits.output"), undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "fixed": lambda value, digits=2: f"{value:.{digits}f}",
        "signed": lambda value, digits=1: f"{value:+.{digits}f}",
        "points": tables.points,
    }
    known = numbers(study())
    texts = (environment.get_template(f"{name}.md.j2").render(known) for name in PAGES)
    return dict(zip(PAGES, (with_minus(_joined(text)) for text in texts), strict=True))


PAGES = ("readme", "results")


def _joined(text: str) -> str:
    """Return Markdown with each paragraph in one line."""
    parts = [part.strip() for part in text.split("\n\n")]
    return "\n\n".join(part if part[0] == "|" else " ".join(part.split()) for part in parts)


def numbers(full: Study) -> dict[str, Any]:
    """Return what the templates ask for, from the records of `full`."""
    found = findings.find(full.table(*findings.WHOLE))
    written = found.own[found.own.variant == ""]
    scored = written.dropna(subset="test_error_training_mode")
    experiments = [EXPERIMENTS[name] for name in found.numbers.experiment]
    printed = found.numbers.assign(
        variant=[experiment.variant for experiment in experiments],
        auxiliary=["aux" in experiment.options for experiment in experiments],
    )
    tests, folds = (
        dict(iter(printed[printed.quantity == error].groupby(["report", "variant"])))
        for error in ("test_error", "fold_error")
    )
    elsewhere = full.table(*handwriting.PATTERNS)
    return {
        "figures": f"figures/{full.figures_folder.name}",
        "scope": tables.scope(written),
        "answer": sentences.answer(found),
        "effects": _effects(found),
        "handwriting": other_digits.changes(elsewhere),
        "handwriting_brief": other_digits.changes(elsewhere, brief=True),
        "printed": sentences.numbers_sentence(found),
        "claims": sentences.claims_sentence(found),
        "summary": tables.markdown(sentences.summary(found)),
        "errors": tables.markdown(tables.error_table(written)),
        "beyond": _beyond(full.table("beyond/*", BASELINE)),
        "kqiku": {
            "chains": _compared(tests["kqiku", "published"]),
            "written": _compared(tests["kqiku", ""].query("auxiliary")),
            "repaired": _compared(tests["kqiku", "repaired"].query("auxiliary")),
        },
        "cadei": {
            "plain": _compared(tests["cadei", ""]),
            "augmented": _compared(tests["cadei", "augmented"]),
            "noisy": tests["cadei", "published"].set_index("experiment").loc[WITH_DROPOUT],
            "gains": statistics.paired_differences(found.own, AUGMENTED).to_dict("records"),
        },
        "jaubert": _compared(tests["jaubert", ""]) | _equal_width(found.own),
        "damachi": {
            # The convolutional networks as they were scored, in training mode.
            "tests": _compared(tests["damachi", ""].drop_duplicates("row", keep="last")),
            "folds": _compared(folds["damachi", ""].drop_duplicates("row", keep="last")),
            "cost": statistics.mean_over_networks(scored, "test_error", "test_error_training_mode"),
        },
        "zadoks": {
            "written": tests["zadoks", ""].iloc[0],
            "published": tests["zadoks", "published"].iloc[0],
            "relu": statistics.paired_differences(found.own, {"ReLU": THIRD_RELU}).iloc[0],
        },
    }


def _effects(found: Findings) -> dict[str, Any]:
    """Return how far the two options lower the error, and what can be said of it in a word."""
    means = found.pooled.set_index("effect")
    sharing, loss, both = (means.loc[effect] for effect in MAIN_EFFECTS)
    headline = "Weight sharing, digit loss"
    if sharing.high < 0 and loss.high < 0:
        headline = (
            "Both help; under one protocol the digit loss helps more"
            if means.high[RATHER] < 0
            else "Both help"
        )
    return {
        "headline": headline,
        "designs": int(means.n.max()),
        "as_reported": sentences.as_reported(found, brief=True),
        "sharing": amount(sharing, -1),
        "loss": amount(loss, -1),
        "both": amount(both, -1),
    }


def _compared(found: pd.DataFrame) -> dict[str, Any]:
    """Return how many printed numbers have which verdict, and how far ours are from them."""
    return {
        "n": len(found),
        "verdicts": sentences.verdicts_text(found.verdict),
        "low": found.difference.min(),
        "high": found.difference.max(),
        "mean": found.difference.mean(),
        "above": (found.difference > 0).sum(),
    }


def _equal_width(frame: pd.DataFrame) -> dict[str, list[float]]:
    """Return jaubert's effects, one of each model, against networks as wide as the shared one."""
    wide = [d for d in designs("own") if (d.report, d.variant) == ("jaubert", "wide")]
    effects = factorial_effects(frame, wide)
    return dict(effects.groupby("effect")["mean"].agg(list))


def _beyond(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the errors of the best networks and what the steps of the ablation changed."""
    steps = beyond.steps(frame)
    return {
        "best": best.best_networks(frame),
        "brief": best.brief(frame),
        "largest": steps[steps.change.notna()].nsmallest(3, "change").to_dict("records"),
        "gains": best.measured_steps(steps[steps.verdict == "gain"]),
        "left_out": list(steps.says[steps.cross_validated & ~steps.kept]),
    }


def chosen() -> Chosen:
    """Return what the folds of the committed records choose."""
    full = study()
    searches = [f"search/{name}@*" for name, search in SEARCHES.items() if search.in_use]
    return choices.chosen(full.table(*searches), full.table("beyond/*-folds"))


def written() -> dict[str, str]:
    """Return what stands there now: between the two marks of the README, and in RESULTS.md."""
    results = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else ""
    return {"readme": _parts()[1].strip(), "results": results.strip()}


def write() -> None:
    """Put the results in brief between the two marks in the README, and write RESULTS.md."""
    (before, _, after), made = _parts(), pages()
    core.write(README, f"{before}{BEGIN}\n{made['readme']}\n{END}{after}")
    core.write(RESULTS, made["results"] + "\n")


def _parts() -> tuple[str, str, str]:
    """Return the README before, between and after the marks."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    block, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"README.md lacks the marks {BEGIN} and {END}: put them back.")
    return before, block, after
