"""The page of a run: the answer, the main figure, a card for each report, every notebook."""

import json
from pathlib import Path
from typing import NamedTuple

import jinja2
from nbconvert.filters import markdown2html

from digits import findings
from digits.claims import BY_REPORT
from digits.findings import Findings


class Card(NamedTuple):
    """What a report claimed and what was found.

    numbers, claims: in a sentence each; contradicted: claims, how read, what decides; best: its
    best network under the common protocol, with the error.
    """

    report: str
    authors: str
    claimed: str
    numbers: str
    claims: str
    contradicted: list[tuple[str, str, str]]
    best: str


def write_index(folder: Path, found: Findings | None) -> Path:
    """Write index.html in `folder` and return its path.

    The notebooks are those that left something there. found: None if there are no records of the
    whole study, which leaves out the answer and the cards.
    """
    notebooks = [
        json.loads(status.read_text(encoding="utf-8"))
        for status in sorted(folder.glob("*/status.json"))
    ]
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("digits", "."), autoescape=True, trim_blocks=True
    )
    page = environment.get_template("page.html").render(
        notebooks=notebooks,
        profile=folder.name,
        answer=found and markdown2html(findings.answer(found)),
        cards=[card(found, report) for report in BY_REPORT] if found else [],
        of_report={n["name"].partition("_")[2]: n["name"] for n in notebooks},
    )
    index = folder / "index.html"
    index.write_text(page, encoding="utf-8")
    return index


def card(found: Findings, report: str) -> Card:
    """Return what the page says of one report."""
    best = findings.best_of(found, report)
    return Card(
        report=report,
        authors=BY_REPORT[report].AUTHORS,
        claimed=BY_REPORT[report].IN_SHORT,
        numbers=findings.numbers_sentence(found, report),
        claims=findings.claims_sentence(found, report),
        contradicted=findings.contradicted(found, report),
        best=""
        if best is None
        else f"{best.experiment.removeprefix('common/').partition('/')[2]}, "
        f"{best['mean']:.2f} % error, {best['n']:.0f} round{'s' if best['n'] > 1 else ''}",
    )
