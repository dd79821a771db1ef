"""A recipe: everything that says how one round of training goes, apart from the network."""

import functools
import hashlib
import json
from typing import Literal

from pydantic import Field, model_validator

from digits.core import Frozen, InputError
from digits.data.pairs import Draw
from digits.data.seeds import STREAMS
from digits.data.sources import OTHER


class Recipe(Frozen):
    """How one round is trained, and on what it is scored.

    epochs: passes over the training pairs, per training.
    batch_size: pairs per step; the last batch of an epoch is smaller if they do not divide.
    optimizer: "adam", "adamw" or "sgd", with torch's defaults but learning rate and weight decay
        (and momentum, under "one_cycle").
    learning_rate: of the optimiser.
    schedule: "constant"; or "one_cycle", which warms up to the learning rate over the first 30 %
        of the steps, from a 25th of it, and then falls to nothing; meanwhile Adam's first momentum,
        or that of SGD, goes from 0.95 to 0.85 and back.
    weight_decay: added to the gradient as weight_decay * parameter, an L2 penalty; in Adam it
        passes through the running moments, in AdamW it shrinks the parameters beside them.
    loss: "cross_entropy" of logits, two or one; or "mean_squared_error" of a score and of one-hot
        digits.
    target_weight: weight of the target's loss.
    auxiliary_weight: weight of each image's digit loss, or of an early prediction of the target;
        where there are several auxiliary outputs, their losses are averaged. 0 leaves them
        untrained.
    label_smoothing: share of a digit's label that the digit loss spreads over all ten classes.
    order: "shuffled" anew every epoch; "fixed": as drawn, the same in every epoch; "shuffled
        once": in a new order that is the same in every epoch.
    trainings: consecutive trainings of one network, each with a new optimiser and no reset.
    standardised: subtract the mean of all training pixels and divide by their SD.
    digits: whose: "of the study", of its source; or "scikit-learn" (see `data.sources`).
    as_classes: pairs have the true classes in place of the images (see `Pairs.as_classes`).
    augmentation: "none", or "re-pairing": every epoch pairs each image of the fitted pairs, as
        the first, with a random one of them, so an epoch has twice as many pairs; or "permuting":
        every epoch permutes the images of the fitted pairs and reads off as many pairs as before.
    distortion: "none"; "affine": every epoch turns, scales, shears and shifts each image a little;
        "elastic": it also bends them (see `augmentation`).
    undistorted_share: share of the epochs, the last ones, that see the images as they are.
    weight_averaging: decay a step of a running mean of weights and batch statistics, which is the
        network that is scored and kept; 0 for the weights themselves.
    validation_share: share of the training pairs that is held out; the network of the epoch with
        the lowest validation loss, auxiliary terms included, is kept. 0: the last epoch's is.
    folds: cross-validation on the training pairs beside the training on all of them, one more
        network per fold; 0 for none.
    score_in_training_mode: score the test pairs, and the folds, a second time with dropout on
        and batch statistics of the whole set that is scored.
    curve_step: epochs from one point of the curves to the next; divides `epochs`. Pairs held out
        for validation are scored in every epoch all the same.
    train_pairs, test_pairs: pairs drawn from the two pools, each image used once.
    precise_pairs: further test pairs, images used again, for a test error of less noise.
    precise_folds: score a fold left out on as many pairs of its images as well.
    varies: the one random stream that differs between rounds, the others being those of round 0
        (see `seeds.STREAMS`); or "all", or "all but pairs".
    keep_posteriors: record the posteriors of the digits of all test images, or with folds, of each
        training pair while it is held out.
    count_dead_units: record the share of dead units (see `evaluation.dead_units`).
    score_shifted: record how many answers a shift changes (see `evaluation.shift_changes`).
    compare_gradients: record the gradient of the first layer beside that of the last, before
        training and after it (see `evaluation.first_layer_gradient`).
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: float = Field(gt=0, lt=float("inf"))
    schedule: Literal["constant", "one_cycle"] = "constant"
    weight_decay: float = Field(default=0.0, ge=0, lt=float("inf"))
    loss: Literal["cross_entropy", "mean_squared_error"] = "cross_entropy"
    target_weight: float = Field(default=1.0, gt=0, lt=float("inf"))
    auxiliary_weight: float = Field(default=0.0, ge=0, lt=float("inf"))
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    order: Literal["shuffled", "fixed", "shuffled once"] = "shuffled"
    trainings: int = Field(default=1, ge=1)
    standardised: bool = False
    digits: Literal["of the study", OTHER] = "of the study"
    as_classes: bool = False
    augmentation: Literal["none", "re-pairing", "permuting"] = "none"
    distortion: Literal["none", "affine", "elastic"] = "none"
    undistorted_share: float = Field(default=0.0, ge=0, lt=1)
    weight_averaging: float = Field(default=0.0, ge=0, lt=1)
    validation_share: float = Field(default=0.0, ge=0, lt=1)
    folds: int = Field(default=0, ge=0)
    score_in_training_mode: bool = False
    curve_step: int = Field(default=1, ge=1)
    train_pairs: int = Field(default=1000, ge=2)
    test_pairs: int = Field(default=1000, ge=1)
    precise_pairs: int = Field(default=20_000, ge=1)
    precise_folds: bool = False
    varies: Literal["all", "all but pairs", *STREAMS] = "all"
    keep_posteriors: bool = False
    count_dead_units: bool = False
    score_shifted: bool = False
    compare_gradients: bool = False

    @model_validator(mode="after")
    def _parts_fit_together(self):
        if self.validation_share and not 0 < self.validation_pairs < self.train_pairs:
            raise InputError(
                f"validation_share = {self.validation_share} of {self.train_pairs} pairs holds out "
                f"{self.validation_pairs}: choose a share that leaves pairs on both sides."
            )
        if self.batch_size > self.fitted_pairs:
            left = f"train_pairs = {self.train_pairs}"
            if self.validation_share:
                left = (
                    f"the {self.fitted_pairs} that validation_share = {self.validation_share} "
                    f"leaves of {left}"
                )
            raise InputError(
                f"batch_size = {self.batch_size} is more than {left}: choose a batch that the "
                "training pairs can fill."
            )
        if self.folds and not 2 <= self.folds <= self.train_pairs // 2:
            raise InputError(
                f"folds = {self.folds} does not cut {self.train_pairs} training pairs into parts "
                f"of two or more: choose 2 to {self.train_pairs // 2}, or 0 for none."
            )
        if self.precise_folds and not self.folds:
            raise InputError(
                "precise_folds = True has no fold to score: choose folds, or leave it False."
            )
        if self.undistorted_share and self.distortion == "none":
            raise InputError(
                f"undistorted_share = {self.undistorted_share} has no distortion to end: choose a "
                "distortion, or leave it at 0."
            )
        if self.label_smoothing and not (self.auxiliary_weight and self.loss == "cross_entropy"):
            raise InputError(
                f"label_smoothing = {self.label_smoothing} has no digit loss to smooth: choose an "
                "auxiliary_weight and cross_entropy, or leave it at 0."
            )
        if self.as_classes and (
            self.distortion != "none" or self.score_shifted or self.keep_posteriors
        ):
            raise InputError(
                "as_classes = True leaves no images to distort, to shift or to name: leave "
                "distortion, score_shifted and keep_posteriors at their defaults with it."
            )
        if self.score_in_training_mode and self.test_pairs == 1:
            raise InputError(
                "score_in_training_mode = True of test_pairs = 1 has no batch statistics: choose "
                "two pairs or more, or leave it False."
            )
        for pairs in self.epoch_sizes:
            if pairs % self.batch_size == 1:
                raise InputError(
                    f"batch_size = {self.batch_size} leaves one of {pairs} pairs for the last "
                    "batch, and batch norm needs two: choose another batch_size."
                )
        if self.epochs % self.curve_step:
            raise InputError(
                f"curve_step = {self.curve_step} does not divide epochs = {self.epochs}: choose "
                "one that does, so that the last epoch is a point of the curves."
            )
        if self.validation_share and (self.trainings > 1 or self.folds):
            raise InputError(
                f"validation_share = {self.validation_share} keeps the best epoch of one training: "
                "leave trainings and folds at their defaults with it."
            )
        return self

    @property
    def draw(self) -> Draw:
        """How many pairs a round draws, and what is done to their images."""
        how_many = self.train_pairs, self.test_pairs, self.precise_pairs
        return Draw(*how_many, self.standardised, self.as_classes)

    def digits_of(self, source: str) -> str:
        """Return the digits that pairs are drawn from in a study of `source`."""
        return source if self.digits == "of the study" else self.digits

    @property
    def validation_pairs(self) -> int:
        """How many training pairs are held out for validation."""
        return round(self.validation_share * self.train_pairs)

    @property
    def distorted_epochs(self) -> int:
        """How many epochs of a training, the first ones, see distorted images."""
        if self.distortion == "none":
            return 0
        return self.epochs - round(self.undistorted_share * self.epochs)

    @property
    def fitted_pairs(self) -> int:
        """How many training pairs are left to fit."""
        return self.train_pairs - self.validation_pairs

    @property
    def epoch_factor(self) -> int:
        """How many pairs an epoch passes over for each fitted one."""
        return 2 if self.augmentation == "re-pairing" else 1

    @property
    def epoch_sizes(self) -> tuple[int, ...]:
        """How many pairs an epoch passes over: in the main training, then in each fold's."""
        n, times = self.fitted_pairs, self.epoch_factor
        # Folds as scikit-learn's KFold cuts them: the first ones are larger by one pair.
        held_out = [n // self.folds + (fold < n % self.folds) for fold in range(self.folds)]
        return times * n, *(times * (n - part) for part in held_out)

    def but(self, **changes) -> "Recipe":
        """Return this recipe with some fields changed, validated again."""
        return Recipe(**(self.model_dump() | changes))

    @property
    def hash(self) -> str:
        """Name this recipe in twelve hex digits.

        Fields at their defaults do not count, so a field that is added later, with a default
        that means "as before", leaves the hashes of existing records as they are.
        """
        return _hash_of(self)


@functools.lru_cache(4096)
def _hash_of(recipe: Recipe) -> str:
    text = json.dumps(recipe.model_dump(exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
