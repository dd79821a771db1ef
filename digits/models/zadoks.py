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
    pooling: type[nn.Module] = nn.AvgPool2d,
    kernel: int = 3,
    width: int = 1,
) -> TwoBranch:
    """Build the twin net (section "Architecture"): two convolutional subnets, one comparison net.

    shared: one subnet for both images: 9,574 parameters instead of 18,896.
    auxiliary: read the subnets' ten outputs as digit logits, which costs no parameter.
    relu: a ReLU between batch norm and dropout, which the listing lacks and the code has.
    activation, dropout, batch_norm, pooling, kernel: what the report says of tanh, dropout, batch
        norm, average pooling and 3x3 kernels is tested by changing one of them.
    width: of all hidden layers, as a multiple of the listing's.
    """
    return TwoBranch(
        partial(subnet, activation, dropout, batch_norm, relu, pooling, kernel, width),
        shared=shared,
        join=concatenate,
        head=comparison(activation, dropout, batch_norm, width),
        digit_head=nn.Identity if auxiliary else None,
    )


def subnet(
    activation: type[nn.Module] = nn.ReLU,
    dropout: float = DROPOUT,
    batch_norm: bool = True,
    relu: bool = False,
    pooling: type[nn.Module] = nn.AvgPool2d,
    kernel: int = 3,
    width: int = 1,
) -> nn.Sequential:
    """Build the subnet from one image (N, 1, 14, 14) to ten numbers: 9,322 parameters.

    Larger kernels, of an odd size, are padded, so that the features keep their sizes.
    """
    few, many, hidden, padding = 16 * width, 32 * width, 32 * width, (kernel - 3) // 2
    return nn.Sequential(
        nn.Conv2d(1, few, kernel, padding=padding),  # 16 x 12 x 12
        activation(),
        pooling(2),  # 16 x 6 x 6
        nn.Conv2d(few, many, kernel, padding=padding),  # 32 x 4 x 4
        activation(),
        pooling(2),  # 32 x 2 x 2
        nn.Flatten(),
        nn.Linear(4 * many, hidden),
        nn.BatchNorm1d(hidden) if batch_norm else nn.Identity(),
        *([activation()] if relu else []),
        nn.Dropout(dropout),
        nn.Linear(hidden, 10),
    )


def comparison(
    activation: type[nn.Module] = nn.ReLU,
    dropout: float = DROPOUT,
    batch_norm: bool = True,
    width: int = 1,
) -> nn.Sequential:
    """Build the comparison net from twenty numbers, ten an image, to the target: 252 parameters."""
    hidden = 10 * width
    return nn.Sequential(
        activation(),
        nn.Linear(20, hidden),
        nn.BatchNorm1d(hidden) if batch_norm else nn.Identity(),
        activation(),
        nn.Dropout(dropout),
        nn.Linear(hidden, 2),
    )
