"""How fast the study trains: against a plain loop, against the machine, and as a whole.

python benchmarks/measure.py              every part; an hour on two cores, which must be idle
python benchmarks/measure.py limit        one part: plain, limit, memory or quick

Each part leaves its numbers in benchmarks/measured/, and RESULTS.md is written anew from all that
are there. Speeds are ratios taken in one run, in turn, since a machine's own speed varies.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import pandas as pd
import plain_loop
import psutil
import report
import torch
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from digits.data.pairs import draw_round
from digits.data.seeds import streams, torch_generator
from digits.data.sources import load
from digits.experiments.registry import EXPERIMENTS
from digits.models.summary import summary_of
from digits.study import Study
from digits.study.runs import Run, commit, execute
from digits.study.workers import train_runs
from digits.training.device import CPU, Device, has_bf16
from digits.training.loop import optimizer_of, train_epoch
from digits.training.record import Record

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CORES = joblib.cpu_count()

REPRESENTATIVE = ("zadoks/twinnet+ws+aux", "kqiku/fcc", "jaubert/model_2+ws+aux")
MORE = ("kqiku/cnn", "damachi/nn", "damachi/cnn+aux", "cadei/mlp", "cadei/convnet")
DEEP = ("cadei/deepconvnet", "cadei/resnet", "cadei/siamese+aux")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def plain(repeats: int = 3) -> list[dict]:
    """Rounds per minute of the study and of a plain loop, in turn, all cores used by both."""
    digits, rows = load("sample"), []
    with joblib.parallel_config("loky", n_jobs=CORES, inner_max_num_threads=1):
        workers = joblib.Parallel(batch_size=1)
        for name in REPRESENTATIVE:
            run = [Run(EXPERIMENTS[name], seed) for seed in range(CORES)]
            workers(joblib.delayed(_short_run)(each) for each in run)  # start, import, load
            for repeat in tqdm(range(repeats), desc=f"plain: {name}"):
                start = time.perf_counter()
                workers(joblib.delayed(_trained)(each) for each in run)
                ours = (time.perf_counter() - start) / len(run)
                start = time.perf_counter()
                plain_loop.train(EXPERIMENTS[name], repeat, digits)
                usual = time.perf_counter() - start
                rows.append({"network": name, "ours": 60 / ours, "plain": 60 / usual})
    return rows


def limit(repeats: int = 5) -> list[dict]:
    """Share of the rate of a matrix product that training steps reach, on one thread."""
    digits, rows = load("sample"), []
    cases = [(name, "fp32") for name in REPRESENTATIVE + MORE]
    cases += [(name, p) for name in DEEP for p in PRECISIONS if p == "fp32" or has_bf16("cpu")]
    with CPU.deterministic():
        for name, precision in tqdm(cases, desc="limit"):
            experiment = EXPERIMENTS[name]
            # Some steps are enough; the deep networks need seconds for one.
            size = experiment.recipe.batch_size
            few = 2 if name in DEEP else min(20, 1000 // size)
            recipe = experiment.recipe.but(
                train_pairs=few * size, validation_share=0.0, folds=0, augmentation="none"
            )
            pairs = draw_round(digits, recipe.but(precise_pairs=1).draw, streams(0)["pairs"]).train
            model = experiment.build().to(memory_format=torch.channels_last)
            optimizer, order = optimizer_of(model, recipe), torch_generator(streams(0)["order"])
            device = Device(precision=precision)
            train_epoch(model, optimizer, pairs, recipe, order, device)
            for _ in range(repeats):
                start = time.perf_counter()
                train_epoch(model, optimizer, pairs, recipe, order, device)
                seconds = time.perf_counter() - start
                rows.append(
                    {
                        "network": name,
                        "precision": precision,
                        "batch": size,
                        "ms_a_step": 1e3 * seconds / few,
                        "gflops": 3
                        * len(pairs)
                        * summary_of(experiment.build).flops
                        / seconds
                        / 1e9,
                        "product_gflops": _product_rate(PRECISIONS[precision]),
                    }
                )
    return rows


def memory(runs: int = 200) -> list[dict]:
    """Peak memory of the driver and of a worker, and a worker's growth over many runs."""
    rows = []
    for name in ("zadoks/twinnet+ws+aux", "jaubert/model_2+ws+aux", "cadei/deepconvnet"):
        recipe = EXPERIMENTS[name].recipe
        short = recipe.but(
            epochs=1,
            curve_step=1,
            train_pairs=4 * recipe.batch_size,
            test_pairs=250,
            precise_pairs=250,
        )  # a batch decides, not their number
        run = Run(EXPERIMENTS[name].model_copy(update={"recipe": short}), 0)
        peak = _in_a_fresh_worker(_peak, run)
        rows.append({"process": f"worker: {name}", "peak_mb": peak})
    study = Study(profile="smoke")
    many = study.runs("zadoks/*")
    list(train_runs(many, "sample", CORES))
    rows.append({"process": "driver", "peak_mb": _peak_of_this_process()})
    grown = _in_a_fresh_worker(_growth, many[0], runs)
    rows.append({"process": f"worker: {runs} runs of {many[0].experiment.id}", **grown})
    return rows


