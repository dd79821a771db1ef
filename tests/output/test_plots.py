"""Pictures are the same for the same data, say their scope, and cut nothing off.

Each figure is drawn once a session, of the committed records of the smoke profile.
"""

from collections import Counter
from functools import cache
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.text import Text
from numpy.random import default_rng

from digits.analysis import beyond, findings, posteriors
from digits.analysis.effects import LEAST_ROUNDS, MAIN_EFFECTS, factorial_effects
from digits.analysis.findings import Findings
from digits.analysis.numbers import all_numbers, errors_of, published_numbers
from digits.analysis.replication import compare
from digits.analysis.statistics import paired_differences
from digits.data.pairs import draw_pairs, example_pair
from digits.data.sources import Digits
from digits.experiments.experiment import CELLS
from digits.experiments.registry import DESIGNS, EXPERIMENTS, select
from digits.output import plots, replication
from digits.output.names import of_design
from digits.output.plots import style
from digits.output.plots.effects import PANELS
from digits.output.plots.rows import _boxes
from digits.output.plots.style import Row
from digits.output.plots.verdicts import VERDICT_STYLES
from digits.study.frames import curves, folds, stages, tidy
from digits.study.study import Study
from digits.study.trained import Beliefs
from digits.training.record import Record

SCOPE = "Caption with its scope; n = 2 rounds."


class Data(NamedTuple):
    """What figures show.

    runs: tidy rows of the reports' own protocols; records: theirs; effects: of all designs.
    one_round: what they show; found: the same of several rounds. past: rows beyond the reports.
    by_seed: posteriors of the test images, by round; errors: theirs over all pairs.
    """

    runs: pd.DataFrame
    records: list[Record]
    effects: pd.DataFrame
    one_round: Findings
    found: Findings
    past: pd.DataFrame
    sample: Digits
    by_seed: dict[int, np.ndarray]
    errors: list[posteriors.Errors]

    def of(self, variant: str, report: str = "") -> list[Record]:
        """Return the records of a variant, of one report or of all."""
        return [
            record
            for record in self.records
            if EXPERIMENTS[record.experiment].variant == variant
            and report in ("", EXPERIMENTS[record.experiment].report)
        ]

    def names(self, report: str) -> list[str]:
        """Return the experiments of a report, following its text."""
        return list(dict.fromkeys(record.experiment for record in self.of("", report)))


