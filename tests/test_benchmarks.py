"""The benchmarks' table is made of what was measured, and the plain loop is a fair opponent."""

import sys

import pytest

from digits import core
from digits.experiments.registry import EXPERIMENTS
from digits.study.runs import Run
from digits.training.device import CPU

HERE = core.ROOT / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    yield
    for name in ("report", "plain_loop", "measure"):
        sys.modules.pop(name, None)


def test_the_committed_table_is_that_of_the_committed_measurements(benchmarks, tmp_path):
    import report

    (tmp_path / "measured").symlink_to(HERE / "measured")
    report.HERE = tmp_path
    report.write_results()
    assert (tmp_path / "RESULTS.md").read_text() == (HERE / "RESULTS.md").read_text()


def test_the_plain_loop_learns_as_the_study_does(benchmarks, sample, tiny_experiment, train_record):
    import plain_loop

    sizes = {"epochs": 8, "train_pairs": 600, "test_pairs": 400}
    experiment = tiny_experiment("zadoks/twinnet+ws+aux", **sizes)
    ours = [train_record(experiment, seed).test_error for seed in range(2)]
    with CPU.deterministic():
        plain = [plain_loop.train(experiment, seed, sample) for seed in range(2)]
    # Same network, pairs and steps; only the random numbers differ.
    assert abs(sum(ours) - sum(plain)) / 2 < 8
    assert max(ours + plain) < 35


def test_what_is_measured_is_what_the_library_has_today(benchmarks, tiny_experiment):
    import measure

    assert list(measure.PARTS) == ["plain", "limit", "memory", "quick"]
    names = (*measure.REPRESENTATIVE, *measure.MORE, *measure.DEEP)
    assert set(names) <= set(EXPERIMENTS)
    records = [measure._trained(Run(tiny_experiment("zadoks/twinnet"), 0))]
    (row,) = measure._by_family(records)
    assert (row["family"], row["runs"]) == ("zadoks", 1) and row["seconds"] > 0
