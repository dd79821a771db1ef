"""Sentences that tell what was found, every number from records."""

import pandas as pd
from scipy import stats

from digits.analysis import numbers
from digits.analysis.choices import searched_among
from digits.analysis.claims import CLAIM_VERDICTS, ClaimResult
from digits.analysis.effects import LEAST_ROUNDS, MAIN_EFFECTS, RATHER
from digits.analysis.equivalence import VERDICTS
from digits.analysis.findings import TWO_BRANCHES, Findings, Verdicts, designs_of
from digits.experiments.registry import DESIGNS, EXPERIMENTS
from digits.output.names import name_of, of_design, plain_name
from digits.output.tables.claims import criterion_text, measured, verdict_counts
from digits.output.tables.format import amount, difference, points_of, scope, span, with_minus


def answer(found: Findings) -> str:
    """Return the answer of the study in paragraphs of Markdown, every number from records.

    The first is the answer in a sentence, the second what it rests on, the others what became of
    the reports.
    """
    paragraphs = (*_worth(found), numbers_sentence(found), claims_sentence(found), *_lowest(found))
    return with_minus("\n\n".join(paragraphs))


def _worth(found: Findings) -> tuple[str, ...]:
    """Say what weight sharing and the digit loss change, as means over designs; then of which."""
    pooled, every = (table.set_index("effect") for table in (found.pooled, found.pooled_all))
    if pooled["low"].isna().any():
        return (
            f"To say what the two options are worth takes two designs with {LEAST_ROUNDS} rounds.",
        )
    means = pooled.loc[list(MAIN_EFFECTS)]
    verb, sign = ("lowers", -1) if (means["mean"] < 0).all() else ("changes", 1)
    sharing, loss, both = (amount(effect, sign) for _, effect in means.iterrows())
    sharing_all, loss_all, both_all = (points_of(every.loc[effect]) for effect in MAIN_EFFECTS)
    sharing_left, loss_left, both_left = (
        f"{least:+.1f} to {most:+.1f}" for least, most in means[["least", "most"]].to_numpy()
    )
    runs, more = designs_of(found), every.n.max() - pooled.n.max()
    told = (
        f"**Weight sharing alone {verb} the test error by {sharing}, a loss on the digits alone by "
        f"{loss}, both together by {both}.**",
        f"These are means over {pooled.n.max():.0f} designs "
        "with shared or separate branches and 95 % intervals over designs; a design is one "
        "architecture in four versions: plain, shared, with digit loss, with both. All have the "
        f"same protocol. {learning_rates(found)}. Leaving out each design in turn, sharing "
        f"changes the error by {sharing_left}, the digit loss by {loss_left}, both by {both_left}. "
        f"The digit loss alone minus sharing alone is {points_of(pooled.loc[RATHER])}. "
        f"{_interaction(pooled.loc['interaction'])}",
        as_reported(found),
        f"Together with {more:.0f} more design{'s' if more > 1 else ''}, whose plain network "
        "gets both images stacked as two channels, so that sharing also means looking at each "
        f"image alone, the means are {sharing_all}, {loss_all} and "
        f"{both_all} ({scope(runs)}; errors on many test pairs).",
    )
    return told if more else told[:3]


def as_reported(found: Findings, brief: bool = False) -> str:
    """Say in how many designs of the reports which option is worth more; brief: without names."""
    rather = found.as_reported[found.as_reported.effect == RATHER]
    if rather.low.isna().all():
        return (
            "In the reports' own protocols no design has rounds enough to say which is worth more."
        )
    loss, sharing = (rather.high < 0).sum(), rather[rather.low > 0]
    names = ", ".join(f"‘{of_design(DESIGNS[name])}’" for name in sharing.design if not brief)
    which = " (at equal width, some by the text and again by the code, some with a control of ours)"
    where = f"In the reports' own protocols{'' if brief else which}"
    told = f"{where} the digit loss alone is worth more in {loss} of {len(rather)} designs, "
    told += f"sharing alone in {len(sharing)}{names and f' ({names})'}"
    left = len(rather) - loss - len(sharing)
    return f"{told}; {left} leave{'s' if left == 1 else ''} it open."


