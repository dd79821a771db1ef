"""Digits, pairs of them, and named random streams."""

from digits.data.pairs import Pairs, draw_pairs, draw_round
from digits.data.seeds import streams
from digits.data.sources import Digits, Pool, load
