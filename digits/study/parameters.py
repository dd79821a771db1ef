"""The parameters of a notebook, which are those of a study."""

import contextlib
import json
from pathlib import Path
from typing import Any, Literal, Self

import joblib
from pydantic import Field, field_validator, model_validator

from digits import core
from digits.core import Frozen, InputError
from digits.data.seeds import streams
from digits.data.sources import SOURCES
from digits.study.profiles import PROFILES
from digits.training.device import DEVICES, PRECISIONS


def read_seeds(seeds):
    """Return what a parameter `seeds` says, None or a tuple; refuse what is no list of seeds."""
    if seeds is None:
        return None
    given = seeds
    if isinstance(seeds, str):
        with contextlib.suppress(json.JSONDecodeError):
            seeds = json.loads(seeds)
    if not isinstance(seeds, (list, tuple)) or not seeds:
        raise InputError(
            f"seeds = {given!r} is not a list of whole numbers: write it as [0, 1, 2], or 0,1,2 "
            "for run_all.py."
        )
    for seed in seeds:
        streams(seed)  # refuses what is not a seed
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds = {given!r} names a seed twice: rounds must differ in their seed.")
    return tuple(seeds)


class Parameters(Frozen):
    """What to run, how much of it, on which digits. Every field can be a notebook's parameter.

    profile: "paper", the study; "quick", a replication of what trains in a minute; "smoke", a
        very short run of everything, for tests.
    source: "mnist" or "sample"; without it the digits that the profile is meant for.
    seeds: the rounds of every experiment; None for those of the profile. A text such as
        "[0, 1, 2]", which is what Papermill's -p hands over, is read as the list it spells.
    jobs: worker processes; None for one per core.
    device: "cpu"; "cuda", one graphics card; or "auto", the card if there is one.
    precision: "fp32" or "bf16" (see `Device`); None for what the profile says, which is bf16 for
        the deep networks of some, where the device multiplies bfloat16 itself.
    """

    source: Literal[*SOURCES] = "mnist"
    profile: Literal[*PROFILES] = "paper"
    seeds: tuple[int, ...] | None = None
    jobs: int | None = Field(default=None, ge=1)
    device: Literal[*DEVICES] = "cpu"
    precision: Literal[*PRECISIONS] | None = None

    _seeds = field_validator("seeds", mode="before")(read_seeds)

    @model_validator(mode="before")
    @classmethod
    def _usual_source(cls, given: dict[str, Any]) -> dict[str, Any]:
        profile = PROFILES.get(str(given.get("profile")))
        if profile is not None and given.get("source") is None:
            given = given | {"source": profile.usual_source}
        return given

    @model_validator(mode="after")
    def _replicates_elsewhere(self) -> Self:
        usual = PROFILES[self.profile].usual_source
        if PROFILES[self.profile].replicates and self.source != usual:
            raise InputError(
                f"source = {self.source!r} with profile {self.profile!r}: a replication is trained "
                f"on the {usual} digits; the rounds of the study itself are trained again by "
                "--profile paper --verify N."
            )
        return self

    @classmethod
    def of_notebook(cls, names: dict[str, Any]) -> Self:
        """Return what a notebook's parameters describe: `Study.of_notebook(globals())`.

        Raises `InputError` for a parameter that a study does not have. Papermill only warns of a
        misspelt one, and would run with the default. In a notebook that has its study already,
        the names that its cells have made since are let pass.
        """
        given = {name: names[name] for name in cls.model_fields if name in names}
        plain = (type(None), bool, int, float, str, list, dict, tuple)
        for name, value in {} if "study" in names else names.items():
            of_jupyter = name.startswith("_") or name in ("In", "Out")
            if isinstance(value, plain) and not of_jupyter and name not in given:
                raise InputError(
                    f"{name} = {value!r} is not a parameter of this notebook: choose among "
                    f"{', '.join(cls.model_fields)}."
                )
        found = cls(**given)
        if PROFILES[found.profile].replicates:
            raise InputError(
                f"profile = {found.profile!r} is for run_all.py, which trains a replication; "
                "notebooks show it beside the study: leave profile as it is."
            )
        return found

    @property
    def n_jobs(self) -> int:
        """Worker processes to use."""
        return self.jobs or joblib.cpu_count()

    @property
    def figures_folder(self) -> Path:
        """The folder of this profile; its name tells a source or runs that are not the usual.

        So a few rounds, or the sample, never overwrite the figures of the full protocol.
        """
        name = self.profile
        if self.source != PROFILES[self.profile].usual_source:
            name += f"-{self.source}"
        return core.figures_dir() / (name + ("-seeds" if self.seeds is not None else ""))

    def figures(self, notebook: str) -> Path:
        """Return the folder for the pictures and tables of `notebook`, made if need be."""
        folder = self.figures_folder / notebook
        folder.mkdir(parents=True, exist_ok=True)
        return folder
