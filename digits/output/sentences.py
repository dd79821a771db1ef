"""Sentences that tell what was found, every number from records."""

import numpy as np
import pandas as pd
from scipy import stats

from digits.analysis import beyond, numbers
from digits.analysis.choices import at_the_edge
from digits.analysis.claims import CLAIM_VERDICTS
from digits.analysis.findings import Findings, Verdicts, designs_of
from digits.experiments.beyond import BASELINE, ORACLE, STEPS
from digits.experiments.registry import EXPERIMENTS
from digits.output.names import name_of
from digits.output.tables.claims import result_text, verdict_counts
from digits.output.tables.format import difference, interval, mean_sd, scope, with_minus


def answer(found: Findings) -> str:
    """Return the answer of the study in paragraphs of Markdown, every number from records.

    The first is the answer in a sentence, the second what it rests on, the others what became of
    the reports.
    """
    best = found.ranking.iloc[0]
    of_best = found.common[found.common.experiment == best.experiment]
    paragraphs = (
        *_worth(found),
        numbers_sentence(found),
        claims_sentence(found),
        f"Of the {len(found.ranking)} networks under that one protocol, "
        f"{name_of(EXPERIMENTS[best.experiment])} has the lowest test error, {best['mean']:.2f} % "
        f"({scope(of_best)}).",
    )
    return with_minus("\n\n".join(paragraphs))


def _worth(found: Findings) -> tuple[str, ...]:
    """Say what weight sharing and the digit loss change, as means over designs; then of which."""
    pooled, every = (table.set_index("effect") for table in (found.pooled, found.pooled_all))
    if pooled["low"].isna().any():
        return ("Too few designs with ten rounds are here to say what the two options are worth.",)
    effects = ["weight sharing alone", "auxiliary loss alone", "both"]
    means = pooled.loc[effects]
    verb, sign = ("lowers", -1) if (means["mean"] < 0).all() else ("changes", 1)
    sharing, loss, both = (amount(effect, sign) for _, effect in means.iterrows())
    sharing_all, loss_all, both_all = (_points(every.loc[effect]) for effect in effects)
    sharing_left, loss_left, both_left = (
        f"{least:+.1f} to {most:+.1f}" for least, most in means[["least", "most"]].to_numpy()
    )
    runs = designs_of(found)
    edge, searched = at_the_edge(runs.experiment.unique())
    return (
        f"**Weight sharing alone {verb} the test error by {sharing}, a loss on the digits alone by "
        f"{loss}, both together by {both}.**",
        f"These are means over {pooled.n.max():.0f} designs "
        "with shared or separate branches and 95 % intervals over designs, under the same protocol "
        f"with each network's own learning rate (chosen on one round; {edge} of {searched} lie at "
        f"the edge of the grid). Leaving out each design in turn, sharing changes it by "
        f"{sharing_left}, the digit loss by {loss_left}, both by {both_left}. "
        f"{_interaction(pooled.loc['interaction'])} With the designs whose plain network takes "
        f"both images as two channels ({every.n.max():.0f} in all) they give {sharing_all}, "
        f"{loss_all} and {both_all} "
        f"({scope(runs)}; errors on many test pairs).",
    )


def headline(found: Findings) -> str:
    """Return what the two options change, in one line for the title of a picture."""
    means = found.pooled.set_index("effect")["mean"]
    effects = ("weight sharing alone", "auxiliary loss alone", "both")
    sharing, loss, both = (f"{means[effect]:+.1f}".replace("-", "−") for effect in effects)
    if means.isna().any():
        return "What do weight sharing and a digit loss change?"
    return f"Change in test error: weight sharing {sharing} points, digit loss {loss}, both {both}"


def amount(effect: pd.Series, sign: int) -> str:
    """Return "2.3 percentage points (0.7 to 3.9)" of an effect, or its opposite."""
    low, high = sorted((sign * effect.low, sign * effect.high))
    form = "{:.1f}" if sign < 0 else "{:+.1f}"
    mean, low, high = (form.format(value) for value in (sign * effect["mean"], low, high))
    return f"{mean} percentage points ({low} to {high})"


def _points(effect: pd.Series) -> str:
    return f"{effect['mean']:+.1f} ({effect.low:+.1f} to {effect.high:+.1f})"


