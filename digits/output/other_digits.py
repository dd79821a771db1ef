"""What the two options change on digits that other people wrote, in sentences."""

import pandas as pd

from digits.analysis import numbers
from digits.analysis.effects import LEAST_ROUNDS, MAIN_EFFECTS
from digits.analysis.findings import handwriting_means
from digits.output.names import plain_name
from digits.output.tables.format import points_of

#: What `handwriting_means` gives: designs and pooled effects by mean.
Means = dict[str, tuple[list[str], pd.DataFrame]]


def changes(frame: pd.DataFrame, brief: bool = False) -> str:
    """Say what the two options change on the digits of each source, in percentage points.

    frame: tidy rows of `handwriting.PATTERNS`. brief: without what the runs that are left out
    would change.
    """
    told = []
    for mean, (_, pooled) in handwriting_means(frame).items():
        name = mean.removeprefix("mean, ")
        n, effects = pooled.n.iloc[0], pooled.set_index("effect")
        if not n:
            told.append(f"{name}: no design has {LEAST_ROUNDS} rounds")
            continue
        each = (f"{effect} {points_of(effects.loc[effect])}" for effect in MAIN_EFFECTS)
        told.append(f"{name} ({n} design{'s' if n > 1 else ''}): {', '.join(each)} points")
    if not told:
        return "No design has all its networks."
    return f"Change of the test error: {'; '.join(told)}. {_left_out(frame, brief)}".strip()


def _left_out(frame: pd.DataFrame, brief: bool) -> str:
    """Say which runs `handwriting_means` leaves out, and what is uncertain with them."""
    failed = frame[numbers.failed(frame)]
    if failed.empty:
        return ""
    without, every = handwriting_means(frame), handwriting_means(frame, failed=True)
    uncertain = {
        effect: [mean for mean in without if _turns_uncertain(without, every, mean, effect)]
        for effect in MAIN_EFFECTS
    }
    if brief:
        then = ""
        for effect, means in uncertain.items():
            where = " and ".join(mean.removeprefix("mean, ") for mean in means)
            where = "both" if len(means) == len(without) == 2 else where
            then += f"; with them, the interval of {effect} includes 0 on {where}" * bool(means)
        return f"(Without {len(failed)} of {len(frame)} runs, which failed to learn{then}.)"
    networks = {plain_name(name).partition(" (")[0] for name in failed.experiment}
    named = " and ".join(f"‘{name}’" for name in sorted(networks))
    told = f"Left out, since they failed to learn: {len(failed)} of {len(frame)} runs ({named})"
    for effect, means in uncertain.items():
        after = [
            f"{points_of(_effect(every, mean, effect))} on {mean.removeprefix('mean, ')}"
            for mean in means
        ]
        told += f"; with them {effect} is {' and '.join(after)}" if after else ""
    return f"{told}."


def _turns_uncertain(without: Means, every: Means, mean: str, effect: str) -> bool:
    """Whether the interval of an effect holds 0 with all runs alone, not without the failed."""
    return _holds_zero(_effect(every, mean, effect)) and not _holds_zero(
        _effect(without, mean, effect)
    )


def _effect(means: Means, mean: str, effect: str) -> pd.Series:
    return means[mean][1].set_index("effect").loc[effect]


def _holds_zero(effect: pd.Series) -> bool:
    return effect.low <= 0 <= effect.high
