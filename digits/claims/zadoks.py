"""The claims of Zadoks."""

from functools import partial

from digits.claims.deciding import Claim
from digits.claims.parts import level, lower, steadier

NET = "zadoks/twinnet"
TESTED = (NET, f"{NET}+ws+aux")
_claim = partial(Claim, report="zadoks")

AUTHORS = "Zadoks"
IN_SHORT = (
    "A twin net with shared weights and a digit loss reaches 4.78 % error in 25 epochs; ReLU, "
    "dropout and batch norm each help."
)

CLAIMS = (
    _claim(
        id="C4.1",
        claim="With weight sharing and auxiliary loss: 95.22 ± 0.62 % test accuracy in 25 epochs",
        parts=(level(f"{NET}+ws+aux", low=3.78, high=5.78),),
        reading="within a point, by the protocol of the text; that of the author's code, with "
        "batches of 128 and a ReLU more, does reach it (see the published numbers)",
    ),
    _claim(
        id="C4.2",
        claim="ReLU is more stable and more accurate than tanh here",
        parts=(
            *(lower(net, than=f"{net}@tanh") for net in TESTED),
            *(steadier(net, than=f"{net}@tanh") for net in TESTED),
        ),
        reading="stable: errors of rounds lie closer to their median",
    ),
    _claim(
        id="C4.3",
        claim="Dropout reduces overfitting",
        parts=tuple(lower(net, than=f"{net}@no-dropout", value="gap") for net in TESTED),
        reading="test minus train error",
    ),
    _claim(
        id="C4.4",
        claim="Batch norm improves training stability",
        parts=(
            *(steadier(net, than=f"{net}@no-batch-norm") for net in TESTED),
            *(lower(net, than=f"{net}@no-batch-norm", value="fluctuation") for net in TESTED),
        ),
        reading="rounds closer to their median, and test errors that change less between epochs",
    ),
    _claim(
        id="C4.5",
        claim="Weight sharing and auxiliary loss both help",
        parts=(
            lower(f"{NET}+ws", than=NET),
            lower(f"{NET}+aux", than=NET),
            lower(f"{NET}+ws+aux", than=f"{NET}+aux"),
            lower(f"{NET}+ws+aux", than=f"{NET}+ws"),
        ),
        reading="alone, and beside the other",
    ),
    _claim(
        id="C4.6",
        claim="A LeNet-style net suits the digits, a small dense net the comparison",
        reading="stated as a reason for the choice, without another net beside it",
    ),
    _claim(
        id="C4.7",
        claim="3x3 kernels and average pooling avoid aliasing",
        reading="stated as a reason for the choice; aliasing is not measured",
    ),
)