def _interaction(effect: pd.Series) -> str:
    word = "leaves open whether together they do more or less than their sum"
    if not effect.low <= 0 <= effect.high:
        word = f"makes both together worth {'more' if effect.high < 0 else 'less'} than their sum"
    return f"Both minus the sum of the two, their interaction, is {_points(effect)}: it {word}."


#: How a sentence says what verdict printed errors have.
NUMBER_VERDICTS = {
    "equivalent": "equivalent to ours",
    "typical": "typical of what the protocol gives",
    "cannot tell": "cannot tell (the report's runs, ours or both are too few)",
    "different": "different",
    "not typical": "not typical",
    "not run": "not run",
}


def numbers_sentence(found: Findings | Verdicts, report: str | None = None) -> str:
    """Say how many printed errors have which verdict, of all reports or of one."""
    counts = numbers.tally(found.numbers)
    counts = counts.loc[[report]] if report else counts
    text, code = (counts.xs(reading, level="reading").sum() for reading in numbers.READINGS[:2])
    parts = [f"{text[v]} {says}" for v, says in NUMBER_VERDICTS.items() if text.get(v)]
    if text["all"] == code["all"] == 1:
        by_text, by_code = parts[0], verdicts_text(code)
        return (
            "Verdict on the one printed error: following the text, "
            f"{by_text.removeprefix('1 ')}; following the authors' code, "
            f"{by_code.removeprefix('1 ')}."
        )
    return (
        f"Of {text['all']} printed errors, following the text: {', '.join(parts)}; following the "
        f"authors' code: {verdicts_text(code)}."
    )


def verdicts_text(counts: pd.Series) -> str:
    """Return "2 equivalent, 5 cannot tell" of counts by verdict."""
    return ", ".join(f"{counts[v]} {v}" for v in NUMBER_VERDICTS if counts.get(v))


def claims_sentence(found: Findings | Verdicts, report: str | None = None) -> str:
    """Say how many claims of the authors have which verdict, of all reports or of one."""
    theirs = [result for result in found.claims if not result.claim.ours]
    mine = [result.verdict for result in theirs if report in (None, result.claim.report)]
    says = {"not run": "not tested yet"}
    parts = [f"{mine.count(v)} {says.get(v, v)}" for v in CLAIM_VERDICTS if v in mine]
    whose = "report" if report else "reports"
    return f"Of the {len(mine)} claims of the {whose}: {', '.join(parts)}."


def summary(found: Findings) -> pd.DataFrame:
    """Return one row per report: printed errors and claims by verdict."""
    errors = (
        numbers.tally(found.numbers).apply(verdicts_text, axis=1).unstack("reading", sort=False)
    )
    claims = verdict_counts(found.claims).set_index("report").drop(columns="all")
    both = errors.add_prefix("printed errors, ").join(claims.add_prefix("claims: "))
    return both.rename_axis(columns=None).reset_index()


def contradicted(found: Findings | Verdicts, report: str) -> list[tuple[str, str, str]]:
    """Return the contradicted claims of the authors, each with its reading and what decides it."""
    return [
        (f"{r.claim.id}: {r.claim.claim}", r.claim.reading, result_text(r.deciding))
        for r in found.claims
        if r.claim.report == report and r.verdict == "contradicted" and not r.claim.ours
    ]


def ranking_sentence(found: Findings) -> str:
    """Say which networks are first and last under the common protocol, and how far apart."""
    first, second, last = (found.ranking.iloc[place] for place in (0, 1, -1))
    return with_minus(
        f"First of {len(found.ranking)} is `{first.network}` with {first['mean']:.2f} % error, "
        f"second `{second.network}`, {difference(second, 'above', 'points')}; last is "
        f"`{last.network}` with {last['mean']:.2f} %."
    )


def cost_sentence(found: Findings) -> str:
    """Say how error goes with options, with parameters and with training compute."""
    ranked = found.ranking
    names = {
        (False, False): "plain",
        (False, True): "with weight sharing",
        (True, False): "with a digit loss",
        (True, True): "with both",
    }
    means = [
        f"{errors.mean():.1f} % {names[options]} ({len(errors)})"
        for options, errors in ranked.groupby(["auxiliary", "shared"])["mean"]
    ]
    of_size, of_work = (
        stats.spearmanr(ranked["mean"], ranked[cost]).statistic
        for cost in ("parameters", "training_gflop")
    )
    return with_minus(
        f"Mean error of different networks, and how many: {', '.join(means)}. The rank correlation "
        f"of error with the number of parameters is {of_size:+.2f}, with training compute "
        f"{of_work:+.2f} (n = {len(ranked)} networks)."
    )


