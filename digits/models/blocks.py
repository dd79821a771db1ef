"""What several reports share: the output of every model, the net of one trunk, of two branches."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

MakeModule = Callable[[], nn.Module]


class Output(NamedTuple):
    """What every model returns for pairs (N, 2, 14, 14).

    target: (N, 2) logits of "greater" (0) and "lesser or equal" (1); or (N, 1), one logit, of
        "lesser or equal"; or (N,), a score, which decides for it above 0.5.
    auxiliary: one entry per auxiliary output: digit logits (N, 2, 10) of both images, or logits
        (N, 2) of the target from an earlier layer; empty for a model without.
    """

    target: Tensor
    auxiliary: tuple[Tensor, ...] = ()


class PerImage(nn.Module):
    """Apply one module to the first image and a second one, or the same one, to the second.

    This is weight sharing: with `shared` there is one set of parameters, trained by both images;
    without, there are two of the same shape. Either way each image goes through on its own, so
    batch statistics are those of one position in the pair; with `one_batch` the two go through a
    shared module as one batch of 2N images, and batch statistics are those of both.
    """

    def __init__(self, make: MakeModule, shared: bool, one_batch: bool = False):
        super().__init__()
        self.first = make()
        self.second = self.first if shared else make()
        self.one_batch = shared and one_batch

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        if self.one_batch:
            return self.first(torch.cat([first, second])).chunk(2)
        return self.first(first), self.second(second)


class Stacked(nn.Module):
    """One net that sees the two images as two channels.

    trunk: from pairs (N, 2, 14, 14) to features.
    head: from the features to the target.
    auxiliary: from the same features to an auxiliary output (see `Output`); None for a net
        without one.
    """

    def __init__(self, trunk: nn.Module, head: nn.Module, auxiliary: nn.Module | None = None):
        super().__init__()
        self.trunk = trunk
        self.head = head
        self.auxiliary = auxiliary

    def forward(self, pairs: Tensor) -> Output:
        features = self.trunk(pairs)
        auxiliary = () if self.auxiliary is None else (self.auxiliary(features),)
        return Output(self.head(features), auxiliary)


class TwoBranch(nn.Module):
    """A branch for each image, a join of their features, and a head that compares.

    branch: makes a module from one image (N, 1, 14, 14) to features.
    shared: one branch (and one digit head) for both images, or two.
    join: makes one tensor of the features of the first and of the second image.
    head: from the joined features to the target (see `Output`).
    digit_head: makes a module from an image's features to digit logits (N, 10), the auxiliary
        output; None for a model without one.
    one_batch: see `PerImage`.
    """

    def __init__(
        self,
        branch: MakeModule,
        *,
        shared: bool,
        join: Callable[[Tensor, Tensor], Tensor],
        head: nn.Module,
        digit_head: MakeModule | None = None,
        one_batch: bool = False,
    ):
        super().__init__()
        self.branches = PerImage(branch, shared, one_batch)
        self.join = join
        self.head = head
        self.digit_heads = None if digit_head is None else PerImage(digit_head, shared)

    def forward(self, pairs: Tensor) -> Output:
        features = self.branches(pairs[:, :1], pairs[:, 1:])
        target = self.head(self.join(*features))
        if self.digit_heads is None:
            return Output(target)
        return Output(target, (torch.stack(self.digit_heads(*features), dim=1),))


def concatenate(first: Tensor, second: Tensor) -> Tensor:
    """Join features (N, F) and (N, F) to (N, 2F)."""
    return torch.cat([first, second], dim=1)


def first_minus_second(first: Tensor, second: Tensor) -> Tensor:
    """Join features of equal shape by their difference."""
    return first - second


def second_minus_first(first: Tensor, second: Tensor) -> Tensor:
    """Join features of equal shape by their difference, the other way round."""
    return second - first


def digits_of_both() -> nn.Module:
    """Return a layer that reads (N, 20) as the digit logits (N, 2, 10) of both images."""
    return nn.Unflatten(1, (2, 10))
