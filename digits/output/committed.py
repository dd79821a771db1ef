"""The committed pictures and tables, for cells that need images which are not on this machine."""

import shutil
from pathlib import Path

from digits import core
from digits.output.plots import Picture

_SAYS = (
    "*MNIST is not on this machine, and what follows needs its test images: shown is what the "
    "repository has. Set DIGITS_DATA to a folder that holds MNIST/raw to make it here.*"
)


def picture(folder: Path, name: str) -> None:
    """Show the committed picture `name` of a notebook, and leave it in the notebook's `folder`."""
    from IPython.display import Markdown, display  # training alone does without Jupyter

    there, here = _committed(folder, f"{name}.svg"), folder / f"{name}.svg"
    if here.exists() and here.samefile(there):
        here.touch()  # as if it had been made
    else:
        shutil.copyfile(there, here)
    display(Markdown(_SAYS), Picture(here.read_text(encoding="utf-8"), name.replace("_", " ")))


def table(folder: Path, name: str) -> None:
    """Show the committed table `name` of a notebook, whose folder is `folder`."""
    from IPython.display import Markdown, display  # training alone does without Jupyter

    text = _committed(folder, f"{name}.md").read_text(encoding="utf-8")
    display(Markdown(_SAYS), Markdown(text))


def _committed(folder: Path, file: str) -> Path:
    return core.ROOT / "figures" / "paper" / folder.name / file
