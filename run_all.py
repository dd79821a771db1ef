"""Train what is missing, execute every notebook, and leave each figure and table in figures/.

python run_all.py                               quick profile, sample digits: real training
python run_all.py --profile paper --data mnist  the reports' own rounds and epochs, all of MNIST
"""

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import joblib
from tqdm import tqdm

from digits import core, verify
from digits.compute import DEVICES, PRECISIONS
from digits.core import NOT_WRITABLE, InputError
from digits.data import SOURCES, load
from digits.profiles import PROFILES
from digits.reports.rows import CELLS
from digits.study import Study
from digits.workers import in_worker

#: Each notebook and the experiments it shows.
NOTEBOOKS = {
    "00_exploration": (),
    "01_kqiku": ("kqiku/*",),
    "02_cadei": ("cadei/*",),
    "03_jaubert": ("jaubert/*", "search/jaubert/*"),
    "04_damachi": ("damachi/*", "search/damachi/*"),
    "05_zadoks": ("zadoks/*",),
    "06_beyond": ("beyond/*", *("zadoks/twinnet" + cell for cell in CELLS)),
    "07_comparison": ("*",),
    "08_networks": ("*", "search/common/*"),
}

#: Where runs are trained: processes of this machine, or the workers of a Dask cluster.
BACKENDS = ("loky", "dask")


class Parser(argparse.ArgumentParser):
    """Answers bad options with one line."""

    def error(self, message):
        raise InputError(f"{message} (--help lists the options).")


