"""What several reports share: the output of every model, and the net of two branches."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

MakeModule = Callable[[], nn.Module]


class Output(NamedTuple):
    """What every model returns for pairs (N, 2, 14, 14).

    target: (N, 2) logits of "greater" (0) and "lesser or equal" (1).
    auxiliary: digit logits (N, 2, 10) of both images, one entry per auxiliary output; empty for
        a model without digit heads.
    """

    target: Tensor
    auxiliary: tuple[Tensor, ...] = ()


class PerImage(nn.Module):
    """Apply one module to the first image and a second one, or the same one, to the second.

    This is weight sharing: with `shared` there is one set of parameters, trained by both images;
    without, there are two of the same shape. Either way each image goes through on its own, so
    batch statistics are those of one position in the pair.
    """

    def __init__(self, make: MakeModule, shared: bool):
        super().__init__()
        self.first = make()
        self.second = self.first if shared else make()

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        return self.first(first), self.second(second)


class TwoBranch(nn.Module):
    """A branch for each image, a join of their features, and a head that compares.

    branch: makes a module from one image (N, 1, 14, 14) to features.
    shared: one branch (and one digit head) for both images, or two.
    join: makes one tensor of the features of the first and of the second image.
    head: from the joined features to target logits (N, 2).
    digit_head: makes a module from an image's features to digit logits (N, 10), the auxiliary
        output; None for a model without one.
    """

    def __init__(
        self,
        branch: MakeModule,
        *,
        shared: bool,
        join: Callable[[Tensor, Tensor], Tensor],
        head: nn.Module,
        digit_head: MakeModule | None = None,
    ):
        super().__init__()
        self.branches = PerImage(branch, shared)
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


def parameter_count(model: nn.Module) -> int:
    """Count a model's trainable numbers; a shared module counts once."""
    return sum(parameter.numel() for parameter in model.parameters())
