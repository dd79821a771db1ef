"""What cross-validation chose, read from the table that `python -m digits choose` makes."""

import json
from importlib.resources import files
from typing import NamedTuple


class Chosen(NamedTuple):
    """What the folds of training pairs decide; no test pair has a say.

    rates: the learning rate of each searched experiment, by its id.
    kept: whether a step of the ablation lowers the error, by the name of the step.
    """

    rates: dict[str, float]
    kept: dict[str, bool]


FILE = files("digits.experiments") / "chosen.json"
CHOSEN = Chosen(**json.loads(FILE.read_text(encoding="utf-8")))
