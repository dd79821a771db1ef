"""How records decide a claim.

A claim has parts (see `parts`). It is supported if all of them are, contradicted if one of them
is, undecided otherwise. A claim without parts is a design argument, which no measurement decides.

Parts that are many make a claim harder to support and easier to contradict by chance: each one
that is true is contradicted in 2.5 % of studies at most. The tables name the part that decides.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from digits.claims.parts import Difference, Finding, Part, Verdict
from digits.common import PREFIX
from digits.core import Frozen


class Claim(Frozen):
    """What a report claims.

    id: as numbered here, C0.1 to C4.7. claim: in one line. parts: what decides it; none for a
    design argument. reading: how vague words are read, or why nothing decides it.
    """

    id: str
    report: str
    claim: str
    parts: tuple[Part, ...] = ()
    reading: str = ""


class Decision(NamedTuple):
    """A claim, what was found of each of its parts, and the verdict."""

    claim: Claim
    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def deciding(self) -> Finding | None:
        """The finding that decides: the worst for the claim of those that have its verdict.

        None for a claim that nothing measured decides, or that only lacks records.
        """
        same = [finding for finding in self.findings if finding.verdict == self.verdict]
        measured = [finding for finding in same if finding.verdict != "no records"]
        return min(measured, key=lambda f: np.nan_to_num(f.slack, nan=-np.inf), default=None)

    @property
    def held(self) -> str:
        """How many parts are supported, of how many, and how many have no records."""
        verdicts = [finding.verdict for finding in self.findings]
        lacking = verdicts.count("no records")
        without = f", {lacking} without records" if lacking else ""
        return f"{verdicts.count('supported')} of {len(verdicts)}{without}" if verdicts else ""


def decide(claim: Claim, frame: pd.DataFrame) -> Decision:
    """Decide a claim by the full-length runs among tidy rows of the reports' own protocols."""
    full = frame[~frame.shortened]
    findings = tuple(part.find(full) for part in claim.parts)
    return Decision(claim, combine(finding.verdict for finding in findings), findings)


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a claim whose parts have `verdicts`."""
    found = set(verdicts)
    if not found:
        return "design argument"
    if "contradicted" in found:
        return "contradicted"
    if found == {"supported"}:
        return "supported"
    return "no records" if found == {"no records"} else "undecided"


def decide_again(claim: Claim, frame: pd.DataFrame) -> Decision:
    """Decide a claim by the common protocol's runs of the same networks, with all else equal.

    Only parts that compare errors of two networks count: levels, times and epochs are those of a
    report's own protocol.
    """
    common = frame[frame.experiment.str.startswith(PREFIX)]
    common = common.assign(experiment=common.experiment.str.removeprefix(PREFIX))
    comparing = tuple(
        part
        for part in claim.parts
        if isinstance(part, Difference) and part.value in ("precise_error", "test_error", "gap")
    )
    return decide(claim.model_copy(update={"parts": comparing}), common)