def learning_rates(found: Findings) -> str:
    """Say how the learning rates were chosen of the networks that the answer is a mean over."""
    searched = searched_among(designs_of(found, TWO_BRANCHES).experiment.unique())
    rounds = span(pd.Series(searched.rounds))
    return (
        f"Learning rates were chosen on {rounds} round{'s' if rounds != '1' else ''} "
        f"({searched.edge} of {searched.n} at the lowest or highest tried)"
    )


def _lowest(found: Findings) -> tuple[str, ...]:
    """Say which network of the one protocol has the lowest error; nothing without any."""
    if found.ranking.empty:
        return ()
    best = found.ranking.iloc[0]
    controls = sum(EXPERIMENTS[name].variant in CONTROLS for name in found.ranking.experiment)
    of_best = found.common[found.common.experiment == best.experiment]
    return (
        f"Networks under one common protocol: {len(found.ranking)}, {controls} of them controls "
        f"that no report has. The lowest test error, {best['mean']:.2f} %, is that of "
        f"{name_of(EXPERIMENTS[best.experiment])} ({scope(of_best)})"
        f"{_not_alone(found.ranking)}. Networks beyond the reports are in 06_beyond.",
    )


def _not_alone(ranking: pd.DataFrame) -> str:
    """Say that the second of a ranking may be as good, unless its interval excludes 0."""
    if len(ranking) > 1 and not ranking.iloc[1].above_low > 0:
        return "; the second is not measurably worse"
    return ""


def headline(found: Findings) -> str:
    """Return what the two options change, in one line for the title of a picture."""
    means = found.pooled.set_index("effect")["mean"]
    sharing, loss, both = (with_minus(f"{means[effect]:+.1f}") for effect in MAIN_EFFECTS)
    if means.isna().any():
        return "What do weight sharing and a digit loss change?"
    return f"Change in test error: weight sharing {sharing} points, digit loss {loss}, both {both}"


def _interaction(effect: pd.Series) -> str:
    word = "leaves open whether together they do more or less than their sum"
    if not effect.low <= 0 <= effect.high:
        word = f"makes both together worth {'more' if effect.high < 0 else 'less'} than their sum"
    return f"Both minus the sum of the two, their interaction, is {points_of(effect)}: it {word}."


#: Variants that are ours, not a report's.
CONTROLS = ("unshared", "wide")
#: What the verdicts on printed errors come to: of one, of several, and which verdicts.
OUTCOMES = (
    ("agrees with ours", "agree with ours", ("equivalent", "typical")),
    ("disagrees with ours", "disagree", ("different", "not typical")),
    ("cannot be decided", "cannot be decided", ("cannot tell",)),
    ("is not run", "are not run", ("not run",)),
)


def numbers_sentence(found: Findings | Verdicts, report: str | None = None) -> str:
    """Say how many printed errors agree with ours, of all reports or of one.

    Following the text; then following the authors' code, those alone that it computes differently.
    """
    errors = numbers.errors_of(found.numbers, in_both=False)
    errors = errors[errors.report == report] if report else errors
    text, code = (errors[errors.reading == reading].verdict for reading in numbers.READINGS[:2])
    if text.empty and code.empty:
        return "No errors are printed."
    of = "the one printed error" if len(text) == 1 else f"of {len(text)} printed errors,"
    told = f"Following the text, {of} {_outcomes(text)}."
    if code.empty:
        return told
    if len(code) > 1:
        how_many = f"{len(code)} of them differently; following it,"
        return f"{told} The authors' code computes {how_many} {_outcomes(code)}."
    which = (
        "Following the authors' code, it"
        if len(text) == 1
        else "The one that the authors' code computes differently"
    )
    return f"{told} {which} {_outcomes(code)}."


def _outcomes(verdicts: pd.Series) -> str:
    """Return "15 agree with ours, 2 disagree" of verdicts; of a single one "agrees with ours"."""
    counts = [verdicts.isin(of).sum() for *_, of in OUTCOMES]
    told = ", ".join(
        f"{n} {one if n == 1 else several}{_how(verdicts, of)}"
        for n, (one, several, of) in zip(counts, OUTCOMES, strict=True)
        if n
    )
    return told.removeprefix("1 ") if len(verdicts) == 1 else told


