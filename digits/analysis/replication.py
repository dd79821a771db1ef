"""A replication beside the study: whether rounds trained here lie where they should."""

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis.statistics import CONFIDENCE, summarise


def compare(here: pd.DataFrame, study: pd.DataFrame, value: str = "test_error") -> pd.DataFrame:
    """Compare rounds of a replication with the study, one row per network that both have.

    Parameters
    ----------
    here, study : pandas.DataFrame
        Tidy rows (see `frames.tidy`). Shortened runs of either are left out.
    value : str
        The column that is compared, in per cent.

    Returns
    -------
    pandas.DataFrame
        experiment; n and here, the number of rounds here and their mean; study_n, study, low and
        high: the study's rounds, their mean, and the 95 % prediction interval for the mean of n
        more rounds; agrees: whether `here` lies in it. Networks of which the study has fewer than
        two rounds are left out.
    """
    rows = []
    of_study = dict(list(study[~study.shortened].groupby("experiment")[value]))
    for name, values in here[~here.shortened].groupby("experiment", sort=False)[value]:
        if len(of_study.get(name, ())) < 2:
            continue
        known, n = summarise(of_study[name]), len(values)
        half = stats.t.ppf((1 + CONFIDENCE) / 2, known["n"] - 1) * known["sd"]
        half *= np.sqrt(1 / n + 1 / known["n"])
        low, high = known["mean"] - half, known["mean"] + half
        rows.append(
            {
                "experiment": name,
                "n": n,
                "here": values.mean(),
                "study_n": int(known["n"]),
                "study": known["mean"],
                "low": low,
                "high": high,
                "agrees": bool(low <= values.mean() <= high),
            }
        )
    columns = ["experiment", "n", "here", "study_n", "study", "low", "high", "agrees"]
    return pd.DataFrame(rows, columns=columns)
