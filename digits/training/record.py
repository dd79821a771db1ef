"""The record of one run: every number that is kept of it."""

import base64
import hashlib
import zlib
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from torch import nn

from digits.core import Frozen
from digits.training.recipe import Recipe

#: Numbers that a JSON array may stand for.
Numbers = Annotated[tuple[float, ...], Field(strict=False)]


class Curves(Frozen):
    """One number per point: every `recipe.curve_step` epochs, over all trainings of the run.

    objective: mean over the epoch of what was minimised (training mode, auxiliary terms included).
    losses: of the target, but validation_loss with the auxiliary terms, since it chooses the
    epoch; errors: in per cent. Both in evaluation mode at the end of the epoch, on the pairs that
    were fitted, the test pairs, and those held out for validation, if any.
    """

    objective: Numbers
    train_loss: Numbers
    test_loss: Numbers
    train_error: Numbers
    test_error: Numbers
    validation_loss: Numbers | None = None
    validation_error: Numbers | None = None


class Provenance(Frozen):
    """Which run it was, and where it was computed.

    processor: what the bits of a run depend on beside the versions; None in the oldest records.
    """

    experiment: str
    recipe: Recipe
    recipe_hash: str
    seed: int
    source: str
    source_checksum: str
    device: str
    threads: int
    precision: str
    processor: str | None = None
    versions: dict[str, str]
    commit: str

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
    epoch: int
    step: int
    fold: int | None = None

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
    test_error_training_mode, fold_errors_training_mode: the same networks with dropout on and
        the batch statistics of the scored set.
    train_seconds: training steps alone, without folds; seconds: the whole run.
    weights: a hash of the final weights, so that two runs can be compared bit for bit.
    """

    schema_version: Literal[1] = 1
    parameters: int
    train_error: float
    test_error: float
    precise_error: float
    train_digit_accuracy: float | None = None
    test_digit_accuracy: float | None = None
    validation_error: float | None = None
    kept_epoch: int | None = None
    fold_errors: Numbers | None = None
    precise_fold_errors: Numbers | None = None
    test_error_training_mode: float | None = None
    fold_errors_training_mode: Numbers | None = None
    test_posteriors: str | None = None
    fold_posteriors: str | None = None
    curves: Curves
    decisions: str
    weights: str
    train_seconds: float
    seconds: float

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


def pack_posteriors(posteriors: np.ndarray) -> str:
    """Pack posteriors of digits, (N, 10) or (N, 2, 10), into base64 text.

    Their natural logarithms, cut off at -16, in steps of 1/15: a byte each, compressed.
    """
    steps = np.clip(np.round(-15 * np.log(np.maximum(posteriors, 1e-30))), 0, 240)
    return base64.b64encode(zlib.compress(steps.astype(np.uint8).tobytes(), 9)).decode()


def unpack_posteriors(text: str) -> np.ndarray:
    """Return the posteriors (images, 10) that `pack_posteriors` packed, to within 7 % of each.

    The images of a pair follow each other.
    """
    steps = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, 10)
    posteriors = np.exp(steps / -15.0)
    return posteriors / posteriors.sum(axis=1, keepdims=True)


def weights_hash(model: nn.Module) -> str:
    """Name a model's final parameters and buffers in sixteen hex digits."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
