"""Train what is missing, execute every notebook, and leave each figure and table in figures/.

python run_all.py                  trains a replication, shows it beside the recorded study
python run_all.py --profile paper  trains what the study itself lacks, on all of MNIST
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import get_args

#: A terminal's interrupt, what ends a process by default, and a terminal that is closed.
STOPPING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
if __name__ == "__main__":  # what follows takes seconds to import
    for number in STOPPING:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, frame: os._exit(128 + number))

from digits import core
from digits.core import InputError
from digits.data.sources import SOURCES
from digits.output import notebooks
from digits.study import Study, replication, verify
from digits.study.missing import train_missing
from digits.study.profiles import PROFILES
from digits.study.runs import Order
from digits.study.store import check_writable
from digits.study.study import WHOLE
from digits.training.device import DEVICES, PRECISIONS


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
    add("--profile", choices=PROFILES, default="quick", help="what to train (default: quick)")
    add("--data", choices=SOURCES, help="digits (default: what the profile is meant for)")
    add("--data-dir", type=folder, help="holds MNIST/raw (default: $DIGITS_DATA or data/)")
    add("--results", type=folder, help="of the records (default: $DIGITS_RESULTS or results/)")
    add("--figures", type=folder, help="of figures (default: $DIGITS_FIGURES or figures/)")
    add("--only", metavar="NOTEBOOK", action="append", help="this notebook only; may be repeated")
    add("--seeds", help="these rounds of every experiment, such as 0,1,2 (default: the profile's)")
    add("--jobs", type=int, help="worker processes (default: one per core)")
    add("--device", choices=DEVICES, default="cpu", help="(default: cpu)")
    add("--precision", choices=PRECISIONS, help="(default: fp32, or what the profile says)")
    add("--backend", choices=("loky", "dask"), default="loky", help="processes here, or a cluster")
    add("--scheduler", metavar="ADDRESS", help="with --backend dask: such as tcp://host:8786")
    add("--experiments", metavar="PATTERN", action="append", help="train these; may be repeated")
    add("--order", choices=get_args(Order), default="longest", help="what is trained first")
    add("--fresh", action="store_true", help="train again; existing records are moved aside")
    add("--verify", type=int, metavar="N", help="train N recorded runs again and compare, no more")
    add("--train-only", action="store_true", help="train what is missing, execute no notebook")
    add("--no-training", action="store_true", help="execute notebooks on the records there are")
    add("--shard", type=shard, default=WHOLE, help="i/n: train the i-th of n equal parts only")
    return options


def folder(text: str) -> Path:
    """Read the name of a folder that may be new."""
    path = Path(os.path.expanduser(text))
    if found := core.obstacle(path) if text else "it is empty":
        raise argparse.ArgumentTypeError(f"{found}: name a folder")
    return path.resolve()


def shard(text: str) -> tuple[int, int]:
    """Read "i/n", with i from 1 to n."""
    index, _, parts = text.partition("/")
    if not (index.isdecimal() and parts.isdecimal() and 1 <= int(index) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text} is not i/n with i from 1 to n, such as 2/4")
    return int(index), int(parts)


def main(arguments: list[str] | None = None) -> int:
    """Run the study; 0 if all went well, 1 if a run or a notebook failed.

    2 if it cannot begin or go on with what it was given: bad input, a full disk; 130 after an
    interruption, 143 and 129 after SIGTERM and SIGHUP.
    """
    options = argparse.Namespace(again="the same command")
    with core.lasting_streams(), core.interruptible(STOPPING):
        try:
            code = run(parser().parse_args(arguments, options))
            sys.stdout.flush()  # on a full disk what is printed ends here
            return code
        except InputError as error:
            sentence, code = str(error), 2
        except OSError as error:
            sentence, code = f"{str(core.fault(error)).rstrip('.')}; {_kept(options)}.", 2
        except KeyboardInterrupt as error:
            sentence = f"interrupted; {_kept(options)}."
            code = 128 + (error.args[0] if error.args else signal.SIGINT)
        print(f"run_all.py: {sentence}", file=sys.stderr)
        return code


def _kept(options: argparse.Namespace) -> str:
    return f"what is recorded stays, {options.again} goes on from there"


def run(options: argparse.Namespace) -> int:
    """Run the study as `options` say; see `main`."""
    for name in ("data", "results", "figures"):
        chosen = getattr(options, "data_dir" if name == "data" else name)
        if chosen is not None:
            os.environ[f"DIGITS_{name.upper()}"] = str(chosen)
    study = Study(
        source=options.data,
        seeds=None if options.seeds is None else f"[{options.seeds.strip('[]')}]",
        **{name: getattr(options, name) for name in ("profile", "jobs", "device", "precision")},
    )
    if options.shard != WHOLE and not options.train_only:
        raise InputError("--shard trains a part only, and figures need all: add --train-only.")
    if options.no_training and (options.fresh or options.train_only or options.experiments):
        raise InputError("--no-training goes without --fresh, --train-only and --experiments.")
    if options.verify is not None and (options.fresh or options.train_only or options.no_training):
        raise InputError("--verify only compares: leave out --fresh, --train-only, --no-training.")
    if options.verify is not None and options.scheduler is not None:
        raise InputError("--verify trains on this machine: leave out --backend and --scheduler.")
    if options.no_training and options.scheduler is not None:
        raise InputError("--no-training trains nowhere: leave out --backend and --scheduler.")
    if (options.backend == "dask") != (options.scheduler is not None):
        raise InputError("--backend dask and --scheduler ADDRESS go together: name both.")
    try:
        Path.home()
    except RuntimeError:  # Jupyter asks for it
        os.environ["HOME"] = tempfile.gettempdir()
    names = notebooks.named(options.only)
    patterns = tuple(options.experiments or notebooks.patterns_of(names))
    if not study.runs(*patterns) and options.experiments:  # also refuses a device that is not there
        raise InputError(
            f"the {study.profile} profile runs nothing that matches {', '.join(patterns)}: choose "
            "other --experiments, or another --profile."
        )
    core.check_folder(study.store.folder / study.source, "--results")
    if options.verify is not None:
        return verify.report(study, options.verify, patterns)
    if not options.train_only:
        from digits.output import kernel  # training alone does without Jupyter

        kernel.prepare()  # it takes seconds, which what follows takes as well
        notebooks.check(names, study.shown)
        if study.shown is not study:
            replication.check(study.shown)
    if options.fresh:
        move_aside(study, patterns, options)
    part = {"shard": options.shard, "order": options.order, "scheduler": options.scheduler}
    failed = False if options.no_training else train_missing(study, patterns, **part)
    if options.train_only:
        return failed
    return notebooks.execute_all(names, study.shown) or failed


def move_aside(study: Study, patterns: tuple[str, ...], options: argparse.Namespace) -> None:
    """Move the records away that are to be trained again, and say where they are."""
    check_writable(core.results_dir())  # where all is recorded, it may be read-only
    if aside := study.move_aside(*patterns, shard=options.shard):
        print(f"existing records were moved to {core.short(aside)}")
        options.again = "the same command without --fresh"


if __name__ == "__main__":
    sys.exit(main())