def best_networks(
    frame: pd.DataFrame,
    by_image: dict[str, dict[int, np.ndarray]] | None = None,
    bullets: bool = False,
) -> str:
    """Say what errors the best networks have, how they were chosen, and what all digits give.

    frame, by_image: what `beyond.best_networks` takes. Without the latter, the intervals are over
    rounds alone, and the sentence says so. bullets: one for each thing that is said.
    """
    rows = beyond.best_networks(frame, by_image)
    sentences = [_error_of(row) for row in rows.to_dict("records")]
    validated = sum(step.fold_rounds > 0 for step in STEPS)
    chosen, compared = (f"{of[0]} to {of[-1]}" for of in (beyond.CHOSEN_ON, beyond.COMPARED_ON))
    sentences.append(
        f"Rounds {chosen} were looked at while choosing, and ensembles were compared in rounds "
        f"{compared}. {validated} variants were cross-validated and {len(STEPS) - validated} "
        "larger budgets were trained; further variants were tried outside the records. So the "
        "errors may flatter."
    )
    confirmed = rows.groupby("says", sort=False).fresh.any()
    if not confirmed.all():
        lacking = " and ".join(f"the {says}" for says in confirmed.index[~confirmed])
        sentences.append(
            f"A confirmation of {lacking} on fresh rounds, on which nothing was chosen, is not run."
        )
    baseline, oracle = (
        frame.loc[frame.experiment == name, "precise_error"] for name in (BASELINE, ORACLE)
    )
    sentences.append(
        "For comparison, the twin net with weight sharing and a digit loss, from which the "
        f"ablation starts, has an error of {baseline.mean():.2f} % on many test pairs."
    )
    if len(oracle):
        sentences.append(
            "Trained on all digits of the training set, the best network has a large-sample test "
            f"error of {oracle.mean():.2f} % (n = {len(oracle)})."
        )
    return "\n".join(f"- {told}" for told in sentences) if bullets else " ".join(sentences)


def brief(frame: pd.DataFrame) -> str:
    """Return the test errors of the best networks in a few words, with intervals over rounds."""
    rows = beyond.best_networks(frame)
    return " and ".join(
        f"{row['mean']:.2f} % ({interval(row)}, n = {row['n']:.0f}) in {row['epochs']} epochs"
        for row in rows[~rows.fresh].to_dict("records")
    )


def _error_of(row: dict) -> str:
    """Write a row of `beyond.best_networks` as a sentence."""
    if "exact" in row:
        error = f"an error of **{row['exact']:.2f} %** over all pairs of test images"
        over = {"exact": "rounds and test images", "rounds": "rounds alone"}
    else:
        error = f"a test error of **{mean_sd(row)} %** on {row['precise_pairs']:,} pairs"
        over = {"mean": "rounds alone"}
    limits = {what: interval(row, of=of) for of, what in over.items()}
    bounds = ", ".join(f"{limit} over {what}" for what, limit in limits.items() if limit)
    bounds = bounds and f"; 95 % interval {bounds}"
    which = "On fresh rounds" if row["fresh"] else f"Trained for {row['epochs']} epochs"
    return (
        f"{which}, the {row['says']} has {error} (n = {row['n']:.0f}{bounds}; computed in "
        f"{row['precision']}, {row['seconds']:.0f} seconds a round on one core)."
    )


def measured_steps(steps: pd.DataFrame) -> str:
    """Say which steps change the error measurably, in percentage points with intervals.

    steps: what `beyond.steps` gives, or some of its rows.
    """
    verdicts = {"gain": "Measurable gains", "loss": "Measurable losses"}
    sentences = []
    for verdict, says in (verdicts | {"no measurable change": "No measurable change"}).items():
        for validated, change, by in (
            (True, "fold_change", "by cross-validation"),
            (
                False,
                "change",
                "of a larger budget, against the best network of 25 epochs, by the "
                "test error of the rounds looked at",
            ),
        ):
            own = steps[(steps.verdict == verdict) & (steps.cross_validated == validated)]
            changes = [
                f"{row['says']}, {difference(row, of=change).replace('-', '−')}"
                for row in own.to_dict("records")
            ]
            if changes:
                sentences.append(f"{says} {by}: {'; '.join(changes)}.")
    return " ".join(sentences)
