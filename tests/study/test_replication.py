"""What was trained here is found, whatever its rounds, and what was left out is known."""

from digits.analysis.replication import compare
from digits.experiments.registry import EXPERIMENTS
from digits.study.replication import left_out, rounds_here
from digits.study.study import Study


def test_rounds_trained_here_are_found_whatever_their_seeds(train_record):
    assert rounds_here("cadei/*").empty
    mlp = EXPERIMENTS["cadei/mlp"]
    Study(profile="quick").store.append(train_record(mlp, 7))
    (row,) = rounds_here("cadei/*").itertuples()
    assert (row.experiment, row.seed, row.shortened) == ("cadei/mlp", 7, False)
    assert rounds_here("zadoks/*").empty
    assert compare(rounds_here("zadoks/*"), rounds_here("cadei/*")).empty


def test_a_record_of_a_shortened_run_is_no_replication(train_record, tiny_experiment):
    Study(profile="quick").store.append(train_record(tiny_experiment("cadei/mlp"), 0))
    assert rounds_here("cadei/*").empty


def test_what_takes_too_long_is_left_out():
    assert {e.id for e in left_out("damachi/*", "zadoks/*")} == {"damachi/cnn", "damachi/cnn+aux"}
