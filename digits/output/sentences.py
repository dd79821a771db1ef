"""Sentences that tell what was found, every number from records."""

import pandas as pd
from scipy import stats

from digits.analysis import beyond, numbers
from digits.analysis.claims import CLAIM_VERDICTS
from digits.analysis.findings import Findings, designs_of
from digits.experiments.beyond import BASELINE, ORACLE
from digits.experiments.registry import select
from digits.output.tables.claims import result_text, verdict_counts
from digits.output.tables.format import difference, interval, mean_sd, scope
from digits.study.study import Study


def answer(found: Findings) -> str:
    """Return the answer of the study in one paragraph of Markdown, every number from records."""
    best = found.ranking.iloc[0]
    of_best = found.common[found.common.experiment == best.experiment]
    return (
        f"{_worth(found)} The best of the {len(found.ranking)} networks under that one protocol is "
        f"`{best.network}` with {best['mean']:.2f} % error ({scope(of_best)}). "
        f"{numbers_sentence(found)} {claims_sentence(found)}"
    )


def _worth(found: Findings) -> str:
    """Say what weight sharing and the auxiliary loss change, over all designs."""
    pooled, every = (table.set_index("effect") for table in (found.pooled, found.pooled_all))
    if pooled["mean"].isna().any():
        return "One design or one round cannot say what the two options are worth."
    effects = ["weight sharing alone", "auxiliary loss alone", "both"]
    sharing, loss, both = (_points(pooled.loc[effect]) for effect in effects)
    sharing_all, loss_all, both_all = (_points(every.loc[effect]) for effect in effects)
    return (
        f"**With all else equal, weight sharing alone changes the test error by {sharing}, an "
        f"auxiliary loss on the digits alone by {loss}, both together by {both}.** That is the "
        f"mean over {pooled.n.max():.0f} networks with one branch for both images or two of the "
        f"same shape. {_interaction(pooled.loc['interaction'])} With those whose plain network "
        f"sees both images at once ({every.n.max():.0f} in all) it is {sharing_all}, {loss_all} "
        f"and {both_all} ({scope(designs_of(found))}; measured on many test pairs)."
    )


def _points(effect: pd.Series) -> str:
    return difference(effect, "{:+.1f} points")


def _interaction(effect: pd.Series) -> str:
    if pd.isna(effect.low):
        return "Whether the two add up is left open."
    word = ", which leaves open whether together they do more or less than their sum"
    if not effect.low <= 0 <= effect.high:
        word = f": together {'more' if effect.high < 0 else 'less'} than their sum"
    return f"The interaction of the two is {_points(effect)}{word}."


def numbers_sentence(found: Findings, report: str | None = None) -> str:
    """Say how many published errors are reproduced, of all reports or of one."""
    counts = numbers.tally(found.numbers)
    if report:
        counts = counts.loc[[report]]
    written, published = (
        _reproduced(counts.xs(reading, level="reading").sum())
        for reading in ("as written", "as published")
    )
    says, did = (
        ("the report says", "its code did") if report else ("the reports say", "their code did")
    )
    return f"Published errors reproduced: {written} by what {says}, {published} by what {did}."


def _reproduced(counts: pd.Series) -> str:
    """Return "7 of 10 (5 within a point; 6 not comparable)" of a row of `numbers.tally`."""
    counts = counts.reindex(["reproduced", "within a point", "not comparable", "all"], fill_value=0)
    apart = counts["not comparable"]
    beside = f"; {apart} not comparable here" if apart else ""
    near = f"{counts['within a point']} within a point{beside}"
    return f"{counts.reproduced} of {counts['all'] - apart} ({near})"


def claims_sentence(found: Findings, report: str | None = None) -> str:
    """Say how many claims have which verdict, of all reports or of one."""
    mine = [result.verdict for result in found.claims if report in (None, result.claim.report)]
    words = {
        "no records": "without records here",
        "design argument": "about design, which no measurement decides",
    }
    parts = [f"{mine.count(v)} {words.get(v, v)}" for v in CLAIM_VERDICTS if v in mine]
    return f"Claims: {', '.join(parts)}."


