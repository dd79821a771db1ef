"""The README's numbers: written between two marks, from the committed records alone."""

import pandas as pd

from digits import core, findings, ladder, statistics, tables
from digits.beyond import FOOT
from digits.core import InputError
from digits.experiments import DESIGNS, select
from digits.frames import tidy
from digits.study import Study
from digits.verdicts import published_against_ours, published_numbers

BEGIN = "<!-- results: made by `python -m digits readme` -->"
END = "<!-- end of results -->"
README = core.ROOT / "README.md"


def study() -> Study:
    """Return the study of the full protocol, without the deep networks while they lack records."""
    everything = Study(source="mnist", profile="paper")
    return everything.model_copy(update={"light": True}) if everything.missing("*") else everything


def results() -> str:
    """Return the findings and the results table, from the records of the full protocol."""
    full = study()
    frame = tidy(full.records("*"))
    found = findings.find(frame)
    written = found.own[found.own.variant == ""]
    figures = f"figures/{full.figures_folder.name}"
    made = f"{figures}/07_comparison"
    return "\n\n".join(
        [
            findings.answer(found),
            past_the_reports(full),
            _kqiku(frame),
            _cadei(frame, full),
            _jaubert(frame),
            _damachi(frame),
            _zadoks(frame),
            "How many published errors and claims hold, by report:",
            tables.markdown(findings.summary(found)),
            f"Every [number]({made}/numbers.md) and every [claim]({made}/claims.md) with its "
            "verdict. Every network as its report writes it:",
            tables.markdown(tables.error_table(written).drop(columns=["95 % interval"])),
            f"Errors in %, mean ± SD over n rounds, every network as its report writes it; "
            f"{tables.scope(written)}. The precise test error is of the same networks on 20,000 "
            "pairs. A printed number is called reproduced if the 95 % interval of the difference "
            "holds 0, or the difference is under a point. Variants, controls, intervals: "
            f"[errors.md]({figures}/08_networks/errors.md).",
        ]
    )


def past_the_reports(full: Study) -> str:
    """Return what the best network reaches, and what the ladder's largest steps are."""
    frame = tidy(full.records("beyond/*", FOOT))
    rungs = ladder.rungs(frame)
    steps = rungs[rungs.change.notna()].nsmallest(3, "change")
    largest = "; ".join(
        f"{row.says}, {row.change:+.2f} points ({row.change_low:+.2f} to {row.change_high:+.2f}; "
        f"n = {row.change_n:.0f})"
        for row in steps.itertuples()
    )
    left_out = ", ".join(rungs.says[rungs.weighed & ~rungs.kept])
    return (
        f"*Past the reports*, with the same 1000 pairs: {ladder.answer(frame)} The largest steps "
        f"on the way: {largest}. Left out, since held-out folds of training pairs are no better "
        f"for it: {left_out}."
    )


def _agreement(frame: pd.DataFrame, pattern: str, quantity: str = "test_error") -> pd.DataFrame:
    """Return every printed `quantity` of the experiments in `frame` that match, beside ours."""
    here = set(frame.experiment)
    numbers = published_numbers([e for e in select(pattern) if e.id in here])
    return published_against_ours(frame, numbers[numbers.quantity == quantity])


def _count(found: pd.DataFrame) -> str:
    return f"{(found.verdict == 'reproduced').sum()} of {len(found)}"


def _spread(found: pd.DataFrame) -> str:
    return _range(found.difference.agg(["min", "max"]))


def _range(low_high: pd.Series) -> str:
    return f"{low_high['min']:+.1f} to {low_high['max']:+.1f}"


def _kqiku(frame: pd.DataFrame) -> str:
    chains = _agreement(frame, "kqiku/*@published")
    half = ((chains.high - chains.low) / 2).agg(["min", "max"])
    written, repaired = (
        _agreement(frame, pattern) for pattern in ("kqiku/*+aux", "kqiku/*+aux@repaired")
    )
    return (
        f"*Kqiku et al.* print {len(chains)} test errors. Their code trained one network ten times "
        'on end, without a reset and without the auxiliary loss, so a row and its "+aux" row '
        f"are two runs of the same thing. That protocol reproduces {_count(chains)} (differences "
        f"{_spread(chains)} points; a weak test each, since such a chain varies "
        f"by ± {half['min']:.1f} to {half['max']:.1f}). With the loss on, the "
        f"{len(written)} rows that name it come out {_spread(written)} points from the printed "
        f"numbers as the report is written, and {_spread(repaired)} with the code's own networks."
    )


