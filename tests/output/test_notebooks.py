"""Every notebook runs top to bottom, is published whole, and keeps the rules of the study."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import filelock
import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

import run_all
from digits import core
from digits.core import InputError
from digits.experiments import handwriting
from digits.experiments.registry import OF_CLAIMS, REPORTS
from digits.output import notebooks
from digits.study.study import Study

NAMES = sorted(path.stem for path in core.NOTEBOOKS.glob("*.ipynb"))
#: What run_all.py trains for each.
PATTERNS = {
    "00_exploration": (),
    "01_kqiku": ("kqiku/*",),
    "02_cadei": ("cadei/*",),
    "03_jaubert": ("jaubert/*", "search/jaubert/*"),
    "04_damachi": ("damachi/*", "search/damachi/*"),
    "05_zadoks": ("zadoks/*",),
    "06_beyond": (
        *("beyond/*", "zadoks/twinnet", "zadoks/twinnet+ws", "zadoks/twinnet+aux"),
        "zadoks/twinnet+ws+aux",
    ),
    "07_comparison": ("*", *OF_CLAIMS, *handwriting.PATTERNS),
    "08_networks": ("*", "search/common/*"),
}


@pytest.fixture(scope="session")
def executed(smoke_results, tmp_path_factory):
    """The figures folder after `run_all.py` with the smoke profile, whose runs are all recorded.

    Of several test processes, the first that gets here executes it and the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    results, figures, end = (shared / f"executed-{name}" for name in ("results", "figures", "end"))
    with filelock.FileLock(shared / "executed.lock"):
        if not end.exists():
            shutil.copytree(smoke_results, results)
            command = [sys.executable, core.ROOT / "run_all.py", "--profile", "smoke"]
            command += ["--results", results, "--figures", figures]
            run = subprocess.run(command, capture_output=True, text=True)
            end.write_text(json.dumps([run.returncode, run.stdout, run.stderr]))
    code, out, err = json.loads(end.read_text())
    assert code == 0, err
    assert "nothing to train" in out
    assert f"{len(NAMES)} of {len(NAMES)} notebooks executed" in out
    # The runs that run_all.py trains for a notebook are all that it needs.
    for file in smoke_results.rglob("*.jsonl"):
        assert (results / file.relative_to(smoke_results)).read_bytes() == file.read_bytes()
    assert len(list(results.rglob("*.jsonl"))) == len(list(smoke_results.rglob("*.jsonl")))
    return figures


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs_and_is_published(name, executed, monkeypatch):
    monkeypatch.setenv("DIGITS_FIGURES", str(executed))
    study = Study(profile="smoke")
    folder = study.figures(name)
    status = json.loads((folder / "status.json").read_text())
    assert (status["status"], status["error"]) == ("ok", "")
    assert sorted(status["pictures"]) == sorted(n for kind, n, _ in saved(name) if kind == "plots")
    for picture in status["pictures"]:
        assert (folder / f"{picture}.svg").stat().st_size > 5000
    assert bool(status["tables"]) == (name != "00_exploration")
    for table in status["tables"]:
        for suffix in ("html", "md", "tex"):
            assert (folder / f"{table}.{suffix}").stat().st_size > 200

    html = (study.figures_folder / f"{name}.html").read_text()
    assert status["title"] in html
    shown = re.findall(r'<img alt="([^"]+)" src="data:image/svg[+]xml;base64,[^"]{5000,}"', html)
    assert len(shown) >= len(status["pictures"]) and not any("object at" in alt for alt in shown)
    assert not re.search(r'(src|href)="(https?:)?//', html)  # opens without a network
    book = nbformat.read(folder / f"{name}.ipynb", as_version=4)
    outputs = json.dumps([cell.get("outputs", []) for cell in book.cells])
    assert "stderr" not in outputs  # no warning, no progress bar
    for private in (str(core.ROOT), str(executed.parent), "/root/", "/home/"):
        assert private not in outputs and private not in html

    index = (study.figures_folder / "index.html").read_text()
    links = re.findall(r'(?:href|src)="([^"#:]+)"', index)
    assert f"{name}.html" in links
    for link in links:
        assert (study.figures_folder / link).is_file()


@pytest.mark.slow
def test_papermill_alone_trains_what_is_missing_and_understands_text(tmp_path, own_notebooks):
    folder = own_notebooks(
        own=[
            "from digits.study import Study\nstudy = Study.of_notebook(globals())",
            'study.train_missing("zadoks/twinnet")\nlen(study.table("zadoks/twinnet"))',
        ]
    )
    papermill.execute_notebook(
        folder / "own.ipynb",
        tmp_path / "out.ipynb",
        {
            "profile": "smoke",
            "source": "sample",
            "seeds": "[5]",
            "jobs": 1,
        },  # as -p seeds '[5]' hands it over
        kernel_name="python3",
        progress_bar=False,
    )
    book = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    assert book.cells[-1].outputs[-1].data["text/plain"] == "1"
    study = Study(profile="smoke", seeds=[5])
    assert study.missing("zadoks/twinnet") == []
    assert len(list(core.results_dir().rglob("*.jsonl"))) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"seed": [0]}, r"seed = \[0\] is not a parameter of this notebook: choose among source"),
        pytest.param(
            {"seeds": "three"}, "seeds = 'three' is not a list of whole", marks=pytest.mark.weekly
        ),
    ],
)
def test_papermill_alone_with_a_bad_parameter_stops_with_a_sentence(tmp_path, wrong, sentence):
    with pytest.raises(PapermillExecutionError, match=sentence):
        papermill.execute_notebook(
            core.NOTEBOOKS / "05_zadoks.ipynb",
            tmp_path / "out.ipynb",
            {"profile": "smoke", "source": "sample"} | wrong,
            kernel_name="python3",
            progress_bar=False,
        )


