"""Pictures are the same for the same data, say their scope, and cut nothing off."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from numpy.random import default_rng

from digits import findings, ladder, plots, posteriors
from digits.data import draw_pairs, load
from digits.experiments import DESIGNS, EXPERIMENTS, select
from digits.frames import curves, folds, stages, tidy
from digits.reports.rows import CELLS
from digits.statistics import EFFECTS, factorial_effects, paired_differences
from digits.study import Study
from digits.verdicts import all_numbers, published_numbers

SCOPE = "Caption with its scope; n = 2 rounds."


@pytest.fixture(scope="session")
def smoke(smoke_results):
    """Frame, records and findings of the smoke profile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        records = Study(profile="smoke").records("*")
    frame = tidy(records)
    return frame[frame.protocol == "own"], records, findings.find(frame)


@pytest.fixture(scope="session")
def past(smoke_results):
    """Rows of what goes past the reports in the smoke profile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        twins = [f"zadoks/twinnet{cell}" for cell in CELLS]
        return tidy(Study(profile="smoke").records("beyond/*", *twins))


def build_past(name, frame):
    if name == "ladder":
        return plots.ladder(ladder.rungs(frame), frame, SCOPE)
    if name == "heads":
        return plots.rounds_with_means(ladder.heads(frame), "head", "Title", SCOPE)
    if name == "pairs bought":
        return plots.error_by_pairs(ladder.by_pairs(frame), SCOPE)
    if name == "streams":
        return plots.spread_by_stream(ladder.by_stream(frame), SCOPE)
    pool = load("sample").test
    rng = default_rng(0)
    by_seed = {seed: rng.dirichlet([0.1] * 10, size=len(pool)) for seed in range(2)}
    errors = [posteriors.all_pairs(these, pool.classes.numpy()) for these in by_seed.values()]
    if name == "digits":
        return plots.errors_by_digits(errors[0].by_digits, SCOPE)
    if name == "distance":
        distances = posteriors.by_distance(errors)
        return plots.errors_by_distance({"one": distances, "another": distances}, SCOPE)
    if name == "gallery":
        return plots.gallery(posteriors.hardest_pairs(by_seed, pool, 18), pool, SCOPE)
    table = posteriors.calibration(by_seed, pool, 1.0)
    return plots.reliability({"temperature 1": table, "temperature 0.50": table}, SCOPE)


PAST = (
    "ladder",
    "heads",
    "pairs bought",
    "streams",
    "digits",
    "distance",
    "gallery",
    "calibration",
)


def of(records, variant):
    return [
        record
        for record in records
        if (EXPERIMENTS[record.experiment].variant, EXPERIMENTS[record.experiment].protocol)
        == (variant, "own")
    ]


def build(name, smoke):
    frame, records, found = smoke
    numbers = published_numbers(select("*"))
    written = of(records, "")
    if name == "errors":
        yardsticks = {"a yardstick": 5.9, "another": 23.0}
        return plots.error_boxes(frame, numbers, SCOPE, yardsticks=yardsticks)
    if name == "accuracies of folds":
        found = folds([r for r in written if r.fold_errors])
        look = {"value": "fold_error", "accuracy": True, "point": "one fold", "stars": True}
        return plots.error_boxes(found, numbers, SCOPE, **look)
    if name == "ranking":
        return plots.ranking(found.ranking, found.common, SCOPE)
    if name == "cost":
        return plots.error_against_cost(found.ranking, SCOPE)
    if name == "worth":
        return plots.effects_forest(found.effects, "Title", SCOPE, findings.means(found))
    if name == "numbers":
        return plots.published_and_ours(found.numbers, SCOPE)
    if name == "claims":
        return plots.claims_at_a_glance(found.decisions, found.again, SCOPE)
    if name == "effects":
        return plots.effects_forest(factorial_effects(frame, DESIGNS), "Title", SCOPE)
    if name == "differences":
        pairs = {
            "a network and one of another report": ("cadei/mlp", "jaubert/model_0"),
            "one round only": ("cadei/mlp", "cadei/resnet"),
        }
        return plots.differences_forest(paired_differences(frame, pairs), SCOPE)
    if name == "validation":
        names = ["cadei/deepconvnet@figure3", "cadei/convnet"]
        return plots.validation_curves(curves(records), names, SCOPE)
    if name == "error by epoch":
        names = [n for n in frame.experiment.unique() if n.startswith("damachi")]
        return plots.error_by_epoch(curves(records), names, SCOPE)
    if name == "seconds":
        return plots.seconds_a_round(frame, SCOPE)
    if name == "curves":
        names = [n for n in dict.fromkeys(r.experiment for r in written) if "kqiku" in n]
        return plots.loss_and_accuracy(curves(written), names, 4, SCOPE)
    if name == "chains":
        kqiku = [r for r in of(records, "published") if r.experiment.startswith("kqiku")]
        return plots.consecutive_trainings(stages(kqiku), numbers, SCOPE)
    if name == "pairs":
        return plots.pairs_grid(draw_pairs(load("sample").train, 20, default_rng(0)), SCOPE)
    if name == "balance":
        rounds = {k: draw_pairs(load("sample").train, 50, default_rng(k)) for k in range(20)}
        return plots.balance(rounds, SCOPE)
    if name == "mean digits":
        return plots.mean_digits(load("sample"), SCOPE)
    rows = pd.DataFrame({"method": ["a", "b"], "error": [1.0, 2.0]})
    return plots.strips(rows, "error", "method", "error (%)", "Title", SCOPE)


NAMES = (
    "errors",
    "accuracies of folds",
    "effects",
    "ranking",
    "cost",
    "worth",
    "numbers",
    "claims",
    "differences",
    "validation",
    "error by epoch",
    "seconds",
    "curves",
    "chains",
    "pairs",
    "balance",
    "mean digits",
    "strips",
)


@pytest.fixture
def draw(smoke, past):
    """Draw a figure by its name."""
    return lambda name: build_past(name, past) if name in PAST else build(name, smoke)


@pytest.mark.parametrize("name", NAMES + PAST)
def test_the_same_data_give_the_same_bytes(name, draw, tmp_path):
    for copy in ("first", "second"):
        plots.save(draw(name), tmp_path, copy)
    for suffix in ("svg", "png"):
        first, second = (tmp_path / f"{copy}.{suffix}" for copy in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("name", NAMES + PAST)
def test_no_text_is_cut_and_the_caption_is_there(name, draw):
    figure = draw(name)
    figure.canvas.draw()
    assert SCOPE in figure.get_supxlabel().replace("\n", " ")
    width, height = figure.canvas.get_width_height()
    texts = [t for axis in figure.axes for t in (axis.title, axis.xaxis.label, axis.yaxis.label)]
    texts += [t for axis in figure.axes for t in axis.texts]
    texts += [t for legend in figure.legends for t in legend.get_texts()]
    for text in texts:
        if not text.get_text() or not text.get_visible():
            continue
        box = text.get_window_extent()
        assert box.x0 >= -1 and box.y0 >= -1, text
        assert box.x1 <= width + 1 and box.y1 <= height + 1, text
    plt.close(figure)


def test_every_round_is_a_point_and_n_is_beside_it(smoke):
    frame, *_ = smoke
    figure = plots.error_boxes(frame, published_numbers([]), SCOPE)
    (axis,) = figure.axes
    labels = [text.get_text() for text in axis.texts]
    counts = frame.groupby("experiment", sort=False).size()
    epochs = frame.groupby("experiment", sort=False).apply(
        lambda runs: (runs.epochs * runs.trainings).iloc[0], include_groups=False
    )
    assert frame.shortened.all()  # in the smoke profile
    assert labels == [f"n = {n}, {e} epochs" for n, e in zip(counts, epochs, strict=True)]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in points) == len(frame)


def test_accuracy_is_what_the_error_leaves(smoke):
    frame, *_ = smoke
    one = frame[frame.experiment == "cadei/mlp"]
    numbers = published_numbers(select("cadei/mlp"))
    figure = plots.error_boxes(one, numbers, SCOPE, accuracy=True)
    (axis,) = figure.axes
    drawn = {
        m: [x for line in axis.lines if line.get_marker() == m for x in line.get_xdata()]
        for m in ("o", "D")
    }
    assert drawn["o"] == [100 - error for error in one.test_error]
    assert drawn["D"] == [78.0]
    assert axis.get_xlabel() == "test accuracy (%)"


def test_validation_curves_mark_the_epoch_of_the_lowest_loss(smoke):
    _, records, _ = smoke
    figure = plots.validation_curves(curves(records), ["cadei/mlp"], SCOPE)
    first = next(r for r in records if r.experiment == "cadei/mlp")
    lines = figure.axes[0].lines
    (dot,) = (line for line in lines if line.get_marker() == "o")
    (dotted,) = (line for line in lines if line.get_linestyle() == ":")
    assert dot.get_xdata()[0] == first.kept_epoch
    assert dot.get_ydata()[0] == dotted.get_ydata()[0] == min(first.curves.validation_loss)


def test_the_forest_shows_the_effect_it_names(smoke):
    frame, *_ = smoke
    effects = factorial_effects(frame, DESIGNS)
    figure = plots.effects_forest(effects, "Title", SCOPE)
    for axis, name in zip(figure.axes, EFFECTS, strict=True):
        drawn = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o"]
        assert drawn == effects.loc[effects.effect == name, "mean"].tolist()


def test_a_changed_run_moves_its_own_marks_in_the_figure_of_published_numbers_and_no_other(smoke):
    frame, *_ = smoke
    changed = frame.copy()
    changed.loc[changed.experiment == "jaubert/model_1", "test_error"] += 5
    drawn = []
    for runs in (frame, changed):
        figure = plots.published_and_ours(all_numbers(runs, select("jaubert/*", "zadoks/*")), SCOPE)
        rows = [text.get_text() for axis in figure.axes for text in axis.get_yticklabels()]
        marks = [line.get_xydata().round(6).tolist() for axis in figure.axes for line in axis.lines]
        drawn.append((rows, marks))
        plt.close(figure)
    (rows, before), (same_rows, after) = drawn
    assert rows == same_rows
    moved = [old for old, new in zip(before, after, strict=True) if old != new]
    heights = {round(y) for line in moved for _, y in line}
    assert heights == {rows.index("Table I, model_1, test")}
