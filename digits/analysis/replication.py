"""A replication beside the study: whether rounds trained here lie where they should."""

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis.statistics import CONFIDENCE, summarise


def compare(here: pd.DataFrame, study: pd.DataFrame) -> pd.DataFrame:
    """Compare test errors of a replication with the study's, a row per network that both have.

    here, study: tidy rows (see `frames.tidy`). Shortened runs are left out, and networks of which
    the study has fewer than two rounds.
    Columns: experiment; n and here, the number of rounds here and their mean; study_n, study, low
    and high: the study's rounds, their mean, and the 95 % prediction interval for the mean of n
    more rounds; agrees: whether `here` lies in it. Its attrs["here"]: the rounds of full length
    in `here`, of any network.
    """
    rows, here = [], here[~here.shortened]
    of_study = dict(list(study[~study.shortened].groupby("experiment").test_error))
    for name, values in here.groupby("experiment", sort=False).test_error:
        if len(of_study.get(name, ())) < 2:
            continue
        known, n = summarise(of_study[name]), len(values)
        half = stats.t.ppf((1 + CONFIDENCE) / 2, known["n"] - 1) * known["sd"]
        half *= np.sqrt(1 / n + 1 / known["n"])
        low, high = known["mean"] - half, known["mean"] + half
        agrees = bool(low <= values.mean() <= high)
        rows.append((name, n, values.mean(), int(known["n"]), known["mean"], low, high, agrees))
    columns = ["experiment", "n", "here", "study_n", "study", "low", "high", "agrees"]
    table = pd.DataFrame(rows, columns=columns)
    table.attrs["here"] = len(here)
    return table