@pytest.mark.slow
def test_a_failing_notebook_is_named_kept_and_does_not_stop_the_others(own_notebooks, capsys):
    own_notebooks(bad=["print('reached')", "1 / 0"], good=["print('reached')"])
    assert run_all.main(["--profile", "smoke", "--jobs", "1"]) == 1
    printed = capsys.readouterr()
    assert "failed: bad, cell 4: ZeroDivisionError: division by zero" in printed.err
    assert "1 of 2 notebooks executed" in printed.out
    folder = Study(profile="smoke").figures_folder
    assert "cell 4: ZeroDivisionError" in (folder / "index.html").read_text()
    for name in ("good", "bad"):
        assert "reached" in (folder / f"{name}.html").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_notebook_source_keeps_the_rules(name):
    book = nbformat.read(core.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    for cell in code:
        statements = {type(node).__name__ for node in ast.walk(ast.parse(cell.source))}
        assert not statements & {"FunctionDef", "ClassDef", "For", "While", "Lambda"}
    assert 10 <= len(book.cells) <= 30
    assert book.cells[0].cell_type == "markdown" and book.cells[0].source.startswith("# ")
    notebooks.check([name], Study())
    defaults = {}
    exec(code[0].source, defaults)  # plain literals: the defaults that Jupyter users get
    assert {k: defaults[k] for k in Study.model_fields} == {
        "source": "mnist",
        "profile": "paper",
        "seeds": None,
        "jobs": None,
        "device": "cpu",
        "precision": None,
    }


@pytest.mark.parametrize("name", NAMES)
def test_notebook_reads_as_a_lesson(name):
    book = nbformat.read(core.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    assert len(texts[0].split()) < 100
    for text in texts:
        for part in text.split("\n\n"):
            lines = [line for line in part.splitlines() if not re.match(r"[|]|- |\d\. ", line)]
            assert len(" ".join(lines).split()) < 90, part
            for line in part.splitlines():
                assert len(line.split()) < 90, line
    for cell in book.cells:
        assert cell.cell_type == "markdown" or len(cell.source.splitlines()) <= 25
    headings = re.findall(r"^## (.*)", "\n".join(texts), flags=re.MULTILINE)
    if name != "08_networks":
        learned = "\n".join(texts).partition("## What we learned\n")[2].partition("\n## ")[0]
        assert learned.count("\n- ") == 3
        assert headings.index("What we learned") + 1 == headings.index("Your turn")
    assert re.search(r"(Previous|Next): \[", texts[-1])
    assert "What it asked" in "".join(texts) or name not in REPORT_NOTEBOOKS


REPORT_NOTEBOOKS = [name for name in NAMES if name.partition("_")[2] in REPORTS]


def saved(name):
    """Yield module ("plots", "tables"), file name and whether the cell shows it, of each save."""
    book = nbformat.read(core.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    for cell in (cell for cell in book.cells if cell.cell_type == "code"):
        tree = ast.parse(cell.source)
        shown = [node.args[0] for node in ast.walk(tree) if called(node) == "display"]
        shown += [tree.body[-1].value] if isinstance(tree.body[-1], ast.Expr) else []
        for node in ast.walk(tree):
            if called(node) in ("plots.save", "tables.save"):
                yield called(node).split(".")[0], node.args[2].value, node in shown


def called(node):
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_saves_it_shows_and_what_is_committed_a_cell_saves(name):
    made = list(saved(name))
    assert made and all(shown for *_, shown in made)
    files = {f"{file}.{end}" for kind, file, _ in made for end in KINDS[kind]}
    folder = core.ROOT / "figures" / "paper" / name
    ends = [end for ends in KINDS.values() for end in ends]
    assert {path.name for end in ends for path in folder.glob(f"*.{end}")} == files


KINDS = {"plots": ("svg",), "tables": ("md", "tex")}


def test_a_notebook_with_other_parameters_is_refused(tmp_path, monkeypatch):
    source = json.loads((core.NOTEBOOKS / "05_zadoks.ipynb").read_text())
    for cell in source["cells"]:
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [line.replace("seeds", "seed") for line in cell["source"]]
    (tmp_path / "05_zadoks.ipynb").write_text(json.dumps(source))
    monkeypatch.setattr(core, "NOTEBOOKS", tmp_path)
    with pytest.raises(InputError, match="05_zadoks takes the parameters .*seed, source"):
        notebooks.check(["05_zadoks"], Study())


def test_every_notebook_is_run_and_has_its_experiments_trained():
    assert list(notebooks.named(None)) == NAMES == list(PATTERNS)
    assert {name: notebooks.patterns_of([name]) for name in NAMES} == PATTERNS
    assert notebooks.patterns_of(["01_kqiku", "07_comparison", "01_kqiku"])[:2] == ("kqiku/*", "*")
    # In their own order, with or without the suffix.
    assert notebooks.named(["05_zadoks.ipynb", "01_kqiku"]) == ["01_kqiku", "05_zadoks"]
