"""Findings that several tests of tables, sentences and pages read, found once a session."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from digits import core
from digits.analysis import effects, findings
from digits.analysis.findings import Findings
from digits.output import readme
from digits.study.frames import tidy
from digits.study.study import Study


class Made(NamedTuple):
    """What `readme.results` returned, and what it was made of."""

    text: str
    study: Study
    records: dict[tuple[str, ...], list[Any]]
    found: Findings


@pytest.fixture(scope="session")
def made():
    """The README's results, with the committed records, read once, that they were made of."""
    study, read, find = readme.study, Study.records, findings.find
    kept = {"records": {}}

    def keep(name, value):
        kept[name] = value
        return value

    def records(self, *patterns):
        kept["records"][patterns] = read(self, *patterns)
        return list(kept["records"][patterns])

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
        patch.setattr(readme, "study", lambda: keep("study", study()))
        patch.setattr(Study, "records", records)
        patch.setattr(findings, "find", lambda frame: keep("found", find(frame)))
        return Made(readme.results(), **kept)


@pytest.fixture(scope="session")
def frame(smoke_results):
    """Tidy rows of the smoke profile: one round of each network, shortened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        return tidy(Study(profile="smoke").records("*"))


@pytest.fixture(scope="session")
def as_if_full(frame):
    """The same runs as if they were whole, with further rounds that differ a little."""
    generator = np.random.default_rng(0)
    parts = []
    for seed in range(4):
        part = frame[frame.seed == 0].assign(seed=seed, shortened=False)
        for error in ("precise_error", "test_error", "train_error"):
            part[error] = part[error] + generator.normal(0, 0.3, len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def find():
    """Return what `findings.find` finds, by a quicker mean over designs."""

    def found(frame):
        with pytest.MonkeyPatch.context() as patch:
            # The mixed model takes seconds and has tests of its own.
            patch.setattr(effects, "_mean_of_crossed", lambda rows: (rows.points.mean(), 1.0))
            return findings.find(frame)

    return found


@pytest.fixture(scope="session")
def found(find, as_if_full):
    """What those rows show."""
    return find(as_if_full)


@pytest.fixture(scope="session")
def found_of_one_round(find, frame):
    """What one shortened round of everything shows."""
    return find(frame)
