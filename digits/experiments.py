"""The one table of experiments: which network, which recipe, and what the report published.

Everything reads it: run_all.py, the notebooks, the tests and the README's table. An id reads
`report/model+options@variant`: `+ws` weight sharing, `+aux` (jaubert: `+aux2`) a loss on the digit
classes, `+aux1` an early prediction of the target. cadei's Siamese net and damachi's CNN share
weights without a `+ws`. Without a variant it is the network and the protocol as the report writes
them, and as its code has them where it is silent. The rows stand in `reports/`.
"""

from fnmatch import fnmatchcase

from digits import beyond, common
from digits.core import InputError
from digits.experiment import Experiment
from digits.reports import cadei, damachi, jaubert, kqiku, zadoks
from digits.search import candidates

REPORTS = (kqiku, cadei, jaubert, damachi, zadoks)

_OF_REPORTS = [experiment for report in REPORTS for experiment in report.experiments()]
COMPARED = common.experiments(_OF_REPORTS)

EXPERIMENTS = {experiment.id: experiment for experiment in _OF_REPORTS + COMPARED}

#: What goes past the reports; found by patterns that begin with "beyond/".
BEYOND = {experiment.id: experiment for experiment in beyond.experiments()}

#: The 2x2 designs of weight sharing and auxiliary loss: in the reports' own protocols, and under
#: the common one.
DESIGNS = [design for report in REPORTS for design in report.DESIGNS]
COMMON_DESIGNS = common.designs(DESIGNS)

#: What is searched: the grid of settings by experiment.
SEARCHES = jaubert.SEARCHES | damachi.SEARCHES | common.searches(COMPARED)

#: What is trained to choose hyper-parameters; found by patterns that begin with "search/".
CANDIDATES = {
    candidate.id: candidate
    for name, settings in SEARCHES.items()
    for candidate in candidates(EXPERIMENTS[name], settings)
}


def _table_of(name: str) -> dict[str, Experiment]:
    """Return the table in which an id or a pattern that begins like `name` is found."""
    return {"search": CANDIDATES, "beyond": BEYOND}.get(name.partition("/")[0], EXPERIMENTS)


def experiment_of(name: str) -> Experiment:
    """Return the experiment, or the candidate of a search, with the id `name`."""
    return _table_of(name)[name]


def select(*patterns: str) -> list[Experiment]:
    """Return the experiments whose ids match any pattern, such as "kqiku/*" or a whole id.

    Patterns that begin with "search/" find candidates of the search, with "beyond/" what goes past
    the reports, others experiments of the reports and of the common comparison.
    Raises `InputError` for a pattern that matches none.
    """
    found = {}
    for pattern in patterns:
        matches = [name for name in _table_of(pattern) if fnmatchcase(name, pattern)]
        if not matches:
            raise InputError(
                f"no experiment is called {pattern!r}: `python -m digits` lists them all."
            )
        found |= dict.fromkeys(matches)
    order = [*EXPERIMENTS.values(), *BEYOND.values(), *CANDIDATES.values()]
    return [experiment for experiment in order if experiment.id in found]
