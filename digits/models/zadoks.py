"""The twin net of Zadoks, "Classification, weight sharing, auxiliary losses" (2021)."""

from functools import partial

from torch import nn

from digits.models.blocks import TwoBranch, concatenate

DROPOUT = 0.25


def twin_net(
    *,
    shared: bool,
    auxiliary: bool,
    relu: bool = False,
    activation: type[nn.Module] = nn.ReLU,
    dropout: float = DROPOUT,
    batch_norm: bool = True,
) -> TwoBranch:
    """Build the twin net (section "Architecture"): two convolutional subnets, one comparison net.

    shared: one subnet for both images: 9,574 parameters instead of 18,896.
    auxiliary: read the subnets' ten outputs as digit logits, which costs no parameter.
    relu: a ReLU between batch norm and dropout, which the listing lacks and the code has.
    activation, dropout, batch_norm: what the report says of tanh, dropout and batch norm is
        tested by changing one of them.
    """
    return TwoBranch(
        partial(subnet, activation, dropout, batch_norm, relu),
        shared=shared,
        join=concatenate,
        head=comparison(activation, dropout, batch_norm),
        digit_head=nn.Identity if auxiliary else None,
    )


def subnet(
    activation: type[nn.Module] = nn.ReLU,
    dropout: float = DROPOUT,
    batch_norm: bool = True,
    relu: bool = False,
) -> nn.Sequential:
    """Build the subnet from one image (N, 1, 14, 14) to ten numbers: 9,322 parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3),  # 16 x 12 x 12
        activation(),
        nn.AvgPool2d(2),  # 16 x 6 x 6
        nn.Conv2d(16, 32, 3),  # 32 x 4 x 4
        activation(),
        nn.AvgPool2d(2),  # 32 x 2 x 2
        nn.Flatten(),
        nn.Linear(128, 32),
        nn.BatchNorm1d(32) if batch_norm else nn.Identity(),
        *([activation()] if relu else []),
        nn.Dropout(dropout),
        nn.Linear(32, 10),
    )


def comparison(
    activation: type[nn.Module] = nn.ReLU, dropout: float = DROPOUT, batch_norm: bool = True
) -> nn.Sequential:
    """Build the comparison net from twenty numbers, ten an image, to the target: 252 parameters."""
    return nn.Sequential(
        activation(),
        nn.Linear(20, 10),
        nn.BatchNorm1d(10) if batch_norm else nn.Identity(),
        activation(),
        nn.Dropout(dropout),
        nn.Linear(10, 2),
    )
