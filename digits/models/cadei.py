"""The networks of Cadei, Fradiani, Polvani, "EE-559: Deep Learning - Project 1".

Two small nets, and three deep ones that never reduce the 14x14 image: DeepConvNet of twenty
convolutions, ResNet of ten residual blocks of three, and a Siamese net whose tower is DeepConvNet.
Counts and layers are those of the report's tables and section "Models".
"""

import torch
from torch import Tensor, nn

from digits.models.blocks import (
    Output,
    PerImage,
    Stacked,
    TwoBranch,
    digits_of_both,
    first_minus_second,
)

DROPOUT = 0.5  # not given in the report; as in the authors' code


class AlwaysDropout(nn.Dropout):
    """Dropout that stays on in evaluation mode, as in the authors' ConvNet."""

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.dropout(features, self.p, training=True)


def mlp() -> Stacked:
    """Build the dense net of five layers: 279,562 parameters."""
    return Stacked(
        nn.Sequential(
            nn.Flatten(),
            *(nn.Linear(392, 350), nn.ReLU()),
            *(nn.Linear(350, 250), nn.ReLU()),
            *(nn.Linear(250, 200), nn.ReLU()),
            *(nn.Linear(200, 20), nn.ReLU()),
        ),
        nn.Linear(20, 2),
    )


def convnet(dropout: type[nn.Dropout] = nn.Dropout) -> Stacked:
    """Build the net of two convolutions: 77,530 parameters.

    dropout: its kind; the authors' code has `AlwaysDropout`.
    """
    return Stacked(
        nn.Sequential(
            nn.Conv2d(2, 16, 5, padding=3),  # 16 x 16 x 16
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 16 x 8 x 8
            nn.Conv2d(16, 20, 3, padding=3),  # 20 x 12 x 12
            nn.BatchNorm2d(20),
            nn.ReLU(),
            nn.MaxPool2d(2),  # 20 x 6 x 6
            nn.Flatten(),
            nn.BatchNorm1d(720),
        ),
        nn.Sequential(nn.Linear(720, 100), nn.ReLU(), dropout(DROPOUT), nn.Linear(100, 2)),
    )


def deepconvnet(*, auxiliary: bool) -> Stacked:
    """Build the net of twenty convolutions: 2,700,834 parameters, 2,826,294 with a digit head.

    The text speaks of a digit head every five layers; the count has room for one, after the tenth.
    """
    return Stacked(
        lower_half(channels=2),
        upper_half(outputs=2),
        nn.Sequential(*digit_head(outputs=20), digits_of_both()) if auxiliary else None,
    )


def resnet() -> Stacked:
    """Build the net of ten residual bottleneck blocks: 2,746,626 parameters."""
    return Stacked(
        nn.Sequential(Bottleneck(2), *(Bottleneck(512) for _ in range(9))),
        nn.Sequential(nn.AvgPool2d(14), nn.Flatten(), nn.Dropout(DROPOUT), nn.Linear(512, 2)),
    )


def siamese(*, shared: bool = True, auxiliary: bool) -> nn.Module:
    """Build the net that subtracts the ten outputs of a DeepConvNet tower on each image.

    2,699,968 parameters, 2,762,698 with a digit head. `shared=False` is a control that the report
    lacks, with a tower for each image: 5,399,914, and 5,525,374 with digit heads.
    """
    head = nn.Linear(10, 2)
    if auxiliary:
        return SiameseWithDigits(head, shared)
    return TwoBranch(
        lambda: nn.Sequential(lower_half(channels=1), upper_half(outputs=10)),
        shared=shared,
        join=first_minus_second,
        head=head,
    )


class SiameseWithDigits(nn.Module):
    """The Siamese net with digits read at two places: half-way up each tower, and at its end."""

    def __init__(self, head: nn.Module, shared: bool):
        super().__init__()
        self.lower = PerImage(lambda: lower_half(channels=1), shared)
        self.digit_heads = PerImage(lambda: nn.Sequential(*digit_head(outputs=10)), shared)
        self.upper = PerImage(lambda: upper_half(outputs=10), shared)
        self.head = head

    def forward(self, pairs: Tensor) -> Output:
        halfway = self.lower(pairs[:, :1], pairs[:, 1:])
        ends = self.upper(*halfway)
        places = (self.digit_heads(*halfway), ends)
        return Output(
            self.head(first_minus_second(*ends)),
            tuple(torch.stack(place, dim=1) for place in places),
        )


class Bottleneck(nn.Module):
    """A residual block at constant size: 1x1, 3x3, 1x1 convolutions to 128, 128, 512 channels."""

    def __init__(self, channels: int):
        super().__init__()
        self.main = nn.Sequential(
            *(nn.Conv2d(channels, 128, 1), nn.BatchNorm2d(128), nn.ReLU()),
            *(nn.Conv2d(128, 128, 3, padding=1), nn.BatchNorm2d(128), nn.ReLU()),
            *(nn.Conv2d(128, 512, 1), nn.BatchNorm2d(512)),
        )
        self.skip = (
            nn.Identity()
            if channels == 512
            else nn.Sequential(nn.Conv2d(channels, 512, 1), nn.BatchNorm2d(512))
        )

    def forward(self, features: Tensor) -> Tensor:
        return nn.functional.relu(self.main(features) + self.skip(features))


def lower_half(channels: int) -> nn.Sequential:
    """Build convolutions 1 to 10 of a deep net: to (N, 128, 14, 14)."""
    return nn.Sequential(unit(channels, 128), *(unit(128, 128) for _ in range(9)))


def upper_half(outputs: int) -> nn.Sequential:
    """Build convolutions 11 to 20 of a deep net and its classifier: to (N, outputs)."""
    return nn.Sequential(
        *(unit(128, 128) for _ in range(9)),
        unit(128, 32),
        nn.AvgPool2d(14),
        nn.Flatten(),
        nn.Dropout(DROPOUT),
        nn.Linear(32, outputs),
    )


def digit_head(outputs: int) -> tuple[nn.Module, ...]:
    """Return the layers that read digits from (N, 128, 14, 14): to (N, outputs)."""
    return nn.AvgPool2d(2), nn.Flatten(), nn.Linear(128 * 7 * 7, outputs)


def unit(inputs: int, outputs: int) -> nn.Sequential:
    """Build a 3x3 convolution that keeps the size, a batch norm and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )
