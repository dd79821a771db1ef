"""The networks of Jaubert, Roquette, Soldatenkov, "Comparing network architectures for [...]".

The full title: "Mini-Project 1 - Comparing network architectures for image processing using
auxiliary losses and weight sharing".

The table's counts fix the networks, but for the place of model_1's pool, which is the code's; the
report's prose describes older ones (`older_*`). All convolutions are 2x2; every activation but
model_0's is a leaky ReLU. `sigmoid=True` ends a network with one logit instead of two, which the
report says it had tried; `activation` changes the activations of the convolutions.
"""

from collections.abc import Callable

from torch import Tensor, nn

from digits.models.blocks import Stacked, TwoBranch, concatenate, digits_of_both

DROPOUT = 0.5  # of the older models: not given, read as torch's default


def model_0(*, sigmoid: bool = False) -> Stacked:
    """Build the dense net of three layers: 58,690 parameters."""
    return Stacked(
        nn.Sequential(
            nn.Flatten(), *(nn.Linear(392, 128), nn.ReLU()), *(nn.Linear(128, 64), nn.ReLU())
        ),
        target(64, sigmoid),
    )


def trunk_1(channels: int, width: int, activation: type[nn.Module] = nn.LeakyReLU) -> nn.Sequential:
    """Build model_1's convolutions: from (N, channels, 14, 14) to (N, 72 * width) features."""
    return nn.Sequential(
        *convolution(channels, width, padding=1, activation=activation),  # 15 x 15
        nn.MaxPool2d(2),  # 7 x 7
        *convolution(width, 2 * width, activation=activation),  # 6 x 6
        nn.Flatten(),
    )


