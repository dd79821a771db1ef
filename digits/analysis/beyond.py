"""What the records beyond the reports show: the ablation, heads, learning curves, variance.

All from tidy rows (see `frames.tidy`); `experiments.beyond` defines the experiments.
"""

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis.effects import EFFECTS
from digits.analysis.posteriors import crossed_interval
from digits.analysis.statistics import CONFIDENCE, NOTHING, binomial_sd, spread, summarise
from digits.data.seeds import STREAMS
from digits.experiments.beyond import (
    BASELINE,
    BEST,
    FRESH,
    HEADS,
    LARGER_BUDGET,
    ORACLE,
    SIZES,
    STEPS,
    folds_id_of,
    id_of,
)
from digits.experiments.experiment import CELLS
from digits.study.frames import in_seeds

#: The twin nets of the 2x2 design and the best network, by what a figure calls them.
LEARNING_CURVES = {
    "twin net": "twinnet",
    "+ weight sharing": "twinnet+ws",
    "+ digit loss": "twinnet+aux",
    "+ both": "twinnet+ws+aux",
    "best network": "deepnet",
}
#: What each option does, alone and beside the other.
OPTION_EFFECTS = [effect for effect in EFFECTS if "alone" in effect or "given" in effect]
#: What is no source of randomness in training, but the sampling noise of test pairs.
DRAWN = ("1000 test pairs", "large-sample test")
#: The rounds whose errors were seen while the best networks were chosen, and those in which
#: ensembles were compared. Any other round is fresh: nothing was chosen on it.
CHOSEN_ON, COMPARED_ON = range(10), range(100, 103)
#: The networks of which one source of randomness is varied at a time.
BY_SOURCE = {
    "twin net": "twinnet",
    "twin net, both options": "twinnet+ws+aux",
    "best network": "deepnet",
}


#: What is measured of a step, NaN where it is not there.
MEASURED = (*NOTHING.index, *("change", "change_low", "change_high", "change_n", "fold", "fold_n"))
MEASURED += ("fold_change", "fold_change_low", "fold_change_high")


def steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per step of the ablation, the baseline first, those not kept in their places.

    Columns: step, says, kept, experiment; cross_validated, which a larger budget is not; of the
    large-sample test error n, mean, sd, low, high; change, change_low, change_high: the paired
    difference to the kept step before on the same test pairs, and change_n, in how many rounds;
    fold_n, fold: rounds and mean of the large-sample error on held-out folds, in per cent;
    fold_change and so on: the paired difference of that, over all folds of all rounds (see
    `corrected`); verdict: "gain", "loss" or "undecided", by the interval of the cross-validation
    change, or of the test change for a larger budget; "" without an interval.
    """
    by_id = rows_of_steps(frame).set_index("seed").groupby("experiment", sort=False)
    tests, folds = (dict(list(by_id[name])) for name in ("precise_error", "precise_fold_errors"))
    rows = []
    below = None
    for name, says, kept, validated in [("baseline", "twin net, both options", True, True)] + [
        (step.name, step.says, step.kept, step.fold_rounds > 0) for step in STEPS
    ]:
        row = {"step": name, "says": says, "kept": kept, "cross_validated": validated}
        row |= {"experiment": id_of(name), **dict.fromkeys(MEASURED, np.nan)}
        tested, crossed = tests.get(id_of(name)), folds.get(folds_id_of(name))
        if tested is not None:
            row |= dict(summarise(tested))
        if crossed is not None:
            row |= {"fold_n": len(crossed), "fold": np.mean(np.concatenate(crossed.tolist()))}
        if below is not None:
            row |= _change("change", tested, tests.get(id_of(below)))
            row |= _change("fold_change", crossed, folds.get(folds_id_of(below)))
        rows.append(row | {"verdict": _verdict(row)})
        below = name if kept else below
    return pd.DataFrame(rows)


def _change(name: str, own: pd.Series | None, below: pd.Series | None) -> dict[str, float]:
    """Return the difference of errors, or of the errors of each fold, in the rounds of both."""
    if own is None or below is None:
        return {}
    seeds = own.index.intersection(below.index)
    if seeds.empty:
        return {}
    differences = np.array([np.subtract(own[seed], below[seed]) for seed in seeds])
    found = summarise(differences) if differences.ndim == 1 else corrected(differences)
    limits = {f"{name}_{limit}": found[limit] for limit in ("low", "high")}
    return {name: found["mean"], f"{name}_n": len(seeds)} | limits


def corrected(differences: np.ndarray) -> pd.Series:
    """Return what `summarise` gives of differences (rounds, folds), with a corrected interval.

    The training sets of two folds overlap, so their differences are not independent. After Nadeau
    and Bengio, the variance of the mean of a round is that of a difference times
    1/folds + 1/(folds - 1), the latter the size of a test set as a share of a training set. Rounds
    draw their own pairs and are independent.
    """
    found, (rounds, folds) = summarise(differences.ravel()), differences.shape
    error = found["sd"] * np.sqrt((1 / folds + 1 / (folds - 1)) / rounds)
    if error > 0:
        bounds = stats.t.interval(CONFIDENCE, found["n"] - 1, found["mean"], error)
        found[["low", "high"]] = bounds
    return found


def _verdict(row: dict) -> str:
    change = "fold_change" if row["cross_validated"] else "change"
    low, high = (row[f"{change}_{limit}"] for limit in ("low", "high"))
    if np.isnan(low):
        return ""
    return "gain" if high < 0 else "loss" if low > 0 else "undecided"


def heads(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the heads on the best branch, in the rounds that all have, with `head`."""
    names = {
        id_of(BEST): "sum over the digits, trained by the digit loss",
        id_of("sharper"): "sum over the digits, trained by both losses",
        id_of("undistorted"): "sum, not sharpened, trained by both losses",
    }
    names |= {f"beyond/deepnet@{name}": says for name, (says, *_) in HEADS.items()}
    rows = frame[frame.experiment.isin(names)]
    counts = rows.groupby("seed").experiment.nunique()
    seeds = counts.index[counts == rows.experiment.nunique()]
    return in_seeds(rows, set(seeds).__contains__).assign(head=rows.experiment.map(names))


