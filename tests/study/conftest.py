"""A record that several tests of files read, trained once a session."""

import pytest


@pytest.fixture(scope="session")
def record(tiny_experiment, train_record):
    """A record of the twin net with both options."""
    return train_record(tiny_experiment("zadoks/twinnet+ws+aux"))
