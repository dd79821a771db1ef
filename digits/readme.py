"""The README's numbers: written between two marks, from the committed records alone."""

import pandas as pd

from digits import paths, statistics, tables
from digits.errors import InputError
from digits.experiments import select
from digits.frames import tidy
from digits.study import Study

BEGIN = "<!-- results: made by `python -m digits readme` -->"
END = "<!-- end of results -->"
README = paths.ROOT / "README.md"


def results() -> str:
    """Return the findings and the results table, from the records of the full protocol."""
    frame = tidy(Study(source="mnist", profile="paper").records("*"))
    table = tables.error_table(frame).drop(columns=["95 % interval", "seconds a round"])
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
    effects = statistics.factorial_effects(independent, "precise_error")
    spread = effects.groupby("effect")["mean"].agg(["min", "max"])

    def points(effect: str) -> str:
        low, high = spread.loc[effect]
        return f"{low:+.1f} to {high:+.1f}"

    return (
        f"**Over {effects.architecture.nunique()} architectures of two reports, on the same pairs "
        f"round by round, the auxiliary loss alone changes the test error by "
        f"{points('auxiliary loss alone')} points, weight sharing alone by "
        f"{points('weight sharing alone')}, both together by {points('both')}** "
        f"({tables.scope(independent)}; measured on 20,000 test pairs a round)."
    )


def _kqiku(frame: pd.DataFrame) -> str:
    def agreement(pattern: str) -> pd.DataFrame:
        numbers = tables.published_numbers(select(pattern))
        return statistics.published_against_ours(frame, numbers)

    chains = agreement("kqiku/*@published")
    loss_on = agreement("kqiku/*+aux")
    gains = -loss_on[loss_on.quantity == "test_error"].difference
    return (
        f"*Kqiku et al.* print {len(chains)} errors. Of these, {chains.reproduced.sum()} are "
        "reproduced by what their code did (ten trainings of one network without a reset and "
        "without the auxiliary loss: the 95 % interval for one more such chain holds the number, "
        "or our mean is less than a point away); the rows with and without the auxiliary loss are "
        "two runs of the same thing. As the report is written, with the loss on, the test error "
        f"of the rows that name it is {gains.min():.1f} to {gains.max():.1f} points lower than "
        "printed."
    )


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
    _, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    block, end, _ = rest.partition(END)
    if not begin or not end:
        raise InputError(f"README.md lacks the marks {BEGIN} and {END}: put them back.")
    return block.strip()


def write() -> None:
    """Put the results between the two marks in the README."""
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(written(), results()), encoding="utf-8")
