"""The README's numbers: written between two marks, from the committed records alone."""

from digits import paths, statistics, tables
from digits.errors import InputError
from digits.frames import tidy
from digits.study import Study

BEGIN = "<!-- results: made by `python -m digits readme` -->"
END = "<!-- end of results -->"
README = paths.ROOT / "README.md"


def results() -> str:
    """Return the claim and the results table, from the records of the full protocol."""
    study = Study(source="mnist", profile="paper")
    frame = tidy(study.records("*"))
    effects = statistics.factorial_effects(frame[frame.trainings == 1], "precise_error")
    spread = effects.groupby("effect", sort=False)["mean"].agg(["min", "max"])
    architectures = effects.architecture.nunique()

    def points(effect: str) -> str:
        low, high = spread.loc[effect]
        return f"{low:+.1f} to {high:+.1f}"

    table = tables.error_table(frame).drop(columns=["95 % interval", "seconds a round"])
    return (
        f"**Over {architectures} architectures of two reports, on the same pairs round by round, "
        "the auxiliary loss alone changes the test error by "
        f"{points('auxiliary loss alone')} points, weight sharing alone by "
        f"{points('weight sharing alone')}, both together by {points('both')}** "
        f"({tables.scope(frame[frame.trainings == 1])}; measured on 20,000 test pairs a round).\n\n"
        f"{tables.markdown(table)}\n\n"
        f"Errors in %, mean ± SD over n rounds; {tables.scope(frame)}. The precise test error is "
        "of the same networks on 20,000 pairs. Of `@published` runs of kqiku, train and test "
        "error are means over ten consecutive trainings, the precise error is after the last."
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
