"""Execute notebooks headless with Papermill, and publish them as HTML with nbconvert."""

import ast
import errno
import json
import os
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import papermill
from nbconvert import HTMLExporter
from nbformat.reader import NotJSONError
from papermill.exceptions import PapermillExecutionError

from digits import core
from digits.core import NOT_WRITABLE, InputError
from digits.study import Study


class Execution(NamedTuple):
    """What came of one notebook.

    status: "ok" or "failed"; error: which cell failed and how, "" if none did.
    pictures, tables: names, without suffix, of what it left in its folder.
    """

    name: str
    title: str
    status: str
    error: str
    seconds: float
    profile: str
    source: str
    pictures: list[str]
    tables: list[str]


def check(names: list[str]) -> None:
    """Refuse notebooks that do not take exactly the parameters of a `Study`.

    Papermill itself only warns about a parameter that a notebook does not know, and then runs
    with the default; this is asked before anything starts.
    """
    expected = set(Study.model_fields)
    for name in names:
        path = core.NOTEBOOKS / f"{name}.ipynb"
        if not path.is_file():
            known = ", ".join(sorted(file.stem for file in core.NOTEBOOKS.glob("*.ipynb")))
            raise InputError(f"there is no notebook {name!r}: choose among {known}.")
        found = _parameters(path)
        if found != expected:
            raise InputError(
                f"{name} takes the parameters {', '.join(sorted(found))}, but a notebook of the "
                f"study takes {', '.join(sorted(expected))}: mend its parameters cell."
            )


def execute(name: str, study: Study) -> Execution:
    """Execute the notebook `name`, publish it beside its figures, and say what came of it.

    A failing cell is part of the outcome, not an exception; what ran before it is kept. Raises
    `InputError` if the folder of the figures cannot be written.
    """
    try:
        return _execute(name, study)
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        raise InputError(
            f"{name} cannot be written to {os.path.relpath(study.figures_folder)} "
            f"({error.strerror or error}): free the disk or name another folder with --figures."
        ) from error


def _execute(name: str, study: Study) -> Execution:
    folder = study.figures(name)
    executed = folder / f"{name}.ipynb"
    start, error = time.time(), ""
    try:
        papermill.execute_notebook(
            core.NOTEBOOKS / f"{name}.ipynb",
            executed,
            parameters=plain_parameters(study),
            kernel_name="python3",
            progress_bar=False,
            extra_arguments=["--log-level=CRITICAL"],  # of the kernel: no notes between our lines
        )
    except PapermillExecutionError as failure:
        # Counted from 1 in the source, which lacks the cell that Papermill injects.
        error = f"cell {failure.cell_index}: {failure.ename}: {failure.evalue}"
    except Exception as failure:  # the kernel did not start or died
        if getattr(failure, "errno", None) in NOT_WRITABLE:
            raise
        error = f"{type(failure).__name__}: {failure}"
    seconds = time.time() - start
    if executed.is_file():
        try:
            publish(executed, folder.parent / f"{name}.html")
        except NotJSONError as failure:  # Papermill itself could not write all of it
            raise OSError(errno.EIO, error or "it is cut off") from failure
    made = sorted(
        (file for file in folder.iterdir() if file.stat().st_mtime >= start),
        key=lambda file: file.stat().st_mtime_ns,  # in the order of the story
    )
    outcome = Execution(
        name=name,
        title=_title(core.NOTEBOOKS / f"{name}.ipynb"),
        status="failed" if error else "ok",
        error=re.sub(r"\x1b\[[0-9;]*m", "", error),
        seconds=round(seconds, 1),
        profile=study.profile,
        source=study.source,
        pictures=[file.stem for file in made if file.suffix == ".png"],
        tables=[file.stem for file in made if file.suffix == ".md"],
    )
    (folder / "status.json").write_text(json.dumps(outcome._asdict(), indent=1), encoding="utf-8")
    return outcome


def plain_parameters(study: Study) -> dict[str, Any]:
    """Return the study as plain Python values; Papermill writes others down as text."""
    return study.model_dump(mode="json")


def publish(executed: Path, page: Path) -> None:
    """Write an executed notebook as one HTML file that needs no network, its code folded."""
    exporter = HTMLExporter(
        template_name="folded",
        extra_template_basedirs=[str(core.ROOT / "digits")],
        embed_images=True,
    )
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.mermaid_js_url = ""
    notebook = nbformat.read(executed, as_version=4)
    # Show the parameters of this run alone, not the defaults that they replace.
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    if any("injected-parameters" in t for t in tags):
        notebook.cells = [
            cell for cell, t in zip(notebook.cells, tags, strict=True) if "parameters" not in t
        ]
    body, _ = exporter.from_notebook_node(
        notebook, resources={"metadata": {"name": _title(executed)}}
    )
    page.write_text(body, encoding="utf-8")


def _parameters(path: Path) -> set[str]:
    """Return the names that the cell tagged "parameters" assigns."""
    for cell in nbformat.read(path, as_version=4).cells:
        if "parameters" in cell.metadata.get("tags", []):
            assigned = (
                node for node in ast.parse(cell.source).body if isinstance(node, ast.Assign)
            )
            return {target.id for node in assigned for target in node.targets}
    return set()


def _title(path: Path) -> str:
    first = nbformat.read(path, as_version=4).cells[0].source
    return first.splitlines()[0].lstrip("# ")
