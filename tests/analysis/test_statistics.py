"""Statistics against known answers, computed by hand or by another route."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from digits.analysis.effects import (
    EFFECTS,
    cells_of,
    effects_by_round,
    factorial_effects,
    pooled_effects,
)
from digits.analysis.statistics import (
    binomial_sd,
    mean_over_networks,
    median_of,
    paired_differences,
    ranking,
    spread,
    summarise,
    summarise_differences,
    with_holm,
)
from digits.core import InputError
from digits.experiments.experiment import Design


def test_summary_of_a_case_by_hand():
    # 1, 2, 3: SD 1, half-width 4.302653 / sqrt(3)
    summary = summarise([1.0, 2.0, 3.0])
    assert summary[["n", "mean", "sd"]].tolist() == [3, 2, 1]
    assert summary["high"] - 2 == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)
    assert 2 - summary["low"] == pytest.approx(4.302653 / np.sqrt(3), rel=1e-6)


def test_one_round_has_no_spread_and_no_interval():
    summary = summarise([4.0])
    assert summary["mean"] == 4
    assert summary[["sd", "low", "high"]].isna().all()


def test_equal_rounds_have_no_interval_rather_than_one_of_no_width():
    summary = summarise([4.0, 4.0, 4.0])
    assert summary[["mean", "sd"]].tolist() == [4, 0]
    assert summary[["low", "high"]].isna().all()


def test_no_values_are_refused():
    with pytest.raises(InputError, match="no values"):
        summarise([])


def studies(few, many):
    """Run a test on a few simulated studies; once a week on many."""
    return pytest.mark.parametrize("n", [few, pytest.param(many, marks=pytest.mark.weekly)])


def is_95_in_100(covered, n):
    """Say whether intervals that cover the truth so often can have a coverage of 95 %."""
    if n < 300:
        return stats.binomtest(covered, n, 0.95).pvalue > 0.01
    return 0.93 < covered / n < 0.97


@studies(300, 2000)
def test_the_interval_covers_the_mean_in_95_of_100_samples(n):
    samples = np.random.default_rng(0).normal(10, 2, (n, 5))
    summaries = [summarise(sample) for sample in samples]
    assert is_95_in_100(sum(s["low"] <= 10 <= s["high"] for s in summaries), n)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30), st.floats(-50, 50))
@settings(max_examples=60, deadline=None)
def test_the_interval_holds_the_mean_and_moves_with_the_data(values, shift):
    summary, moved = summarise(values), summarise(np.array(values) + shift)
    if summary["sd"] > 0:
        assert summary["low"] < summary["mean"] < summary["high"]
    assert moved["mean"] == pytest.approx(summary["mean"] + shift, abs=1e-6)
    assert moved["sd"] == pytest.approx(summary["sd"], abs=1e-6)


DESIGN = Design(
    report="a",
    model="net",
    cells=("a/net", "a/net+ws", "a/net+aux", "a/net+ws+aux"),
    baseline="two branches",
)


def four_cells(seeds=(0, 1, 2)):
    """Runs of a 2x2 design: ws changes the error by -2, aux by -5, both by -6; seeds shift all."""
    cells = {(False, False): 20, (True, False): 18, (False, True): 15, (True, True): 14}
    return pd.DataFrame(
        [
            {
                "experiment": f"a/net{'+ws' * ws}{'+aux' * aux}",
                "seed": seed,
                "shortened": False,
                "precise_error": error + 3.0 * seed,
            }
            for (ws, aux), error in cells.items()
            for seed in seeds
        ]
    )


def test_effects_of_a_design_by_hand():
    effects = factorial_effects(four_cells(), [DESIGN]).set_index("effect")
    assert effects["mean"].to_dict() == {
        "weight sharing alone": -2,
        "digit loss alone": -5,
        "both": -6,
        "weight sharing, given the digit loss": -1,
        "digit loss, given weight sharing": -4,
        "interaction": 1,
        "digit loss rather than weight sharing": -3,
    }
    # All differences are the same in every round: pairing removes the shift between rounds.
    assert (effects["sd"] == 0).all()
    assert (effects["n"] == 3).all()


def test_effects_add_up_and_interaction_sums_to_zero_weight():
    for weights in EFFECTS.values():
        assert sum(weights) == 0
    effects = factorial_effects(four_cells(), [DESIGN]).set_index("effect")["mean"]
    alone = effects["weight sharing alone"] + effects["digit loss alone"]
    assert effects["both"] == alone + effects["interaction"]


def test_only_rounds_that_all_four_networks_have_count():
    frame = four_cells(seeds=(0, 1, 2, 3))
    frame = frame[~((frame.experiment == "a/net+ws") & (frame.seed == 3))]
    assert (factorial_effects(frame, [DESIGN])["n"] == 3).all()


def test_a_design_of_which_a_network_or_every_common_round_is_missing_has_no_effects():
    frame = four_cells()
    both = frame.experiment == "a/net+ws+aux"
    assert factorial_effects(frame[~both], [DESIGN]).empty
    elsewhere = frame.assign(seed=frame.seed.where(~both, frame.seed + 10))
    assert factorial_effects(elsewhere, [DESIGN]).empty


def test_the_cells_of_a_design_are_taken_by_name():
    renamed = DESIGN.model_copy(
        update={"cells": ("a/net+ws", "a/net", "a/net+aux", "a/net+ws+aux")}
    )
    effects = factorial_effects(four_cells(), [renamed]).set_index("effect")["mean"]
    assert effects["weight sharing alone"] == 2
    assert cells_of(effects.reset_index().assign(design="a/net"), [DESIGN]) == set(DESIGN.cells)


def test_paired_differences_by_hand():
    frame = four_cells()
    frame.loc[(frame.experiment == "a/net+ws") & (frame.seed == 2), "precise_error"] += 3
    pairs = {"ws": ("a/net", "a/net+ws"), "not there": ("a/net", "a/other")}
    (row,) = paired_differences(frame, pairs).itertuples()
    # -2, -2, 1: mean -1, SD sqrt(3), t interval -1 +- 4.3027 * sqrt(3) / sqrt(3)
    assert (row.difference, row.n, row.mean) == ("ws", 3, -1)
    assert (row.low, row.high) == pytest.approx((-5.3027, 3.3027), abs=1e-3)


def test_networks_of_a_round_are_averaged_before_rounds_are_counted():
    frame = pd.DataFrame(
        {"seed": [0, 0, 1, 1], "a": [1.0, 2.0, 3.0, 4.0], "b": [2.0, 5.0, 4.0, 9.0]}
    )
    summary = mean_over_networks(frame, "a", "b")
    assert (summary["n"], summary["mean"]) == (2, 2.5)  # of 2 and 3, not of four numbers
    assert summary["sd"] == pytest.approx(np.sqrt(0.5))


def test_wilcoxon_against_scipys_own_example_and_the_smallest_p_of_five_rounds():
    # The example of scipy.stats.wilcoxon: Darwin's heights of fifteen pairs of plants, in
    # eighths of an inch; its p is 0.04126.
    heights = [6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75]
    summary = summarise_differences(heights)
    assert summary["p"] == pytest.approx(0.041259765625)
    assert summary["below"] == pytest.approx(2 / 15)
    assert summarise_differences([-1.0, -2.0, -3.0, -4.0, -5.0])["p"] == 0.0625


def test_ties_count_half_and_no_difference_at_all_has_no_p():
    assert summarise_differences([0.0, -1.0, 1.0, 2.0])["below"] == 0.375
    nothing = summarise_differences([0.0, 0.0])
    assert nothing["below"] == 0.5 and np.isnan(nothing["p"])


def test_holm_by_hand():
    table = with_holm(pd.DataFrame({"p": [0.01, np.nan, 0.04, 0.03], "n": 6}))
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1, and never falling: 0.03, 0.06, 0.06.
    assert table.p_holm.to_numpy() == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)
    assert with_holm(pd.DataFrame(columns=["p", "n"])).empty
    assert with_holm(pd.DataFrame({"p": [np.nan], "n": 6})).p_holm.isna().all()
    few = with_holm(pd.DataFrame({"p": [0.01, 0.0625, 0.04, 0.03], "n": [6, 5, 6, 6]}))
    assert few.p_holm.to_numpy() == pytest.approx([0.03, np.nan, 0.06, 0.06], nan_ok=True)


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=12))
@settings(max_examples=20, deadline=None)
def test_holm_is_that_of_statsmodels_and_never_lowers_a_p_and_keeps_the_order(ps):
    corrected = with_holm(pd.DataFrame({"p": ps, "n": 10})).p_holm.to_numpy()
    assert corrected == pytest.approx(multipletests(ps, method="holm")[1])
    assert (corrected >= np.array(ps) - 1e-12).all() and (corrected <= 1).all()
    order = np.argsort(ps, kind="stable")
    assert (np.diff(corrected[order]) >= -1e-12).all()


def crossed(designs, rounds, seed, *, mean=-3.0, of_design=2.0, of_round=0.5, rest=1.0):
    """Effects of designs and rounds that both vary at random, and the table as an array."""
    generator = np.random.default_rng(seed)
    points = mean + generator.normal(0, of_design, designs)[:, None]
    points = points + generator.normal(0, of_round, rounds)
    points += generator.normal(0, rest, (designs, rounds))
    rows = [
        (f"d{i}", "two branches", "both", j, points[i, j])
        for i in range(designs)
        for j in range(rounds)
    ]
    columns = ["design", "baseline", "effect", "seed", "points"]
    return pd.DataFrame(rows, columns=columns), points


def test_the_pooled_effect_is_the_mean_of_design_means_with_a_t_interval_over_designs():
    table, points = crossed(4, 10, seed=0)
    more = table[table.design == "d0"].assign(seed=lambda t: t.seed + 10, points=100.0)
    table = pd.concat([table, more])  # a design with more rounds weighs no more for it
    means = [*points.mean(1)]
    means[0] = (points[0].sum() + 10 * 100.0) / 20
    (found,) = pooled_effects(table).itertuples()
    interval = stats.ttest_1samp(means, 0).confidence_interval(0.95)
    assert found.mean == pytest.approx(np.mean(means))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.n, found.rounds) == (4, (10, 20))
    assert found.least == pytest.approx(np.mean(means[1:]))  # without the one that is far above
    assert found.most == pytest.approx(np.mean(means[:1] + sorted(means[1:])[1:]))


def test_pooled_effects_add_up():
    designs = [DESIGN.model_copy(update={"model": f"net{i}"}) for i in range(3)]
    frames = []
    for i, design in enumerate(designs):
        cells = tuple(cell.replace("net", f"net{i}") for cell in design.cells)
        designs[i] = design.model_copy(update={"cells": cells})
        frame = four_cells(range(10))
        frame["experiment"] = frame.experiment.str.replace("net", f"net{i}")
        frame["precise_error"] += np.random.default_rng(i).normal(0, 1, len(frame))
        frames.append(frame)
    by_round = effects_by_round(pd.concat(frames), designs)
    mean = pooled_effects(by_round).set_index("effect")["mean"]
    alone = mean["weight sharing alone"] + mean["digit loss alone"]
    assert mean["both"] == pytest.approx(alone + mean["interaction"])


@studies(200, 2000)
def test_the_pooled_interval_covers_the_mean_in_95_of_100_studies(n):
    found = [pooled_effects(crossed(5, 10, seed)[0]).iloc[0] for seed in range(n)]
    assert is_95_in_100(sum(row.low <= -3 <= row.high for row in found), n)


def test_one_design_cannot_be_pooled_and_nine_rounds_do_not_count():
    (one,) = pooled_effects(crossed(1, 10, seed=0)[0]).itertuples()
    assert one.n == 1 and np.isnan([one.low, one.high, one.least]).all()
    (few,) = pooled_effects(crossed(5, 9, seed=0)[0]).itertuples()
    assert few.n == 0 and np.isnan([few.mean, few.low, few.high]).all()
    table, points = crossed(4, 10, seed=1)
    (found,) = pooled_effects(table[(table.design != "d3") | (table.seed < 9)]).itertuples()
    assert (found.n, found.rounds) == (3, (10, 10))
    assert found.mean == pytest.approx(points[:3].mean())


def test_the_ranking_by_hand_puts_the_lowest_first_and_pairs_its_rounds():
    frame = four_cells().assign(parameters=7, training_gflop=2.0, shared=True, auxiliary=False)
    frame = frame.assign(report="a", network=frame.experiment)
    found = ranking(frame)
    assert found.experiment.tolist() == ["a/net+ws+aux", "a/net+aux", "a/net+ws", "a/net"]
    assert found["mean"].tolist() == [17, 18, 21, 23]
    assert found.above.tolist() == [0, 1, 4, 6]
    short = frame[(frame.experiment != "a/net+aux") | (frame.seed < 2)]
    assert ranking(short).set_index("experiment").n["a/net+aux"] == 2
    assert ranking(frame[:0]).empty and "above_low" in ranking(frame[:0])


def test_a_network_of_few_rounds_is_ranked_in_those_alone():
    frame = four_cells().assign(parameters=7, training_gflop=2.0, shared=True, auxiliary=False)
    frame = frame.assign(report="a", network=frame.experiment)
    by_round = dict(list(frame.groupby("seed")))
    easy = by_round[0].assign(precise_error=lambda rows: rows.precise_error - 15)
    frame = pd.concat([easy, by_round[1], by_round[2]])
    few = frame[(frame.experiment != "a/net+ws") | (frame.seed == 0)]  # the easy round alone
    found = ranking(few)
    assert found["mean"].idxmin() == 2 and found.n.tolist() == [3, 3, 1, 3]
    assert found.experiment.tolist() == ["a/net+ws+aux", "a/net+aux", "a/net+ws", "a/net"]
    apart = few[(few.experiment != "a/net") | (few.seed > 2)]
    apart = pd.concat([apart, by_round[1][:1].assign(experiment="a/net", seed=9)])
    last = ranking(apart).iloc[-1]
    assert last.experiment == "a/net" and np.isnan([last.above, last.above_low]).all()


def test_effects_by_round_are_those_that_are_summarised():
    by_round = effects_by_round(four_cells(), [DESIGN])
    assert len(by_round) == 3 * len(EFFECTS)
    assert by_round[by_round.effect == "both"].points.tolist() == [-6, -6, -6]


@studies(300, 2000)
def test_the_interval_of_a_spread_holds_it_in_95_of_100_samples(n):
    random = np.random.default_rng(0)
    found = [spread(random.normal(0, 3, size=8)) for _ in range(n)]
    assert is_95_in_100(sum(row["low"] <= 3 <= row["high"] for row in found), n)
    assert np.isnan(spread([1.0])["sd"])
    assert spread([1.0, 1.0])["sd"] == 0 and np.isnan(spread([1.0, 1.0])["low"])


def test_the_spread_of_an_error_on_drawn_pairs_is_that_of_drawing_them():
    wrong = np.random.default_rng(0).binomial(1000, 0.07, size=4000) / 10
    assert binomial_sd(7.0, 1000) == pytest.approx(wrong.std(), rel=0.04)


def test_a_median_has_the_interval_of_its_ranks_and_none_of_few_values():
    times = [*range(1, 20), 1000.0]  # what else the machine did in one round changes nothing
    found = median_of(times)
    assert (found["mean"], found["n"]) == (10.5, 20) and np.isnan(found["sd"])
    # By the binomial distribution, 15 of 20 or more below it have a probability of 2.1 %.
    assert (found["low"], found["high"]) == (6, 15)
    few = median_of([1.0, 2.0, 3.0])
    assert few["mean"] == 2 and np.isnan([few["low"], few["high"]]).all()
