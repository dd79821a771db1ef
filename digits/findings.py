"""What the whole study finds: verdicts, one fair comparison, and the sentences that tell them.

The comparison notebook, the page of a run and the README read from here, so they cannot disagree.
"""

from typing import NamedTuple

import pandas as pd
from scipy import stats

from digits import statistics, tables, verdicts
from digits.claims import CLAIMS, Decision, decide, decide_again
from digits.experiment import Design, report_of
from digits.experiments import COMMON_DESIGNS, EXPERIMENTS
from digits.frames import unshortened


def _without_common_cells(designs: list[Design]) -> list[Design]:
    """Return the designs that share no network with one before them."""
    kept, cells = [], set()
    for design in designs:
        if cells.isdisjoint(design.cells):
            kept.append(design)
            cells.update(design.cells)
    return kept


#: Designs of the common protocol in which all else is equal: one branch for both images against
#: two of the same shape.
TWO_BRANCHES = [design for design in COMMON_DESIGNS if design.baseline == "two branches"]
#: Beside them those of the same width in which the network without sharing is one net that sees
#: both images at once, so that sharing also means looking at each image alone.
EQUAL_WIDTH = _without_common_cells(
    TWO_BRANCHES + [design for design in COMMON_DESIGNS if design.baseline == "one stacked net"]
)


class Findings(NamedTuple):
    """What tidy rows of the whole study show.

    own, common: the rows by protocol. numbers: see `verdicts.all_numbers`. decisions, again: every
    claim decided by the reports' own protocols and under the common one. ranking: of the common
    protocol. effects: of each design of equal width under it. pooled: their means over the
    designs of `TWO_BRANCHES`; pooled_all: over all.
    """

    own: pd.DataFrame
    common: pd.DataFrame
    numbers: pd.DataFrame
    decisions: list[Decision]
    again: list[Decision]
    ranking: pd.DataFrame
    effects: pd.DataFrame
    pooled: pd.DataFrame
    pooled_all: pd.DataFrame


def find(frame: pd.DataFrame) -> Findings:
    """Find everything that the tidy rows of a study show."""
    own, common = (frame[frame.protocol == protocol] for protocol in ("own", "common"))
    full = unshortened(common)
    reports = [e for e in EXPERIMENTS.values() if e.protocol == "own"]
    pooled, pooled_all = (
        statistics.pooled_effects(statistics.effects_by_round(full, designs))
        for designs in (TWO_BRANCHES, EQUAL_WIDTH)
    )
    return Findings(
        own=own,
        common=full,
        numbers=verdicts.all_numbers(own, reports),
        decisions=[decide(claim, own) for claim in CLAIMS],
        again=[decide_again(claim, frame) for claim in CLAIMS],
        ranking=statistics.ranking(full),
        effects=statistics.factorial_effects(full, EQUAL_WIDTH),
        pooled=pooled,
        pooled_all=pooled_all,
    )


def means(found: Findings) -> dict[str, tuple[list[str], pd.DataFrame]]:
    """Return the pooled effects by the name of the mean, with the designs that each is over."""
    return {
        "mean, two branches": ([design.name for design in TWO_BRANCHES], found.pooled),
        "mean, all": ([design.name for design in EQUAL_WIDTH], found.pooled_all),
    }


def answer(found: Findings) -> str:
    """Return the answer of the study in one paragraph of Markdown, every number from records."""
    pooled, every = (table.set_index("effect") for table in (found.pooled, found.pooled_all))
    best = found.ranking.iloc[0]
    of_best = found.common[found.common.experiment == best.experiment]
    worth = "One design or one round cannot say what the two options are worth."
    if pooled["mean"].notna().all():
        alone, loss, both = (
            "weight sharing alone",
            "auxiliary loss alone",
            "both",
        )
        worth = (
            f"**With all else equal, weight sharing alone changes the test error by "
            f"{_points(pooled.loc[alone])}, an auxiliary loss on the digits alone by "
            f"{_points(pooled.loc[loss])}, both together by {_points(pooled.loc[both])}.** "
            f"That is the mean over {pooled.n.max():.0f} networks with one branch for both images "
            "or two of the same shape. "
            f"{_interaction(pooled.loc['interaction'])} With those whose plain network sees both "
            f"images at once ({every.n.max():.0f} in all) it is {_points(every.loc[alone])}, "
            f"{_points(every.loc[loss])} and {_points(every.loc[both])} "
            f"({tables.scope(designs_of(found))}; measured on many test pairs)."
        )
    return (
        f"{worth} The best of the {len(found.ranking)} networks under that one protocol is "
        f"`{_network(best)}` with {best['mean']:.2f} % error ({tables.scope(of_best)}). "
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
    counts = counts.groupby("reading").sum()
    whose = ("the report says", "its code did") if report else ("the reports say", "their code did")
    parts = [
        f"{_reproduced(counts.loc[reading])} by what {which}"
        for reading, which in zip(("as written", "as published"), whose, strict=True)
    ]
    return f"Published errors reproduced: {', '.join(parts)}."


def _reproduced(counts: pd.Series) -> str:
    """Return "7 of 10 (5 within a point; 6 not comparable)" of a row of `verdicts.tally`."""
    counts = counts.reindex(["reproduced", "within a point", "not comparable", "all"], fill_value=0)
    beside = f"{counts['within a point']} within a point"
    if counts["not comparable"]:
        beside += f"; {counts['not comparable']} not comparable here"
    comparable = counts["all"] - counts["not comparable"]
    return f"{counts.reproduced} of {comparable} ({beside})"


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
        "with a digit loss": ~ranked.shared & ranked.auxiliary,
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
        f"Mean error of different networks, and how many: {', '.join(means)}. The rank correlation "
        f"of error with the number of parameters is {of_size:+.2f}, with training compute "
        f"{of_work:+.2f} (n = {len(ranked)} networks)."
    )


def _network(row: pd.Series) -> str:
    return row.experiment.removeprefix("common/")


def summary(found: Findings) -> pd.DataFrame:
    """Return one row per report: published errors reproduced, claims by verdict."""
    counts = verdicts.tally(found.numbers)
    numbers = {
        reading: counts.xs(reading, level="reading").apply(_reproduced, axis=1)
        for reading in ("as written", "as published")
    }
    claims = tables.verdict_counts(found.decisions).set_index("report").drop(columns="all")
    return pd.DataFrame(
        {f"errors reproduced {reading}": column for reading, column in numbers.items()}
        | {f"claims: {verdict}": claims[verdict] for verdict in claims}
    ).reset_index()


def contradicted(found: Findings, report: str) -> list[tuple[str, str, str]]:
    """Return the contradicted claims of a report, each with its reading and what decides it."""
    return [
        (f"{d.claim.id}: {d.claim.claim}", d.claim.reading, tables.finding_text(d.deciding))
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
    word = ", which leaves open whether together they do more or less than their sum"
    if not row.low <= 0 <= row.high:
        word = (
            ": together more than their sum" if row.high < 0 else ": together less than their sum"
        )
    return f"The interaction of the two is {row['mean']:+.1f} points ({bounds}){word}."
