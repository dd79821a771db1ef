"""The commit of a record is that of this code's own repository, whatever surrounds it."""

import os
import subprocess

import pytest

from digits import core
from digits.study import runs


@pytest.fixture
def commit(monkeypatch, tmp_path):
    """Return a function to the commit of this code as if it lay in a folder."""

    def of(root):
        code = root / "digits" / "study" / "runs.py"
        code.parent.mkdir(parents=True, exist_ok=True)
        code.touch()
        monkeypatch.setattr(core, "ROOT", root)
        monkeypatch.setattr(runs, "__file__", str(code))
        return runs.commit.__wrapped__()

    return of


def repository(folder, *, tracked=True):
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "digits" / "study" / "runs.py"
    file.parent.mkdir(parents=True)
    file.touch()
    (folder / "other").touch()

    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
        # Nobody's own settings, and no repository that a hook runs for.
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", folder, *who, *arguments],
            env=env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", "." if tracked else "other")
    git("commit", "-q", "-m", "first")
    return git("rev-parse", "--short=12", "HEAD")


def test_its_own_repository_with_a_mark_if_the_code_differs(commit, tmp_path):
    head = repository(tmp_path / "own")
    assert commit(tmp_path / "own") == head
    (tmp_path / "own" / "other").write_text("a record more")
    assert commit(tmp_path / "own") == head
    added = tmp_path / "own" / "digits" / "study" / "added.py"
    added.touch()
    assert commit(tmp_path / "own") == f"{head}+"
    added.unlink()
    (tmp_path / "own" / "digits" / "study" / "runs.py").write_text("changed")
    assert commit(tmp_path / "own") == f"{head}+"


def test_a_repository_that_surrounds_it_or_does_not_know_it_does_not_count(commit, tmp_path):
    repository(tmp_path / "outer")
    assert commit(tmp_path / "outer" / "inner") == ""
    repository(tmp_path / "stranger", tracked=False)
    assert commit(tmp_path / "stranger") == ""
    (tmp_path / "damaged" / ".git").mkdir(parents=True)
    assert commit(tmp_path / "damaged") == ""


@pytest.mark.parametrize("own", [True, False])
def test_variables_of_git_change_nothing(commit, tmp_path, monkeypatch, own):
    repository(tmp_path / "foreign")
    head = repository(tmp_path / "own") if own else ""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "foreign" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "foreign"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path / "own"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "foreign" / ".git" / "index"))
    assert commit(tmp_path / "own") == head


def test_without_git_there_is_none(commit, tmp_path, monkeypatch):
    repository(tmp_path / "own")
    monkeypatch.setenv("PATH", "")
    assert commit(tmp_path / "own") == ""
