"""Networks beyond the reports: a branch that classifies digits, and heads that compare them.

For two digits drawn independently, with posteriors p and q, P(a <= b) is the sum of p_i q_j over
i <= j. Zadoks names such a head as future work.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from digits.models import zadoks
from digits.models.blocks import Output, TwoBranch


def deep_net(head: Callable[[], nn.Module], *, auxiliary: bool = True) -> TwoBranch:
    """Build a network with one branch for both images, which names digits, and a head.

    head: makes a module from the digit logits (N, 2, 10) of both images to the target.
    auxiliary: give the digit logits out, for a loss on them.
    """
    return TwoBranch(
        deep_branch,
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


def ensemble(head: Callable[[], nn.Module], *, erasing: bool = False) -> TwoBranch:
    """Build a network whose one branch is an ensemble of two shapes, and a head.

    erasing: the first member is trained with random erasing, so that it errs on other digits.
    """
    erased = [RandomErasing()] if erasing else []
    return Ensemble(
        lambda: Members([nn.Sequential(*erased, *deep_branch(nn.SiLU)), unpooled_branch()]),
        shared=True,
        join=both,
        head=head(),
        digit_head=nn.Identity,
        one_batch=True,
    )


def deep_branch(activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Build the branch from one image (N, 1, 14, 14) to digit logits: 418,634 parameters."""
    few, many = 64, 128
    return nn.Sequential(
        *_convolution(1, few, activation),  # 64 x 14 x 14
        *_convolution(few, few, activation),
        nn.MaxPool2d(2),  # 64 x 7 x 7
        *_convolution(few, many, activation),
        *_convolution(many, many, activation),
        nn.MaxPool2d(2),  # 128 x 3 x 3
        *_convolution(many, many, activation),
        nn.Flatten(),
        nn.Linear(many * 9, 10),
    )


def unpooled_branch() -> nn.Sequential:
    """Build a branch without pooling, whose images lose their border: 413,290 parameters."""
    channels = (1, 32, 64, 64, 96, 128, 160)  # from 14 x 14 to 2 x 2
    convolutions = [
        module
        for before, after in pairwise(channels)
        for module in _convolution(before, after, nn.SiLU, padding=0)
    ]
    return nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(channels[-1] * 4, 10))


def _convolution(
    channels: int, out: int, activation: type[nn.Module], padding: int = 1
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(channels, out, 3, padding=padding, bias=False)
    return convolution, nn.BatchNorm2d(out), activation()


class RandomErasing(nn.Module):
    """Random erasing: in training mode half of the images (N, 1, 14, 14) miss a square.

    Which of them, and where, is drawn anew each time, in the undistorted epochs too; the square,
    wholly within the image, gets the image's darkest pixel. Nothing is erased in evaluation mode.
    side: of the square, in pixels. share: the probability of one.
    """

    def __init__(self, side: int = 4, share: float = 0.5):
        super().__init__()
        self.side, self.share = side, share

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return images
        n, _, height, width = images.shape
        across, down = (self._hole(n, pixels, images.device) for pixels in (width, height))
        chosen = torch.rand(n, device=images.device) < self.share
        hole = down[:, :, None] & across[:, None, :] & chosen[:, None, None]
        return torch.where(hole.unsqueeze(1), images.amin(dim=(2, 3), keepdim=True), images)

    def _hole(self, n: int, pixels: int, device: torch.device) -> Tensor:
        start = torch.randint(pixels - self.side + 1, (n, 1), device=device)
        place = torch.arange(pixels, device=device)
        return (place >= start) & (place < start + self.side)


class Members(nn.Module):
    """Branches that classify digits together: the mean of their log-posteriors (N, 10)."""

    def __init__(self, members: list[nn.Module]):
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, images: Tensor) -> Tensor:
        return mean_log_posterior([member(images) for member in self.members])


def mean_log_posterior(logits: list[Tensor]) -> Tensor:
    """Return the mean of the log-posteriors of several logits, over their last dimension."""
    return torch.stack([own.log_softmax(dim=-1) for own in logits]).mean(dim=0)


class Ensemble(TwoBranch):
    """A network whose one branch are `Members`: each is trained by a digit loss of its own.

    In training mode the digit logits of each member are an auxiliary output; in evaluation mode
    there is one, of all members together. A loss on their mean would train them to make up for
    each other's mistakes.
    """

    def forward(self, pairs: Tensor) -> Output:
        if not self.training:
            return super().forward(pairs)
        images = torch.cat([pairs[:, :1], pairs[:, 1:]])
        each = [torch.stack(m(images).chunk(2), dim=1) for m in self.branches.first.members]
        return Output(self.head(mean_log_posterior(each)), tuple(each))


def both(first: Tensor, second: Tensor) -> Tensor:
    """Join the digit logits (N, 10) of the first and of the second image to (N, 2, 10)."""
    return torch.stack([first, second], dim=1)


class SumOverDigits(nn.Module):
    """The structured head: the target's log-probabilities, summed over all 100 pairs of digits.

    From digit logits (N, 2, 10) to (N, 2): log P(a > b) and log P(a <= b), for independent digits.
    detached: no gradient passes, so that the digit loss alone trains the branch.
    temperature: what digit logits are divided by once the network is trained. Below 1 it sharpens
        posteriors that smoothed labels leave too flat: a sum over flat ones heeds digits that
        nobody wrote.
    """

    def __init__(self, detached: bool = False, temperature: float = 1.0):
        super().__init__()
        self.detached, self.temperature = detached, temperature

    def forward(self, digits: Tensor) -> Tensor:
        digits = digits.detach() if self.detached else digits
        digits = digits if self.training else digits / self.temperature
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
