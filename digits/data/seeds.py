"""Named random streams: what makes two runs of the same round comparable.

Round `k` of every experiment spawns the same streams from the same seed, so the networks that
are compared see the same pairs in the same order: differences between them are paired. Each
source of randomness has its own stream, so one can be varied while the others stand still.
"""

import numpy as np
import torch

from digits.core import InputError

#: Order matters: a stream's numbers follow from its position. New streams go to the end.
STREAMS = ("pairs", "init", "order", "augment", "dropout")


def streams(seed: int, varies: str = "all") -> dict[str, np.random.SeedSequence]:
    """Return the independent random streams of a round, by their names in `STREAMS`.

    Parameters
    ----------
    seed : int
        The round, 0 or more.
    varies : str
        The one stream that is this round's own, the others being those of round 0; or "all", or
        "all but pairs".

    Returns
    -------
    dict of str to numpy.random.SeedSequence
        What generators are made of (see `torch_generator`).

    Raises
    ------
    InputError
        If the seed is not a whole number of 0 or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed {seed!r} is not a whole number of 0 or more (below 2**63).")
    own = dict(zip(STREAMS, np.random.SeedSequence(seed).spawn(len(STREAMS)), strict=True))
    if varies == "all":
        return own
    first = streams(0)
    if varies == "all but pairs":
        return own | {"pairs": first["pairs"]}
    return first | {varies: own[varies]}


def substreams(stream: np.random.SeedSequence, n: int) -> list[np.random.Generator]:
    """Return `n` independent generators of `stream`, the same ones in every call.

    The first of them do not depend on `n`. (`SeedSequence.spawn` would count its calls.)
    """
    return [np.random.default_rng(child(stream, index)) for index in range(n)]


def child(stream: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """Return the stream number `index` below `stream`, the same one in every call."""
    return np.random.SeedSequence(stream.entropy, spawn_key=(*stream.spawn_key, index))


def torch_seed(stream: np.random.SeedSequence) -> int:
    """Return the 64-bit seed that stands for `stream`; a CPU generator takes its low 32 bits."""
    return int(stream.generate_state(1, np.uint64)[0])


def torch_generator(stream: np.random.SeedSequence) -> torch.Generator:
    """Return a CPU generator that starts at `stream`."""
    return torch.Generator().manual_seed(torch_seed(stream))
