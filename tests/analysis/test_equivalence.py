"""Verdicts on published numbers: known answers, false verdicts by simulation, width unrewarded."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from digits.analysis.equivalence import (
    OURS,
    PRINTED,
    Judged,
    also_by_rank,
    of_draw,
    of_mean,
    of_ratios,
    of_run,
    of_sd,
    welch,
)
from digits.analysis.statistics import summarise


def known(n, mean, sd):
    """A summary with these values."""
    return pd.Series({"n": n, "mean": mean, "sd": sd})


def of(values):
    """The summary of values as far as verdicts read it, quickly."""
    return known(len(values), values.mean(), values.std(ddof=1))


def at_most_5_in_100(count, n):
    """Whether a count of n is no surprise if its probability is 5 % at most."""
    return stats.binomtest(count, n, 0.05, alternative="greater").pvalue > 0.001


def share(verdict, found):
    return np.mean([judged.verdict == verdict for judged in found])


def test_welch_and_the_two_one_sided_tests_are_those_of_statsmodels_on_the_data():
    generator = np.random.default_rng(1)
    for shift in np.linspace(-2, 2, 21):
        ours, theirs = generator.normal(5 + shift, 1, 16), generator.normal(5, 1.5, 9)
        printed = theirs.mean(), theirs.std(ddof=1), len(theirs)
        both = CompareMeans(DescrStatsW(ours), DescrStatsW(theirs))
        interval = both.tconfint_diff(0.05, usevar="unequal")
        assert welch(summarise(ours), *printed) == pytest.approx(interval)
        found = of_mean(summarise(ours), *printed, margin=1.0)
        assert (found.low, found.high) == pytest.approx(interval)
        p = both.ttost_ind(-1, 1, usevar="unequal")[0]
        assert (found.verdict == "equivalent") == (p < 0.05)
        if p >= 0.05:
            differs = both.ttest_ind(usevar="unequal")[1] < 0.05
            assert (found.verdict == "different") == differs


@pytest.mark.parametrize(
    ("ours", "printed", "verdict", "why"),
    [
        # 10 and 10 rounds of SD 0.5: standard error 0.224, half of the 90 % interval 0.39.
        (known(10, 10.5, 0.5), (10.0, 0.5, 10), "equivalent", ""),
        (known(10, 10.7, 0.5), (10.0, 0.5, 10), "different", "ours higher"),
        (known(10, 9.0, 0.5), (10.0, 0.5, 10), "different", "ours lower"),
        # Half of the 90 % interval 1.16, of the 95 % one 1.41; theirs alone leave 0.87 < 1.
        (known(10, 10.2, 1.5), (10.0, 1.5, 10), "cannot tell", OURS),
        # Theirs alone: 1.833 * 2 / sqrt(10) = 1.16 > 1.
        (known(1000, 10.2, 0.1), (10.0, 2.0, 10), "cannot tell", PRINTED),
        (known(1, 10.0, np.nan), (10.0, 0.5, 10), "cannot tell", OURS),
        (known(1, 10.0, np.nan), (10.0, 2.0, 10), "cannot tell", PRINTED),
        # Two rounds of ours that are equal by chance know no spread.
        (known(2, 13.0, 0.0), (10.0, 0.5, 10), "cannot tell", OURS),
    ],
)
def test_verdicts_on_means_by_hand(ours, printed, verdict, why):
    found = of_mean(ours, *printed, margin=1.0)
    assert (found.verdict, found.why) == (verdict, why)


@pytest.mark.parametrize("sd", [None, np.nan])
def test_a_printed_mean_without_an_sd_is_too_imprecise_for_a_verdict(sd):
    assert of_mean(known(60, 10.0, 0.5), 10.0, sd, 10, margin=1.0) == Judged("cannot tell", PRINTED)


def studies_of_mean(shift, n, rounds=(8, 10), sds=(1.0, 0.7), margin=1.0):
    generator = np.random.default_rng(2)
    for _ in range(n):
        ours = generator.normal(shift, sds[0], rounds[0])
        theirs = generator.normal(0, sds[1], rounds[1])
        printed = theirs.mean(), theirs.std(ddof=1), len(theirs)
        yield of_mean(of(ours), *printed, margin=margin)


def test_a_true_number_is_called_different_and_one_two_margins_off_equivalent_in_5_of_100():
    n = 600
    assert at_most_5_in_100(round(n * share("different", studies_of_mean(0, n))), n)
    for off in (1.0, -1.0, 2.0):  # at the margin itself, and two margins off
        assert at_most_5_in_100(round(n * share("equivalent", studies_of_mean(off, n))), n)
    # And the test is not blind: enough rounds tell both.
    assert share("equivalent", studies_of_mean(0, 200, (60, 40))) > 0.95
    assert share("different", studies_of_mean(2, 200, (60, 40))) > 0.95


def test_a_least_sd_never_makes_an_interval_narrower():
    generator = np.random.default_rng(8)
    for _ in range(300):
        n, theirs = generator.integers(2, 12, 2)
        ours, sd = known(n, 10.0, generator.exponential(1)), generator.exponential(1)
        low, high = welch(ours, 8.0, sd, theirs)
        wider = welch(ours, 8.0, sd, theirs, least=tuple(generator.exponential(1, 2)))
        assert wider[0] <= low + 1e-9 and high <= wider[1] + 1e-9


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5, 3.0])
def test_no_verdict_on_a_mean_improves_when_rounds_are_left_out(shift):
    generator = np.random.default_rng(3)
    many, few = [], []
    for _ in range(200):
        ours, theirs = generator.normal(shift, 1, 40), generator.normal(0, 0.8, 20)
        printed = theirs.mean(), theirs.std(ddof=1), len(theirs)
        many.append(of_mean(of(ours), *printed, margin=1.0))
        few.append(of_mean(of(ours[:5]), *printed, margin=1.0))
    assert share("equivalent", few) <= share("equivalent", many) + 0.02
    assert share("cannot tell", few) >= share("cannot tell", many)


def test_the_rank_of_a_printed_run_among_ours_of_two_kinds():
    # Damachi's dense net with two losses: some runs learn, some end near chance.
    ours = [15.4, 17.0, 18.2, 20.5, 23.1, 30.0, 44.0, 45.1, 46.0, 47.3]
    found = of_run(ours, 21.6)  # the fifth of eleven
    assert (found.verdict, found.why) == ("cannot tell", f"{OURS}; 4 of our 10 lower")
    twice = [error + shift for error in ours for shift in (0, 0.1)]
    assert of_run(twice, 21.6)[:2] == ("typical", "8 of our 20 lower")
    # Between the two kinds lies no run of ours, and yet the number is no further out than they are.
    assert of_run(twice, 35.0).verdict == "typical"
    # Two of twenty beyond it can be chance where one of forty would be; three cannot.
    assert of_run(twice, 46.5)[:2] == ("cannot tell", f"{OURS}; 18 of our 20 lower")
    assert of_run(twice, 46.05).verdict == "typical"
    many = np.linspace(15, 47, 60)
    assert of_run(many, 50.0)[:2] == ("not typical", "ours lower; 60 of our 60 lower")
    assert of_run(many, 14.0)[:2] == ("not typical", "ours higher; 0 of our 60 lower")


@pytest.mark.parametrize("n", [10, 20, 39, 60])
def test_one_more_run_of_ours_is_called_not_typical_in_5_of_100(n):
    generator, studies = np.random.default_rng(4), 800
    kinds = generator.integers(0, 2, (studies, n + 1)) * 25.0
    runs = kinds + generator.normal(18, 3, (studies, n + 1))
    found = [of_run(row[1:], row[0]) for row in runs]
    assert at_most_5_in_100(round(studies * share("not typical", found)), studies)
    assert share("typical", found) == 0 if n < 20 else share("typical", found) > 0.65


@pytest.mark.parametrize("n", [20, 60])
def test_a_run_among_the_outermost_2_of_100_is_called_typical_in_5_of_100(n):
    rounds, border = np.random.default_rng(4).normal(0, 1, (800, n)), stats.norm.ppf(0.976)
    found = [of_run(row, border) for row in rounds]
    assert at_most_5_in_100(round(800 * share("typical", found)), 800)


@pytest.mark.parametrize("value", [0.0, 1.0, 6.0])
def test_no_verdict_by_rank_improves_when_rounds_are_left_out(value):
    rounds = np.random.default_rng(9).normal(0, 1, (300, 60))
    many, few = ([of_run(row[:n], value) for row in rounds] for n in (60, 25))
    too_few = [of_run(row[:15], value) for row in rounds]
    assert share("typical", few) <= share("typical", many)
    assert share("cannot tell", few) >= share("cannot tell", many)
    assert share("cannot tell", too_few) == 1.0
    if value == 6.0:
        assert share("not typical", many) > 0.99


def test_rounds_without_the_quantity_are_no_ties():
    assert of_run([np.nan] * 25, 5.0)[:2] == ("cannot tell", f"{OURS}; 0 of our 0 lower")
    some = of_run([np.nan] * 22 + [1, 2, 3], 50.0)
    assert some[:2] == ("cannot tell", f"{OURS}; 3 of our 3 lower")


def test_few_rounds_say_nothing_of_a_mean_over_one_draw():
    for n in (1, 2, 19):
        assert of_draw(known(n, 10.0, 1.0), 30.0, 1.0, 20, 20) == Judged("cannot tell", OURS)


def test_ties_with_our_runs_speak_for_a_printed_number():
    assert of_run([0.0] * 25, 0.0).verdict == "typical"
    assert of_run([0.0] * 60, 1.0).verdict == "not typical"


@pytest.mark.parametrize("between", [0.0, 0.5, 1.0, 2.0])
def test_a_mean_over_one_draw_is_called_not_typical_in_5_of_100(between):
    """Ours vary by draw and by training, theirs are twenty trainings on one draw."""
    generator, studies = np.random.default_rng(5), 500
    found = []
    for _ in range(studies):
        ours = generator.normal(0, np.hypot(between, 1), 20)
        theirs = generator.normal(0, between) + generator.normal(0, 1, 20)
        found.append(of_draw(of(ours), theirs.mean(), theirs.std(ddof=1), 20, 20))
    assert at_most_5_in_100(round(studies * share("not typical", found)), studies)


@pytest.mark.parametrize("n", [20, 60])
def test_a_mean_among_the_outermost_draws_is_called_typical_in_5_of_100(n):
    """One draw and training as variable as each other; three SDs of draws off."""
    generator, far = np.random.default_rng(6), 3 * np.sqrt(1 + 1 / 20)
    found = []
    for _ in range(300):
        ours, sd = generator.normal(0, np.sqrt(2), n), generator.normal(0, 1, 20).std(ddof=1)
        found.append(of_draw(of(ours), far, sd, 20, 20))
    assert at_most_5_in_100(round(300 * share("typical", found)), 300)


def test_no_verdict_on_a_draw_improves_when_rounds_are_left_out():
    generator = np.random.default_rng(7)
    for off, right in ((0.0, "typical"), (6.0, "not typical")):
        many, few = [], []
        for _ in range(200):
            ours, theirs = generator.normal(0, np.sqrt(2), 60), generator.normal(off, 1, 20)
            printed = theirs.mean(), theirs.std(ddof=1), 20
            many.append(of_draw(of(ours), *printed, 20))
            few.append(of_draw(of(ours[:8]), *printed, 20))
        assert share(right, few) <= share(right, many) and share(right, many) > 0.9
        assert share("cannot tell", few) >= share("cannot tell", many)


def test_trainings_on_one_draw_are_judged_by_the_variance_of_draws():
    ours = known(20, 10.0, 1.5)
    # 1.05 * 2.25 - 0.95 * 1 = 1.41, of which the root is 1.19, times 2.2 for its freedom.
    assert of_draw(ours, 9.0, 1.0, 20, 20).verdict == "typical"
    assert of_draw(ours, 6.0, 1.0, 20, 20)[:2] == ("not typical", "ours higher")
    # In the interval, but not surely among the central 95 %: the spread may be smaller.
    assert of_draw(ours, 7.9, 1.0, 20, 20)[:2] == ("cannot tell", OURS)
    assert of_draw(known(1, 10.0, np.nan), 10.0, 1.0, 20, 20).verdict == "cannot tell"


def test_a_number_that_is_typical_by_a_spread_of_failures_alone_is_not_called_so():
    generator = np.random.default_rng(8)
    ours = generator.normal(11.7, 1.0, 60)
    failed = np.concatenate([ours[:58], [55.8, 55.2]])
    assert of_draw(of(ours), 18.1, 1.1, 10, 10).verdict == "not typical"
    by_spread = of_draw(of(failed), 18.1, 1.1, 10, 10)
    assert by_spread.verdict == "typical"
    found = also_by_rank(by_spread, failed, 18.1)
    assert (found.verdict, found.low) == ("cannot tell", by_spread.low)
    assert found.why == "by spread typical, by rank not: 58 of our 60 lower"
    # What lies among our rounds stays typical, and no other verdict is touched.
    assert also_by_rank(of_draw(of(ours), 12.0, 1.1, 10, 10), ours, 12.0).verdict == "typical"
    for verdict in ("not typical", "cannot tell"):
        assert also_by_rank(Judged(verdict), failed, 99.0) == Judged(verdict)


def test_the_ratio_of_sds_has_the_f_interval_of_known_data():
    generator = np.random.default_rng(6)
    ours, theirs = generator.normal(0, 2, 30), generator.normal(0, 1, 12)
    found = of_sd(summarise(ours), theirs.std(ddof=1), 12)
    ratio = ours.var(ddof=1) / theirs.var(ddof=1)
    bounds = ratio / stats.f.ppf([0.975, 0.025], 29, 11)
    assert (found.low, found.high) == pytest.approx(np.sqrt(bounds))
    assert (found.verdict, found.why) == ("different", "ours spread higher")
    assert of_sd(known(400, 0, 1.0), 1.05, 400).verdict == "equivalent"
    assert of_sd(known(400, 0, 1.0), 1.05, 5)[:2] == ("cannot tell", PRINTED)
    assert of_sd(known(5, 0, 1.0), 1.05, 400)[:2] == ("cannot tell", OURS)
    assert of_sd(known(10, 0, 0.0), 1.0, 400)[:2] == ("cannot tell", OURS)
    assert of_sd(known(1, 0, np.nan), 1.0, 10)[:2] == ("cannot tell", PRINTED)


def test_equal_sds_are_called_different_in_5_of_100_and_thrice_as_large_ones_never_equivalent():
    generator, studies = np.random.default_rng(7), 600
    sds = generator.normal(0, 1, (studies, 12)).std(axis=1, ddof=1)
    ours = generator.normal(0, 1, (studies, 20)).std(axis=1, ddof=1)
    equal = [of_sd(known(20, 0, own), sd, 12) for own, sd in zip(ours, sds, strict=True)]
    assert at_most_5_in_100(round(studies * share("different", equal)), studies)
    far = [of_sd(known(20, 0, 1.5**2 * own), sd, 12) for own, sd in zip(ours, sds, strict=True)]
    assert at_most_5_in_100(round(studies * share("equivalent", far)), studies)


def test_ratios_of_times_by_their_median():
    ratios = np.exp(np.random.default_rng(8).normal(0, 0.1, 20))
    assert of_ratios(2 * ratios, 2.0).verdict == "equivalent"
    assert of_ratios(3 * ratios, 2.0)[:2] == ("different", "ours higher")
    outliers = np.concatenate([ratios[:17], [100, 100, 100]])
    assert of_ratios(outliers, 1.0).verdict == "equivalent"
    assert of_ratios(ratios[:3], 1.0)[:2] == ("cannot tell", OURS)
