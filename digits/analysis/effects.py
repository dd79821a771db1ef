"""Effects of weight sharing and a digit loss in 2x2 designs, and their means over designs."""

import numpy as np
import pandas as pd

from digits.analysis.statistics import (
    DIFFERENCE,
    by_round,
    summarise,
    summarise_differences,
    with_holm,
)
from digits.experiments.experiment import Design

#: The effects of the 2x2 design, as weights of its four cells: plain, +ws, +aux, +ws+aux.
EFFECTS = {
    "weight sharing alone": (-1, 1, 0, 0),
    "digit loss alone": (-1, 0, 1, 0),
    "both": (-1, 0, 0, 1),
    "weight sharing, given the digit loss": (0, 0, -1, 1),
    "digit loss, given weight sharing": (0, -1, 0, 1),
    "interaction": (1, -1, -1, 1),
    "digit loss rather than weight sharing": (0, -1, 1, 0),
}
#: Those that the answer of the study is: against the plain network.
MAIN_EFFECTS = tuple(EFFECTS)[:3]
#: Which of the two options is worth more.
RATHER = tuple(EFFECTS)[-1]


def cells_of(effects: pd.DataFrame, designs: list[Design]) -> set[str]:
    """Return the experiments that `effects`, as `factorial_effects` gives them, rest on."""
    shown = set(effects.design)
    return {cell for design in designs if design.name in shown for cell in design.cells}


def effects_by_round(frame: pd.DataFrame, designs: list[Design]) -> pd.DataFrame:
    """Return every effect of every 2x2 design by round: design, baseline, effect, seed, points.

    frame: tidy rows; only designs of which it has all four networks count, and of those the
    rounds that all four have: they saw the same pairs.
    """
    rows, errors = [], by_round(frame)
    for design in designs:
        if not set(design.cells) <= set(errors.columns):
            continue
        cells = errors[list(design.cells)].dropna()
        for effect, weights in EFFECTS.items():
            points = cells.to_numpy() @ np.array(weights, dtype=float)
            rows += [
                (design.name, design.baseline, effect, seed, difference)
                for seed, difference in zip(cells.index, points, strict=True)
            ]
    return pd.DataFrame(rows, columns=["design", "baseline", "effect", "seed", "points"])


def factorial_effects(frame: pd.DataFrame, designs: list[Design]) -> pd.DataFrame:
    """Estimate what weight sharing and a digit loss do to the error in every 2x2 design.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy rows (see `frames.tidy`).
    designs : list of Design
        Those of which `frame` has all four networks count.

    Returns
    -------
    pandas.DataFrame
        A row per design and effect, in points, over the rounds that all four networks have (see
        `summarise_differences` and `with_holm`); negative: fewer errors.
    """
    names = ["design", "baseline", "effect"]
    rows = [
        dict(zip(names, of, strict=True)) | dict(summarise_differences(rounds.points))
        for of, rounds in effects_by_round(frame, designs).groupby(names, sort=False)
    ]
    return with_holm(pd.DataFrame(rows, columns=[*names, *DIFFERENCE]))


#: A design of fewer rounds does not count in a mean over designs.
LEAST_ROUNDS = 10


def pooled_effects(by_round: pd.DataFrame) -> pd.DataFrame:
    """Return one row per effect: the mean of its means in each design, in percentage points.

    by_round: what `effects_by_round` gives; designs of fewer than `LEAST_ROUNDS` rounds are left
    out. low, high: the 95 % t interval of the mean over n designs, so that it speaks of designs
    like these and not of these alone; NaN for fewer than two. least, most: the mean with one
    design left out. rounds: the fewest and the most of a design. Effects add up as in one design.
    """
    counts = by_round.groupby("design").seed.nunique()
    counts = counts[counts >= LEAST_ROUNDS]
    rows = []
    of_effects = dict(list(by_round.groupby("effect", sort=False)))
    for effect, points in (of_effects or dict.fromkeys(EFFECTS, by_round)).items():
        means = points.groupby("design").points.mean()[counts.index]
        n = len(means)
        row = {"effect": effect, "n": n, "rounds": (counts.min(), counts.max()) if n else (0, 0)}
        found = dict(summarise(means)) if n else dict.fromkeys(("mean", "low", "high"), np.nan)
        others = (means.sum() - means) / (n - 1) if n > 1 else pd.Series([np.nan])
        rows.append(found | row | {"least": others.min(), "most": others.max()})
    return pd.DataFrame(rows)