def summary(found: Findings) -> pd.DataFrame:
    """Return one row per report: published errors reproduced, claims by verdict."""
    counts = numbers.tally(found.numbers).apply(_reproduced, axis=1).unstack("reading", sort=False)
    claims = verdict_counts(found.claims).set_index("report").drop(columns="all")
    both = counts.add_prefix("errors reproduced ").join(claims.add_prefix("claims: "))
    return both.rename_axis(columns=None).reset_index()


def contradicted(found: Findings, report: str) -> list[tuple[str, str, str]]:
    """Return the contradicted claims of a report, each with its reading and what decides it."""
    return [
        (f"{r.claim.id}: {r.claim.claim}", r.claim.reading, result_text(r.deciding))
        for r in found.claims
        if r.claim.report == report and r.verdict == "contradicted"
    ]


def ranking_sentence(found: Findings) -> str:
    """Say which networks are first and last under the common protocol, and how far apart."""
    first, second, last = (found.ranking.iloc[place] for place in (0, 1, -1))
    return (
        f"First of {len(found.ranking)} is `{first.network}` with {first['mean']:.2f} % error, "
        f"second `{second.network}`, {difference(second, '{:+.2f} points', 'above')}; last is "
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
    return (
        f"Mean error of different networks, and how many: {', '.join(means)}. The rank correlation "
        f"of error with the number of parameters is {of_size:+.2f}, with training compute "
        f"{of_work:+.2f} (n = {len(ranked)} networks)."
    )


def shortened_note(frame: pd.DataFrame) -> str:
    """Say what shortened runs cannot show, "" if all are of full length."""
    if not frame.shortened.any():
        return ""
    return (
        "**Shortened here.** The larger networks see fewer pairs and epochs than the smaller ones, "
        "as the captions say, so that steps between them are more than the ingredient they name, "
        "and the targets cannot be met. What the text says holds for the full protocol "
        "(`--profile paper --data mnist`)."
    )


def best_networks(frame: pd.DataFrame) -> str:
    """Say what the best networks reach, against their targets and with all digits.

    Targets are for the full protocol alone.
    """
    sentences = []
    for row in beyond.targets(frame).to_dict("records"):
        bounds, aim = interval(row), ""
        if not frame.shortened.any():
            met = "met" if row["mean"] <= row["target"] else "missed"
            aim = f"; the target of {row['target']:.2f} % is {met}"
        sentences.append(
            f"{row['says']} errs on **{mean_sd(row)} %** of the "
            f"pairs (n = {row['n']:.0f}{bounds and f', 95 % interval {bounds}'}; {row['epochs']} "
            f"epochs, {row['seconds']:.0f} seconds a round on one core{aim})."
        )
    baseline, oracle = (
        frame.loc[frame.experiment == name, "precise_error"] for name in (BASELINE, ORACLE)
    )
    sentences.append(f"The twin net that the ladder starts from errs on {baseline.mean():.2f} %.")
    if len(oracle):
        sentences.append(
            "Trained on all digits of the training set, the best network errs on "
            f"{oracle.mean():.2f} % (n = {len(oracle)})."
        )
    return " ".join(sentences)


def left_out(study: Study, *patterns: str) -> str:
    """Say which experiments `light` leaves out, "" if none."""
    here = {run.experiment.id for run in study.runs(*patterns)}
    deep = [e.id for e in select(*patterns) if "deep" in e.tags and e.protocol == "own"]
    lacking = [name for name in deep if name not in here]
    if not lacking:
        return ""
    return (
        f"Left out here, because they take days on a CPU at full length: {len(lacking)} "
        f"experiments with twenty convolutions and more ({', '.join(lacking)})."
    )
