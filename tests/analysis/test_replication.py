"""A replication agrees with the study as often as it should, and not by being short or wide."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from digits.analysis.replication import compare


def rows(**errors):
    """Tidy rows of full length, as far as they are compared."""
    return pd.concat(
        pd.DataFrame({"experiment": name, "test_error": values, "shortened": False})
        for name, values in errors.items()
    )


def test_the_interval_is_that_for_the_mean_of_so_many_more_rounds():
    (row,) = compare(rows(net=[5.0, 6.0]), rows(net=[1.0, 2.0, 3.0])).itertuples()
    # Mean 2, SD 1; t of two degrees of freedom is 4.3027; 1/2 + 1/3.
    half = 4.302653 * np.sqrt(1 / 2 + 1 / 3)
    assert (row.n, row.here, row.study_n, row.study) == (2, 5.5, 3, 2)
    assert (row.low, row.high) == pytest.approx((2 - half, 2 + half), rel=1e-5)
    assert row.agrees == (2 + half >= 5.5)


def test_only_networks_of_full_length_that_both_have_are_compared():
    here = rows(a=[1.0], b=[1.0], c=[1.0], d=[1.0])
    study = rows(a=[1.0, 2.0], b=[1.0], d=[1.0, 2.0])
    here["shortened"] = here.experiment == "d"
    assert compare(here, study).experiment.tolist() == ["a"]
    assert compare(here, study.assign(shortened=True)).empty
    assert list(compare(here, study.assign(shortened=True))) == list(compare(here, study))


def test_a_true_replication_agrees_in_95_of_100_and_another_network_does_not():
    random, agree, other = np.random.default_rng(0), 0, 0
    for _ in range(300):
        study = rows(net=random.normal(10, 1, 8))
        agree += compare(rows(net=random.normal(10, 1, 2)), study).agrees[0]
        other += compare(rows(net=random.normal(15, 1, 2)), study).agrees[0]
    assert stats.binomtest(agree, 300, 0.95).pvalue > 0.01
    assert other < 30
