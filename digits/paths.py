"""Where things lie. Notebook parameters say what to run; the environment says where.

Locations differ from machine to machine and must not end up in an executed notebook, so they
come from environment variables (`run_all.py` sets them from its options) and never from a
notebook's parameters.
"""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"


def data_dir() -> Path:
    """Folder of the full MNIST in torchvision's layout: `DIGITS_DATA`, or `data/`."""
    return Path(os.environ.get("DIGITS_DATA", ROOT / "data"))


def results_dir() -> Path:
    """Folder of the records, one sub-folder per data source: `DIGITS_RESULTS`, or `results/`."""
    return Path(os.environ.get("DIGITS_RESULTS", ROOT / "results"))


def figures_dir() -> Path:
    """Folder of what is made, one sub-folder per profile: `DIGITS_FIGURES`, or `figures/`."""
    return Path(os.environ.get("DIGITS_FIGURES", ROOT / "figures"))
