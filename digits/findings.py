"""What the whole study finds: verdicts, one fair comparison, and the sentences that tell them.

The comparison notebook, the page of a run and the README read from here, so they cannot disagree.
"""

from typing import NamedTuple

import pandas as pd
from scipy import stats

from digits import statistics, tables, verdicts
from digits.claims import CLAIMS, Decision, decide, under_the_common_protocol
from digits.experiment import report_of
from digits.experiments import COMMON_DESIGNS, EXPERIMENTS

#: The 2x2 designs of the common protocol in which the shared branch is as wide as the others.
EQUAL_WIDTH = [design for design in COMMON_DESIGNS if not design.baseline.endswith("wider")]


class Findings(NamedTuple):
    """What tidy rows of the whole study show.

    own, common: the rows by protocol. numbers: see `verdicts.all_numbers`. decisions, again: every
    claim decided by the reports' own protocols and under the common one. ranking: of the common
    protocol. effects, pooled: of the designs of equal width under it, each and over all.
    """

    own: pd.DataFrame
    common: pd.DataFrame
    numbers: pd.DataFrame
    decisions: list[Decision]
    again: list[Decision]
    ranking: pd.DataFrame
    effects: pd.DataFrame
    pooled: pd.DataFrame


def find(frame: pd.DataFrame) -> Findings:
    """Find everything that the tidy rows of a study show."""
    own, common = (frame[frame.protocol == protocol] for protocol in ("own", "common"))
    # Networks that were shortened say little beside those that were not.
    full = common if common.shortened.all() else common[~common.shortened]
    reports = [e for e in EXPERIMENTS.values() if e.protocol == "own"]
    by_round = statistics.effects_by_round(full, EQUAL_WIDTH)
    return Findings(
        own=own,
        common=full,
        numbers=verdicts.all_numbers(own, reports),
        decisions=[decide(claim, own) for claim in CLAIMS],
        again=[decide(claim, under_the_common_protocol(frame)) for claim in CLAIMS],
        ranking=statistics.ranking(full),
        effects=statistics.factorial_effects(full, EQUAL_WIDTH),
        pooled=statistics.pooled_effects(by_round),
    )


def answer(found: Findings) -> str:
    """Return the answer of the study in one paragraph of Markdown, every number from records."""
    pooled = found.pooled.set_index("effect")
    best = found.ranking.iloc[0]
    worth = "One design or one round cannot say what the two options are worth."
    if pooled["mean"].notna().all():
        worth = (
            "**With all else equal, weight sharing alone changes the test error by "
            f"{_points(pooled.loc['weight sharing alone'])}, an auxiliary loss on the digits alone "
            f"by {_points(pooled.loc['auxiliary loss alone'])}, both together by "
            f"{_points(pooled.loc['both'])}.** That is the mean over {pooled.n.max():.0f} designs, "
            "each a network with and without one and the other at equal width. "
            f"{_interaction(pooled.loc['interaction'])}"
        )
    return (
        f"{worth} The best network of the reports under that one protocol is "
        f"`{_network(best)}` with {best['mean']:.2f} % error "
        f"({tables.scope(designs_of(found))}; measured on many test pairs). "
        f"{numbers_sentence(found)} {claims_sentence(found)}"
    )


def designs_of(found: Findings) -> pd.DataFrame:
    """Return the runs that the pooled effects rest on."""
    cells = statistics.cells_of(found.effects, EQUAL_WIDTH)
    return found.common[found.common.experiment.isin(cells)]


def numbers_sentence(found: Findings, report: str | None = None) -> str:
    """Say how many published errors are reproduced, of all reports or of one."""
    counts = verdicts.tally(found.numbers)
    if report:
        counts = counts[counts.index.get_level_values("report") == report]
    columns = ["reproduced", "not comparable", "all"]
    counts = counts.groupby("reading").sum().reindex(columns=columns, fill_value=0)
    written, coded = (counts.loc[reading] for reading in ("as written", "as published"))
    whose = ("the report says", "its code did") if report else ("the reports say", "their code did")
    open_ = written["not comparable"]
    return (
        f"Published errors reproduced: {written.reproduced} of {written['all']} by what "
        f"{whose[0]}, {coded.reproduced} of {coded['all']} by what {whose[1]}"
        + (f"; {open_} cannot be compared here." if open_ else ".")
    )


