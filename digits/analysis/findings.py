"""What the whole study finds: verdicts, one fair comparison, effects.

The comparison notebook, the page of a run and the README read from here, so they cannot disagree.
"""

from typing import NamedTuple

import pandas as pd

from digits.analysis import numbers, statistics
from digits.analysis.claims import ClaimResult, Runs, decide_again, decide_all
from digits.analysis.effects import (
    LEAST_ROUNDS,
    cells_of,
    effects_by_round,
    factorial_effects,
    pooled_effects,
)
from digits.experiments import handwriting
from digits.experiments.experiment import Design
from digits.experiments.registry import CLAIMS, CLAIMS_OF, EXPERIMENTS, OF_CLAIMS, REPORTS, designs
from digits.study.frames import unshortened


def _without_common_cells(designs: list[Design]) -> list[Design]:
    """Return the designs that share no network with one before them."""
    kept, cells = [], set()
    for design in designs:
        if cells.isdisjoint(design.cells):
            kept.append(design)
            cells.update(design.cells)
    return kept


#: What all findings rest on: the reports' networks, and those that their claims name.
WHOLE = ("*", *OF_CLAIMS)
#: Designs of the common protocol with shared or separate branches of the same shape.
TWO_BRANCHES = [design for design in designs("common") if design.baseline == "two branches"]
#: Beside them those of the same width in which the network without sharing takes both images
#: as two channels, so that sharing also means looking at each image alone.
EQUAL_WIDTH = _without_common_cells(
    TWO_BRANCHES + [design for design in designs("common") if design.baseline == "one stacked net"]
)


class Findings(NamedTuple):
    """What tidy rows of the whole study show.

    own, common: the rows of the reports' networks by protocol. numbers: see `numbers.all_numbers`.
    claims, again: every claim decided by the reports' own protocols and under the common one.
    ranking: of the common protocol. effects: of each design of equal width under it. pooled: their
    means over the designs of `TWO_BRANCHES`; pooled_all: over all. as_reported: the effects of
    each design of the reports' own protocols.
    """

    own: pd.DataFrame
    common: pd.DataFrame
    numbers: pd.DataFrame
    claims: list[ClaimResult]
    again: list[ClaimResult]
    ranking: pd.DataFrame
    effects: pd.DataFrame
    pooled: pd.DataFrame
    pooled_all: pd.DataFrame
    as_reported: pd.DataFrame


def find(frame: pd.DataFrame) -> Findings:
    """Find everything that the tidy rows of a study show."""
    of_reports = frame[frame.report.isin(REPORTS)]
    own, common = (of_reports[of_reports.protocol == name] for name in ("own", "common"))
    full = unshortened(common)
    reports = [e for e in EXPERIMENTS.values() if e.report in REPORTS and not e.setting]
    reports = [e for e in reports if e.protocol == "own"]
    alike = Runs.under_common_protocol(frame)
    pooled, pooled_all = (
        pooled_effects(effects_by_round(full, designs)) for designs in (TWO_BRANCHES, EQUAL_WIDTH)
    )
    return Findings(
        own=own,
        common=full,
        numbers=numbers.all_numbers(own, reports),
        claims=decide_all(CLAIMS, frame[frame.protocol == "own"]),
        again=[decide_again(claim, alike) for claim in CLAIMS],
        ranking=statistics.ranking(full),
        effects=factorial_effects(full, EQUAL_WIDTH),
        pooled=pooled,
        pooled_all=pooled_all,
        as_reported=_effects_as_reported(unshortened(own)),
    )


def _effects_as_reported(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the effects of the designs of the reports' own protocols that are run.

    Following the text and following the code; of two that share a network the first, which is the
    one of equal width, or of two towers.
    """
    there = set(frame.experiment)
    run = [design for design in designs("own") if there.issuperset(design.cells)]
    return factorial_effects(frame, _without_common_cells(run))


class Verdicts(NamedTuple):
    """What is found of the printed errors and the claims of one report; see `Findings`."""

    numbers: pd.DataFrame
    claims: list[ClaimResult]


def patterns_of(report: str) -> tuple[str, ...]:
    """Return the patterns of the experiments that `verdicts` needs."""
    named = [name for claim in CLAIMS_OF[report] for name in claim.experiments]
    return (f"{report}/*", *dict.fromkeys(named))


def verdicts(frame: pd.DataFrame, report: str) -> Verdicts:
    """Judge one report as `find` does; frame: the tidy rows of `patterns_of`."""
    own = frame[frame.protocol == "own"]
    written = [e for e in EXPERIMENTS.values() if (e.report, e.protocol) == (report, "own")]
    return Verdicts(
        numbers.all_numbers(own[own.report == report], [e for e in written if not e.setting]),
        decide_all(CLAIMS_OF[report], own),
    )


def means(found: Findings) -> dict[str, tuple[list[str], pd.DataFrame]]:
    """Return the pooled effects by the name of the mean, with the designs that each is over."""
    return {
        "mean, two branches": ([design.name for design in TWO_BRANCHES], found.pooled),
        "mean, all": ([design.name for design in EQUAL_WIDTH], found.pooled_all),
    }


def handwriting_means(
    frame: pd.DataFrame, failed: bool = False
) -> dict[str, tuple[list[str], pd.DataFrame]]:
    """Return the pooled effects on MNIST and on other digits, if there are any, with the designs.

    frame: tidy rows of `handwriting.PATTERNS`. failed: whether rounds in which a network fails
    count; one of them changes the mean of a design more than any option does.
    """
    frame = frame if failed else frame[~numbers.failed(frame)]
    named = {"MNIST": "mnist-digits", "scikit-learn's digits": "other-digits"}
    pooled = {}
    for digits, variant in named.items():
        own = [design for design in handwriting.DESIGNS if design.variant == variant]
        if not (by_round := effects_by_round(frame, own)).empty:
            names = [design.name for design in own]
            pooled[f"mean, {digits}"] = names, pooled_effects(by_round)
    return pooled


def designs_of(found: Findings, designs: list[Design] = EQUAL_WIDTH) -> pd.DataFrame:
    """Return the runs that the mean effects of `designs` rest on; all, if none has the rounds."""
    enough = found.effects[found.effects.n >= LEAST_ROUNDS]
    cells = cells_of(found.effects if enough.empty else enough, designs)
    return found.common[found.common.experiment.isin(cells)]


def best_of(found: Findings, report: str) -> pd.Series | None:
    """Return the best network of a report under the common protocol, None without any."""
    mine = found.ranking[found.ranking.report == report]
    return None if mine.empty else mine.iloc[0]
