"""Streams are independent of each other and the same in every place."""

import numpy as np
import pytest
import torch

from digits.core import InputError
from digits.data.seeds import STREAMS, child, streams, substreams, torch_generator, torch_seed


def test_the_same_seed_gives_the_same_streams_and_others_differ():
    seeds = [torch_seed(stream) for k in range(50) for stream in streams(k).values()]
    assert seeds == [torch_seed(stream) for k in range(50) for stream in streams(k).values()]
    assert len(set(seeds)) == 50 * len(STREAMS)


def test_no_two_generators_of_the_study_start_alike_though_they_take_32_bits():
    """Those of torch, in all rounds that records are of and in the folds of each."""
    rounds, folds = [*range(60), *range(100, 103), *range(200, 210)], range(5)
    names = ("init", "order", "augment", "dropout")
    own = [stream for k in rounds for name, stream in streams(k).items() if name in names]
    seeds = [torch_seed(part) for s in own for part in (s, *(child(s, fold) for fold in folds))]
    taken = {seed % 2**32 for seed in seeds}
    assert len(taken) == len(seeds) == 6 * 4 * len(rounds)
    one, other = (torch.Generator().manual_seed(seed) for seed in (seeds[0], seeds[0] % 2**32))
    assert torch.equal(torch.rand(9, generator=one), torch.rand(9, generator=other))


def test_streams_are_named_in_an_order_that_records_rest_on():
    assert STREAMS[:5] == ("pairs", "init", "order", "augment", "dropout")
    assert torch_seed(streams(0)["init"]) == 4881901421217228719


def test_a_generator_starts_at_its_stream():
    first, second = (torch_generator(streams(3)["order"]) for _ in range(2))
    assert first.initial_seed() == second.initial_seed() == torch_seed(streams(3)["order"])


@pytest.mark.parametrize("seed", [-1, 1.0, "1", None, True, np.int64(1)])
def test_what_is_not_a_seed_is_refused(seed):
    with pytest.raises(InputError, match="not a whole number"):
        streams(seed)


@pytest.mark.parametrize("stream", STREAMS)
def test_one_stream_is_a_rounds_own_and_the_others_are_those_of_round_0(stream):
    own, base = streams(3), streams(0)
    found = streams(3, stream)
    for name in STREAMS:
        expected = own if name == stream else base
        assert found[name].generate_state(4).tolist() == expected[name].generate_state(4).tolist()


def test_all_streams_but_one_are_a_rounds_own():
    own, base, found = streams(3), streams(0), streams(3, "all but pairs")
    for name in STREAMS:
        expected = base if name == "pairs" else own
        assert found[name].generate_state(4).tolist() == expected[name].generate_state(4).tolist()


def test_the_first_substreams_do_not_depend_on_how_many_there_are():
    stream = streams(2)["pairs"]
    first, second = substreams(stream, 2)
    again = substreams(stream, 5)
    numbers = [generator.integers(2**60, size=3).tolist() for generator in again]
    assert first.integers(2**60, size=3).tolist() == numbers[0]
    assert second.integers(2**60, size=3).tolist() == numbers[1]
    assert len({tuple(row) for row in numbers}) == 5
