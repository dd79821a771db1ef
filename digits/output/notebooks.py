"""Execute notebooks headless with Papermill, and publish them as HTML with nbconvert."""

import ast
import contextlib
import errno
import functools
import json
import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from tqdm import tqdm

from digits import core
from digits.core import InputError
from digits.experiments import handwriting
from digits.experiments.experiment import CELLS
from digits.experiments.registry import EXPERIMENTS, OF_CLAIMS, REPORTS
from digits.study import Study
from digits.study.store import check_writable

_ONE_AT_A_TIME = threading.Lock()  # notebooks are executed in threads, the exporter is one
#: The experiments of notebooks that are not about one report.
OF_SEVERAL = {
    "00_exploration": (),
    "06_beyond": ("beyond/*", *("zadoks/twinnet" + cell for cell in CELLS)),
    "07_comparison": ("*", *OF_CLAIMS, *handwriting.PATTERNS),
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


def check(names: list[str], shown: Study) -> None:
    """Refuse, before anything starts, notebooks and folders that do not serve to show a study.

    Notebooks take exactly the parameters of a `Study`: Papermill itself only warns about one that
    a notebook does not know, and then runs with the default.
    """
    expected = set(Study.model_fields)
    for name in names:
        path = core.NOTEBOOKS / f"{name}.ipynb"
        found = _parameters(path)
        if found != expected:
            raise InputError(
                f"{name} takes the parameters {', '.join(sorted(found))}, but a notebook of the "
                f"study takes {', '.join(sorted(expected))}: correct its parameters cell."
            )
    core.check_folder(shown.figures_folder, "--figures")
    there = os.path.isdir(shown.figures_folder)
    check_writable(shown.figures_folder if there else core.figures_dir())


def _parameters(path: Path) -> set[str]:
    """Return the names that the parameters cell of a notebook sets."""
    try:
        cells = json.loads(path.read_bytes())["cells"]
        (found,) = (c["source"] for c in cells if "parameters" in c["metadata"].get("tags", []))
        nodes = ast.walk(ast.parse("".join(found)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
    except (AttributeError, LookupError, TypeError, ValueError, SyntaxError) as error:
        raise InputError(
            f"{core.short(path)} is not a notebook with one cell of parameters: restore it."
        ) from error
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def execute_all(names: list[str], study: Study) -> int:
    """Execute notebooks, several at a time, and write the page; 1 if one of them failed."""
    from digits.analysis import findings  # training alone does without them
    from digits.output import kernel, page, replication

    start, statuses = time.time(), []
    kernel.prepare()  # before the folder for temporary files is another: its socket stays
    bar_format = "notebooks {n}/{total} |{bar:20}| {elapsed} elapsed{postfix}"
    with contextlib.ExitStack() as stack:
        stack.enter_context(_temporary_files_apart())
        # Their work is done in kernels, which are processes, and end with this one; one more than
        # there are cores, since each waits while it starts and ends.
        pool = stack.enter_context(ThreadPool(min(study.n_jobs + 1, len(names))))
        executed = pool.imap_unordered(
            functools.partial(_status_of, study=study),
            reversed(names),  # the last ones show everything, and take the longest
        )
        _exporter()  # meanwhile
        found = compared = None
        recorded = {run.experiment.report for run, _ in study.recorded("*")}
        if recorded >= set(REPORTS):
            found = findings.find(study.table(*findings.WHOLE))
        # The rounds trained here may be of the sample: nothing is put beside itself.
        if recorded and study.source == "mnist" and study.at_hand != study:
            compared = replication.beside(study.table("*"), "*")
        bar = stack.enter_context(tqdm(total=len(names), bar_format=bar_format))
        for status in executed:
            statuses.append(status)
            bar.set_postfix_str(f"last {status['name']}", refresh=False)
            bar.update()
    seeds = study.seeds and list(study.seeds)
    index = page.write_index(study.figures_folder, found, compared, seeds)
    failed = [status for status in statuses if status["status"] == "failed"]
    for status in sorted(failed, key=lambda status: status["name"]):
        print(f"failed: {status['name']}, {status['error']}", file=sys.stderr)
    print(
        f"{len(statuses) - len(failed)} of {len(statuses)} notebooks executed in "
        f"{time.time() - start:.0f} s; open {core.short(index)}"
    )
    return int(bool(failed))


def _status_of(name: str, study: Study) -> dict[str, Any]:
    """Return what `execute` does, in a thread; raise an input error alone."""
    from jupyter_core.utils import ensure_event_loop

    try:
        return execute(name, study)
    except InputError:
        raise
    except Exception as error:
        with contextlib.suppress(OSError):  # what an earlier run left is not this one's
            (study.figures(name) / "status.json").unlink(missing_ok=True)
        return {"name": name, "status": "failed", "error": f"{type(error).__name__}: {error}"}
    finally:
        ensure_event_loop().close()  # that of this thread, which a client of kernels made


@contextlib.contextmanager
def _temporary_files_apart() -> Iterator[None]:
    """Let temporary files lie in a folder that goes; a kernel that is killed leaves its keys."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="digits-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


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
        told, folder = core.fault(error), study.figures_folder
        if error.filename and not Path(error.filename).is_relative_to(folder):
            raise told from error
        raise InputError(f"{name} cannot be written to {core.short(folder)}: {told}") from error


def _execute(name: str, study: Study) -> dict[str, Any]:
    import papermill
    from nbformat.reader import NotJSONError
    from papermill.exceptions import PapermillExecutionError

    from digits.output.kernel import ThisPython

    folder, source = study.figures(name), core.NOTEBOOKS / f"{name}.ipynb"
    executed = folder / f"{name}.ipynb"
    # The clock of a folder on the network may be another one, so no time of ours tells what is new.
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    start, error = time.time(), ""
    try:
        papermill.execute_notebook(
            # Papermill takes a name in braces for one of the parameters.
            *(str(path).replace("{", "{{").replace("}", "}}") for path in (source, executed)),
            parameters=study.model_dump(mode="json"),  # Papermill writes other values as text
            kernel_name="python3",
            language="python",
            kernel_manager_class=ThisPython,
            progress_bar=False,
            request_save_on_cell_execute=False,  # once at its end, whatever ends it
            autosave_cell_every=0,
        )
    except PapermillExecutionError as failure:
        # Counted from 1 in the source, which lacks the cell that Papermill injects.
        error = f"cell {failure.cell_index}: {failure.ename}: {failure.evalue}"
    except Exception as failure:  # the kernel did not start or died
        if isinstance(failure, OSError) and failure.errno in core.WAYS_OUT:
            raise
        error = f"{type(failure).__name__}: {failure}"
    seconds = time.time() - start
    if executed.is_file():
        try:
            publish(executed, folder.parent / f"{name}.html")
        except NotJSONError as failure:  # Papermill itself could not write all of it
            raise OSError(errno.EIO, error or "it is cut off") from failure
    made = sorted(
        (file for file in folder.iterdir() if file.stat().st_mtime_ns != before.get(file)),
        key=lambda file: file.stat().st_mtime_ns,  # in the order of the story
    )
    status = {
        "name": name,
        "title": _title(json.loads(source.read_bytes())),
        "status": "failed" if error else "ok",
        "error": re.sub(r"\x1b\[[0-9;]*m", "", error),
        "seconds": round(seconds, 1),
        "profile": study.profile,
        "source": study.source,
        "seeds": study.seeds,
        "pictures": [file.stem for file in made if file.suffix == ".svg"],
        "tables": [file.stem for file in made if file.suffix == ".md"],
    }
    core.write(folder / "status.json", json.dumps(status, indent=1))
    return status


def publish(executed: Path, target: Path) -> None:
    """Write an executed notebook as one HTML file that needs no network, its code folded."""
    import nbformat

    notebook = nbformat.read(executed, as_version=4)
    # Show the parameters of this run alone, not the defaults that they replace.
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    if any("injected-parameters" in t for t in tags):
        notebook.cells = [
            cell for cell, t in zip(notebook.cells, tags, strict=True) if "parameters" not in t
        ]
    name = {"metadata": {"name": _title(notebook)}}
    with _ONE_AT_A_TIME:
        exporter = _exporter()
        # Not its own method, which parses the whole page again for alt texts, which ours have.
        body, _ = super(type(exporter), exporter).from_notebook_node(notebook, resources=name)
    # What leads from notebook to notebook leads from page to page.
    core.write(target, re.sub(r'href="(\w+)\.ipynb"', r'href="\1.html"', body))


@functools.cache
def _exporter():
    """Return the one exporter: making it reads and compiles all templates."""
    from nbconvert import HTMLExporter
    from nbconvert.filters import Highlight2HTML

    exporter = HTMLExporter(
        template_name="folded",
        extra_template_basedirs=[str(Path(__file__).parent / "templates")],
        embed_images=True,
    )
    exporter.register_filter("highlight_code", Highlight2HTML("ipython3", parent=exporter))
    exporter.register_filter("clean_html", lambda code: code)  # its HTML is escaped
    exporter.mathjax_url = exporter.require_js_url = exporter.jquery_url = ""
    exporter.mermaid_js_url = ""
    return exporter


def _title(notebook: dict[str, Any]) -> str:
    """Return the first line of a notebook."""
    return "".join(notebook["cells"][0]["source"]).splitlines()[0].lstrip("# ")