def parser() -> Parser:
    """Describe the options."""
    options = Parser(
        prog="run_all.py", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = options.add_argument
    add("--profile", default="quick", help=f"how much: {', '.join(PROFILES)} (default: quick)")
    add("--data", default="sample", help=f"digits: {', '.join(SOURCES)} (default: sample)")
    add(
        "--data-dir", type=Path, help="folder that holds MNIST/raw (default: $DIGITS_DATA or data/)"
    )
    add("--results", type=Path, help="folder of the records (default: $DIGITS_RESULTS or results/)")
    add("--figures", type=Path, help="folder of figures (default: $DIGITS_FIGURES or figures/)")
    add("--only", metavar="NOTEBOOK", action="append", help="this notebook only; may be repeated")
    add("--seeds", help="these rounds of every experiment, such as 0,1,2 (default: the profile's)")
    add("--jobs", type=int, help="worker processes (default: one per core)")
    add("--device", default="cpu", help=f"{', '.join(DEVICES)} (default: cpu)")
    add(
        "--precision",
        help=f"{', '.join(PRECISIONS)} (default: fp32, but bf16 for the deep networks in quick)",
    )
    add("--backend", default="loky", help="loky: processes here; dask: a cluster (default: loky)")
    add("--scheduler", metavar="ADDRESS", help="with --backend dask: such as tcp://host:8786")
    add("--light", action="store_true", help="leave out the deep networks in cadei's own protocols")
    add("--fresh", action="store_true", help="train again; existing records are moved aside")
    add("--verify", type=int, metavar="N", help="train N recorded runs again and compare, no more")
    add("--train-only", action="store_true", help="train what is missing, execute no notebook")
    add("--shard", default="1/1", help="with --train-only: i/n trains the i-th of n equal parts")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run the study; 0 if all went well, 1 if a run or a notebook failed.

    2 if it cannot begin or go on with what it was given: bad input, a full disk; 130 after an
    interruption.
    """
    again = "the same command"
    try:
        options = parser().parse_args(arguments)
        again += " without --fresh" if options.fresh else ""
        return run(options)
    except InputError as error:
        print(f"run_all.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if error.errno not in NOT_WRITABLE:
            raise
        print(
            f"run_all.py: {error.filename or 'a file'} cannot be written ({error.strerror}): free "
            f"the disk or name another folder; what is recorded stays, {again} goes on from there.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print(
            f"run_all.py: interrupted; what is recorded stays, {again} goes on from there.",
            file=sys.stderr,
        )
        return 130


def run(options: argparse.Namespace) -> int:
    """Run the study as `options` say; see `main`."""
    for option, variable, folder in (
        ("--data-dir", "DIGITS_DATA", options.data_dir),
        ("--results", "DIGITS_RESULTS", options.results),
        ("--figures", "DIGITS_FIGURES", options.figures),
    ):
        if folder is not None:
            if folder.exists() and not folder.is_dir():
                raise InputError(f"{option} {folder} is a file: name a folder.")
            os.environ[variable] = str(folder.resolve())
    study = Study(
        source=options.data,
        profile=options.profile,
        seeds=None if options.seeds is None else f"[{options.seeds.strip('[]')}]",
        jobs=options.jobs,
        light=options.light,
        device=options.device,
        precision=options.precision,
    )
    share = share_of(options.shard)
    if share != (1, 1) and not options.train_only:
        raise InputError(
            f"--shard {options.shard} trains a part only, and figures need all of it: "
            "add --train-only."
        )
    if options.backend not in BACKENDS:
        raise InputError(
            f"--backend {options.backend} is unknown: choose one of {', '.join(BACKENDS)}."
        )
    if (options.backend == "dask") != (options.scheduler is not None):
        raise InputError(
            "--backend dask and --scheduler ADDRESS go together: name both, or neither."
        )
    names = notebooks_named(options.only)
    if not options.train_only:
        from digits import findings, notebooks, page

        notebooks.check(names)
    if options.verify is not None and (options.fresh or options.train_only):
        raise InputError("--verify only compares: leave out --fresh and --train-only.")
    load(study.source)  # a source that is missing or damaged is told before anything starts
    if not options.train_only and options.verify is None:
        check_writable(core.figures_dir())

    patterns = tuple(dict.fromkeys(pattern for name in names for pattern in NOTEBOOKS[name]))
    if options.verify is not None:
        return verify_records(study, options.verify, patterns)
    failures = train(study, patterns, share, options)
    for failure in failures:
        print(f"failed: {failure.failure}", file=sys.stderr)
    if options.train_only:
        return 1 if failures else 0

    start = time.time()
    outcomes = []
    with tqdm(
        total=len(names), bar_format="notebooks {n}/{total} |{bar:20}| {elapsed} elapsed{postfix}"
    ) as bar:
        tasks = (
            joblib.delayed(in_worker)(os.getpid(), notebooks.execute, name, study) for name in names
        )
        workers = min(study.n_jobs, len(names))
        for outcome in joblib.Parallel(workers, return_as="generator_unordered")(tasks):
            outcomes.append(outcome)
            bar.set_postfix_str(f"last {outcome.name}", refresh=False)
            bar.update()
    found = None if study.missing("*") else findings.find(study.ensure("*"))
    index = page.write_index(study.figures_folder, found)
    failed = sorted(outcome for outcome in outcomes if outcome.status == "failed")
    for outcome in failed:
        print(f"failed: {outcome.name}, {outcome.error}", file=sys.stderr)
    print(
        f"{len(outcomes) - len(failed)} of {len(outcomes)} notebooks executed in "
        f"{time.time() - start:.0f} s; open {os.path.relpath(index)}"
    )
    return 1 if failures or failed else 0


def train(
    study: Study, patterns: tuple[str, ...], share: tuple[int, int], options: argparse.Namespace
) -> list:
    """Train the missing runs, say what was done, and return the failures."""
    if options.fresh or study.missing(*patterns, share=share):
        check_writable(core.results_dir())  # where all is recorded, it may be read-only
    if options.fresh:
        aside = study.move_aside(*patterns, share=share)
        if aside:
            print(f"existing records were moved to {os.path.relpath(aside)}")
    missing = len(study.missing(*patterns, share=share))
    diverged = study.diverged(*patterns)
    if diverged:
        print(
            f"{len(diverged)} of the runs have no result, the first: {diverged[0]}; --fresh trains "
            "them again"
        )
    where = os.path.relpath(core.results_dir() / study.source)
    part = "" if share == (1, 1) else f" of part {share[0]}/{share[1]}"
    if not missing:
        print(f"nothing to train: all runs{part} have their records in {where}")
        return []
    start = time.time()
    means = f"{study.n_jobs} worker{'s' if study.n_jobs > 1 else ''}"
    if options.scheduler is not None:
        means = f"the cluster of {options.scheduler}"
    print(f"{missing} runs{part} have no record in {where} yet; training on {means}", flush=True)
    try:
        failures = study.train_missing(*patterns, share=share, scheduler=options.scheduler)
    except KeyboardInterrupt:
        done = missing - len(study.missing(*patterns, share=share))
        print(f"\n{done} of {missing} runs were trained and recorded", file=sys.stderr)
        raise
    print(f"trained in {time.time() - start:.0f} s, {len(failures)} failed")
    return failures


def verify_records(study: Study, n: int, patterns: tuple[str, ...]) -> int:
    """Train `n` recorded runs again, print how far they are from their records; 0 if it holds."""
    found = verify.verify(study, n, *patterns)
    print(found.to_markdown(index=False, floatfmt=".4g"))
    print(
        f"largest difference of an error {found.error.max():.4g} points, of a point of a curve "
        f"{found.curves.max():.4g}; {found['same bits'].sum()} of {n} have the same bits"
    )
    if verify.holds(found):
        return 0
    print(
        "run_all.py: a run on the same kind of machine gave other bits, or one on another differs "
        f"by more than {verify.TOLERANCE:g} points.",
        file=sys.stderr,
    )
    return 1


def notebooks_named(only: list[str] | None) -> list[str]:
    """Return the notebooks to execute, in their order: all, or those of `--only`."""
    for name in only or ():
        if name.removesuffix(".ipynb") not in NOTEBOOKS:
            raise InputError(
                f"--only {name}: there is no such notebook; choose among {', '.join(NOTEBOOKS)}."
            )
    return [
        name for name in NOTEBOOKS if not only or name in {o.removesuffix(".ipynb") for o in only}
    ]


def check_writable(folder: Path) -> None:
    """Make `folder` if need be, and refuse one that cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(16_384))  # an empty file has room on a full disk
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}): name another folder with --results "
            "or --figures."
        ) from error


def share_of(text: str) -> tuple[int, int]:
    """Return (i, n) of the text "i/n"."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise InputError(f"--shard {text} is not i/n with i from 1 to n, such as 2/4.")
    return int(match[1]), int(match[2])


if __name__ == "__main__":
    sys.exit(main())