def claims_sentence(found: Findings, report: str | None = None) -> str:
    """Say how many claims have which verdict, of all reports or of one."""
    mine = [d.verdict for d in found.decisions if report in (None, d.claim.report)]
    words = {
        "supported": "supported",
        "contradicted": "contradicted",
        "undecided": "undecided",
        "no records": "without records here",
        "design argument": "about design, which no measurement decides",
    }
    parts = [f"{mine.count(verdict)} {word}" for verdict, word in words.items() if verdict in mine]
    return f"Claims: {', '.join(parts)}."


def ranking_sentence(found: Findings) -> str:
    """Say which networks are first and last under the common protocol, and how far apart."""
    first, second, last = (found.ranking.iloc[place] for place in (0, 1, -1))
    bounds = tables.interval({"low": second.above_low, "high": second.above_high}, "+")
    above = f"{second.above:+.2f} points" + (f" ({bounds})" if bounds else "")
    return (
        f"First of {len(found.ranking)} is `{_network(first)}` with {first['mean']:.2f} % error, "
        f"second `{_network(second)}`, {above}; last is `{_network(last)}` with "
        f"{last['mean']:.2f} %."
    )


def cost_sentence(found: Findings) -> str:
    """Say how error goes with options, with parameters and with training compute."""
    ranked = found.ranking
    groups = {
        "plain": ~ranked.shared & ~ranked.auxiliary,
        "with weight sharing": ranked.shared & ~ranked.auxiliary,
        "with an auxiliary loss": ~ranked.shared & ranked.auxiliary,
        "with both": ranked.shared & ranked.auxiliary,
    }
    means = [
        f"{ranked['mean'][these].mean():.1f} % {name} ({these.sum()})"
        for name, these in groups.items()
        if these.any()
    ]
    of_size, of_work = (
        stats.spearmanr(ranked["mean"], ranked[cost]).statistic
        for cost in ("parameters", "training_gflop")
    )
    return (
        f"Mean error, and how many networks: {', '.join(means)}. The rank correlation of error "
        f"with the number of parameters is {of_size:+.2f}, with training compute {of_work:+.2f}."
    )


def _network(row: pd.Series) -> str:
    return row.experiment.removeprefix("common/")


def summary(found: Findings) -> pd.DataFrame:
    """Return one row per report: published errors reproduced, claims by verdict."""
    counts = verdicts.tally(found.numbers).reindex(columns=["reproduced", "all"], fill_value=0)
    numbers = {
        reading: counts.xs(reading, level="reading").apply(
            "{0.reproduced} of {0[all]}".format, axis=1
        )
        for reading in ("as written", "as published")
    }
    claims = tables.verdict_counts(found.decisions).set_index("report").drop(columns="all")
    return pd.DataFrame(
        {f"errors reproduced {reading}": column for reading, column in numbers.items()}
        | {f"claims: {verdict}": claims[verdict] for verdict in claims}
    ).reset_index()


def contradicted(found: Findings, report: str) -> list[tuple[str, str]]:
    """Return the contradicted claims of a report, each with what decides it."""
    return [
        (f"{d.claim.id}: {d.claim.claim}", tables.finding_text(d.deciding))
        for d in found.decisions
        if d.claim.report == report and d.verdict == "contradicted"
    ]


def best_of(found: Findings, report: str) -> pd.Series | None:
    """Return the best network of a report under the common protocol, None without any."""
    mine = found.ranking[found.ranking.experiment.map(report_of) == report]
    return None if mine.empty else mine.iloc[0]


def _points(row: pd.Series) -> str:
    bounds = tables.interval(row, "+")
    return f"{row['mean']:+.1f} points" + (f" ({bounds})" if bounds else "")


def _interaction(row: pd.Series) -> str:
    bounds = tables.interval(row, "+")
    if not bounds:
        return "Whether the two add up is left open."
    word = ", which leaves open whether they help each other or overlap"
    if not row.low <= 0 <= row.high:
        word = ": they help each other" if row.high < 0 else ": they overlap"
    return f"The interaction of the two is {row['mean']:+.1f} points ({bounds}){word}."