@pytest.fixture(scope="session")
def data(smoke_results, frame, found_of_one_round, found, sample):
    """Read the records once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIGITS_RESULTS", str(smoke_results))
        study = Study(profile="smoke")
        records = study.records("*")
        past = tidy(study.records("beyond/*", *(f"zadoks/twinnet{cell}" for cell in CELLS)))
    rng, classes = default_rng(0), sample.test.classes.numpy()
    by_seed = {seed: rng.dirichlet([0.1] * 10, size=len(classes)) for seed in range(2)}
    runs = frame[frame.protocol == "own"]
    return Data(
        runs=runs,
        records=[r for r in records if EXPERIMENTS[r.experiment].protocol == "own"],
        effects=factorial_effects(runs, DESIGNS.values()),
        one_round=found_of_one_round,
        found=found,
        past=past,
        sample=sample,
        by_seed=by_seed,
        errors=[posteriors.all_pairs(these, classes) for these in by_seed.values()],
    )


def errors(data):
    yardsticks = {"a yardstick": 5.9, "another": 23.0}
    return plots.error_boxes(
        data.runs, published_numbers(select("*")), SCOPE, yardsticks=yardsticks
    )


def accuracies_of_folds(data):
    shown = folds([record for record in data.of("") if record.fold_errors])
    look = {"value": "fold_error", "accuracy": True, "point": "one fold", "stars": True}
    return plots.error_boxes(shown, published_numbers(select("*")), SCOPE, **look)


def effects(data):
    return plots.effects_forest(data.effects, "Title", SCOPE)


def ranking(data):
    return plots.ranking(data.one_round.ranking, data.one_round.common, SCOPE)


def ranking_of_rounds(data):
    return plots.ranking(data.found.ranking, data.found.common, SCOPE)


def cost(data):
    return plots.error_against_cost(data.found.ranking, SCOPE)


def worth(data):
    return plots.effects_forest(data.found.effects, "Title", SCOPE, findings.means(data.found))


def answer(data):
    return plots.answer(data.found.effects, data.found.pooled, "What the two options change", SCOPE)


def numbers(data):
    return plots.published_and_ours(data.one_round.numbers, SCOPE)


def verdicts(data):
    return plots.verdicts_at_a_glance(data.found.numbers, data.found.claims, SCOPE)


def differences(data):
    pairs = {
        "a network and one of another report": ("cadei/mlp", "jaubert/model_0"),
        "one round only": ("cadei/mlp", "cadei/resnet"),
    }
    return plots.differences_forest(paired_differences(data.runs, pairs), SCOPE)


def validation(data):
    names = ["cadei/deepconvnet@figure3", "cadei/convnet"]
    return plots.validation_curves(curves(data.records), names, SCOPE)


def error_by_epoch(data):
    return plots.error_by_epoch(curves(data.records), data.names("damachi"), SCOPE)


def seconds(data):
    return plots.seconds_a_round(data.runs, SCOPE)


def loss_and_accuracy(data):
    return plots.loss_and_accuracy(curves(data.of("")), data.names("kqiku"), 4, SCOPE)


def chains(data):
    shown = stages(data.of("published", "kqiku"))
    return plots.consecutive_trainings(shown, published_numbers(select("*")), SCOPE)


def pairs(data):
    return plots.pairs_grid(draw_pairs(data.sample.train, 20, default_rng(0)), SCOPE)


def balance(data):
    rounds = {k: draw_pairs(data.sample.train, 50, default_rng(k)) for k in range(20)}
    return plots.balance(rounds, SCOPE)


def mean_digits(data):
    return plots.mean_digits(data.sample, SCOPE)


def strips(data):
    rows = pd.DataFrame({"method": ["a", "b"], "error": [1.0, 2.0]})
    return plots.strips(rows, "error", "method", "error (%)", "Title", SCOPE)


def ablation(data):
    return plots.ablation(beyond.steps(data.past), data.past, SCOPE)


def heads(data):
    return plots.rounds_with_means(beyond.heads(data.past), "head", "Title", SCOPE)


def by_pairs(data):
    return plots.error_by_pairs(beyond.learning_curves(data.past), SCOPE)


def by_source(data):
    return plots.spread_by_source(beyond.variance_by_source(data.past), SCOPE)


def by_digits(data):
    return plots.errors_by_digits(data.errors[0].by_digits, SCOPE)


def by_distance(data):
    distances = posteriors.by_distance(data.errors)
    return plots.errors_by_distance({"one": distances, "another": distances}, SCOPE)


def gallery(data):
    hardest = posteriors.hardest_pairs(data.by_seed, data.sample.test, 18)
    return plots.gallery(hardest, data.sample.test, SCOPE)


def calibration(data):
    table = posteriors.calibration(data.by_seed, data.sample.test, 1.0)
    return plots.reliability({"temperature 1": table, "temperature 0.50": table}, SCOPE)


def believed(data):
    pair = example_pair(data.sample.test, 4, 9)
    digits = np.full((1, 2, 10), 0.1)
    beliefs = {
        "zadoks/twinnet": Beliefs(np.array([0.7]), None),
        "zadoks/twinnet+ws+aux": Beliefs(np.array([0.2]), digits),
    }
    return plots.beliefs(pair, beliefs, SCOPE)


def replicated(data):
    here = data.runs.assign(shortened=False)
    moved = here.assign(test_error=here.test_error + (here.report == "zadoks") * 40)
    return replication.picture(compare(moved, here), SCOPE)


FIGURES = (
    *(errors, accuracies_of_folds, effects, ranking, ranking_of_rounds, cost, worth, numbers),
    *(
        answer,
        verdicts,
        differences,
        validation,
        error_by_epoch,
        seconds,
        loss_and_accuracy,
        chains,
    ),
    *(pairs, balance, mean_digits, strips, ablation, heads, by_pairs, by_source, by_digits),
    *(by_distance, gallery, calibration, believed, replicated),
)


@pytest.fixture(scope="session")
def drawn(data):
    """Return a function from one of `FIGURES` to that figure, laid out at its first use."""

    @cache
    def draw(make) -> Figure:
        figure = make(data)
        plt.close(figure)
        FigureCanvasAgg(figure)  # pyplot has taken back the canvas that it gave
        figure.draw_without_rendering()
        return figure

    return draw


def test_every_figure_is_tested(drawn):
    """Those of the package, by the functions that the others are made of."""
    offered = {name for name, made in vars(plots).items() if callable(made)}
    offered -= {"save", "show", "Picture"}
    called = {name for make in FIGURES for name in make.__code__.co_names}
    assert len(offered) > 20
    assert offered <= called


@pytest.mark.parametrize("make", (ablation, balance, by_distance))
def test_the_same_data_give_the_same_bytes(make, data, tmp_path):
    for copy in ("first", "second"):
        plots.save(make(data), tmp_path, copy)
    first, second = (tmp_path / f"{copy}.svg" for copy in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("make", (by_digits, balance))
def test_finding_the_places_once_changes_no_byte(make, data, tmp_path):
    """Of figures with a colour bar, and of two panels."""
    plots.save(make(data), tmp_path, "saved")
    figure = make(data)
    metadata = {"Date": None, "Title": style.title_of(figure)}
    figure.savefig(tmp_path / "plain.svg", metadata=metadata)
    plt.close(figure)
    saved, plain = (tmp_path / f"{name}.svg" for name in ("saved", "plain"))
    assert saved.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("make", FIGURES)
def test_no_text_is_cut_and_the_caption_is_there(make, drawn):
    figure = drawn(make)
    assert SCOPE in figure.get_supxlabel()
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
    boxes = [legend.get_window_extent() for legend in figure.legends]
    assert all(box.x0 >= 0 and box.x1 <= width for box in boxes)


def test_a_legend_has_as_many_columns_as_fit():
    figure, _ = style.new_figure(SCOPE, 3)
    style.legend_above(figure, {f"{n} wide names": {} for n in "abcd"}, columns=4)
    narrow, _ = style.new_figure(SCOPE, 3)
    style.legend_above(narrow, {n * 40: {} for n in "abcd"}, columns=4)
    for each, columns in (figure, 4), (narrow, 2):
        each.draw_without_rendering()
        (legend,) = each.legends
        assert len({text.get_window_extent().x0 for text in legend.get_texts()}) == columns
        assert legend.get_window_extent().width < each.bbox.width
        plt.close(each)


def test_a_long_caption_of_wide_names_is_wrapped_and_uncut():
    caption = "rounds are missing: " + ", ".join(["cadei/mmmm@augmented (2 of 3)"] * 12)
    figure, _ = style.new_figure(caption, 3)
    picture = style.show(figure)
    (text,) = (t for t in figure.findobj(Text) if t.get_text() == caption)
    box = text.get_window_extent()
    width, height = figure.canvas.get_width_height()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 < height / 3
    assert picture.caption == caption


def test_every_round_is_a_point_and_n_is_beside_it(data, drawn):
    (axis,) = drawn(errors).axes
    labels = [text.get_text() for text in axis.texts]
    runs = data.runs.groupby("experiment", sort=False)
    epochs = (runs.epochs.first() * runs.trainings.first()).tolist()
    assert data.runs.shortened.all()  # in the smoke profile
    assert labels == [f"n = {n}, {e} epochs" for n, e in zip(runs.size(), epochs, strict=True)]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert sum(len(line.get_xdata()) for line in points) == len(data.runs)


@pytest.fixture
def axis():
    """Axes without anything."""
    figure, axis = plt.subplots()
    yield axis
    plt.close(figure)


def test_a_row_is_its_points_its_mean_its_interval_and_n(axis):
    values = [3.0, 5.0, 4.0, 4.0]
    style.draw_rows(axis, [style.row_of(name, values, "red") for name in ("a", "b")], style.TICK)
    points, means = axis.lines[:2], axis.lines[2:]
    for height, line in enumerate(points):
        assert line.get_xdata().tolist() == values
        assert (abs(line.get_ydata() - height) <= 0.2).all()
        assert len(set(line.get_ydata())) == len(values)
    assert points[0].get_ydata() == pytest.approx(points[1].get_ydata() - 1)
    half = 3.182446 * np.std(values, ddof=1) / 2  # Student's t, 97.5 %, three degrees of freedom
    for height, (mean, interval) in enumerate(zip(means[::2], means[1::2], strict=True)):
        assert mean.get_xydata().tolist() == [[4.0, height]]
        assert interval.get_xdata() == pytest.approx([4 - half, 4 + half])
        assert interval.get_ydata().tolist() == [height, height]
    assert [text.get_text() for text in axis.texts] == ["n = 4", "n = 4"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["a", "b"]
    assert axis.get_xlim()[0] == 0 and axis.yaxis_inverted()


def test_a_box_holds_the_middle_half_of_its_rows_points(axis):
    values = {"red": [1.0, 2, 2, 3, 3, 3, 4, 4, 4, 50], "blue": [7.0] * 10, "green": [5.0] * 9}
    rows = [style.row_of("a", pd.Series(points), colour) for colour, points in values.items()]
    assert _boxes(axis, rows)
    assert values.pop("green") and not _boxes(axis, rows[2:])  # too few for a box
    for height, (colour, points) in enumerate(values.items()):
        lines = [line for line in axis.lines if line.get_color() == colour]
        assert len(lines) == 6 == len(axis.lines) / 2  # box, median, whiskers with their ends
        assert all(abs(line.get_ydata() - height).max() < 0.31 for line in lines)
        (box,) = (line for line in lines if len(line.get_xdata()) == 5)
        assert set(box.get_xdata()) == set(np.quantile(points, (0.25, 0.75)))
        ends = [x for line in lines for x in line.get_xdata()]
        assert (min(ends), max(ends)) == ((1, 4) if colour == "red" else (7, 7))  # 50 is far out
        assert [np.median(points)] * 2 in [line.get_xdata().tolist() for line in lines]


@pytest.mark.parametrize(
    ("values", "mark", "lines"),
    [
        ([2.0, 3.0], None, 1),  # the points
        ([2.0, 3.0], style.LINE, 2),  # and their mean
        ([2.0], style.TICK, 2),  # of which one round has no interval
        ([2.0, 3.0], style.TICK, 3),
        ([], style.TICK, 0),
    ],
)
def test_a_row_has_no_mean_or_interval_that_is_not_asked_for_or_not_known(
    values, mark, lines, axis
):
    style.draw_rows(axis, [style.row_of("a", values, "red")], mark)
    assert len(axis.lines) == lines


def test_an_arrow_marks_where_an_interval_leaves_the_picture(axis):
    bounds = [(2.0, 1.0, 3.0), (2.0, -1.0, 3.0), (2.0, 1.0, 9.0), (2.0, -9.0, 9.0)]
    style.draw_rows(axis, [Row("a", "red", (), *three) for three in bounds], style.DOT)
    axis.set_xlim(0, 5)
    style.show(axis.figure)
    arrows = [line for line in axis.lines if line.get_marker() in (CARETLEFT, CARETRIGHT)]
    places = {(*line.get_xdata(), *line.get_ydata(), line.get_marker()) for line in arrows}
    assert places == {(0, 1, CARETLEFT), (0, 3, CARETLEFT), (5, 2, CARETRIGHT), (5, 3, CARETRIGHT)}


def test_an_interval_over_two_rounds_does_not_set_the_axis_of_differences():
    rows = [("a", -1.0, -3.0, 1.0, 3), ("b", 2.0, 1.0, 3.0, 5), ("c", -4.0, -90.0, 82.0, 2)]
    table = pd.DataFrame(rows, columns=["difference", "mean", "low", "high", "n"])
    figure = plots.differences_forest(table.assign(first="cadei/mlp"), SCOPE)
    plt.close(figure)
    low, high = figure.axes[0].get_xlim()
    assert -6 < low < -4 and 3 < high < 4
    figure = plots.differences_forest(table[:0].assign(first=""), SCOPE)
    plt.close(figure)
    assert figure.axes[0].get_xlim() == (-1, 1)


def test_designs_of_too_few_rounds_for_a_mean_are_hollow_and_all_say_their_rounds(data):
    few = data.found.effects.assign(n=lambda e: e.n.where(e.design != e.design.iloc[0], 3))
    figure = plots.effects_forest(few, "Title", SCOPE, findings.means(data.found))
    plt.close(figure)
    first, *_, last = figure.axes
    dots = [line for line in first.lines if line.get_marker() == "o"]
    hollow = sum(line.get_markerfacecolor() == "white" for line in dots)
    n = few[few.effect == MAIN_EFFECTS[0]].n
    assert hollow == (n < LEAST_ROUNDS).sum() == 1 and len(dots) == len(n)
    notes = [text.get_text() for text in last.texts]
    assert sorted(t for t in notes if t.startswith("n =")) == sorted(f"n = {k:.0f}" for k in n)
    assert f"{data.found.pooled.n.max()} designs" in notes and not first.texts


def test_accuracy_is_what_the_error_leaves(data):
    one = data.runs[data.runs.experiment == "cadei/mlp"]
    figure = plots.error_boxes(one, published_numbers(select("cadei/mlp")), SCOPE, accuracy=True)
    plt.close(figure)
    (axis,) = figure.axes
    drawn = {
        m: [x for line in axis.lines if line.get_marker() == m for x in line.get_xdata()]
        for m in ("o", "D")
    }
    assert drawn["o"] == [100 - error for error in one.test_error]
    assert drawn["D"] == [78.0]
    assert axis.get_xlabel() == "test accuracy (%)"


def test_validation_curves_mark_the_epoch_of_the_lowest_loss(data):
    figure = plots.validation_curves(curves(data.records), ["cadei/mlp"], SCOPE)
    plt.close(figure)
    first = next(r for r in data.records if r.experiment == "cadei/mlp")
    lines = figure.axes[0].lines
    (dot,) = (line for line in lines if line.get_marker() == "o")
    (dotted,) = (line for line in lines if line.get_linestyle() == ":")
    assert dot.get_xdata()[0] == first.kept_epoch
    assert dot.get_ydata()[0] == dotted.get_ydata()[0] == min(first.curves.validation_loss)


def test_the_forest_shows_the_effect_it_names(data, drawn):
    table = data.effects
    for axis, name in zip(drawn(effects).axes, PANELS, strict=True):
        means = [line.get_xdata()[0] for line in axis.lines if line.get_marker() == "o"]
        assert means == table.loc[table.effect == name, "mean"].tolist()


def test_a_step_without_a_measurable_change_is_pale_and_its_notes_are_of_test_and_folds(data):
    found = beyond.steps(data.past)
    weak = found.step.isin(["sum", "affine", "long"])
    found = found.assign(verdict=np.where(weak, "undecided", "gain"))
    figure = plots.ablation(found, data.past, SCOPE)
    plt.close(figure)
    (axis,) = figure.axes
    for mark, colour_of in (("|", Line2D.get_color), ("D", Line2D.get_markeredgecolor)):
        drawn = [line for line in axis.lines if line.get_marker() == mark]
        pale = {line.get_ydata()[0] for line in drawn if min(to_rgb(colour_of(line))) > 0.65}
        heights = {line.get_ydata()[0] for line in drawn}
        assert pale == {height for height in heights if weak[height]}
        assert pale and pale != heights
    names = [min(to_rgb(label.get_color())) > 0.4 for label in axis.get_yticklabels()]
    assert names == weak.tolist()
    notes = {text.xy[1]: text.get_text().splitlines() for text in axis.texts}
    for height, step in enumerate(found.itertuples()):
        values = {"test": step.mean, "folds": step.fold}
        kinds = [name for name, value in values.items() if np.isfinite(value)]
        assert [line.split()[0] for line in notes[height]] == kinds
    assert "undecided" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_each_design_stands_once_above_the_means_that_it_is_in(data, drawn):
    """Of the pooled forest, whose means are diamonds."""
    means = findings.means(data.found)
    designs = set(data.found.effects.design)
    assert {len(axis.patches) for axis in drawn(worth).axes} == {len(means)}
    for axis in drawn(worth).axes[::3]:  # the left ones name the rows
        names = [label.get_text() for label in axis.get_yticklabels()]
        networks = [name for name in names if name not in means]
        assert sorted(networks) == sorted(of_design(DESIGNS[design]) for design in designs)
        for name, (members, _) in means.items():
            here = {of_design(DESIGNS[design]) for design in designs if design in members}
            assert here <= set(names[: names.index(name)])


def test_a_changed_run_moves_its_own_marks_in_the_figure_of_published_numbers_and_no_other(data):
    changed = data.runs.copy()
    changed.loc[changed.experiment == "jaubert/model_1", "test_error"] += 5
    seen = []
    for runs in (data.runs, changed):
        figure = plots.published_and_ours(all_numbers(runs, select("jaubert/*", "zadoks/*")), SCOPE)
        plt.close(figure)
        rows = [text.get_text() for axis in figure.axes for text in axis.get_yticklabels()]
        marks = [line.get_xydata().round(6).tolist() for axis in figure.axes for line in axis.lines]
        seen.append((rows, marks))
    (rows, before), (same_rows, after) = seen
    assert rows == same_rows
    moved = [old for old, new in zip(before, after, strict=True) if old != new]
    heights = {round(y) for line in moved for _, y in line}
    assert heights == {rows.index("Table I, model_1, test")}


def test_every_number_and_claim_has_one_mark_of_its_verdict(data, drawn):
    found, marks = data.found, Counter()
    for axis in drawn(verdicts).axes:
        for line in axis.lines:
            marks[line.get_marker(), line.get_markersize()] += len(line.get_xdata())
    shown = [*errors_of(found.numbers, in_both=False).verdict]
    shown += [result.verdict for result in found.claims if not result.claim.ours]
    looks = [VERDICT_STYLES[verdict] for verdict in shown]
    assert marks == Counter((marker, size) for marker, _, _, size in looks)


@pytest.mark.parametrize("make", FIGURES)
def test_every_figure_has_a_title_and_no_ids(make, drawn):
    figure = drawn(make)
    assert style.title_of(figure)
    texts = [t.get_text() for t in figure.findobj(Text) if t.get_visible()]
    assert not [
        text for text in texts for name in EXPERIMENTS if name in text and SCOPE not in text
    ]


MARKERS = tuple("osD^v<>")


@pytest.mark.parametrize("wanted", ("", "two branches", "none"))
def test_without_enough_rounds_the_answer_shows_designs_and_no_mean(wanted, data):
    found = data.one_round
    effects = found.effects[found.effects.baseline.str.startswith(wanted)]
    figure = plots.answer(effects, found.pooled, "Title", SCOPE)
    plt.close(figure)
    (axis,) = figure.axes
    points = [line for line in axis.lines if line.get_marker() in MARKERS]
    designs = effects.design.nunique()
    assert designs or wanted == "none"
    assert len(points) == 3 * designs and len({line.get_marker() for line in points}) == designs
    assert "nan" not in "".join(text.get_text() for text in figure.findobj(Text))
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0 and box.x1 <= figure.canvas.get_width_height()[0]


def test_the_answer_shows_the_pooled_means_and_their_intervals(data):
    found = data.found
    figure = plots.answer(found.effects, found.pooled, "Title", SCOPE)
    plt.close(figure)
    (axis,) = figure.axes
    means = found.pooled.set_index("effect").loc[list(MAIN_EFFECTS)]
    assert [bar.get_width() for bar in axis.patches] == means["mean"].tolist()
    spans = [line.get_xdata() for line in axis.lines if len(line.get_xdata()) == 2]
    assert [[low, high] for low, high in spans[:3]] == means[["low", "high"]].to_numpy().tolist()
    for height, effect in enumerate(MAIN_EFFECTS):
        points = [line for line in axis.lines if line.get_marker() in MARKERS]
        shown = [line.get_xdata()[0] for line in points if abs(line.get_ydata()[0] - height) < 0.5]
        assert shown == found.effects.loc[found.effects.effect == effect, "mean"].tolist()
        assert len({line.get_ydata()[0] for line in points}) == len(points)  # none covers another


def test_pictures_of_digits_and_beliefs_show_what_they_are_given(data, drawn):
    errors = data.errors[0].by_digits
    shown = drawn(by_digits).axes[0].collections[0].get_array()
    assert np.array(shown).reshape(10, 10) == pytest.approx(errors)  # the first digit downwards
    assert not np.allclose(errors, errors.T)
    bars = drawn(calibration).axes[0].lines[1]
    table = posteriors.calibration(data.by_seed, data.sample.test, 1.0)
    assert bars.get_xdata().tolist() == table.p.tolist()
    assert bars.get_ydata().tolist() == table.share.tolist()
    pair = example_pair(data.sample.test, 4, 9)
    digits = np.stack([np.eye(10)[4], np.eye(10)[9]])[None]
    beliefs = {"zadoks/twinnet+ws+aux": Beliefs(np.array([0.2]), digits)}
    figure = plots.beliefs(pair, beliefs, SCOPE)
    plt.close(figure)
    _, decides, *of_digits = figure.axes
    assert decides.patches[0].get_width() == 0.2
    named = [np.argmax([bar.get_height() for bar in axis.patches]) for axis in of_digits]
    assert named == [4, 9]


def test_a_design_that_an_option_harms_is_in_the_picture(data):
    harmed = data.found.effects.assign(mean=data.found.effects["mean"].abs() + 2)
    figure = plots.answer(harmed, data.found.pooled, "Title", SCOPE)
    plt.close(figure)
    (axis,) = figure.axes
    points = [line.get_xdata()[0] for line in axis.lines if line.get_marker() in MARKERS]
    assert 2 < max(points) < axis.get_xlim()[1]


def test_the_gap_between_training_and_test_is_that_of_the_last_epoch(data, drawn):
    figure, names = drawn(loss_and_accuracy), data.names("kqiku")
    told = [text.get_text() for axis in figure.axes for text in axis.texts if text.get_text()]
    table = curves(data.of(""))
    last = table[table.epoch == table.groupby("experiment").epoch.transform("max")]
    means = last.groupby("experiment")[["train_error", "test_error"]].mean().loc[names]
    gaps = means.test_error - means.train_error
    assert told == [f"{gap:.1f} points apart" for gap in gaps]


def test_bands_are_the_median_and_the_middle_half_of_rounds(data):
    one = curves(data.of("")).query("experiment == 'damachi/nn' and seed == 0")
    errors = {0: 0.0, 1: 2.0, 2: 4.0, 3: 6.0, 4: 50.0}  # their mean is another number
    rounds = [one.assign(seed=seed, test_error=error) for seed, error in errors.items()]
    figure = plots.error_by_epoch(pd.concat(rounds), ["damachi/nn"], SCOPE)
    plt.close(figure)
    axis = figure.axes[0]
    assert set(axis.lines[1].get_ydata()) == {4.0}
    middle = axis.collections[1].get_paths()[0].vertices[:, 1]
    assert (middle.min(), middle.max()) == (2.0, 6.0)
