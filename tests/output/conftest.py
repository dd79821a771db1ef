"""Findings that several tests of tables, sentences and pages read, found once a session."""

from typing import NamedTuple

import pandas as pd
import pytest

from digits import core
from digits.analysis import findings
from digits.analysis.findings import Findings
from digits.output import readme
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
