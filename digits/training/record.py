"""The record of one run: every number that is kept of it."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import ConfigDict, Field, WrapValidator
from torch import nn

from digits.core import Frozen
from digits.data.sources import SOURCES
from digits.training.recipe import Recipe

LARGEST = 10**7  # of all whole numbers in the recipe of a record
_recipes: dict[str, Recipe] = {}  # by their fields as text: thousands of records have the same


def _recipe_of(given: Any, validated: Callable[[Any], Recipe]) -> Recipe:
    """Validate the recipe of a record once, if no number in it would take all memory in that."""
    if not isinstance(given, dict):
        return given if isinstance(given, Recipe) else validated(given)
    text = str(given)
    if text not in _recipes:
        for name, value in given.items():
            if isinstance(value, int) and abs(value) > LARGEST:
                raise ValueError(f"{name} is more than {LARGEST:,}")
        _recipes[text] = validated(given)
    return _recipes[text]


# A JSON array may stand for several numbers.
Percent = Annotated[float, Field(ge=0, le=100)]
NotNegative = Annotated[float, Field(ge=0)]
Percents = Annotated[tuple[Percent, ...], Field(strict=False)]
Losses = Annotated[tuple[NotNegative, ...], Field(strict=False)]
Seconds = Annotated[float, Field(ge=0, le=1e8)]
#: One short line of printable characters.
Text = Annotated[str, Field(max_length=200, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]*$")]


class Finite(Frozen):
    """A frozen value whose numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class Curves(Finite):
    """One number per point: every `recipe.curve_step` epochs, over all trainings of the run.

    objective: mean over the epoch of what was minimised (training mode, auxiliary terms included).
    losses: of the target, but validation_loss with the auxiliary terms, since it chooses the
    epoch; errors: in per cent. Both in evaluation mode at the end of the epoch, on the pairs that
    were fitted, the test pairs, and those held out for validation, if any.
    """

    objective: Losses
    train_loss: Losses
    test_loss: Losses
    train_error: Percents
    test_error: Percents
    validation_loss: Losses | None = None
    validation_error: Percents | None = None


class Provenance(Finite):
    """Which run it was, and where it was computed.

    processor: what the bits of a run depend on beside the versions; None in the oldest records.
    """

    experiment: Text
    recipe: Annotated[Recipe, WrapValidator(_recipe_of)]
    recipe_hash: str = Field(pattern="^[0-9a-f]{12}$")
    seed: int = Field(ge=0, lt=2**63)
    source: Literal[*SOURCES]
    source_checksum: str = Field(pattern="^[0-9a-f]{16}$")
    device: Literal["cpu", "cuda"]
    threads: int = Field(ge=1, le=10_000)
    precision: Literal["float32", "bfloat16"]
    processor: Text | None = None
    versions: dict[Text, Text] = Field(max_length=20)
    commit: str = Field(pattern=r"^([0-9a-f]{7,64}\+?)?$")

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What a run is known by: experiment, recipe hash, seed, source."""
        return self.experiment, self.recipe_hash, self.seed, self.source


class Diverged(Provenance):
    """The record of a run whose loss stopped being a finite number.

    epoch, step: where, from 1; fold: in which training of a cross-validation, None in the main
        one.
    """

    failed: Literal["diverged"] = "diverged"
    schema_version: Literal[1] = 1
    epoch: int = Field(ge=1)
    step: int = Field(ge=1)
    fold: int | None = Field(default=None, ge=1)

    def __str__(self) -> str:
        fold = "" if self.fold is None else f" of fold {self.fold}"
        return (
            f"{self.experiment} #{self.seed} diverged in epoch {self.epoch}, step {self.step}{fold}"
        )


class Record(Provenance):
    """The record of one run. Errors and accuracies in per cent, times in seconds.

    train_error, test_error: of the network that is kept: after the last epoch of the last
        training, or of the epoch with the lowest validation loss.
    precise_error: on `recipe.precise_pairs` test pairs that re-use images.
    train_digit_accuracy, test_digit_accuracy: of the single digits in those pairs, None without
        digit heads.
    decisions: the decision for each test pair, as packed bits in base64 (see `unpack`).
    validation_error, kept_epoch: where pairs were held out for validation.
    fold_errors: of each network of a cross-validation on the pairs that it had not seen.
    precise_fold_errors: the same on `recipe.precise_pairs` pairs that re-use the images of a fold.
    test_posteriors, fold_posteriors: packed posteriors of the digits (see `unpack_posteriors`) of
        every image of the test pool, (N, 10), and of each training pair while its fold was held
        out, (N, 2, 10).
    dead_units: the share of units that no fitted pair makes active, in per cent.
    shift_changes: of the test pairs whose decision changes if both images move by a pixel.
    gradient_at_start, gradient_at_end: that of the first layer in per cent of that of the last
        (see `evaluation.first_layer_gradient`), on the fitted pairs, in the network before its
        first step and in the one that is kept.
    test_error_training_mode, fold_errors_training_mode: the same networks with dropout on and
        the batch statistics of the scored set.
    train_seconds: training steps alone, without folds; seconds: the whole run.
    weights: a hash of the final weights, so that two runs can be compared bit for bit.
    """

    schema_version: Literal[1] = 1
    parameters: int = Field(ge=1)
    train_error: Percent
    test_error: Percent
    precise_error: Percent
    train_digit_accuracy: Percent | None = None
    test_digit_accuracy: Percent | None = None
    validation_error: Percent | None = None
    kept_epoch: int | None = Field(default=None, ge=1)
    fold_errors: Percents | None = None
    precise_fold_errors: Percents | None = None
    test_error_training_mode: Percent | None = None
    fold_errors_training_mode: Percents | None = None
    test_posteriors: str | None = None
    fold_posteriors: str | None = None
    dead_units: Percent | None = None
    shift_changes: Percent | None = None
    gradient_at_start: NotNegative | None = None
    gradient_at_end: NotNegative | None = None
    curves: Curves
    decisions: str
    weights: str = Field(pattern="^[0-9a-f]{16}$")
    train_seconds: Seconds
    seconds: Seconds

    def after_each_training(self, curve: str) -> tuple[float, ...]:
        """Return the last value of `curve` in each of the run's consecutive trainings."""
        points = self.recipe.epochs // self.recipe.curve_step
        return getattr(self.curves, curve)[points - 1 :: points]