def _cadei(frame: pd.DataFrame, full: Study) -> str:
    written = _agreement(frame, "cadei/*")
    plain = written[~written.experiment.str.contains("@")]
    augmented = written[written.experiment.str.endswith("@augmented")]
    (noisy,) = _agreement(frame, "cadei/convnet@published").itertuples()
    pairs = {name: (f"cadei/{name}", f"cadei/{name}@augmented") for name in ("mlp", "convnet")}
    gains = statistics.paired_differences(frame, pairs)
    lacking = (
        " (its two small networks; in its own protocols the deep ones want a GPU)"
        if full.light
        else ""
    )
    return (
        f"*Cadei et al.*{lacking}: {_count(plain)} printed test errors without augmentation are "
        f"reproduced (differences {_spread(plain)} points), {_count(augmented)} with it "
        f"({_spread(augmented)}). ConvNet with its dropout left on when it is evaluated, as its "
        f"code had it, comes out {noisy.difference:+.1f} points from the printed number "
        f"({noisy.low:+.1f} to {noisy.high:+.1f}). Pairs formed anew, over 200 epochs instead of "
        "25, change the error by "
        + " and ".join(f"{tables.points(row)} for {row.difference}" for _, row in gains.iterrows())
        + "."
    )


def _jaubert(frame: pd.DataFrame) -> str:
    found = _agreement(frame, "jaubert/*")
    effects = statistics.factorial_effects(frame, DESIGNS).set_index(["effect", "design"])["mean"]

    def both_models(effect: str) -> str:
        wide = (effects[effect][f"jaubert/{model}@wide"] for model in ("model_1", "model_2"))
        return " and ".join(f"{points:+.1f}" for points in wide)

    return (
        f"*Jaubert et al.*: {_count(found)} printed accuracies are reproduced (differences of the "
        f"errors {_spread(found)} points, {(found.difference > 0).sum()} of them above the printed "
        f"one, {found.difference.mean():+.2f} on average). At equal width, for model_1 and "
        f"model_2, weight sharing alone changes the error by "
        f"{both_models('weight sharing alone')} points, the digit loss alone by "
        f"{both_models('auxiliary loss alone')}, both by {both_models('both')}."
    )


def _damachi(frame: pd.DataFrame) -> str:
    frame = frame[(frame.report == "damachi") & (frame.variant == "")]
    scored = frame.dropna(subset="test_error_training_mode")
    dense = frame[frame.test_error_training_mode.isna()]
    tests, folds = (
        pd.concat(
            [
                _agreement(dense, "damachi/*", of),
                _agreement(scored, "damachi/*", f"{of}_training_mode"),
            ]
        )
        for of in ("test_error", "fold_error")
    )
    cost = statistics.mean_over_networks(scored, "test_error", "test_error_training_mode")
    return (
        f"*Damachi and Volpini* print one run each: {_count(tests)} test accuracies and "
        f"{_count(folds)} cross-validations are where one more run of ours can be (differences of "
        f"the errors {_spread(tests)} and {_spread(folds)} points; the CNNs scored in training "
        "mode, which their code never left). Training mode alone changes the test error of the "
        f"same two CNNs by {tables.points(cost)}."
    )


def _zadoks(frame: pd.DataFrame) -> str:
    found = _agreement(frame, "zadoks/*").set_index("experiment")

    def ours(experiment: str) -> str:
        row = found.loc[experiment]
        return (
            f"{row.ours:.2f} ± {row.ours_sd:.2f} % (n = {row.n}; difference "
            f"{row.difference:+.2f}, {row.low:+.2f} to {row.high:+.2f})"
        )

    return (
        f"*Zadoks* prints {found.published.iloc[0]:.2f} ± {found.published_sd.iloc[0]:.2f} % "
        f"error. The code's protocol gives {ours('zadoks/twinnet+ws+aux@published')}, the text's "
        f"{ours('zadoks/twinnet+ws+aux')}."
    )


def written() -> str:
    """Return what stands between the two marks in the README now."""
    return _parts()[1].strip()


def write() -> None:
    """Put the results between the two marks in the README."""
    before, _, after = _parts()
    README.write_text(f"{before}{BEGIN}\n{results()}\n{END}{after}", encoding="utf-8")


def _parts() -> tuple[str, str, str]:
    """Return the README before, between and after the marks."""
    before, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    block, end, after = rest.partition(END)
    if not begin or not end:
        raise InputError(f"README.md lacks the marks {BEGIN} and {END}: put them back.")
    return before, block, after