def learning_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the networks of `LEARNING_CURVES` on every number of pairs, named."""
    names = {}
    for network, model in LEARNING_CURVES.items():
        names[_at_1000(model)] = network
        names |= {f"beyond/{model}@{pairs}-pairs": network for pairs in SIZES}
    rows = frame[frame.experiment.isin(names)]
    rows = rows.assign(network=rows.experiment.map(names))
    # A short profile makes the larger ones alike.
    return rows.drop_duplicates(["network", "train_pairs", "seed"])


def _at_1000(model: str) -> str:
    """Return the id of a network on 1000 pairs, all sources of randomness varied."""
    return id_of(BEST) if model == "deepnet" else f"zadoks/{model}"


def options_by_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what the two options of the twin net do for each number of training pairs.

    One row per number of pairs and effect: train_pairs, effect, and what `summarise` gives of the
    paired differences in points: of weight sharing and of the digit loss, alone and beside the
    other.
    """
    rows = learning_curves(frame)
    rows = rows[rows.network != "best network"]
    found = []
    for pairs, runs in rows.groupby("train_pairs"):
        errors = runs.pivot(index="seed", columns="network", values="precise_error").dropna()
        if errors.shape[1] < len(CELLS):
            continue
        errors = errors[list(LEARNING_CURVES)[:4]]
        for effect in OPTION_EFFECTS:
            points = errors.to_numpy() @ np.array(EFFECTS[effect], dtype=float)
            found.append({"train_pairs": pairs, "effect": effect} | dict(summarise(points)))
    return pd.DataFrame(found, columns=["train_pairs", "effect", *NOTHING.index])


def variance_by_source(frame: pd.DataFrame) -> pd.DataFrame:
    """Return how much the error varies if one source of randomness does, or all of them.

    One row per network and source: network, stream (the source), mean (error in per cent), and what
    `statistics.spread` gives of the large-sample test error. "all streams" is from the network's
    own rounds. Two are no sources but the SD that drawing test pairs alone gives: "1000 test
    pairs", the protocol's, and "large-sample test", as many as that has; the source of the pairs
    draws those as well.
    """
    rows = []
    for network, model in BY_SOURCE.items():
        whole = frame[frame.experiment == _at_1000(model)]
        for stream in ("all streams", *STREAMS):
            only = frame[frame.experiment == f"beyond/{model}@only-{stream}"]
            runs = whole if stream == "all streams" else only
            if len(runs):
                found = {"network": network, "stream": stream, "mean": runs.precise_error.mean()}
                rows.append(found | dict(spread(runs.precise_error)))
        if len(whole):
            mean = whole.precise_error.mean()
            for drawn, pairs in zip(DRAWN, (1000, whole.precise_pairs.iloc[0]), strict=True):
                found = {"network": network, "stream": drawn, "mean": mean, "n": np.nan}
                rows.append(found | {"sd": binomial_sd(mean, pairs), "low": np.nan, "high": np.nan})
    return pd.DataFrame(rows, columns=None if rows else ["network", "stream", "mean"])


