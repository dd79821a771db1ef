"""What every station stands on: where things lie, bad input, and the frozen value."""

import errno
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

# Locations differ from machine to machine and must not end up in an executed notebook, so they
# come from environment variables (run_all.py sets them from its options) and never from a
# notebook's parameters.
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


#: Faults of a disk or a folder, as operating systems number them.
NOT_WRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.EIO,
)


class InputError(Exception):
    """Bad input: one sentence that names it and says what to do instead."""


class Frozen(BaseModel):
    """A frozen, validated value: unknown fields, wrong types and wrong ranges are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _one_sentence(cls, fields, handler):
        try:
            return handler(fields)
        except ValidationError as error:
            raise InputError(explain(cls.__name__, error)) from None


def explain(name: str, error: ValidationError) -> str:
    """Tell the first fault that pydantic found in one sentence, with the field and its value."""
    fault = error.errors()[0]
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{name} has no field {field!r}: remove it or correct its spelling."
    if fault["type"] == "missing":
        return f"{name} needs the field {field!r}, which is missing."
    if fault["type"] == "json_invalid":
        return f"{name}: {fault['msg']}."
    return f"{field} = {fault['input']!r} is not allowed: {fault['msg']}."
