"""The page of a run: the answer, the main figure, a card for each report, every notebook."""

import sys
from pathlib import Path
from typing import Any

import jinja2
from pydantic import ValidationError

from digits import core
from digits.analysis import findings
from digits.analysis.findings import Findings
from digits.core import Frozen, InputError
from digits.experiments.registry import EXPERIMENTS, REPORTS
from digits.output import sentences
from digits.output.tables.format import escaped


class Status(Frozen):
    """What a notebook left in its status.json; see `notebooks.execute`."""

    name: str
    title: str
    status: str
    error: str
    seconds: float
    profile: str
    source: str
    pictures: list[str]
    tables: list[str]


def statuses(folder: Path) -> list[Status]:
    """Read what the notebooks left in `folder`; name and leave out what cannot be read."""
    found = []
    for path in sorted(folder.glob("*/status.json")):
        try:
            found.append(Status.model_validate_json(path.read_bytes()))
        except (OSError, InputError, ValidationError):
            told = (
                f"{core.short(path)} is damaged: execute its notebook again to have it on the page"
            )
            print(told, file=sys.stderr)
    return found


def write_index(folder: Path, found: Findings | None) -> Path:
    """Write index.html in `folder` and return its path.

    The notebooks are those that left something there. found: None if there are no records of the
    whole study, which leaves out the answer and the cards.
    """
    from nbconvert.filters import markdown2html  # training alone does without Jupyter

    notebooks = statuses(folder)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits.output"), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("page.html").render(
        notebooks=notebooks,
        profile=folder.name,
        answer=found and markdown2html(escaped(sentences.answer(found))),
        cards=[card(found, report) for report in REPORTS] if found else [],
        of_report={n.name.partition("_")[2]: n.name for n in notebooks},
    )
    index = folder / "index.html"
    core.write(index, page)
    return index


def card(found: Findings, report: str) -> dict[str, Any]:
    """Return what the page says of one report: what it claimed, and what was found."""
    best = findings.best_of(found, report)
    return {
        "report": report,
        "authors": REPORTS[report].AUTHORS,
        "claimed": REPORTS[report].IN_SHORT,
        "numbers": sentences.numbers_sentence(found, report),
        "claims": sentences.claims_sentence(found, report),
        "contradicted": sentences.contradicted(found, report),
        "best": None if best is None else EXPERIMENTS[best.experiment].name,
        "error": None if best is None else best["mean"],
        "rounds": None if best is None else int(best["n"]),
    }
