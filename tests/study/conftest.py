"""What several tests of files share: a record, trained once a session, and damage."""

import zipfile

import pytest


@pytest.fixture(scope="session")
def record(tiny_experiment, train_record):
    """A record of the twin net with both options."""
    return train_record(tiny_experiment("zadoks/twinnet+ws+aux"))


@pytest.fixture(scope="session")
def flip_a_bit():
    """Return a function that damages a file of tensors, as a bad sector does, in the largest."""

    def flip(path):
        with zipfile.ZipFile(path) as file:
            content = file.read(max(file.infolist(), key=lambda part: part.file_size))
        whole = bytearray(path.read_bytes())
        whole[whole.index(content) + len(content) // 2] ^= 64
        path.write_bytes(whole)

    return flip
