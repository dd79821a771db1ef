"""Sentences about the best networks say what the records say."""

import re

import numpy as np
import pandas as pd
import pytest

from digits.analysis import beyond
from digits.experiments.beyond import BASELINE, BEST, LARGER_BUDGET, ORACLE, STEPS, id_of
from digits.output import best


@pytest.fixture
def runs():
    """Three rounds of the twin net, the best network and the one with a larger budget."""
    errors = {BASELINE: 8.2, id_of(BEST): 0.9, id_of(LARGER_BUDGET): 0.7}
    row = {"train_pairs": 1000, "epochs": 25, "seconds": 40.0, "parameters": 9574}
    row |= {"precision": "bfloat16", "shortened": False, "precise_pairs": 20_000}
    return pd.DataFrame(
        row | {"experiment": name, "seed": seed, "precise_error": error + (seed - 1) / 100}
        for name, error in errors.items()
        for seed in range(3)
    )


def test_the_best_networks_are_told_with_how_they_were_chosen(runs):
    text = best.best_networks(runs)
    assert text.startswith(
        "Trained for 25 epochs, the best network has a test error of **0.90 ± 0.01 %** on 20,000 "
        "pairs (n = 3; 95 % interval 0.88 to 0.92 over rounds alone; computed in bfloat16, 40 "
    )
    assert "the ensemble of two networks has a test error of **0.70 ± 0.01 %**" in text
    assert "over rounds and test images" not in text
    assert "Rounds 0 to 9 were looked at while choosing" in text
    validated = [step for step in STEPS if step.fold_rounds]
    assert f"{len(validated)} variants were cross-validated and 3 larger budgets" in text
    assert "further variants were tried outside the records" in text
    lacking = "A confirmation of the best network and the ensemble of two networks on fresh rounds"
    assert f"{lacking}, on which nothing was chosen, is not run." in text
    assert "from which all steps start, has a test error of 8.20 % on many test pairs" in text
    assert not re.search("target|met|missed|committee|ladder|errs", text)


def test_errors_by_image_give_an_interval_over_rounds_and_test_images(runs):
    random = np.random.default_rng(0)
    by_image = {
        step: {seed: random.permutation(np.repeat([0.0, 50.0], [990, 10])) for seed in range(3)}
        for step in (BEST, LARGER_BUDGET)
    }
    by_image[BEST][1][:100] += 0.1
    text = best.best_networks(runs, by_image)
    row = beyond.best_networks(runs, by_image).iloc[0]
    assert (
        "the best network has a test error of **0.50 %** over all pairs of test images (0.90 % on "
        "20,000" in text
    )
    both = f"{row.exact_low:.2f} to {row.exact_high:.2f} over rounds and test images"
    alone = f"{row.rounds_low:.2f} to {row.rounds_high:.2f} over rounds alone"
    assert f"95 % interval {both}, {alone}; computed in bfloat16" in text
    assert row.exact_high - row.exact_low > 10 * (row.rounds_high - row.rounds_low)


def test_fresh_rounds_confirm_the_best_network_beside_the_others(runs):
    fresh = runs[runs.experiment == id_of(BEST)]
    fresh = fresh.assign(seed=fresh.seed + 10, precise_error=fresh.precise_error + 0.2)
    text = best.best_networks(pd.concat([runs, fresh]))
    assert "On fresh rounds, the best network has a test error of **1.10 ± 0.01 %**" in text
    assert "the best network has a test error of **0.90 ± 0.01 %**" in text
    assert "A confirmation of the ensemble of two networks on fresh rounds" in text
    brief = best.brief(pd.concat([runs, fresh]))
    assert brief.startswith("1.10 % (1.08 to 1.12, n = 3, fresh rounds) in 25 epochs and ")
    assert brief.endswith("n = 3, rounds looked at while choosing it) in 25 epochs")
    both = runs[runs.experiment == id_of(LARGER_BUDGET)]
    text = best.best_networks(pd.concat([runs, fresh, both.assign(seed=both.seed + 10)]))
    assert "is not run" not in text and text.count("On fresh rounds") == 2


def test_one_round_of_the_best_networks_has_no_interval(runs):
    text = best.best_networks(runs[runs.seed == 1])
    assert "**0.90 %** on 20,000 pairs (n = 1; computed in bfloat16" in text and "nan" not in text


def test_the_network_of_all_digits_is_told_where_there_is_one(runs):
    assert "all digits of the training set" not in best.best_networks(runs)
    oracle = runs[runs.seed == 0].iloc[:1].assign(experiment=ORACLE, precise_error=0.3)
    text = best.best_networks(pd.concat([runs, oracle]))
    assert text.endswith("the best network has a test error of 0.30 % on many test pairs (n = 1).")


def test_steps_are_told_by_their_verdict_with_the_change_that_decides():
    found = pd.DataFrame(
        {"says": says, "verdict": verdict, "cross_validated": validated}
        | {"fold_change": -1.0, "fold_change_low": -2.0, "fold_change_high": 0.5}
        | {"change": 0.3, "change_low": 0.1, "change_high": 0.5}
        for says, verdict, validated in [
            ("baseline", "", True),
            ("a", "gain", True),
            ("b, c", "gain", True),
            ("long", "loss", False),
            ("d", "undecided", True),
        ]
    )
    assert best.measured_steps(found) == (
        "Measurable gains by cross-validation: a, −1.0 (−2.0 to +0.5); b, c, −1.0 (−2.0 to "
        "+0.5). Measurable losses of a larger budget, against the best network of 25 epochs, by "
        "the test error of the rounds looked at: "
        "long, +0.30 (+0.10 to "
        "+0.50). Undecided by cross-validation: d, −1.0 (−2.0 to +0.5)."
    )
    assert best.measured_steps(found[found.verdict == ""]) == ""
