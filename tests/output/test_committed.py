"""Without MNIST the committed pictures and tables are shown, and nothing of them is changed."""

import json

import pytest

from digits import core
from digits.output import committed, notebooks
from digits.study.study import Study

PAPER = core.ROOT / "figures" / "paper"


@pytest.fixture
def shown(monkeypatch):
    """What a notebook would show."""
    parts = []
    monkeypatch.setattr("IPython.display.display", lambda *these: parts.extend(these))
    return parts


def test_a_picture_is_shown_and_left_in_the_folder(tmp_path, shown):
    folder = tmp_path / "06_beyond"
    folder.mkdir()
    committed.picture(folder, "gallery")
    says, image = shown
    assert "MNIST is not on this machine" in says.data
    committed_bytes = (PAPER / "06_beyond" / "gallery.svg").read_bytes()
    assert (folder / "gallery.svg").read_bytes() == committed_bytes == image.svg.encode()


def test_the_committed_picture_itself_only_gets_a_new_time(shown, monkeypatch, tmp_path):
    folder = PAPER / "00_exploration"
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.iterdir()}
    committed.picture(folder, "pairs")
    for file, (data, time) in before.items():
        assert file.read_bytes() == data
        assert (file.stat().st_mtime_ns > time) == (file.stem == "pairs")


def test_a_table_is_shown_and_left_in_the_folder_with_a_page(tmp_path, shown):
    folder = tmp_path / "06_beyond"
    folder.mkdir()
    committed.table(folder, "best")
    there = (PAPER / "06_beyond" / "best.md").read_text(encoding="utf-8")
    assert shown[1].data == there == (folder / "best.md").read_text(encoding="utf-8")
    page = (folder / "best.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.count("<tr>") == there.count("\n|")
    assert sorted(file.suffix for file in folder.iterdir()) == [".html", ".md", ".tex"]


@pytest.mark.slow
def test_a_notebook_of_images_runs_on_the_study_without_mnist(monkeypatch):
    monkeypatch.setenv("DIGITS_RESULTS", str(core.ROOT / "results"))
    study = Study()
    status = notebooks.execute("00_exploration", study)
    assert (status["status"], status["error"]) == ("ok", "")
    assert {"pairs", "mean_digits", "baselines"} <= set(status["pictures"])
    book = json.loads((study.figures("00_exploration") / "00_exploration.ipynb").read_text())
    assert json.dumps(book).count("MNIST is not on this machine") == 3
