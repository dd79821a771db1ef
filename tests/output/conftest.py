"""Findings that several tests of tables, sentences and pages read, found once a session."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from digits import core
from digits.analysis import findings
from digits.analysis.findings import Findings
from digits.output import readme
from digits.study.frames import tidy
from digits.study.study import Study


class Made(NamedTuple):
    """What `readme.pages` returned, and what it was made of.

    text: both pages, one after the other.
    """

    pages: dict[str, str]
    text: str
    study: Study
    tables: dict[tuple[str, ...], pd.DataFrame]
    found: Findings


@pytest.fixture(scope="session")
def made():
    """The pages of results, with the tables of the committed records that they were made of."""
    table, find, kept = Study.table, findings.find, {"tables": {}}

    def read(self, *patterns):
        kept["tables"][patterns] = table(self, *patterns)
        return kept["tables"][patterns]

    def keep(frame):
        kept["found"] = find(frame)
        return kept["found"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
        patch.setattr(Study, "table", read)
        patch.setattr(findings, "find", keep)
        pages = readme.pages()
        return Made(pages, "\n\n".join(pages.values()), readme.study(), **kept)


@pytest.fixture(scope="session")
def frame(smoke_results):
    """Tidy rows of the smoke profile: one round of each network, shortened."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        return tidy(Study(profile="smoke").records(*findings.WHOLE))


@pytest.fixture(scope="session")
def as_if_full(frame):
    """The same runs as if they were whole, with further rounds that differ a little."""
    generator = np.random.default_rng(0)
    parts = []
    for seed in range(10):
        part = frame[frame.seed == 0].assign(seed=seed, shortened=False)
        for error in ("precise_error", "test_error", "train_error"):
            part[error] = part[error] + generator.normal(0, 0.3, len(part))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="session")
def found(as_if_full):
    """What those rows show."""
    return findings.find(as_if_full)


@pytest.fixture(scope="session")
def found_of_one_round(frame):
    """What one shortened round of everything shows."""
    return findings.find(frame)
