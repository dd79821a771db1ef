"""The networks of Kqiku, Soydinc, Noguerón, "Classification, weight sharing, auxiliary losses".

FCC is dense, CNN is convolutional; both send each image through a branch and join the features.
As written (`fcc`, `cnn`) and as the authors' code had them (`published_fcc`, `published_cnn`).
Everywhere `shared` means one branch and one digit head for both images instead of two, and
`auxiliary` a digit head on each branch.
"""

from functools import partial
from itertools import pairwise

from torch import Tensor, nn

from digits.models.blocks import (
    MakeModule,
    TwoBranch,
    concatenate,
    first_minus_second,
    second_minus_first,
)

DROPOUT = 0.5  # not given in the report; the default of torch and of the authors' code


def fcc(*, shared: bool, auxiliary: bool, final_relu: bool = True, width: float = 1) -> TwoBranch:
    """Build the dense net: 482,114 parameters, 241,122 shared; a digit head has 330.

    The report ends the network with a ReLU on the two logits, and so do we: where both are
    negative the gradient is zero and the decision falls to class 0. `final_relu=False` is a
    control without it; width: of all hidden layers, as a multiple of the report's.
    """
    features = int(32 * width)
    return TwoBranch(
        partial(dense_branch, width),
        shared=shared,
        join=concatenate,
        head=nn.Sequential(nn.Linear(2 * features, 2), *([nn.ReLU()] if final_relu else [])),
        digit_head=(lambda: nn.Linear(features, 10)) if auxiliary else None,
    )


def cnn(*, shared: bool, auxiliary: bool, final_relu: bool = True, width: float = 1) -> TwoBranch:
    """Build the "Siamese CNN": 90,790 parameters, 67,270 shared; a digit head has 2,570.

    final_relu, width: see `fcc`; here a batch norm comes before the ReLU.
    """
    features, *hidden = (int(size * width) for size in (256, 128, 64, 32))
    sizes = pairwise((features, *hidden, 2))
    layers = [layer for inputs, outputs in sizes for layer in dense_unit(inputs, outputs)]
    return TwoBranch(
        partial(convolutional_branch, width=width),
        shared=shared,
        join=first_minus_second,
        head=nn.Sequential(*(layers if final_relu else layers[:-1])),
        digit_head=(lambda: nn.Linear(features, 10)) if auxiliary else None,
    )


def published_fcc(*, shared: bool, auxiliary: bool) -> TwoBranch:
    """Build FCC as in the authors' code, 483,618 parameters of which not all are used.

    Batch norm comes before the last ReLU, and the digit head has two layers.
    """
    return _with_unused_parts(
        dense_branch,
        shared=shared,
        auxiliary=auxiliary,
        join=concatenate,
        head=nn.Sequential(*dense_unit(64, 2)),
        digit_head=lambda: nn.Sequential(
            *dense_unit(32, 16), nn.Dropout(DROPOUT), *dense_unit(16, 10)
        ),
    )


def published_cnn(*, shared: bool, auxiliary: bool) -> TwoBranch:
    """Build CNN as in the authors' code, 135,480 parameters of which not all are used.

    Most dense layers come before the subtraction, in each branch, with scalar batch norms.
    """
    return _with_unused_parts(
        published_convolutional_branch,
        shared=shared,
        auxiliary=auxiliary,
        join=second_minus_first,
        head=nn.Sequential(*scalar_unit(32, 16), nn.Linear(16, 2)),
        digit_head=lambda: nn.Sequential(*scalar_unit(32, 16), nn.Linear(16, 10)),
    )


def dense_branch(width: float = 1) -> nn.Sequential:
    """Build the branch from one image (N, 1, 14, 14) to features (N, 32): 240,992 parameters."""
    first, second, features = (int(size * width) for size in (512, 256, 32))
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(196, first),
        nn.ReLU(),
        nn.Dropout(DROPOUT),
        *dense_unit(first, second),
        *dense_unit(second, features),
    )


def convolutional_branch(second_relu: bool = True, width: float = 1) -> nn.Sequential:
    """Build the branch from one image (N, 1, 14, 14) to features (N, 256): 23,520 parameters."""
    few, more, most = (int(channels * width) for channels in (16, 32, 64))
    return nn.Sequential(
        nn.Conv2d(1, few, 3),  # 16 x 12 x 12
        nn.MaxPool2d(2),  # 16 x 6 x 6
        nn.Dropout(DROPOUT),
        nn.BatchNorm2d(few),
        nn.ReLU(),
        nn.Conv2d(few, more, 3),  # 32 x 4 x 4
        nn.BatchNorm2d(more),
        *([nn.ReLU()] if second_relu else []),
        nn.Conv2d(more, most, 3),  # 64 x 2 x 2
        nn.BatchNorm2d(most),
        nn.ReLU(),
        nn.Flatten(),
    )


def published_convolutional_branch() -> nn.Sequential:
    """Build the code's branch from one image to features (N, 32): 66,758 parameters."""
    return nn.Sequential(
        convolutional_branch(second_relu=False),
        *scalar_unit(256, 128),
        *scalar_unit(128, 64, nn.Dropout(DROPOUT)),
        *scalar_unit(64, 32, nn.Dropout(DROPOUT)),
    )


class ScalarBatchNorm(nn.BatchNorm1d):
    """Batch norm over all features (N, F) at once: one mean, one scale, one shift."""

    def __init__(self):
        super().__init__(1)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.unsqueeze(1)).squeeze(1)


def dense_unit(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    """Return a dense layer, a batch norm and a ReLU."""
    return nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.ReLU()


def scalar_unit(inputs: int, outputs: int, *before_norm: nn.Module) -> tuple[nn.Module, ...]:
    """Return a dense layer, what comes before the norm, a scalar batch norm and a ReLU."""
    return nn.Linear(inputs, outputs), *before_norm, ScalarBatchNorm(), nn.ReLU()


def _with_unused_parts(
    branch: MakeModule, *, shared: bool, auxiliary: bool, digit_head: MakeModule, **parts
) -> TwoBranch:
    """Build a `TwoBranch` with both branches and both digit heads present even where unused.

    The authors' code prints one parameter count for all four variants for this reason.
    """
    model = TwoBranch(branch, shared=shared, digit_head=digit_head if auxiliary else None, **parts)
    heads_in_use = auxiliary * (1 if shared else 2)
    model.unused = nn.ModuleList(
        [branch() for _ in range(int(shared))] + [digit_head() for _ in range(2 - heads_in_use)]
    )
    return model
