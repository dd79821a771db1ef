"""The twin net of Zadoks, "Classification, weight sharing, auxiliary losses" (2021)."""

from torch import nn

from digits.models.blocks import TwoBranch, concatenate


def twin_net(*, shared: bool, auxiliary: bool, relu: bool = False) -> TwoBranch:
    """Build the twin net (section "Architecture"): two convolutional subnets, one comparison net.

    shared: one subnet for both images: 9,574 parameters instead of 18,896.
    auxiliary: read the subnets' ten outputs as digit logits, which costs no parameter.
    relu: a ReLU between batch norm and dropout, which the listing lacks and the code has.
    """
    comparison = nn.Sequential(
        nn.ReLU(),
        nn.Linear(20, 10),
        nn.BatchNorm1d(10),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Linear(10, 2),
    )
    return TwoBranch(
        lambda: convolutional_subnet(relu),
        shared=shared,
        join=concatenate,
        head=comparison,
        digit_head=nn.Identity if auxiliary else None,
    )


def convolutional_subnet(relu: bool) -> nn.Sequential:
    """Build the subnet from one image (N, 1, 14, 14) to ten numbers (N, 10): 9,322 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),  # 16 x 12 x 12
        nn.ReLU(),
        nn.AvgPool2d(2),  # 16 x 6 x 6
        nn.Conv2d(16, 32, 3),  # 32 x 4 x 4
        nn.ReLU(),
        nn.AvgPool2d(2),  # 32 x 2 x 2
        nn.Flatten(),
        nn.Linear(128, 32),
        nn.BatchNorm1d(32),
        *([nn.ReLU()] if relu else []),
        nn.Dropout(0.25),
        nn.Linear(32, 10),
    )