def limits_of_ten(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what a table of ten rounds can show of each network of `BY_SOURCE`.

    One row a network: n; sd, the SD of the error on the protocol's 1000 test pairs, over its
    rounds; half, the half width of the 95 % interval of the mean of ten rounds that follows;
    sd_precise and half_precise, the same for the large-sample test error. NaN for one round.
    """
    rows = []
    half = stats.t.ppf((1 + CONFIDENCE) / 2, 9) / np.sqrt(10)
    for network, model in BY_SOURCE.items():
        runs = frame[frame.experiment == _at_1000(model)]
        own, precise = runs.test_error.std(), runs.precise_error.std()
        row = {"network": network, "n": len(runs), "sd": own, "half": half * own}
        rows.append(row | {"sd_precise": precise, "half_precise": half * precise})
    return pd.DataFrame(rows)


def best_networks(
    frame: pd.DataFrame, by_image: dict[str, dict[int, np.ndarray]] | None = None
) -> pd.DataFrame:
    """Return the errors of the best networks: of 25 epochs, and with the larger budget.

    by_image: by step and round, the errors by test image (see `posteriors.Errors`), if known.
    A row a network, and one more for its fresh rounds (see `CHOSEN_ON`), if there are any: fresh,
    whether it is that; experiment, says (which network); what `summarise` gives of the large-sample
    test error; exact, exact_low, exact_high: the error over all pairs of test images with its
    interval over rounds and images together; rounds_low, rounds_high: its interval over rounds
    alone; epochs, seconds (a round, on one core), parameters, precise_pairs, precision.
    """
    rows = []
    for step, says in (BEST, "best network"), (LARGER_BUDGET, "ensemble of two networks"):
        runs = frame[frame.experiment == id_of(step)]
        for fresh, own in runs.groupby(~runs.seed.isin([*CHOSEN_ON, *COMPARED_ON])):
            row = {"experiment": id_of(step), "says": says, "fresh": fresh}
            row |= dict(summarise(own.precise_error)) | {"seconds": own.seconds.mean()}
            row |= own.iloc[0][["epochs", "parameters", "precise_pairs", "precision"]]
            if by_image:
                row |= _exact([by_image[step][seed] for seed in own.seed])
            rows.append(row)
    return pd.DataFrame(rows, columns=None if rows else ["experiment", "says", "fresh"])


def _exact(by_round: list[np.ndarray]) -> dict[str, float]:
    """Return the columns of `best_networks` that errors by test image (N,) of rounds give."""
    both, rounds = crossed_interval(by_round), summarise([own.mean() for own in by_round])
    return {
        "exact": both["mean"],
        **{f"exact_{limit}": both[limit] for limit in ("low", "high")},
        **{f"rounds_{limit}": rounds[limit] for limit in ("low", "high")},
    }


def best(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the best networks: of 25 epochs, and with the larger budget."""
    return frame[frame.experiment.isin([id_of(BEST), id_of(LARGER_BUDGET)])]


def named(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the networks that a reader should compare, with `network`."""
    names = {
        BASELINE: "twin net, both options",
        id_of(BEST): "best network",
        id_of("long"): "best network, trained longer",
        id_of(LARGER_BUDGET): "ensemble of two networks, trained longer",
        ORACLE: "oracle: all digits",
    }
    rows = frame[frame.experiment.isin(names)]
    return rows.assign(network=rows.experiment.map(names))


def reference_baselines(frame: pd.DataFrame, simple: pd.DataFrame) -> pd.DataFrame:
    """Return rows of network and precise_error: from guessing to all digits.

    simple: what `baselines.baseline_errors` gives; those have no large-sample test.
    """
    simple = simple.rename(columns={"baseline": "network", "test_error": "precise_error"})
    return pd.concat([simple, named(frame)], ignore_index=True)


def looked_at(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without the rounds `FRESH`, which confirm the best networks and no more."""
    return in_seeds(frame, lambda seed: seed not in FRESH)


def rows_of_steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that `steps` is made of, without fresh rounds."""
    names = ["baseline", *(step.name for step in STEPS)]
    ids = {of(name) for name in names for of in (id_of, folds_id_of)}
    return looked_at(frame[frame.experiment.isin(ids)])


def rows_by_source(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that `variance_by_source` is made of."""
    ids = {_at_1000(model) for model in BY_SOURCE.values()}
    ids |= {f"beyond/{model}@only-{stream}" for model in BY_SOURCE.values() for stream in STREAMS}
    return frame[frame.experiment.isin(ids)]
