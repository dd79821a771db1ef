"""The README's numbers: written between two marks, from the committed records alone."""

import pandas as pd

from digits import paths, statistics, tables
from digits.errors import InputError
from digits.experiments import DESIGNS, select
from digits.frames import tidy
from digits.study import Study

BEGIN = "<!-- results: made by `python -m digits readme` -->"
END = "<!-- end of results -->"
README = paths.ROOT / "README.md"


def results() -> str:
    """Return the findings and the results table, from the records of the full protocol."""
    frame = tidy(Study(source="mnist", profile="paper").records("*"))
    table = tables.error_table(frame).drop(columns=["95 % interval"])
    return "\n\n".join(
        [
            _effects(frame),
            _kqiku(frame),
            _zadoks(frame),
            tables.markdown(table),
            f"Errors in %, mean ± SD over n rounds; {tables.scope(frame)}. The precise test error "
            "is of the same networks on 20,000 pairs. Of kqiku's `@published` runs, train and "
            "test error are means over ten consecutive trainings, the precise error is after the "
            "last.",
        ]
    )


def _effects(frame: pd.DataFrame) -> str:
    independent = frame[frame.trainings == 1]
    effects = statistics.factorial_effects(independent, DESIGNS)
    spread = effects.groupby("effect")["mean"].agg(["min", "max"])
    networks = effects.design.str.split("@").str[0].nunique()

    def points(effect: str) -> str:
        return _range(spread.loc[effect])

    return (
        f"**On the same pairs round by round, the auxiliary loss alone changes the test error by "
        f"{points('auxiliary loss alone')} points, weight sharing alone by "
        f"{points('weight sharing alone')}, both together by {points('both')}** "
        f"({networks} networks of two reports, each as written and as its code has it; "
        f"{tables.scope(independent)}; measured on 20,000 test pairs a round)."
    )


def _kqiku(frame: pd.DataFrame) -> str:
    def test_errors(pattern: str) -> pd.DataFrame:
        numbers = tables.published_numbers(select(pattern))
        found = statistics.published_against_ours(frame, numbers)
        return found[found.quantity == "test_error"]

    def spread(found: pd.DataFrame) -> str:
        return _range(found.difference.agg(["min", "max"]))

    chains = test_errors("kqiku/*@published")
    half = ((chains.high - chains.low) / 2).agg(["min", "max"])
    written, repaired = test_errors("kqiku/*+aux"), test_errors("kqiku/*+aux@repaired")
    return (
        f"*Kqiku et al.* print {len(chains)} test errors. Their code trained one network ten times "
        'on end, without a reset and without the auxiliary loss, so a row and its "+aux" row '
        f"are two runs of the same thing. That protocol reproduces {chains.reproduced.sum()} of "
        f"the {len(chains)} (the interval of the difference holds 0, or the difference is under a "
        f"point; differences {spread(chains)} points; a weak test each, since such a chain varies "
        f"by ± {half['min']:.1f} to {half['max']:.1f}). With the loss on, the "
        f"{len(written)} rows that name it come out {spread(written)} points from the printed "
        f"numbers as the report is written, and {spread(repaired)} with the code's own networks."
    )


def _range(low_high: pd.Series) -> str:
    return f"{low_high['min']:+.1f} to {low_high['max']:+.1f}"


def _zadoks(frame: pd.DataFrame) -> str:
    numbers = tables.published_numbers(select("zadoks/*"))
    found = statistics.published_against_ours(frame, numbers).set_index("experiment")

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
