"""Networks past the reports: a branch that names digits, and heads that know what the task is.

Two digits drawn independently, with posteriors p and q: P(a <= b) is the sum of p_i q_j over
i <= j. Zadoks names such a head as future work.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from digits.augmentation import sample
from digits.models import zadoks
from digits.models.blocks import TwoBranch

CHANNELS = (64, 128)


def deep_net(
    head: Callable[[], nn.Module], *, members: int = 1, upright: int = 0, auxiliary: bool = True
) -> TwoBranch:
    """Build a network with one branch for both images, which names digits, and a head.

    head: makes a module from the digit logits (N, 2, 10) of both images to the target.
    members: branches in the committee that names the digits; upright: how many of them see digits
        set upright. auxiliary: give the digit logits out, for a loss on them.
    """

    def branch() -> nn.Module:
        named = [deep_branch(upright=member < upright) for member in range(members)]
        return Committee(named) if members > 1 else named[0]

    return TwoBranch(
        branch,
        shared=True,
        join=both,
        head=head(),
        digit_head=nn.Identity if auxiliary else None,
        one_batch=True,
    )


def twin_net() -> TwoBranch:
    """Build Zadoks' twin net, its subnet shared, with the sum over the digits for a comparison."""
    return TwoBranch(
        zadoks.subnet, shared=True, join=both, head=SumOverDigits(), digit_head=nn.Identity
    )


def deep_branch(upright: bool = False) -> nn.Sequential:
    """Build the branch from one image (N, 1, 14, 14) to digit logits: 418,634 parameters.

    upright: set digits upright first.
    """
    few, many = CHANNELS
    return nn.Sequential(
        *([Upright()] if upright else []),
        *_convolution(1, few),  # 64 x 14 x 14
        *_convolution(few, few),
        nn.MaxPool2d(2),  # 64 x 7 x 7
        *_convolution(few, many),
        *_convolution(many, many),
        nn.MaxPool2d(2),  # 128 x 3 x 3
        *_convolution(many, many),
        nn.Flatten(),
        nn.Linear(many * 9, 10),
    )


def _convolution(channels: int, out: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, out, 3, padding=1, bias=False)
    return convolution, nn.BatchNorm2d(out), nn.ReLU()


def both(first: Tensor, second: Tensor) -> Tensor:
    """Join the digit logits (N, 10) of the first and of the second image to (N, 2, 10)."""
    return torch.stack([first, second], dim=1)


class SumOverDigits(nn.Module):
    """The structured head: the target's log-probabilities, summed over all 100 pairs of digits.

    From digit logits (N, 2, 10) to (N, 2): log P(a > b) and log P(a <= b), for independent digits.
    detached: no gradient passes, so that the digit loss alone trains the branch.
    """

    def __init__(self, detached: bool = False):
        super().__init__()
        self.detached = detached

    def forward(self, digits: Tensor) -> Tensor:
        digits = digits.detach() if self.detached else digits
        precise = torch.promote_types(digits.dtype, torch.float32)
        first, second = digits.to(precise).log_softmax(dim=2).unbind(dim=1)
        # For each digit i of the first image: log P(b >= i), and log P(b < i), which is none at 0.
        at_least = second.flip(1).logcumsumexp(dim=1).flip(1)
        less = second.logcumsumexp(dim=1)[:, :-1]
        greater = (first[:, 1:] + less).logsumexp(dim=1)
        return torch.stack([greater, (first + at_least).logsumexp(dim=1)], dim=1)


class MostLikelyDigits(nn.Module):
    """Compare the most likely digits of both images, as a person would who has to name them.

    From digit logits (N, 2, 10) to (N, 2): 1 for what is decided, 0 for the other. Nothing can be
    learned through it.
    """

    def forward(self, digits: Tensor) -> Tensor:
        first, second = digits.argmax(dim=2).unbind(dim=1)
        return torch.stack([first > second, first <= second], dim=1).float()


def learned() -> nn.Sequential:
    """Build the head that has to find out what the digits mean: Zadoks' comparison net."""
    return nn.Sequential(nn.Flatten(), *zadoks.comparison())


class Committee(nn.Module):
    """Several branches that name digits together, by the mean of their posteriors.

    Learning, each sees its own share of a batch of images (N, 1, 14, 14), so that the committee
    costs no more than one of them; asked, each sees all.
    """

    def __init__(self, members: list[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        n = len(self.members)
        if not self.training:
            posteriors = [member(images).float().softmax(dim=1) for member in self.members]
            return torch.stack(posteriors).mean(dim=0).clamp(min=1e-12).log()
        # Dealt in turn: both images of a pair lie N / 2 apart and go to the same member.
        logits = [member(images[k::n]) for k, member in enumerate(self.members[: len(images)])]
        dealt = torch.empty(len(images), 10, dtype=logits[0].dtype, device=images.device)
        for k, of_member in enumerate(logits):
            dealt[k::n] = of_member
        return dealt


class Upright(nn.Module):
    """Set digits upright: shear images (N, 1, 14, 14) until x and y of the ink are uncorrelated."""

    def forward(self, images: Tensor) -> Tensor:
        images = images[:, 0]
        ink = images - images.amin(dim=(1, 2), keepdim=True)
        ink = ink / ink.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
        height, width = images.shape[1:]
        y = (torch.arange(height, device=images.device) - (height - 1) / 2).view(1, -1, 1)
        x = (torch.arange(width, device=images.device) - (width - 1) / 2).view(1, 1, -1)
        middle = (ink * y).sum(dim=(1, 2), keepdim=True)
        tall = (ink * (y - middle) ** 2).sum(dim=(1, 2), keepdim=True)
        slant = (ink * (y - middle) * x).sum(dim=(1, 2), keepdim=True) / tall.clamp(min=1e-6)
        places = torch.broadcast_tensors(x + slant * (y - middle), y, images)[:2]
        return sample(images, *places).unsqueeze(1)