def _how(verdicts: pd.Series, of: tuple[str, ...]) -> str:
    """Return " (5 equivalent, 2 typical)" of those that agree: "typical" is not "equal"."""
    mine = verdicts[verdicts.isin(of)]
    return f" ({verdicts_text(mine)})" if "typical" in of and len(verdicts) > 1 else ""


def verdicts_text(verdicts: pd.Series) -> str:
    """Return "2 equivalent, 5 cannot tell" of verdicts."""
    counts = verdicts.value_counts()
    return ", ".join(f"{counts[v]} {v}" for v in VERDICTS if v in counts)


def claims_sentence(found: Findings | Verdicts, report: str | None = None) -> str:
    """Say how many claims of the authors have which verdict, of all reports or of one."""
    theirs = [result for result in found.claims if not result.claim.ours]
    mine = [result for result in theirs if report in (None, result.claim.report)]
    if not mine:
        return "No claims are made."
    verdicts = [result.verdict for result in mine]
    counts = [f"{verdicts.count(v)} {v}" for v in CLAIM_VERDICTS if v in verdicts]
    told = f"Of the {len(mine)} claims of the {'report' if report else 'reports'}: "
    told += f"{', '.join(counts)}."
    again = [result.second.verdict for result in mine if result.second]
    if again:
        n, held = len(again), again.count("supported")
        told += f" {n} can be read in a second way; so read, {held} {'is' if held == 1 else 'are'} "
        told += "supported."
    changed = [result.learned for result in mine if result.learned not in (None, result.verdict)]
    if changed:
        n, held = len(changed), changed.count("supported")
        told += f" Without rounds that fail to learn, {n} verdict{'s' if n > 1 else ''} would "
        told += f"change, {held} to supported."
    return told


def failed_rounds(rows: dict[str, pd.DataFrame]) -> str:
    """Say how many rounds ended with one answer to nearly all pairs; rows: tidy rows by kind."""
    counts = [
        f"{numbers.failed(runs).sum()} of {len(runs)} rounds {kind}" for kind, runs in rows.items()
    ]
    what = f"One answer to nearly all pairs (train error above {numbers.FAILED} %)"
    return f"{what}: {', '.join(counts)}."


def summary(found: Findings) -> pd.DataFrame:
    """Return one row per report: printed errors and claims by verdict."""
    errors = (
        numbers.errors_of(found.numbers, in_both=False)
        .groupby(["report", "reading"], sort=False)
        .verdict.apply(verdicts_text)
        .unstack("reading", sort=False)
        .fillna("as the text")
    )
    claims = verdict_counts(found.claims).set_index("report").drop(columns="all")
    both = errors.add_prefix("printed errors, ").join(claims.add_prefix("claims: "))
    return both.rename_axis(columns=None).reset_index()


def contradicted(found: Findings | Verdicts, report: str) -> list[tuple[str, str, str]]:
    """Return the contradicted claims of the authors, each with its reading and what decides it.

    The latter with the verdict on a second reading, if there is one.
    """
    return [
        (result.claim.claim, result.claim.reading, _decided(result))
        for result in found.claims
        if (result.claim.report, result.verdict) == (report, "contradicted")
        and not result.claim.ours
    ]


def _decided(result: ClaimResult) -> str:
    """Say what contradicts a claim, networks by their names, and the verdict on a second reading.

    Such as "error, ‘CNN, digit loss’ minus ‘CNN’: -0.6 (-1.0 to -0.2; n = 10), and would have to
    be -3 to -1".
    """
    criterion, found = result.deciding.criterion, measured(result.deciding)
    about = criterion_text(criterion, lambda name: f"‘{plain_name(name)}’", "minus")
    wanted = f"and would have to be {criterion.claimed}"
    if criterion.published:
        wanted = "and the two would have to agree"
    told = f"{about}: {found}, {wanted}"
    if result.second:
        told += f"; a second reading, {result.claim.second_reading}: {result.second.verdict}"
    if result.learned not in (None, result.verdict):
        told += f"; without rounds that fail to learn: {result.learned}"
    return told


def ranking_sentence(found: Findings) -> str:
    """Say which networks are first and last under the common protocol, and how far apart."""
    if len(found.ranking) < 2:
        return "A ranking takes two networks under the common protocol."
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
