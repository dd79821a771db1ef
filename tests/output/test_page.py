"""The page of a run says what was found, and what every notebook left."""

import errno
import json
import os
import re
from urllib.parse import unquote

import pandas as pd
import pytest

from digits.analysis import findings
from digits.analysis.replication import compare
from digits.experiments.registry import EXPERIMENTS, REPORTS
from digits.output import page, replication, sentences, tables
from digits.output.names import name_of
from digits.output.plots import style


def text_of(html):
    return re.sub(r"<[^>]+>", " ", html)


def test_the_page_has_the_answer_and_a_card_for_every_report(found, tmp_path, status):
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    for report, module in REPORTS.items():
        assert f'id="{report}"' in html and module.AUTHORS in html
    assert "Weight sharing alone" in html and "**" not in html
    assert "nan" not in text_of(html) and "None" not in text_of(html)
    assert "07_comparison" not in html  # it was not executed: nothing of it can be shown
    status("07_comparison", pictures=["answer", "verdicts"], tables=[])
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    assert html.count('<a href="07_comparison/answer.svg"><img') == 2 and "ranking</a>" in html
    status("07_comparison", status="failed", error="cell 9", pictures=["verdicts"], tables=[])
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    assert "answer.svg" not in html and "the ranking</a>" not in html  # of another run, if any
    without = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert 'class="card"' not in without and "report cards appear here once" in without


@pytest.mark.parametrize("fair", [(), ("common/zadoks/twinnet",)])
def test_records_of_some_networks_give_a_page_that_says_what_is_lacking(as_if_full, fair, tmp_path):
    some = as_if_full[(as_if_full.protocol == "own") | as_if_full.experiment.isin(fair)]
    html = page.write_index(tmp_path, findings.find(some)).read_text(encoding="utf-8")
    assert "takes two designs with 10 rounds" in html
    assert ("Networks under one common protocol: 1," in html) == bool(fair)
    assert "nan" not in text_of(html) and "None" not in text_of(html)


def test_a_card_holds_the_sentences_about_its_report(found):
    for report, module in REPORTS.items():
        card = page.card(found, report)
        assert (card["authors"], card["claimed"]) == (module.AUTHORS, module.IN_SHORT)
        assert card["numbers"] == sentences.numbers_sentence(found, report)
        assert card["claims"] == sentences.claims_sentence(found, report)
        best = findings.best_of(found, report)
        assert card["best"] == name_of(EXPERIMENTS[best.experiment], report=False)
        assert (card["error"], card["rounds"]) == (best["mean"], 10)


def test_the_best_network_is_told_with_its_rounds(found, found_of_one_round, tmp_path):
    for these, rounds in ((found, "10 rounds"), (found_of_one_round, "1 round")):
        html = page.write_index(tmp_path, these).read_text(encoding="utf-8")
        assert len(re.findall(rf"\d % error, {rounds}</dd>", html)) == len(REPORTS)


def test_a_report_without_a_network_in_the_ranking_has_a_card_without_it(found, tmp_path):
    without = found._replace(ranking=found.ranking[found.ranking.report != "zadoks"])
    assert page.card(without, "zadoks")["best"] is None
    html = page.write_index(tmp_path, without).read_text(encoding="utf-8")
    assert html.count("Its best network") == len(REPORTS) - 1


def test_changed_runs_of_one_report_change_no_card_of_another(as_if_full, found):
    after = as_if_full.copy()
    mine = after.experiment == "zadoks/twinnet+ws+aux"
    after.loc[mine, ["precise_error", "test_error"]] += 30.0
    other = findings.find(after)
    differ = [report for report in REPORTS if page.card(found, report) != page.card(other, report)]
    assert differ == ["zadoks"]


@pytest.fixture
def status(tmp_path):
    """Return a function that leaves a notebook's status in the folder."""

    def leave(name, **changes):
        (tmp_path / name).mkdir(exist_ok=True)
        entries = {"name": name, "title": "A title", "status": "ok", "error": "", "seconds": 1.4}
        entries |= {"profile": "smoke"}
        entries |= {"source": "sample", "pictures": ["main_figure"], "tables": ["a_table"]}
        text = json.dumps(entries | changes)
        (tmp_path / name / "status.json").write_text(text, encoding="utf-8")

    return leave


def test_the_page_shows_what_every_notebook_left(tmp_path, status):
    status("05_zadoks")
    status("01_kqiku", status="failed", error="cell 3: <ValueError>", tables=[], source="mnist")
    html = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert html.index("01_kqiku") < html.index("05_zadoks")
    assert 'href="05_zadoks/main_figure.svg"' in html and 'src="05_zadoks/main_figure.svg"' in html
    assert 'href="05_zadoks/a_table.html">a table</a>' in html  # without a caption
    assert "<figcaption>main figure</figcaption>" in html
    assert "All of MNIST, made in 1 s, failed." in html
    assert "This notebook stopped at cell 3: &lt;ValueError&gt;." in html
    assert html.count("stopped at") == 1


def test_the_page_of_some_rounds_shows_notebooks_of_these_rounds_alone(tmp_path, status):
    status("01_kqiku", seeds=[0, 1])
    status("05_zadoks", seeds=[2, 3])
    status("06_beyond")
    for seeds, name in (([0, 1], "01_kqiku"), ([2, 3], "05_zadoks"), (None, "06_beyond")):
        html = page.write_index(tmp_path, None, seeds=seeds).read_text(encoding="utf-8")
        assert re.findall(r'<h3><a href="(\w+)\.html', html) == [name]


