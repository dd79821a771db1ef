"""The networks of Damachi, Volpini, "Classification, weight sharing, auxiliary losses".

All give one score for the target, trained with mean squared error, instead of two logits. The
report's convolutional net is three-dimensional over the pair; its kernels have depth one, so it
is a two-dimensional net that both images share, and so it is built here (see `cnn`).
With kind "logit" a network gives logits, of the target and of the digits, for cross entropy.
"""

from functools import partial
from typing import Literal

from torch import nn

from digits.models.blocks import Stacked, TwoBranch, concatenate, digits_of_both

DROPOUT = 0.3  # the report's figures


#: What a network gives for the target: a raw score or one between 0 and 1 (N,), or a logit (N, 1).
Kind = Literal["raw score", "score", "logit"]


def linear(kind: Kind) -> Stacked:
    """Build linear regression on all pixels ("raw score"), or logistic regression: 393."""
    return Stacked(nn.Flatten(), nn.Sequential(*target(392, kind)))


def dense(*, auxiliary: bool, kind: Kind = "score") -> Stacked:
    """Build the dense net: 133,633 parameters, 136,213 with digit outputs."""
    return Stacked(
        nn.Sequential(
            nn.Flatten(), *(nn.Linear(392, 256), nn.ReLU()), *(nn.Linear(256, 128), nn.ReLU())
        ),
        nn.Sequential(*target(128, kind)),
        nn.Sequential(*digits(128, 20, kind), digits_of_both()) if auxiliary else None,
    )


def cnn(
    *, shared: bool = True, auxiliary: bool, kind: Kind = "score", dropout: float = DROPOUT
) -> TwoBranch:
    """Build the convolutional net: 47,803 parameters, 51,733 with a digit classifier.

    Both images pass the shared branch as one batch, so that batch norm sees what it sees in the
    report's three-dimensional form. `shared=False` is a control that the report lacks, with a
    branch, and batch statistics, for each image: 70,453, and 78,313 with digit classifiers.
    """
    return TwoBranch(
        partial(branch, dropout),
        shared=shared,
        one_batch=True,
        join=concatenate,
        head=nn.Sequential(nn.Linear(784, 32), nn.ReLU(), *target(32, kind)),
        digit_head=(lambda: nn.Sequential(*digits(392, 10, kind))) if auxiliary else None,
    )


def branch(dropout: float = DROPOUT) -> nn.Sequential:
    """Build the branch from one image (N, 1, 14, 14) to features (N, 392): 22,650 parameters."""
    return nn.Sequential(
        nn.BatchNorm2d(1),
        nn.Conv2d(1, 64, 5, padding=2),  # 64 x 14 x 14
        nn.ReLU(),
        nn.BatchNorm2d(64),
        nn.Conv2d(64, 32, 3, padding=1),  # 32 x 14 x 14
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.BatchNorm2d(32),
        nn.Conv2d(32, 8, 3, padding=1, stride=2),  # 8 x 7 x 7
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.BatchNorm2d(8),
        nn.Flatten(),
    )


def target(features: int, kind: Kind) -> tuple[nn.Module, ...]:
    """Return the layers from features (N, features) to what decides."""
    after = {"raw score": (nn.Flatten(0),), "score": (nn.Sigmoid(), nn.Flatten(0)), "logit": ()}
    return nn.Linear(features, 1), *after[kind]


def digits(features: int, outputs: int, kind: Kind) -> tuple[nn.Module, ...]:
    """Return the layers from features (N, features) to a score or a logit per class."""
    return nn.Linear(features, outputs), *([] if kind == "logit" else [nn.Sigmoid()])