def lower_2(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Build model_2's first two convolutions and the pool: to (N, widths[1], 7, 7)."""
    return nn.Sequential(
        *convolution(channels, widths[0], padding=1),  # 15 x 15
        *convolution(widths[0], widths[1]),  # 14 x 14
        nn.MaxPool2d(2),  # 7 x 7
    )


def upper_2(widths: tuple[int, ...]) -> nn.Sequential:
    """Build model_2's last two convolutions: to (N, 25 * widths[3]) features."""
    return nn.Sequential(
        *convolution(widths[1], widths[2]),  # 6 x 6
        *convolution(widths[2], widths[3]),  # 5 x 5
        nn.Flatten(),
    )


def trunk_2(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Build all of model_2's convolutions: to (N, 25 * widths[3]) features."""
    return nn.Sequential(lower_2(channels, widths), upper_2(widths))


WIDTHS_2 = (32, 64, 128, 128)
HALF_WIDTHS_2 = (16, 32, 64, 128)


def model_1(*, sigmoid: bool = False, activation: type[nn.Module] = nn.LeakyReLU) -> Stacked:
    """Build the net of two convolutions on both images at once: 13,154 parameters."""
    return Stacked(trunk_1(2, 32, activation), target(2304, sigmoid))


def model_1_shared(width: int = 16, *, sigmoid: bool = False) -> TwoBranch:
    """Build model_1 with a trunk that both images share: 6,770 parameters.

    width: channels of the first convolution. The report halves them; 32, as without sharing,
        makes 17,634 parameters.
    """
    return _shared(lambda: trunk_1(1, width), target(2 * 72 * width, sigmoid))


def model_1_digits(*, sigmoid: bool = False) -> Stacked:
    """Build model_1 that names both digits and compares the names: 54,686 parameters."""
    return _stacked_digits(trunk_1(2, 32), features=2304, sigmoid=sigmoid)


def model_1_shared_digits(
    *, sigmoid: bool = False, activation: type[nn.Module] = nn.LeakyReLU
) -> TwoBranch:
    """Build model_1 that names each digit by one shared trunk: 31,508 parameters."""
    return _shared_digits(
        lambda: nn.Sequential(trunk_1(1, 32, activation), nn.Linear(2304, 10)), target(20, sigmoid)
    )


def comparison() -> Stacked:
    """Build the layer that compares two digits alone: 42 parameters.

    It takes the true classes instead of images (see `Pairs.as_classes`).
    """
    return Stacked(nn.Sequential(ClassesOnly(), nn.Flatten()), target(20))


class ClassesOnly(nn.Module):
    """From classes as images (N, 2, 14, 14), see `Pairs.as_classes`, to one-hot ones (N, 2, 10)."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, :, 0, :10]


def model_2(*, early_target: bool = False) -> Stacked:
    """Build the net of four convolutions on both images at once: 113,506 parameters.

    early_target: predict the target after the pool as well (AUX1): 119,780 parameters.
    """
    return Stacked(
        lower_2(2, WIDTHS_2),
        nn.Sequential(upper_2(WIDTHS_2), nn.Linear(3200, 2)),
        nn.Sequential(nn.Flatten(), nn.Linear(3136, 2)) if early_target else None,
    )


def model_2_shared(widths: tuple[int, ...] = HALF_WIDTHS_2) -> TwoBranch:
    """Build model_2 with a trunk that both images share: 56,114 parameters.

    widths: channels of the four convolutions. The report halves the first three; `WIDTHS_2`, as
        without sharing, makes 119,778 parameters.
    """
    return _shared(lambda: trunk_2(1, widths), nn.Linear(2 * 25 * widths[3], 2))


def model_2_digits() -> Stacked:
    """Build model_2 that names both digits and compares the names.

    171,166 parameters: the report prints 171,116, a misprint, as its authors' program shows.
    """
    return _stacked_digits(trunk_2(2, WIDTHS_2), features=3200)


def model_2_shared_digits() -> TwoBranch:
    """Build model_2 that names each digit by one shared trunk: 139,028 parameters."""
    return _shared_digits(lambda: nn.Sequential(trunk_2(1, WIDTHS_2), nn.Linear(3200, 10)))


def older_model_1() -> Stacked:
    """Build the model_1 of the report's prose: 27,362 parameters."""
    return Stacked(
        nn.Sequential(
            *convolution(2, 16, padding=1),
            *convolution(16, 32),
            nn.MaxPool2d(2),  # 7 x 7
            nn.Flatten(),
        ),
        nn.Sequential(nn.Linear(1568, 16), nn.LeakyReLU(), nn.Linear(16, 2)),
    )


def older_model_2() -> Stacked:
    """Build the model_2 of the report's prose: 247,110 parameters."""
    return Stacked(
        nn.Sequential(
            *convolution(2, 32),  # 13 x 13
            *convolution(32, 64),  # 12 x 12
            nn.MaxPool2d(2),  # 6 x 6
            *convolution(64, 128),  # 5 x 5
            nn.Flatten(),
        ),
        nn.Sequential(
            *(nn.Linear(3200, 64), nn.LeakyReLU()),
            *(nn.Linear(64, 12), nn.Dropout(DROPOUT)),
            nn.Linear(12, 2),
        ),
    )


def older_model_1_shared_digits() -> TwoBranch:
    """Build the shared model_1 with digits of the report's prose: 20,820 parameters."""
    return _shared_digits(
        lambda: nn.Sequential(
            trunk_1(1, 16), nn.Linear(1152, 16), nn.LeakyReLU(), nn.Linear(16, 10)
        )
    )


def older_model_2_shared_digits() -> TwoBranch:
    """Build the shared model_2 with digits of the report's prose: 337,216 parameters."""
    return _shared_digits(
        lambda: nn.Sequential(
            lower_2(1, WIDTHS_2),
            *convolution(64, 128),  # 6 x 6
            nn.Flatten(),
            *(nn.Linear(4608, 64), nn.LeakyReLU()),
            nn.Linear(64, 10),
        ),
        nn.Sequential(nn.Linear(20, 12), nn.Dropout(DROPOUT), nn.Linear(12, 2)),
    )


def convolution(
    inputs: int, outputs: int, padding: int = 0, activation: type[nn.Module] = nn.LeakyReLU
) -> tuple[nn.Module, ...]:
    """Return a 2x2 convolution and a leaky ReLU, or another activation."""
    # In place: the features of the widest layers are not read from memory a second time.
    return nn.Conv2d(inputs, outputs, 2, padding=padding), activation(inplace=True)


def target(features: int, sigmoid: bool = False) -> nn.Linear:
    """Return the layer from features (N, features) to the two logits, or to one."""
    return nn.Linear(features, 1 if sigmoid else 2)


def concatenate_probabilities(first: Tensor, second: Tensor) -> Tensor:
    """Join digit logits (N, 10) and (N, 10) to the probabilities (N, 20) of both."""
    return concatenate(first.softmax(dim=1), second.softmax(dim=1))


def _shared(trunk: Callable[[], nn.Module], head: nn.Module) -> TwoBranch:
    return TwoBranch(trunk, shared=True, join=concatenate, head=head)


def _shared_digits(branch: Callable[[], nn.Module], head: nn.Module | None = None) -> TwoBranch:
    return TwoBranch(
        branch,
        shared=True,
        join=concatenate_probabilities,
        head=nn.Linear(20, 2) if head is None else head,
        digit_head=nn.Identity,
    )


def _stacked_digits(trunk: nn.Module, features: int, sigmoid: bool = False) -> Stacked:
    """Build a net whose two digit heads, here one layer of twenty, read the same features."""
    return Stacked(
        nn.Sequential(trunk, nn.Linear(features, 20), digits_of_both()),
        nn.Sequential(nn.Softmax(dim=2), nn.Flatten(), target(20, sigmoid)),
        nn.Identity(),
    )
