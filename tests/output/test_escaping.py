"""Texts that come from records leave pages harmless and tables whole, in each of their kinds."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from nbconvert.filters import markdown2html

from digits.output import tables
from digits.output.tables.format import escaped
from digits.study.frames import tidy
from digits.study.study import Study

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    r"\<b>bold",
    "$x$ and $$y$$",
    r"\input{/etc/passwd} \write18{ls}",
    "a | b || c",
    "two\nlines\r\nand\ttabs\x00\x1b[31m\u2028",
    "# & % _ ^ ~ { } \\",
    "[click](javascript:alert(1)) ![](http://example.org/x.png)",
    "</td></tr></table>",
]


class Tags(HTMLParser):
    """Counts tags, and keeps the attributes."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs] + [value or "" for _, value in attrs]


@pytest.fixture
def saved(tmp_path):
    """Return a function from a table and a caption to its three files' texts."""

    def save(table, caption):
        tables.save(table, tmp_path, "hostile", caption)
        return {
            kind: (tmp_path / f"hostile.{kind}").read_text(encoding="utf-8")
            for kind in ("html", "md", "tex")
        }

    return save


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_is_only_text_in_every_kind_of_table(text, saved):
    plain = saved(pd.DataFrame({"a": ["x", "y"], "n": [1.5, 2.5]}), "x")
    spoilt = saved(pd.DataFrame({text: [text, "y"], "n": [1.5, 2.5]}), text)
    page, other = Tags(spoilt["html"]), Tags(plain["html"])
    assert page.tags == other.tags
    assert not {"onerror", "src"} & set(page.attributes)
    rows = [line for line in spoilt["md"].splitlines() if line.startswith("|")]
    assert len(rows) == 4 and all(row.count("|") == 3 for row in rows)
    html = Tags(markdown2html(spoilt["md"]))
    assert not any(value.startswith("javascript") for value in html.attributes)
    assert not {"script", "img", "b"} & set(html.tags) and "$" not in spoilt["md"]
    body = spoilt["tex"]
    assert "\\input" not in body and "\\write" not in body
    assert body.count(r"\\") == plain["tex"].count(r"\\")  # rows
    assert len(re.findall(r"(?<!\\)&", body)) == len(re.findall(r"(?<!\\)&", plain["tex"]))
    assert len(re.findall(r"(?<!\\)[$#%~^]", body)) == 0


def test_what_is_harmless_stays_as_it_is():
    for text in ("0 < 1 < 2", "a (b) [0, 1] *c* 5 % x_1 `d`", "Δ ± ≤"):
        assert escaped(text) == text


def test_fields_of_a_record_that_are_any_text_reach_no_table(saved, smoke_results, monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(smoke_results))
    study = Study(profile="smoke", seeds=(0,))
    records = study.records("zadoks/*")
    text = " ".join(HOSTILE)
    fields = {"processor": text, "commit": text, "versions": {text: text}, "weights": text}
    spoilt = [record.model_copy(update=fields) for record in records]
    plain, hostile = (saved(frame, tables.scope(frame)) for frame in (tidy(records), tidy(spoilt)))
    assert hostile == plain
