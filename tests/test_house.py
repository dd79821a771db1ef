"""The stations stand in the order of the data, and nothing parses the id of an experiment."""

import ast
import re
from graphlib import CycleError, TopologicalSorter

import pytest

from digits import core

LIBRARY = core.ROOT / "digits"
#: Nothing imports from a station after its own.
STATIONS = ["core", "data", "models", "training", "experiments", "study", "analysis", "output"]
#: A command line is no station: it stands after all of them.
COMMAND = "__main__"


def name_of(path):
    parts = path.relative_to(core.ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for path in sorted(LIBRARY.rglob("*.py"))}


def imports_of(source, modules):
    """Return the modules among `modules` that `source` imports, within functions too."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports name their whole path"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            inner = whole & set(modules)
            # `from digits.study import workers` imports a module, not a name of its package.
            found |= inner if inner == whole else inner | {node.module}
    return found & set(modules)


def station_of(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


IMPORTS = {
    name: imports_of(path.read_text(encoding="utf-8"), MODULES) - {name}
    for name, path in MODULES.items()
}


def upwards(imports):
    """Return the imports from a later station, as pairs of modules."""
    order = {station: place for place, station in enumerate((*STATIONS, COMMAND))}
    return [
        (module, other)
        for module, others in imports.items()
        for other in others
        if station_of(module)
        and station_of(other)
        and order[station_of(other)] > order[station_of(module)]
    ]


def circle(imports):
    """Return the modules of an import circle, [] if there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_the_library_is_its_stations():
    assert {station_of(name) for name in MODULES} == {None, COMMAND, *STATIONS}
    assert len(list(LIBRARY.glob("*.py"))) <= 3
    edges = sum(len(others) for others in IMPORTS.values())
    assert edges > 150  # the imports are seen


def test_nothing_imports_from_a_later_station():
    assert upwards(IMPORTS) == []


def test_no_imports_run_in_a_circle():
    assert circle(IMPORTS) == []


def test_an_import_from_a_later_station_or_a_circle_would_be_found():
    """Of two modules, one with an import in a function."""
    modules = ("digits.data.pairs", "digits.study.runs")
    up = imports_of("def draw():\n    from digits.study import runs\n", modules)
    down = imports_of("from digits.data.pairs import Pairs\n", modules)
    imports = dict(zip(modules, (up, down), strict=True))
    assert upwards(imports) == [modules]
    assert set(circle(imports)) == set(modules)


def test_no_module_is_longer_than_300_lines():
    lines = {
        name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()
    }
    assert {name: n for name, n in lines.items() if n > 300} == {}


#: What parses an id, `report/model+options@variant`, instead of reading an experiment's fields.
PARSING = re.compile(
    r"""
    \.(remove(pre|suf)fix | startswith | endswith) \( \(? ["'](common|search|beyond)/
    | \.(remove(pre|suf)fix | startswith | endswith) \( \(? ["'] [@+]
    | \.r?(partition | split) \( ["'] [@+/] ["']
    | \b(id | experiment)\.(r?partition | r?split | remove | startswith | endswith)
    | ["'][@+/\w]*["'] \s (not\s)? in \s (\w+\.)*(id | experiment_id)\b
    | \b(id | experiment)\.str\.
    """,
    re.VERBOSE,
)
#: Names that a report's file or a fixed list gives to its rows, before there is an id.
ALLOWED = {
    ("experiments/cadei.py", 'name.endswith("+aux")'),
    ("experiments/experiment.py", 'cell.split("+")'),
}


def parses_an_id(file, line):
    return bool(PARSING.search(line)) and not any(
        file == where and what in line for where, what in ALLOWED
    )


def test_nothing_parses_an_id():
    found = [
        f"{path.relative_to(LIBRARY)}:{number}: {line.strip()}"
        for path in MODULES.values()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if parses_an_id(path.relative_to(LIBRARY).as_posix(), line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        'name.removeprefix("common/")',
        'e.id.startswith("search/")',
        'name.startswith(("beyond/", "search/"))',
        'name.partition("@")[2]',
        'name.rpartition("@")[0]',
        'report, rest = experiment.id.split("/")',
        'model, *options = name.split("+")',
        "aux = '+aux' in experiment.id",
        'slow = "/mlp" not in run.experiment.id',
        'frame.experiment.str.startswith("common/")',
    ],
)
def test_parsing_would_be_found(line):
    assert parses_an_id("output/readme.py", line)


@pytest.mark.parametrize("where", sorted(ALLOWED))
def test_no_allowance_is_left_over(where):
    file, what = where
    assert what in (LIBRARY / file).read_text(encoding="utf-8")
