"""A recipe: everything that says how one round of training goes, apart from the network."""

import hashlib
import json
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from digits.errors import InputError


class Value(BaseModel):
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


class Recipe(Value):
    """How one round is trained. The optimiser is Adam with its defaults but the learning rate.

    epochs: passes over the training pairs, per training.
    batch_size: pairs per step; the last batch of an epoch is smaller if they do not divide.
    learning_rate: of Adam.
    auxiliary_weight: weight of each image's digit cross-entropy beside the target's weight of 1;
        0 leaves the auxiliary outputs, if there are any, untrained.
    order: "shuffled" anew every epoch, or "fixed": as drawn, the same in every epoch.
    trainings: consecutive trainings of one network, each with a new optimiser and no reset.
    train_pairs, test_pairs: pairs drawn from the two pools, each image used once.
    precise_pairs: further test pairs, images used again, for a test error of less noise.
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    learning_rate: float = Field(gt=0, lt=float("inf"))
    auxiliary_weight: float = Field(default=0.0, ge=0, lt=float("inf"))
    order: Literal["shuffled", "fixed"] = "shuffled"
    trainings: int = Field(default=1, ge=1)
    train_pairs: int = Field(default=1000, ge=2)
    test_pairs: int = Field(default=1000, ge=1)
    precise_pairs: int = Field(default=20_000, ge=1)

    @model_validator(mode="after")
    def _batches_suit_batch_norm(self):
        if self.batch_size > self.train_pairs:
            raise InputError(
                f"batch_size = {self.batch_size} is more than train_pairs = {self.train_pairs}: "
                "choose a batch that the training pairs can fill."
            )
        if self.train_pairs % self.batch_size == 1:
            raise InputError(
                f"batch_size = {self.batch_size} leaves one of {self.train_pairs} pairs for the "
                "last batch, and batch norm needs two: choose another batch_size."
            )
        return self

    def but(self, **changes) -> "Recipe":
        """Return this recipe with some fields changed, validated again."""
        return Recipe(**(self.model_dump() | changes))

    @property
    def hash(self) -> str:
        """Name this recipe in twelve hex digits.

        Fields at their defaults do not count, so a field that is added later, with a default
        that means "as before", leaves the hashes of existing records as they are.
        """
        text = json.dumps(self.model_dump(exclude_defaults=True), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]