def pack(decisions: np.ndarray) -> str:
    """Pack decisions (N,) of 0 and 1 into base64 text."""
    return base64.b64encode(np.packbits(decisions.astype(bool)).tobytes()).decode()


def unpack(decisions: str, n: int) -> np.ndarray:
    """Return the first `n` decisions (n,) of 0 and 1 that `pack` packed."""
    return np.unpackbits(np.frombuffer(base64.b64decode(decisions), np.uint8))[:n]


def is_packed(text: str, n: int) -> bool:
    """Say whether `text` is what `pack` makes of `n` decisions."""
    try:
        packed = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    spare = (1 << -n % 8) - 1  # bits of the last byte that are of no decision
    whole = len(packed) == -(-n // 8) and not packed[-1] & spare
    return whole and base64.b64encode(packed).decode() == text


def pack_posteriors(posteriors: np.ndarray) -> str:
    """Pack posteriors of digits, (N, 10) or (N, 2, 10), into base64 text.

    Their natural logarithms, cut off at -16, in steps of 1/15: a byte each, compressed.
    """
    steps = np.clip(np.round(-15 * np.log(np.maximum(posteriors, 1e-30))), 0, 240)
    return base64.b64encode(zlib.compress(steps.astype(np.uint8).tobytes(), 9)).decode()


def unpack_posteriors(text: str) -> np.ndarray:
    """Return the posteriors (images, 10) that `pack_posteriors` packed.

    Each to within 7 %, unless it was cut off. The images of a pair follow each other.
    """
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, 10)
    posteriors = np.exp(steps / -15.0)
    return posteriors / posteriors.sum(axis=1, keepdims=True)


def is_packed_posteriors(text: str, images: int) -> bool:
    """Say whether `text` is the packed posteriors of so many images, without unpacking more."""
    inflate = zlib.decompressobj()
    try:
        steps = inflate.decompress(base64.b64decode(text, validate=True), 10 * images + 1)
    except (ValueError, zlib.error):
        return False
    if len(steps) != 10 * images or not inflate.eof or inflate.unused_data:
        return False
    rows = np.frombuffer(steps, np.uint8).reshape(-1, 10)
    # Each of ten is rounded by half a step at most, 3.4 %, and so is their sum, which was 1.
    sums = np.exp(np.arange(256) / -15.0)[rows].sum(axis=1)
    return bool(rows.max() <= 240 and np.abs(sums - 1).max() < 0.04)


def weights_hash(model: nn.Module) -> str:
    """Name a model's final parameters and buffers in sixteen hex digits."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
