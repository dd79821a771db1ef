"""The one table of experiments: which network, which recipe, and what the report published.

Everything reads it: run_all.py, the notebooks, the tests and the README's table. `+ws` in an id is
weight sharing, `+aux` (jaubert: `+aux2`) a loss on the digit classes, `+aux1` an early prediction
of the target. cadei's Siamese net and damachi's CNN share weights without a `+ws`. Without a
variant it is the network and the protocol that the report's text describes, and its code's where
the text is silent.
"""

import importlib
import pkgutil
import tomllib
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

from digits.core import InputError
from digits.experiments import beyond, common, handwriting
from digits.experiments.claim import Claim
from digits.experiments.experiment import Design, Experiment, candidates


def _reports() -> dict:
    """Return the modules of this folder that are a report's, by name, in the order of NUMBER."""
    names = [module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)])]
    modules = {
        name: importlib.import_module(f"digits.experiments.{name}")
        for name in names
        if name != "registry"
    }
    reports = {name: module for name, module in modules.items() if hasattr(module, "AUTHORS")}
    return dict(sorted(reports.items(), key=lambda item: item[1].NUMBER))


#: A report is a module with NUMBER, AUTHORS, IN_SHORT, `experiments()` and DESIGNS.
REPORTS = _reports()

_own = [experiment for report in REPORTS.values() for experiment in report.experiments()]
_common = common.experiments(_own)
_searches = [
    search
    for report in REPORTS.values()
    for search in getattr(report, "searches", lambda rows: [])(report.experiments())
] + common.searches(_common)

#: Every experiment by id: of the reports, under the common protocol, beyond the reports, and the
#: candidates of searches for hyper-parameters.
EXPERIMENTS: dict[str, Experiment] = {
    experiment.id: experiment
    for experiment in (
        *_own,
        *_common,
        *beyond.experiments(),
        *handwriting.experiments(),
        *(candidate for search in _searches for candidate in candidates(search)),
    )
}
SEARCHES = {search.experiment.id: search for search in _searches}

#: The 2x2 designs of weight sharing and auxiliary loss by name: in the reports' own protocols,
#: under the common one, and on other digits.
_designs = [design for report in REPORTS.values() for design in report.DESIGNS]
DESIGNS: dict[str, Design] = {
    design.name: design
    for design in (*_designs, *common.designs(_designs, _own), *handwriting.DESIGNS)
}

#: The claims of each report, by its name, and all of them.
CLAIMS_OF: dict[str, tuple[Claim, ...]] = {
    name: importlib.import_module(f"digits.experiments.claims.{name}").CLAIMS for name in REPORTS
}
CLAIMS = tuple(claim for claims in CLAIMS_OF.values() for claim in claims)
#: The ids of all experiments that claims rest on, some of them beyond the reports.
OF_CLAIMS = tuple(dict.fromkeys(name for claim in CLAIMS for name in claim.experiments))


def designs(protocol: str) -> list[Design]:
    """Return the reports' designs under a protocol, "own" or "common"."""
    own = [design for design in DESIGNS.values() if design.report in REPORTS]
    return [design for design in own if design.protocol == protocol]


def select(*patterns: str) -> list[Experiment]:
    """Return the experiments whose ids match any of the patterns.

    Parameters
    ----------
    *patterns : str
        Such as "kqiku/*", or a whole id. Candidates of searches are found only by patterns that
        begin with "search/", experiments beyond the reports only by "beyond/".

    Returns
    -------
    list of Experiment
        In the order of the table.

    Raises
    ------
    InputError
        For a pattern that matches none.
    """
    found = set()
    for pattern in patterns:
        matches = {
            name
            for name, experiment in EXPERIMENTS.items()
            if pattern.startswith(experiment.on_request) and fnmatchcase(name, pattern)
        }
        if not matches:
            raise InputError(
                f"no experiment is called {pattern!r}: `python -m digits` lists them all."
            )
        found |= matches
    return [experiment for name, experiment in EXPERIMENTS.items() if name in found]


def comparisons(report: str) -> dict[str, tuple[str, str]]:
    """Return the pairs of experiments that a report's notebook compares, by what changes.

    See `comparisons.toml`; none for a report without a section there.
    """
    file = files("digits.experiments") / "comparisons.toml"
    pairs = tomllib.loads(file.read_text(encoding="utf-8")).get(report, {})
    return {
        change: (f"{report}/{before}", f"{report}/{after}")
        for change, (before, after) in pairs.items()
    }
