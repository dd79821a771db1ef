"""The tidy table has a row a run, and what it makes of a record is right by hand."""

import numpy as np
import pytest

from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of
from digits.study import frames
from digits.study.frames import curves, folds, stages, tidy
from digits.study.study import Study
from digits.training.record import Curves


@pytest.fixture(scope="module")
def of_smoke(smoke_results):
    """Return a function from patterns to the smoke records."""

    def records(*patterns):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DIGITS_RESULTS", str(smoke_results))
            return Study(profile="smoke").records(*patterns)

    return records


def with_curves(record, **points):
    """Return the record with other curves; those not named are all 0."""
    n = len(next(iter(points.values())))
    named = {name: (0.0,) * n for name, field in Curves.model_fields.items() if field.is_required()}
    recipe = record.recipe.model_copy(update={"epochs": n * record.recipe.curve_step})
    return record.model_copy(update={"curves": Curves(**named | points), "recipe": recipe})


def test_a_row_says_which_run_it_is_and_what_it_measured(of_smoke):
    records = of_smoke("zadoks/twinnet+ws+aux", "common/zadoks/twinnet", "search/jaubert/*")
    frame = tidy(records)
    assert len(frame) == len(records)
    for record, row in zip(records, frame.itertuples(), strict=True):
        assert (row.experiment, row.seed, row.source) == (record.experiment, record.seed, "sample")
        assert row.test_error == record.test_error and row.seconds == record.seconds
        assert row.gap == record.test_error - record.train_error
        assert row.learning_rate == record.recipe.learning_rate
    row = frame[frame.experiment == "zadoks/twinnet+ws+aux"].iloc[0]
    assert (row.report, row.network, row.variant) == ("zadoks", "zadoks/twinnet+ws+aux", "")
    assert (row.protocol, row.setting) == ("own", "")
    assert row.digit_error == 100 - records[0].test_digit_accuracy
    assert (row.shared, row.auxiliary, row.shortened) == (True, True, True)
    common = frame[frame.protocol == "common"].iloc[0]
    assert (common.network, common.shared, common.auxiliary) == ("zadoks/twinnet", False, False)
    assert np.isnan(common.digit_error)
    searched = frame[frame.setting == "adam-0.001-16"].iloc[0]
    assert searched.network == "jaubert/model_1+ws+aux" and searched.learning_rate == 0.001


def test_rows_are_in_the_order_of_the_records(of_smoke):
    records = of_smoke("zadoks/twinnet")
    assert tidy(records).seed.tolist() == [0, 1]
    assert tidy(records[::-1]).seed.tolist() == [1, 0]


def test_a_chain_counts_the_mean_of_its_trainings(of_smoke):
    (chain,) = of_smoke("kqiku/fcc@published")
    row = tidy([chain]).iloc[0]
    assert row.test_error == sum(chain.after_each_training("test_error")) / 2
    assert row.train_error == sum(chain.after_each_training("train_error")) / 2
    assert len(curves([chain])) == 4
    assert stages([chain]).training.tolist() == [1, 2]
    assert stages([chain]).test_error.iloc[-1] == chain.test_error


def test_curves_have_a_row_a_point_with_its_epoch(of_smoke):
    record = of_smoke("zadoks/twinnet")[1]
    table = curves([record])
    assert (table.experiment == "zadoks/twinnet").all() and (table.seed == 1).all()
    assert table.epoch.tolist() == [1, 2]
    assert table.test_error.tolist() == list(record.curves.test_error)
    assert "validation_loss" not in table
    sparse = record.model_copy(update={"recipe": record.recipe.but(epochs=50, curve_step=25)})
    assert curves([sparse]).epoch.tolist() == [25, 50]


def test_the_errors_of_folds_are_summed_up_and_listed(of_smoke):
    record = of_smoke("damachi/cnn")[0].model_copy(
        update={
            "fold_errors": (1.0, 2.0, 6.0, 3.0, 3.0),
            "fold_errors_training_mode": (2.0, 2.0, 2.0, 2.0, 7.0),
        }
    )
    row = tidy([record]).iloc[0]
    assert (row.fold_error, row.fold_median) == (3.0, 3.0)
    assert row.fold_sd == pytest.approx(np.sqrt(14 / 5))  # of the population
    assert (row.fold_error_training_mode, row.fold_median_training_mode) == (3.0, 2.0)
    table = folds([record])
    assert table.fold.tolist() == [1, 2, 3, 4, 5]
    assert table.fold_error.tolist() == list(record.fold_errors)
    assert table.fold_error_training_mode.tolist() == list(record.fold_errors_training_mode)
    plain = of_smoke("zadoks/twinnet")[0]
    assert tidy([plain])[["fold_error", "fold_median", "fold_sd"]].isna().all(axis=None)