def test_a_card_leads_to_the_notebook_of_its_report(tmp_path, status, found):
    status("05_zadoks")
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    assert f'<a href="05_zadoks.html">{REPORTS["zadoks"].AUTHORS}</a>' in html
    assert f"<h3>{REPORTS['kqiku'].AUTHORS}</h3>" in html


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"name": "05_zadoks"}', b'{"seconds": "<b>"}']
)
def test_a_damaged_status_is_named_and_left_out(content, tmp_path, status, capsys):
    status("01_kqiku")
    status("05_zadoks")
    (tmp_path / "05_zadoks" / "status.json").write_bytes(content)
    html = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert "01_kqiku" in html and "05_zadoks" not in html
    err = capsys.readouterr().err
    assert "05_zadoks" in err and "is damaged: execute its notebook again" in err
    assert err.count("\n") == 1


def test_a_page_that_cannot_be_finished_leaves_the_old_one(tmp_path, found, monkeypatch):
    index = page.write_index(tmp_path, None)
    before = index.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        page.write_index(tmp_path, found)
    assert index.read_bytes() == before and list(tmp_path.iterdir()) == [index]


HOSTILE = "<script>alert(1)</script> \"a' |$x$ \\input{b} [c](javascript:d) %20#e?f"


def test_names_are_quoted_in_links_and_texts_are_only_text(tmp_path, status):
    name = "a #1?%'\""
    texts = {"title": HOSTILE, "error": HOSTILE, "source": HOSTILE, "status": HOSTILE}
    status(name, pictures=[name], tables=[name], **texts)
    html = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    links = re.findall(r'(?:href|src)="([^"#][^"]*)"', html)
    assert {unquote(link).rpartition(".")[0] for link in links} == {name, f"{name}/{name}"}
    assert not any(re.search(r"[#?'<> ]", link) for link in links)
    assert "<script" not in html


def test_the_answer_is_markdown_but_no_html(found, tmp_path, monkeypatch):
    monkeypatch.setattr(sentences, "answer", lambda found: f"**bold** {HOSTILE}")
    html = page.write_index(tmp_path, found).read_text(encoding="utf-8")
    assert "<strong>bold</strong>" in html
    assert "<script" not in html and 'href="javascript' not in html


LIGHT = ("zadoks/twinnet", "zadoks/twinnet+ws+aux", "cadei/mlp", "kqiku/fcc")


@pytest.fixture
def here(committed):
    """Rounds of four networks, as if they had been trained here."""
    own = committed[committed.experiment.isin(LIGHT) & (committed.seed < 2)]
    return own.assign(source="sample")


def test_the_page_names_a_network_whose_rounds_do_not_agree_and_no_other(here, committed, tmp_path):
    honest = compare(here, committed)
    assert honest.agrees.all() and len(honest) == len(LIGHT)
    html = page.write_index(tmp_path, None, honest).read_text(encoding="utf-8")
    assert "4 of 4 networks agree with the study" in html and "Outside:" not in html
    here.loc[here.experiment == "zadoks/twinnet+ws+aux", "test_error"] += 5.0
    forged = page.write_index(tmp_path, None, compare(here, committed)).read_text(encoding="utf-8")
    assert "3 of 4 networks agree with the study" in forged
    (told,) = re.findall(r"Outside: ([^.]*\.\d % here[^;]*?expected)", forged)
    assert told.startswith(name_of(EXPERIMENTS["zadoks/twinnet+ws+aux"]) + ", ")
    assert 'src="data:image/svg+xml;base64,' in forged and "http" not in forged


def test_the_part_of_your_run_says_what_to_do_without_one_and_is_left_out_of_short_studies(
    here, committed, tmp_path
):
    nothing = compare(here[:0], committed)
    html = page.write_index(tmp_path, None, nothing).read_text(encoding="utf-8")
    assert "No rounds were trained here yet" in html and "<code>python run_all.py</code>" in html
    of_one = compare(here, committed[committed.seed == 0])
    html = page.write_index(tmp_path, None, of_one).read_text(encoding="utf-8")
    assert "fewer than two rounds of their networks" in html and "No rounds" not in html
    without = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert "Your run" not in without


def test_a_study_of_the_sample_is_not_put_beside_rounds_of_the_sample(here, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr(replication, "rounds_here", lambda *patterns: here)
    replication.show(here, "*")
    assert [text.data for text in shown] == [
        "Rounds trained here are put beside a study of all of MNIST only."
    ]


def test_what_the_replication_leaves_out_is_named(here, committed):
    text = replication.sentence(compare(here, committed), "*")
    for name in ("cadei/siamese+aux", "damachi/cnn"):
        assert name_of(EXPERIMENTS[name]) in text
    assert "Left out" not in replication.sentence(compare(here, committed), "zadoks/*")


def test_pictures_are_called_by_their_titles_and_tables_by_their_captions(tmp_path, status):
    status("05_zadoks", tables=["a_table", "main_figure"])
    for name in ("a_table", "main_figure"):  # the second has the name of a picture
        table = pd.DataFrame({"a": [1]})
        tables.save(table, tmp_path / "05_zadoks", name, "Errors | in %; n = 3.")
    figure, _ = style.new_figure("", 2, title="What is < here?")
    style.save(figure, tmp_path / "05_zadoks", "main_figure")
    html = page.write_index(tmp_path, None).read_text(encoding="utf-8")
    assert 'a_table.html">Errors | in %</a>' in html
    assert 'main_figure.html">Errors | in %</a>' in html
    assert "<figcaption>What is &lt; here?</figcaption>" in html
