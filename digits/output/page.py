"""The page of a run: the answer, your own rounds, a card for each report, every notebook."""

import base64
import html
import re
import sys
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from pydantic import ValidationError

from digits import core
from digits.analysis import findings
from digits.analysis.findings import Findings
from digits.core import Frozen, InputError
from digits.experiments.registry import EXPERIMENTS, REPORTS
from digits.output import replication, sentences
from digits.output.names import name_of
from digits.output.plots import show
from digits.output.tables.format import DIGITS, escaped


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
    seeds: list[int] | None = None


def statuses(folder: Path, seeds: list[int] | None = None) -> list[Status]:
    """Read what the notebooks left in `folder` of these rounds, None for those of the profile.

    What cannot be read is named and left out.
    """
    found = []
    for path in sorted(folder.glob("*/status.json")):
        try:
            found.append(Status.model_validate_json(path.read_bytes()))
        except (OSError, InputError, ValidationError):
            told = (
                f"{core.short(path)} is damaged: execute its notebook again to have it on the page"
            )
            print(told, file=sys.stderr)
    return [status for status in found if status.seeds == seeds]


def write_index(
    folder: Path,
    found: Findings | None,
    compared: pd.DataFrame | None = None,
    seeds: list[int] | None = None,
) -> Path:
    """Write index.html in `folder`, where the notebooks left their figures, and return its path.

    found: None if there are no records of the whole study, which leaves out the answer and the
    cards. compared: what `replication.beside` gives; None leaves out the reader's own run. seeds:
    the rounds that the page is about, None for those of the profile.
    """
    notebooks = statuses(folder, seeds)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits.output"), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("page.html").render(
        notebooks=notebooks,
        title_of=lambda notebook, name, ending: title_of(folder / notebook / f"{name}.{ending}"),
        profile=folder.name,
        digits=DIGITS,
        answer=[html_of(part) for part in sentences.answer(found).split("\n\n")] if found else [],
        run=None if compared is None else your_run(compared),
        cards=[card(found, report) for report in REPORTS] if found else [],
        comparison=any(n.name == "07_comparison" and not n.error for n in notebooks),
        of_report={n.name.partition("_")[2]: n.name for n in notebooks},
    )
    index = folder / "index.html"
    core.write(index, page)
    return index


def html_of(text: str) -> str:
    """Return Markdown as HTML; what looks like HTML in it is text."""
    from nbconvert.filters import markdown2html  # training alone does without Jupyter

    return markdown2html(escaped(text))


def title_of(file: Path) -> str:
    """Return what a picture or a table is called; file: its SVG or its Markdown file.

    That is the title in the file of a picture, or the beginning of a table's caption.
    """
    try:
        text = html.unescape(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        text = ""
    if file.suffix == ".svg":
        title = re.search(r"<title>(.+?)</title>", text, re.DOTALL)
        title = title and title[1]
    else:
        title = re.split(r"[:;.](?:\s|$)", text.strip().rpartition("\n")[2])[0]
    return title or file.stem.replace("_", " ")


def your_run(compared: pd.DataFrame) -> dict[str, Any]:
    """Return what the page says of the rounds that were trained here."""
    run = {"sentence": html_of(replication.sentence(compared, "*"))}
    if len(compared):
        drawn = show(replication.picture(compared, replication.caption(compared)))
        run["picture"] = base64.b64encode(drawn.svg.encode()).decode("ascii")
        run["table"] = replication.table(compared).to_dict("records")
    return run


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
        "best": None if best is None else name_of(EXPERIMENTS[best.experiment], report=False),
        "error": None if best is None else best["mean"],
        "rounds": None if best is None else int(best["n"]),
    }