def test_the_course_of_a_run_by_hand(of_smoke):
    record = with_curves(
        of_smoke("zadoks/twinnet")[0],
        test_error=(39.0, 22.6, 22.5, 20.5, 23.5),
        validation_loss=(1.0, 0.5, 0.6, 0.4, 0.7),
        validation_error=(0.0,) * 5,
    )
    row = tidy([record]).iloc[0]
    assert row.epochs_to_half == 3  # half of 45 %, and not below it at the end
    assert row.epochs_to_own_half == 2  # half-way from 45 % to 23.5 %, the last fifth
    assert row.fluctuation == pytest.approx((2 + 3) / 2)  # from the third point on
    assert row.loss_fluctuation == pytest.approx((0.2 + 0.3) / 2 / ((0.6 + 0.4 + 0.7) / 3))
    without = tidy([with_curves(record, test_error=(9.0,))]).iloc[0]
    assert without.epochs_to_half == 1
    assert np.isnan(without.fluctuation) and np.isnan(without.loss_fluctuation)
    sparse = with_curves(record, test_error=(50.0, 40.0, 30.0))
    step = {"recipe": sparse.recipe.but(epochs=15, curve_step=5)}
    assert tidy([sparse.model_copy(update=step)]).epochs_to_half.item() == 20  # one step more


def test_a_smooth_descent_of_the_validation_loss_is_no_fluctuation(of_smoke):
    """Of 25 epochs: a steady fall changes the loss by a few per cent, jumps change it by more."""
    record, epochs = of_smoke("zadoks/twinnet")[0], np.arange(1, 26)
    smooth = 0.4 + 1.6 * np.exp(-epochs / 8)
    jumping = smooth * (1 + 0.1 * (-1) ** epochs)
    shares = [
        tidy([with_curves(record, test_error=(9.0,) * 25, validation_loss=tuple(losses))])
        for losses in (smooth, jumping)
    ]
    steady, restless = (share.loss_fluctuation.item() for share in shares)
    assert 0.01 < steady < 0.05 and restless > 0.15


def test_arithmetic_is_three_passes_of_every_pair(of_smoke):
    (record,) = of_smoke("kqiku/cnn@published")
    recipe, build = record.recipe, EXPERIMENTS[record.experiment].build
    assert (recipe.trainings, recipe.epochs, recipe.train_pairs) == (2, 2, 250)
    gflop = tidy([record]).training_gflop.iloc[0]
    assert gflop == pytest.approx(3 * 2 * 2 * 250 * summary_of(build).flops / 1e9)


@pytest.mark.parametrize("field", ["epochs", "trainings", "train_pairs"])
def test_a_run_with_less_than_its_report_is_shortened_and_left_out_where_others_are(
    of_smoke, field
):
    (record,) = of_smoke("kqiku/fcc@published")
    full = EXPERIMENTS[record.experiment].recipe
    record = with_curves(record, test_error=(1.0,) * (full.trainings * full.epochs))
    less = full.model_copy(update={field: getattr(full, field) // 2})
    few = full.model_copy(update={"precise_pairs": 2})  # a weaker measurement of the same training
    both = [
        record.model_copy(update={"recipe": recipe, "seed": seed})
        for seed, recipe in enumerate((few, less))
    ]
    frame = tidy(both)
    assert frame.shortened.tolist() == [False, True]
    assert frames.unshortened(frame).seed.tolist() == [0]
    alone = frame[frame.shortened]
    assert frames.unshortened(alone) is alone  # better than none


def test_runs_without_a_result_have_no_row_but_are_named(of_smoke, tiny_experiment, train_record):
    diverged = train_record(tiny_experiment("zadoks/twinnet", learning_rate=1e30), 5)
    frame = tidy(of_smoke("zadoks/twinnet"), [diverged])
    assert frame.seed.tolist() == [0, 1]
    assert frame.attrs["diverged"] == {str(diverged): "zadoks/twinnet"}
