"""The benchmarks' table is made of what was measured, and the plain loop is a fair opponent."""

import sys

import pytest

from digits import core
from digits.compute import CPU

HERE = core.ROOT / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    yield
    for name in ("report", "plain_loop"):
        sys.modules.pop(name, None)


def test_the_committed_table_is_that_of_the_committed_measurements(benchmarks, tmp_path):
    import report

    (tmp_path / "measured").symlink_to(HERE / "measured")
    report.HERE = tmp_path
    report.write_results()
    assert (tmp_path / "RESULTS.md").read_text() == (HERE / "RESULTS.md").read_text()


def test_the_plain_loop_learns_as_the_study_does(benchmarks, sample, tiny_experiment):
    import plain_loop

    from digits.training import train

    experiment = tiny_experiment("zadoks/twinnet+ws+aux", epochs=25, train_pairs=600)
    ours = [train(experiment, seed, sample).test_error for seed in range(3)]
    with CPU.deterministic():
        plain = [plain_loop.train(experiment, seed, sample) for seed in range(3)]
    # Same network, pairs and steps; only the random numbers differ.
    assert abs(sum(ours) - sum(plain)) / 3 < 8
    assert max(ours + plain) < 35
