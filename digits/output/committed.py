"""The committed pictures and tables, for cells that need images which are not on this machine."""

import shutil
from pathlib import Path

from digits import core
from digits.output.plots import Picture
from digits.output.tables.format import PHONE

_SAYS = (
    "*MNIST is not on this machine, and what follows needs its test images: shown is what the "
    "repository has. Set DIGITS_DATA to a folder that holds MNIST/raw to make it here.*"
)
_HEAD = f'<meta charset="utf-8">{PHONE}<style>body {{ font: 14px system-ui, sans-serif; }}</style>'


def picture(folder: Path, name: str) -> None:
    """Show the committed picture `name` of a notebook, and leave it in the notebook's `folder`."""
    from IPython.display import Markdown, display  # training alone does without Jupyter

    picture = _left(folder, f"{name}.svg").read_text(encoding="utf-8")
    display(Markdown(_SAYS), Picture(picture, name.replace("_", " ")))


def table(folder: Path, name: str) -> None:
    """Show the committed table `name` of a notebook, and leave it in the notebook's `folder`."""
    from IPython.display import Markdown, display  # training alone does without Jupyter
    from nbconvert.filters import markdown2html

    text = _left(folder, f"{name}.md").read_text(encoding="utf-8")
    _left(folder, f"{name}.tex")
    core.write(folder / f"{name}.html", f"<!DOCTYPE html>\n{_HEAD}\n{markdown2html(text)}\n")
    display(Markdown(_SAYS), Markdown(text))


def _left(folder: Path, file: str) -> Path:
    """Return a file in a notebook's folder that is the committed one, as if it had been made."""
    there, here = core.ROOT / "figures" / "paper" / folder.name / file, folder / file
    if here.exists() and here.samefile(there):
        here.touch()
    else:
        shutil.copyfile(there, here)
    return here
