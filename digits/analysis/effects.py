"""Effects of weight sharing and an auxiliary loss in 2x2 designs, and their means over designs."""

import contextlib
import warnings

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis.statistics import CONFIDENCE, summarise_differences, with_holm
from digits.experiments.experiment import Design

#: The effects of the 2x2 design, as weights of its four cells: plain, +ws, +aux, +ws+aux.
EFFECTS = {
    "weight sharing alone": (-1, 1, 0, 0),
    "auxiliary loss alone": (-1, 0, 1, 0),
    "both": (-1, 0, 0, 1),
    "weight sharing, given the auxiliary loss": (0, 0, -1, 1),
    "auxiliary loss, given weight sharing": (0, -1, 0, 1),
    "interaction": (1, -1, -1, 1),
}


def cells_of(effects: pd.DataFrame, designs: list[Design]) -> set[str]:
    """Return the experiments that `effects`, as `factorial_effects` gives them, rest on."""
    shown = set(effects.design)
    return {cell for design in designs if design.name in shown for cell in design.cells}


def effects_by_round(
    frame: pd.DataFrame, designs: list[Design], value: str = "precise_error"
) -> pd.DataFrame:
    """Return every effect of every 2x2 design by round: design, baseline, effect, seed, points.

    frame: tidy rows; only designs of which it has all four networks count, and of those the
    rounds that all four have: they saw the same pairs.
    """
    rows = []
    errors = frame.pivot(index="seed", columns="experiment", values=value)
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


def factorial_effects(
    frame: pd.DataFrame, designs: list[Design], value: str = "precise_error"
) -> pd.DataFrame:
    """Estimate the effects of weight sharing and auxiliary loss in every 2x2 design.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy rows (see `frames.tidy`).
    designs : list of Design
        Those of which `frame` has all four networks count.
    value : str
        The column that is compared, in per cent.

    Returns
    -------
    pandas.DataFrame
        A row per design and effect, in points, over the rounds that all four networks have (see
        `summarise_differences` and `with_holm`); negative: fewer errors.
    """
    by_round = effects_by_round(frame, designs, value)
    rows = [
        {"design": design, "baseline": baseline, "effect": effect}
        | dict(summarise_differences(rounds.points))
        for (design, baseline, effect), rounds in by_round.groupby(
            ["design", "baseline", "effect"], sort=False
        )
    ]
    return with_holm(pd.DataFrame(rows))


def pooled_effects(by_round: pd.DataFrame) -> pd.DataFrame:
    """Return one row per effect: its mean over designs and rounds, by a mixed model.

    by_round: what `effects_by_round` gives. A point is the mean, plus what its design has of its
    own, plus what its round has, plus the rest, the last three random. low, high: the t interval
    of the mean with one degree of freedom fewer than designs, so that it speaks of designs like
    these and not of these alone; NaN for fewer than two designs. n: designs, those of one round
    left out; rounds: the fewest and the most of a design.
    """
    rows = []
    for effect, points in by_round.groupby("effect", sort=False):
        counts = points.groupby("design").size()
        counts = counts[counts > 1]
        n = len(counts)
        mean = error = np.nan
        if n > 1:
            mean, error = _mean_of_crossed(points[points.design.isin(counts.index)])
        half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * error
        rows.append(
            {
                "effect": effect,
                "n": n,
                "rounds": (counts.min(), counts.max()) if n else (0, 0),
                "mean": mean,
                "low": mean - half,
                "high": mean + half,
            }
        )
    return pd.DataFrame(rows)


#: The likelihood is flat where a variance is nearly 0; the best of several fits is taken.
OPTIMISERS = ("powell", "lbfgs", "bfgs")


def _mean_of_crossed(points: pd.DataFrame) -> tuple[float, float]:
    """Return the mean of `points` and its standard error, with random designs and rounds."""
    import statsmodels.formula.api as smf  # slow to import, like all of statsmodels
    from statsmodels.tools.sm_exceptions import ConvergenceWarning

    model = smf.mixedlm(
        "points ~ 1",
        points,
        groups=np.ones(len(points)),
        vc_formula={"design": "0 + C(design)", "round": "0 + C(seed)"},
    )
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a worse fit loses below
        warnings.simplefilter("ignore", RuntimeWarning)  # of steps that are not taken
        warnings.simplefilter("ignore", UserWarning)  # a variance of 0 is an answer here
        for method in OPTIMISERS:
            with contextlib.suppress(np.linalg.LinAlgError):
                fits.append(model.fit(reml=True, method=method))
    found = [fit for fit in fits if np.isfinite(fit.bse_fe["Intercept"])]
    if not found:
        return np.nan, np.nan
    best = max(found, key=lambda fit: fit.llf)
    return float(best.fe_params["Intercept"]), float(best.bse_fe["Intercept"])