def quick() -> list[dict]:
    """The replication from nothing and every notebook, through run_all.py."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        where = ["--results", f"{folder}/results", "--figures", f"{folder}/figures"]
        shutil.copytree(ROOT / "results" / "mnist", f"{folder}/results/mnist")
        done = subprocess.run(
            [sys.executable, str(ROOT / "run_all.py"), *where], stdout=subprocess.PIPE, text=True
        )
        total = time.perf_counter() - start
        assert done.returncode == 0, done.stdout
        os.environ["DIGITS_RESULTS"] = f"{folder}/results"
        rows = _by_family(Study(profile="quick").records("*"))
        del os.environ["DIGITS_RESULTS"]
    return [*rows, {"family": "all, notebooks included, on the clock", "wall": total}]


PARTS: dict[str, Callable[[], list[dict]]] = {
    part.__name__: part for part in (plain, limit, memory, quick)
}


def _short_run(run: Run) -> None:
    recipe = run.experiment.recipe.but(epochs=1, curve_step=1, precise_pairs=1000)
    _trained(Run(run.experiment.model_copy(update={"recipe": recipe}), run.seed))


def _trained(run: Run) -> Record:
    record = execute(run, load("sample"))
    assert isinstance(record, Record), record
    return record


def _product_rate(dtype: torch.dtype) -> float:
    """Return the GFLOP/s of a product of two 1024x1024 matrices."""
    matrix = torch.randn(1024, 1024).to(dtype)
    torch.mm(matrix, matrix)
    times = 10 if dtype == torch.float32 else 25
    start = time.perf_counter()
    for _ in range(times):
        torch.mm(matrix, matrix)
    return 2 * 1024**3 * times / (time.perf_counter() - start) / 1e9


def _peak(run: Run) -> float:
    _trained(run)
    return _peak_of_this_process()


def _peak_of_this_process() -> float:
    """Return the most memory that this process had, in MB, not what its parent had before it."""
    (line,) = (
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )
    return int(line.split()[1]) / 1024


def _in_a_fresh_worker(call: Callable, *arguments):
    get_reusable_executor().shutdown(wait=True)
    # One job alone would be done in this process.
    with joblib.parallel_config("loky", n_jobs=2, inner_max_num_threads=1):
        (result,) = joblib.Parallel()([joblib.delayed(call)(*arguments)])
    get_reusable_executor().shutdown(wait=True)
    return result


def _growth(run: Run, runs: int) -> dict[str, float]:
    process, used = psutil.Process(), []
    for _ in range(runs):
        _trained(run)
        used.append(process.memory_info().rss / 2**20)
    # The first runs fill caches that stay.
    return {"peak_mb": _peak_of_this_process(), "grown_mb": used[-1] - used[runs // 10]}


def _by_family(records: list) -> list[dict]:
    frame = pd.DataFrame(
        {
            "family": record.experiment.removeprefix("search/").split("/")[0]
            + (" (search)" if record.experiment.startswith("search/") else ""),
            "seconds": record.seconds,
            "training": record.train_seconds,
        }
        for record in records
    )
    found = frame.groupby("family", sort=False).agg(
        runs=("seconds", "size"), seconds=("seconds", "sum"), training=("training", "sum")
    )
    return found.reset_index().to_dict("records")


def hardware() -> str:
    """Name the processor, its cores and the memory."""
    names = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    total = psutil.virtual_memory().total / 2**30
    return f"{CORES} cores of {' and '.join(sorted(names))}, {total:.0f} GB"


def measure(name: str, at: str) -> None:
    """Measure a part, leave its numbers in measured/, and write the table anew."""
    start = time.perf_counter()
    rows = PARTS[name]()
    found = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": at,
        "hardware": hardware(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "rows": rows,
    }
    (HERE / "measured").mkdir(exist_ok=True)
    (HERE / "measured" / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    report.write_results()
    print(f"{name} measured in {time.perf_counter() - start:.0f} s")


def main() -> None:
    """Measure the parts that are named, all if none is, each in a process of its own."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="part")
    options.add_argument("--commit", default=commit(), help="of the code; default: as it is")
    given = options.parse_args()
    if len(given.parts) == 1:
        measure(given.parts[0], given.commit)
    else:
        # What one part leaves in memory is not the next one's, nor its table a change to the code.
        for name in given.parts or PARTS:
            command = [sys.executable, __file__, name, "--commit", given.commit]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
