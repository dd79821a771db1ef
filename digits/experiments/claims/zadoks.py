"""What Zadoks claims, how it is read, and the criteria that decide it."""

from functools import partial

from digits.experiments.claim import Claim, Criterion, higher, lower, printed, steadier

NET = "zadoks/twinnet"
TESTED = (NET, f"{NET}+ws+aux")
#: The same network beyond the reports, in the ablation.
_BEYOND = "beyond/twinnet+ws+aux"
_claim = partial(Claim, report="zadoks")


def _larger_gradients(net: str) -> tuple[Criterion, ...]:
    return tuple(
        higher(
            f"{net}@gradients",
            than=f"{net}@gradients-no-batch-norm",
            quantity=f"gradient_at_{when}",
        )
        for when in ("start", "end")
    )


CLAIMS = (
    _claim(
        id="C4.1",
        claim="With weight sharing and auxiliary loss: 95.22 ± 0.62 % test accuracy in 25 epochs",
        criteria=(printed(f"{NET}+ws+aux"),),
        reading="following the text; the number may come from a network of twice the width, run "
        "as @double",
        second_criteria=(printed(f"{NET}+ws+aux@published"),),
        second_reading="following the author's code",
    ),
    _claim(
        id="C4.2",
        claim="ReLU is more stable and more accurate than tanh here",
        criteria=(
            *(lower(net, than=f"{net}@tanh") for net in TESTED),
            *(steadier(net, than=f"{net}@tanh") for net in TESTED),
        ),
        reading="stable: errors of rounds lie closer to their median",
    ),
    _claim(
        id="C4.3",
        claim="Dropout reduces overfitting",
        criteria=tuple(lower(net, than=f"{net}@no-dropout", quantity="gap") for net in TESTED),
        reading="test minus train error",
    ),
    _claim(
        id="C4.4",
        claim="Batch norm improves training stability",
        criteria=(
            *(steadier(net, than=f"{net}@no-batch-norm") for net in TESTED),
            *(lower(net, than=f"{net}@no-batch-norm", quantity="fluctuation") for net in TESTED),
        ),
        reading="errors of rounds closer to their median, and test errors that change less "
        "between epochs",
    ),
    _claim(
        id="C4.5",
        claim="Weight sharing and auxiliary loss both help",
        criteria=(
            lower(f"{NET}+ws", than=NET),
            lower(f"{NET}+aux", than=NET),
            lower(f"{NET}+ws+aux", than=f"{NET}+aux"),
            lower(f"{NET}+ws+aux", than=f"{NET}+ws"),
        ),
        reading="each alone and with the other; the draft only says that effects are discussed",
        ours=True,
    ),
    _claim(
        id="C4.6",
        claim="A LeNet-style net suits the digits, a small dense net the comparison",
        criteria=(lower(f"{_BEYOND}@one-cycle", than=f"{_BEYOND}@sum", by=-1),),
        reading="its second half: the comparison net has an error at most one point higher than "
        "P(a ≤ b) computed from the digit probabilities; trained as in the ablation",
    ),
    _claim(
        id="C4.7",
        claim="3x3 kernels and average pooling avoid aliasing",
        criteria=tuple(
            lower(f"{net}@shifted", than=f"{net}@{other}", quantity="shift_changes")
            for net in TESTED
            for other in ("5x5-kernels", "max-pooling")
        ),
        reading="fewer answers change if both images move by a pixel than with 5x5 kernels and "
        "than with max pooling",
    ),
    _claim(
        id="C4.8",
        claim="Batch norm counters vanishing gradients",
        criteria=tuple(larger for net in TESTED for larger in _larger_gradients(net)),
        reading="with it the gradient of the first layer is larger beside that of the last, before "
        "training and after it",
        second_criteria=_larger_gradients(NET),
        second_reading="in the network with neither option, since the digit loss reaches the first "
        "layer by another way; added after the results were known",
    ),
)
