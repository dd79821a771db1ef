"""What a notebook opens with: the answer in three lines, and which records it shows."""

import pandas as pd

from digits.analysis import findings
from digits.analysis.effects import MAIN_EFFECTS, factorial_effects
from digits.analysis.findings import Verdicts
from digits.experiments.registry import DESIGNS
from digits.output import sentences
from digits.output.names import of_design, plain_name
from digits.output.tables.format import DIGITS, points_of, with_minus
from digits.study.profiles import PROFILES
from digits.study.runs import expected_seconds
from digits.study.study import Study
from digits.training.record import Record

#: The designs that a report's own protocol is judged by: as printed, or of equal width.
PRINTED = ("", "wide")


def opening(study: Study, report: str) -> str:
    """Say in three lines of Markdown what became of a report.

    Its printed errors, its claims, and what the two options change in its own protocol.
    """
    frame = study.table(*findings.patterns_of(report))
    judged = findings.verdicts(frame, report)
    lines = (
        f"**Printed errors.** {sentences.numbers_sentence(judged, report)}",
        f"**Claims.** {sentences.claims_sentence(judged, report)}{_contradicted(judged, report)}",
        f"**The two options**, in the report's own protocol. {_worth(frame, report)}",
    )
    return "\n".join(f"- {line}" for line in lines)


def _contradicted(judged: Verdicts, report: str) -> str:
    """Quote the claims that are contradicted."""
    told = [f"“{claim}” ({found})" for claim, _, found in sentences.contradicted(judged, report)]
    intervals = "intervals are wider, since all criteria of a claim must hold at once"
    return with_minus(f" Contradicted ({intervals}): {'; '.join(told)}." if told else "")


def _worth(frame: pd.DataFrame, report: str) -> str:
    """Say what weight sharing, the digit loss and both change in each design of the report."""
    designs = {
        design.name: design
        for design in DESIGNS.values()
        if (design.report, design.protocol) == (report, "own") and design.variant in PRINTED
    }
    effects = factorial_effects(frame, list(designs.values()))
    effects = effects[(effects.n > 1) & ~effects.baseline.str.endswith("wider")]
    parts = []
    for name, rows in effects.groupby("design", sort=False):
        found = rows.set_index("effect")
        sharing, loss, both = (points_of(found.loc[effect]) for effect in MAIN_EFFECTS)
        parts.append(
            f"{of_design(designs[name]).partition(', ')[2]}: weight sharing alone {sharing}, the "
            f"digit loss alone {loss}, both {both} (n = {found.n.max():.0f})"
        )
    if not parts:
        versions = "plain, shared, with digit loss, with both"
        return (
            f"Not known yet: this takes two rounds in which all four versions ({versions}) are run."
        )
    wide = any(designs[name].variant == "wide" for name in effects.design.unique())
    control = (
        " Equal width: our versions, in which sharing does not halve the channels. Without sharing "
        "the net gets both images as two channels, so sharing also means looking at each alone."
    )
    told = f"Change of the test error in percentage points: {'; '.join(parts)}."
    return told + control * wide


def records_shown(study: Study, *patterns: str) -> str:
    """Say how many runs a notebook shows, which are missing, and what training them would cost."""
    wanted, missing = study.runs(*patterns), study.missing(*patterns)
    recorded = study.recorded(*patterns)
    shown = sum(isinstance(record, Record) for _, record in recorded)
    profile = "the study" if study.profile == "paper" else f"the {study.profile} profile"
    text = (
        f"This notebook shows {shown} of {len(wanted)} runs of "
        f"{profile} on {DIGITS[study.source]}, from their records, without training them again."
    )
    if not missing:
        return text
    seconds = sum(expected_seconds(run.experiment) for run in missing)
    known = {run.experiment.id for run, _ in recorded}
    lacking = dict.fromkeys(r.experiment.id for r in missing if r.experiment.id not in known)
    several = len({run.experiment.report for run in wanted}) > 1
    named = "; ".join(plain_name(name, report=several) for name in lacking)
    are, them = ("is", "it") if len(missing) == 1 else ("are", "them")
    text = (
        f"{text} {len(missing)} {are} missing; training {them} with `{_command(study)}` takes "
        f"roughly {_duration(seconds)} on one core."
    )
    if not lacking:
        return text
    summary = f"Not run: {len(lacking)} experiment{'s' if len(lacking) > 1 else ''}"
    return f"{text}\n\n<details><summary>{summary}</summary>{named}</details>"


def _command(study: Study) -> str:
    """Return the command that trains what a study lacks."""
    options = [f"--profile {study.profile}"]
    if study.source != PROFILES[study.profile].usual_source:
        options.append(f"--data {study.source}")
    if study.seeds is not None:
        options.append(f"--seeds {','.join(map(str, study.seeds))}")
    return " ".join(["run_all.py", *options])


def _duration(seconds: float) -> str:
    """Return "3 hours" of a time, in the largest unit of which there are two."""
    units = {"days": 86_400, "hours": 3600, "minutes": 60}
    unit = next((unit for unit, size in units.items() if seconds >= 2 * size), "seconds")
    n = max(1, round(seconds / units.get(unit, 1)))
    return f"{n} {unit if n > 1 else unit[:-1]}"
