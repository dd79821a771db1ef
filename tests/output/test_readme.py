"""The README's numbers are those of the committed records."""

import re

import pytest

from digits import core
from digits.analysis import findings
from digits.core import InputError
from digits.experiments.registry import EXPERIMENTS
from digits.output import readme
from digits.output.names import name_of
from digits.study.study import Study


def test_the_numbers_are_those_of_the_committed_records(made):
    assert readme.written() == made.pages, "run `python -m digits readme`"


def cells(text):
    """The table's cells, without the padding that Markdown puts in."""
    return [
        [cell.strip(" -:") for cell in line.split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]


def test_one_changed_record_changes_what_rests_on_it_and_nothing_else(made, monkeypatch):
    def with_one_changed(self, *patterns):
        found = made.tables[patterns].copy()
        mine = found.experiment == "zadoks/twinnet+ws+aux@published"
        found.loc[mine & (found.seed == 0), "test_error"] = 99.0
        return found

    monkeypatch.setattr(Study, "table", with_one_changed)
    after = "\n\n".join(readme.pages().values())
    # Of zadoks alone.
    tables = zip(cells(made.text), cells(after), strict=True)
    assert [row[1] for row, now in tables if row != now] == ["zadoks"]
    texts = [[part for part in text.split("\n\n") if part[0] != "|"] for text in (made.text, after)]
    changed = [old for old, new in zip(*texts, strict=True) if old != new]
    counts = ("Following the text, of ", "Of the ")  # printed errors, and claims
    starts = ("- **Printed", "- **Claims", "- **Code and", *counts, "*Zadoks*")
    assert all(part.startswith(starts) for part in changed)
    assert {part[:8] for part in changed} >= {"- **Prin", "- **Code", "Followin", "*Zadoks*"}


def test_the_headline_is_what_the_effects_say(made):
    means = made.found.pooled.set_index("effect")
    assert (means.high[["weight sharing alone", "digit loss alone"]] < 0).all()
    rather = "digit loss rather than weight sharing"
    more = means.high[rather] < 0
    assert (
        "**Both help; under one protocol the digit loss helps more.**" in made.pages["readme"]
    ) == more
    unclear = made.found.pooled.assign(high=made.found.pooled.high + (means.index == rather) * 9)
    assert readme._effects(made.found._replace(pooled=unclear))["headline"] == "Both help"
    up = made.found._replace(pooled=made.found.pooled.assign(high=1.0))
    assert readme._effects(up)["headline"] == "Weight sharing, digit loss"


def test_the_readme_is_short_and_plain():
    text = readme.README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130 and len(text.split()) <= 1100
    assert not re.search(r"committee|rung|ladder|lesser|formed anew|errs on|reproduced", text)


def test_a_paragraph_is_one_line_and_a_table_keeps_its_lines(made):
    parts = made.text.split("\n\n")
    assert sum(part.startswith("|") for part in parts) == 2
    for part in parts:
        assert part.startswith("|") or ("\n" not in part and "  " not in part)
    assert not re.search(r"\bnan\b|\bNone\b|[{}]", made.text)


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A README of our own, with nothing between its marks, and no RESULTS.md yet."""
    file = tmp_path / "README.md"
    file.write_text(f"# Title\n\n{readme.BEGIN}\n{readme.END}\n\nRest.\n", encoding="utf-8")
    monkeypatch.setattr(readme, "README", file)
    monkeypatch.setattr(readme, "RESULTS", tmp_path / "RESULTS.md")
    return file


def test_results_are_written_between_the_marks_and_to_a_page_and_nowhere_else(page, monkeypatch):
    made = {"readme": "5.10 ± 0.80", "results": "# Results\n\n6.20"}
    monkeypatch.setattr(readme, "pages", lambda: made)
    assert readme.written() == {"readme": "", "results": ""}
    for _ in range(2):
        readme.write()
        assert readme.written() == made
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# Title\n\n<!--") and text.endswith("-->\n\nRest.\n")
    assert text.count(readme.BEGIN) == text.count(readme.END) == text.count("5.10") == 1
    assert sorted(path.name for path in page.parent.iterdir()) == ["README.md", "RESULTS.md"]


@pytest.mark.parametrize("mark", [readme.BEGIN, readme.END])
def test_a_readme_without_a_mark_is_refused(page, mark):
    text = page.read_text(encoding="utf-8").replace(mark, "")
    page.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="lacks the marks"):
        readme.written()
    assert page.read_text(encoding="utf-8") == text


def test_a_number_that_the_template_asks_for_and_nobody_gives_is_an_error(made, monkeypatch):
    import jinja2

    monkeypatch.setattr(readme, "numbers", lambda study: {"printed": "yes"})
    with pytest.raises(jinja2.UndefinedError, match="effects"):
        readme.pages()


def test_numbers_and_sentences_rest_on_the_same_findings(made):
    rows = made.found.numbers
    zadoks = rows[(rows.report == "zadoks") & (rows.quantity == "test_error") & (rows.n > 0)]
    assert len(zadoks) == 2
    for row in zadoks.itertuples():
        assert f"{row.ours:.2f} ± {row.ours_sd:.2f} % (n = {row.n:.0f};" in made.text
    best = findings.best_of(made.found, made.found.ranking.report.iloc[0])
    name = name_of(EXPERIMENTS[best.experiment])
    assert f"The lowest test error, {best['mean']:.2f} %, is that of {name} (" in made.text


def test_the_example_for_teachers_rests_on_the_records(made):
    text = (core.ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    numbers = made.found.numbers
    (row,) = numbers[numbers.experiment == "zadoks/twinnet+ws+aux@published"].itertuples()
    assert f"prints {row.published} ± {row.published_sd} % (n = {row.published_n:.0f})" in text
    assert f"gives {row.ours:.2f} ± {row.ours_sd:.2f} % here (n = {row.n:.0f})" in text
    assert f"fifth of the printed error, {row.margin:.2f}," in text and row.verdict == "equivalent"
