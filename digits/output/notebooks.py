"""Execute notebooks headless with Papermill, and publish them as HTML with nbconvert."""

import errno
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

from tqdm import tqdm

from digits import core
from digits.core import NOT_WRITABLE, InputError
from digits.experiments.experiment import CELLS
from digits.experiments.registry import EXPERIMENTS, OF_CLAIMS, REPORTS
from digits.study import Study
from digits.study.workers import failure_of, in_processes

#: The experiments of notebooks that are not about one report.
OF_SEVERAL = {
    "00_exploration": (),
    "06_beyond": ("beyond/*", *("zadoks/twinnet" + cell for cell in CELLS)),
    "07_comparison": ("*", *OF_CLAIMS),
    "08_networks": ("*", "search/common/*"),
}


def all_notebooks() -> list[str]:
    """Return the names of the notebooks there are, in their order."""
    return sorted(path.stem for path in core.NOTEBOOKS.glob("*.ipynb"))


def named(only: list[str] | None) -> list[str]:
    """Return the notebooks to execute, in their order: all, or those of `--only`."""
    known = all_notebooks()
    chosen = [name.removesuffix(".ipynb") for name in only or known]
    for name, given in zip(chosen, only or known, strict=True):
        if name not in known:
            raise InputError(
                f"--only {given}: there is no such notebook; choose among {', '.join(known)}."
            )
    return [name for name in known if name in chosen]


def patterns_of(names: list[str]) -> tuple[str, ...]:
    """Return the patterns of the experiments that notebooks show, `NN_<report>` its report's."""
    patterns = {}
    for name in names:
        report = name.partition("_")[2]
        own = [e for e in EXPERIMENTS.values() if (e.report, e.protocol) == (report, "own")]
        searched = (f"search/{report}/*",) if any(e.setting for e in own) else ()
        of_report = (f"{report}/*", *searched) if own else ()
        patterns |= dict.fromkeys(OF_SEVERAL.get(name, of_report))
    return tuple(patterns)


def check(names: list[str]) -> None:
    """Refuse notebooks that do not take exactly the parameters of a `Study`.

    Papermill itself only warns about a parameter that a notebook does not know, and then runs
    with the default; this is asked before anything starts.
    """
    import papermill

    expected = set(Study.model_fields)
    for name in names:
        path = core.NOTEBOOKS / f"{name}.ipynb"
        if not path.is_file():
            raise InputError(
                f"there is no notebook {name!r}: choose among {', '.join(all_notebooks())}."
            )
        found = set(papermill.inspect_notebook(path))
        if found != expected:
            raise InputError(
                f"{name} takes the parameters {', '.join(sorted(found))}, but a notebook of the "
                f"study takes {', '.join(sorted(expected))}: correct its parameters cell."
            )


def execute_all(names: list[str], study: Study) -> int:
    """Execute notebooks in worker processes and write the page; 1 if one of them failed."""
    from digits.analysis import findings  # training alone does without them
    from digits.output import page

    start, statuses = time.time(), []
    bar_format = "notebooks {n}/{total} |{bar:20}| {elapsed} elapsed{postfix}"
    with tqdm(total=len(names), bar_format=bar_format) as bar:
        jobs = min(study.n_jobs, len(names))
        for name, future in in_processes(lambda name: (execute, name, study), names, jobs):
            if name is None:
                continue
            error = future.exception()
            if isinstance(error, InputError):
                raise error
            failed = {"name": name, "status": "failed", "error": failure_of(name, error)}
            statuses.append(failed if error else future.result())
            bar.set_postfix_str(f"last {name}", refresh=False)
            bar.update()
    found = None
    if {run.experiment.report for run, _ in study.recorded("*")} >= set(REPORTS):
        found = findings.find(study.table(*findings.WHOLE))
    index = page.write_index(study.figures_folder, found)
    failed = [status for status in statuses if status["status"] == "failed"]
    for status in sorted(failed, key=lambda status: status["name"]):
        print(f"failed: {status['name']}, {status['error']}", file=sys.stderr)
    print(
        f"{len(statuses) - len(failed)} of {len(statuses)} notebooks executed in "
        f"{time.time() - start:.0f} s; open {os.path.relpath(index)}"
    )
    return int(bool(failed))


def execute(name: str, study: Study) -> dict[str, Any]:
    """Execute the notebook `name`, publish it beside its figures, and return its status.

    Its name, title, profile, source and seconds; status, "ok" or "failed"; error, which cell
    failed and how, "" if none did; pictures and tables, the names of what it left in its folder.
    A failing cell is part of the status, not an exception; what ran before it is kept. Raises
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


def _execute(name: str, study: Study) -> dict[str, Any]:
    import papermill
    from nbformat.reader import NotJSONError
    from papermill.exceptions import PapermillExecutionError

    folder = study.figures(name)
    executed = folder / f"{name}.ipynb"
    start, error = time.time(), ""
    try:
        papermill.execute_notebook(
            core.NOTEBOOKS / f"{name}.ipynb",
            executed,
            parameters=study.model_dump(mode="json"),  # Papermill writes other values as text
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
    status = {
        "name": name,
        "title": _title(core.NOTEBOOKS / f"{name}.ipynb"),
        "status": "failed" if error else "ok",
        "error": re.sub(r"\x1b\[[0-9;]*m", "", error),
        "seconds": round(seconds, 1),
        "profile": study.profile,
        "source": study.source,
        "pictures": [file.stem for file in made if file.suffix == ".png"],
        "tables": [file.stem for file in made if file.suffix == ".md"],
    }
    (folder / "status.json").write_text(json.dumps(status, indent=1), encoding="utf-8")
    return status


def publish(executed: Path, target: Path) -> None:
    """Write an executed notebook as one HTML file that needs no network, its code folded."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="folded",
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
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
    target.write_text(body, encoding="utf-8")


def _title(path: Path) -> str:
    import nbformat

    return nbformat.read(path, as_version=4).cells[0].source.splitlines()[0].lstrip("# ")
