"""Every notebook runs top to bottom, is published whole, and keeps the rules of the study."""

import ast
import json
import re
import subprocess
import sys

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

import run_all
from digits import core, notebooks
from digits.study import Study

NAMES = sorted(path.stem for path in core.NOTEBOOKS.glob("*.ipynb"))
FIGURES = {
    "00_exploration": ["balance", "baselines", "mean_digits", "pairs", "resolution"],
    "01_kqiku": ["changes", "consecutive_trainings", "effects", "figure1"],
    "02_cadei": ["differences", "errors", "figure3"],
    "03_jaubert": ["changes", "effects", "figure2"],
    "04_damachi": ["changes", "differences", "epochs", "figure7"],
    "05_zadoks": ["changes", "effects", "figure2", "figure2_published", "seconds"],
    "06_beyond": [
        "calibration",
        "digits",
        "distance",
        "gallery",
        "heads",
        "ladder",
        "pairs",
        "streams",
        "yardsticks",
    ],
    "07_comparison": [
        "claims",
        "cost",
        "numbers",
        "ranking",
        "worth",
    ],
    "08_networks": ["effects", "effects_stacked", "errors", "errors_variants"],
}


@pytest.fixture(scope="session")
def executed(smoke_results, tmp_path_factory):
    """The figures folder after `run_all.py` with the smoke profile, whose runs are all trained."""
    figures = tmp_path_factory.mktemp("figures")
    lines = {f: f.read_bytes() for f in smoke_results.rglob("*.jsonl")}
    command = [sys.executable, core.ROOT / "run_all.py", "--profile", "smoke"]
    command += ["--results", smoke_results, "--figures", figures]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "nothing to train" in run.stdout
    assert f"{len(NAMES)} of {len(NAMES)} notebooks executed" in run.stdout
    # The runs that run_all.py trains for a notebook are all that it needs.
    assert lines == {f: f.read_bytes() for f in smoke_results.rglob("*.jsonl")}
    return figures


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_is_published(name, executed, smoke_results, monkeypatch):
    monkeypatch.setenv("DIGITS_FIGURES", str(executed))
    study = Study(profile="smoke")
    status = (study.figures(name) / "status.json").read_text()
    outcome = notebooks.Execution(**json.loads(status))
    assert (outcome.status, outcome.error) == ("ok", "")
    assert sorted(outcome.pictures) == FIGURES[name]
    for picture in outcome.pictures:
        for suffix in ("svg", "png"):
            assert (study.figures(name) / f"{picture}.{suffix}").stat().st_size > 5000
    assert bool(outcome.tables) == (name != "00_exploration")
    for table in outcome.tables:
        for suffix in ("html", "md", "tex"):
            assert (study.figures(name) / f"{table}.{suffix}").stat().st_size > 200

    html = (core.figures_dir() / "smoke" / f"{name}.html").read_text()
    assert outcome.title in html
    assert not re.search(r'(src|href)="(https?:)?//', html)  # opens without a network
    book = nbformat.read(study.figures(name) / f"{name}.ipynb", as_version=4)
    outputs = json.dumps([cell.get("outputs", []) for cell in book.cells])
    assert "stderr" not in outputs  # no warning, no progress bar
    for private in (str(core.ROOT), str(smoke_results), str(executed), "/root/", "/home/"):
        assert private not in outputs and private not in html

    index = (study.figures_folder / "index.html").read_text()
    links = re.findall(r'(?:href|src)="([^"]+)"', index)
    assert f"{name}.html" in links
    for link in links:
        assert (core.figures_dir() / "smoke" / link).is_file()


@pytest.mark.slow
def test_papermill_alone_trains_what_is_missing_and_understands_text(tmp_path):
    parameters = {"profile": "smoke", "seeds": "[5]"}  # as -p seeds '[5]' hands it over
    papermill.execute_notebook(
        core.NOTEBOOKS / "05_zadoks.ipynb",
        tmp_path / "out.ipynb",
        parameters,
        kernel_name="python3",
        progress_bar=False,
    )
    study = Study(profile="smoke", seeds=[5])
    assert study.missing("zadoks/*") == []
    assert len(list(core.results_dir().rglob("*.jsonl"))) == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seeds": "three"}, "seeds = 'three' is not a list of whole"),
        ({"seed": [0]}, r"seed = \[0\] is not a parameter of this notebook: choose among source"),
    ],
)
def test_papermill_alone_with_a_bad_parameter_stops_with_a_sentence(tmp_path, wrong, sentence):
    with pytest.raises(PapermillExecutionError, match=sentence):
        papermill.execute_notebook(
            core.NOTEBOOKS / "05_zadoks.ipynb",
            tmp_path / "out.ipynb",
            {"profile": "smoke"} | wrong,
            kernel_name="python3",
            progress_bar=False,
        )


@pytest.mark.slow
def test_a_failing_notebook_is_named_kept_and_does_not_stop_the_others(
    tmp_path, monkeypatch, capsys
):
    for name in ("good", "bad"):
        book = nbformat.read(core.NOTEBOOKS / "00_exploration.ipynb", as_version=4)
        book.cells = book.cells[:2]
        book.cells.append(nbformat.v4.new_code_cell("print('reached')"))
        if name == "bad":
            book.cells.append(nbformat.v4.new_code_cell("1 / 0"))
        nbformat.write(book, tmp_path / f"{name}.ipynb")
    monkeypatch.setattr(core, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(run_all, "NOTEBOOKS", {"bad": (), "good": ()})
    assert run_all.main(["--profile", "smoke", "--jobs", "1"]) == 1
    printed = capsys.readouterr()
    assert "failed: bad, cell 4: ZeroDivisionError: division by zero" in printed.err
    assert "1 of 2 notebooks executed" in printed.out
    index = (core.figures_dir() / "smoke" / "index.html").read_text()
    assert "cell 4: ZeroDivisionError" in index
    for name in ("good", "bad"):
        assert "reached" in (core.figures_dir() / "smoke" / f"{name}.html").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_notebook_source_keeps_the_rules(name):
    book = nbformat.read(core.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    for cell in code:
        statements = {type(node).__name__ for node in ast.walk(ast.parse(cell.source))}
        assert not statements & {"FunctionDef", "ClassDef", "For", "While", "Lambda"}
    assert 10 <= len(book.cells) <= 22
    assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# ")
    notebooks.check([name])
    defaults = {}
    exec(code[0].source, defaults)  # plain literals: the defaults that Jupyter users get
    assert {k: defaults[k] for k in Study.model_fields} == {
        "source": "sample",
        "profile": "quick",
        "seeds": None,
        "jobs": None,
        "light": False,
        "device": "cpu",
        "precision": None,
    }
