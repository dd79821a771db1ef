"""The documents tell the truth: the tree, the commands, the installation, the links."""

import re
import shlex
import tomllib
from fnmatch import fnmatch

import pytest
import yaml

import run_all
from digits import core
from digits.output import notebooks, readme
from digits.study.study import Study

DOCUMENTS = [
    path
    for path in (
        readme.README,
        core.ROOT / "CONTRIBUTING.md",
        core.ROOT / "CHANGELOG.md",
        core.ROOT / "RESULTS.md",
        *sorted((core.ROOT / "docs").glob("*.md")),
    )
    if path.is_file()
]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}


def blocks(text):
    """Every block of code, as its language and its text."""
    return re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def entries(tree):
    """Every path that a tree names: folders end with a slash, what they hold is indented.

    Files stand side by side with commas between them; of a folder also behind its name.
    """
    folders, found = [], set()
    for line in tree.splitlines():
        indent = len(line) - len(line.lstrip())
        folders = [(depth, folder) for depth, folder in folders if depth < indent]
        where = folders[-1][1] if folders else ""
        names, _, rest = line.strip().partition("  ")
        for name in names.split(", "):
            found.add(where + name)
            if name.endswith("/"):
                folders.append((indent, where + name))
                found |= {where + name + file for file in re.findall(r"\b\w+\.py\b", rest)}
    return found


@pytest.fixture(scope="module")
def tree():
    """The paths that the tree in CONTRIBUTING.md names, or in README.md if it has none."""
    for name in ("CONTRIBUTING.md", "README.md"):
        trees = [body for _, body in blocks(TEXTS.get(name, "")) if "\ndigits/\n" in body]
        if trees:
            (found,) = trees
            return entries(found)
    raise AssertionError("no document shows the tree")


def test_a_tree_is_read_by_its_indentation():
    text = "a.py   one\nb/\n  c.py, d.py   two\n  e/   f.py, g.py\n    h.py\n  i.py\nj/k/  three\n"
    files = {"a.py", "b/c.py", "b/d.py", "b/e/f.py", "b/e/g.py", "b/e/h.py", "b/i.py"}
    assert entries(text) == files | {"b/", "b/e/", "j/k/"}


def test_every_path_of_the_tree_is_there(tree):
    assert len(tree) > 50
    assert [entry for entry in sorted(tree) if not (core.ROOT / entry).exists()] == []


def test_every_module_is_in_the_tree(tree):
    library = core.ROOT / "digits"
    modules = {path.relative_to(core.ROOT).as_posix() for path in library.rglob("*.py")}
    modules = {name for name in modules if not name.rpartition("/")[2].startswith("__")}
    assert len(modules) > 40
    assert modules - tree == set()


def test_every_folder_is_in_the_tree(tree):
    library = core.ROOT / "digits"
    stations = {f"digits/{path.parent.name}/" for path in library.glob("*/__init__.py")}
    assert stations - tree == set()
    ignored = (core.ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.strip("/") for line in ignored if line.endswith("/") and line[0] != "!"]
    top = {path.name for path in core.ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    kept = {name for name in top if not any(fnmatch(name, pattern) for pattern in ignored)}
    assert {"digits", "notebooks", "results", "tests"} <= kept
    assert kept - {entry.partition("/")[0] for entry in tree} == set()


def commands(text):
    """Every command of a document, as words: in blocks of code, and within lines."""
    shell = [line for kind, body in blocks(text) if kind == "bash" for line in body.splitlines()]
    within = re.findall(r"`(\.venv/bin/[^`]+)`", text)
    lines = [line.replace("NN_<report>", "05_zadoks") for line in shell + within]
    return [shlex.split(part) for line in lines for part in line.split("&&")]


COMMANDS = [words for text in TEXTS.values() for words in commands(text)]


def test_run_all_accepts_every_command():
    options = [words[2:] for words in COMMANDS if words[1:2] == ["run_all.py"]]
    assert len(options) >= 12
    for words in options:
        parsed = run_all.parser().parse_args(words)  # reads a shard as well
        assert Study(source=parsed.data, profile=parsed.profile).shown
        assert notebooks.named(parsed.only)


def test_a_command_with_a_wrong_option_would_be_refused():
    for words in (["--shard", "5/4"], ["--fast"], ["--profile", "large"], ["--data", "cifar"]):
        with pytest.raises(core.InputError):
            run_all.parser().parse_args(words)
    with pytest.raises(core.InputError):
        notebooks.named(["05_nobody"])


def test_every_other_command_names_what_is_there():
    named = 0
    for words in COMMANDS:
        for word in words:
            if re.match(r"(notebooks|constraints|tests|benchmarks|docs)\b", word):
                assert (core.ROOT / word).exists(), word
                named += 1
    assert named >= 3
    assert any(words[:3] == [".venv/bin/python", "-m", "pytest"] for words in COMMANDS)


def test_ci_runs_the_installation_and_the_tests_of_the_documents():
    ci = (core.ROOT / ".ci" / "run").read_text(encoding="utf-8").replace("'", "")
    installing = [words for words in COMMANDS if "install" in words and "-e" in words]
    for words in (["-c", "constraints.txt", "-e"], [".[test]"]):
        assert " ".join(words) in ci
    assert any("-c constraints.txt -e .[test" in " ".join(words) for words in installing)
    assert all("constraints.txt" in words for words in installing)
    assert "-m pytest" in ci


def test_conda_installs_the_same_versions():
    text = (core.ROOT / "environment.yml").read_text(encoding="utf-8")
    environment = yaml.safe_load(text)
    (pip,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert "--constraint constraints.txt" in pip
    assert any(entry.startswith("--editable .[") for entry in pip)


def test_constraints_hold_every_dependency_at_one_version():
    lines = (core.ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [re.split("==", line)[0].lower() for line in lines if line and line[0] != "#"]
    assert all("==" in line for line in lines if line and line[0] != "#")
    project = tomllib.loads((core.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    wanted = {re.match(r"[\w-]+", line)[0].lower() for line in asked} - {project["name"]}
    assert len(wanted) > 20
    assert wanted - set(pins) == set()


@pytest.mark.parametrize("name", TEXTS)
def test_links_and_pictures_of_a_document_lead_to_what_is_there(name):
    (path,) = (path for path in DOCUMENTS if path.name == name)
    links = re.findall(r"\]\(([^)\s]+)\)", TEXTS[name])
    local = [link.partition("#")[0] for link in links if not re.match(r"https?://|mailto:|#", link)]
    assert [link for link in local if not (path.parent / link).exists()] == []


def test_the_readme_shows_pictures_and_leads_to_tables():
    text = TEXTS["README.md"]
    assert re.findall(r"!\[[^]]+\]\([^)]+\.svg\)", text)
    assert re.findall(r"[^!]\[[^]]+\]\([^)]+\.md\)", text)
