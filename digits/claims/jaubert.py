"""The claims of Jaubert, Roquette, Soldatenkov."""

from functools import partial

from digits.claims.deciding import Claim
from digits.claims.parts import Between, Difference, Range, Spread, alike, higher, level, lower

M0, M1, M2 = (f"jaubert/model_{index}" for index in range(3))
BOTH = (M1, M2)
SIGMOID = (M0, M1, f"{M1}+ws", f"{M1}+aux2", f"{M1}+ws+aux")
_claim = partial(Claim, report="jaubert")
_longer = partial(higher, value="train_seconds")

#: The comparison errs less often than the digits are misread.
_COMPARISON_BEATS_DIGITS = tuple(
    Between(
        of=f"{net}+ws+aux", value="test_error", minus_value="digit_error", claimed=Range(high=0.0)
    )
    for net in BOTH
)

AUTHORS = "Jaubert, Roquette, Soldatenkov"
IN_SHORT = (
    "Naming both digits by a shared trunk and comparing the names reaches 96 % accuracy; the gain "
    "comes from the digit losses, and the size of the network hardly matters."
)

CLAIMS = (
    _claim(
        id="C2.1",
        claim="model_0 does surprisingly well for its training time",
        parts=(
            *(lower(M0, than=net, by=-3) for net in BOTH),
            *(lower(M0, than=net, value="train_seconds") for net in BOTH),
        ),
        reading="at most three points behind model_1 and model_2, in less time",
    ),
    _claim(
        id="C2.2",
        claim="model_1 gains nothing significant over model_0, only a few percent for more time",
        parts=(
            Difference(of=M1, minus=M0, claimed=Range(low=-3.0, high=1.0)),
            _longer(M1, than=M0),
        ),
        reading="better by three points at most, not worse by more than one; slower",
    ),
    _claim(
        id="C2.3",
        claim="Each model is best with weight sharing plus digit losses",
        parts=tuple(
            lower(f"{net}+ws+aux", than=net + cell)
            for net in BOTH
            for cell in ("", "+ws", "+aux2", *(["+aux1"] if net == M2 else []))
        ),
    ),
    _claim(
        id="C2.4",
        claim="model_1 and model_2 with both reach similar accuracy, over 96 %",
        parts=(
            alike(f"{M1}+ws+aux", f"{M2}+ws+aux", within=1),
            *(level(f"{net}+ws+aux", high=4) for net in BOTH),
        ),
        reading="similar: within a point; over 96 %: errors under 4 %, without a tolerance",
    ),
    _claim(
        id="C2.5",
        claim="Variances are similar, slightly higher with weight sharing",
        parts=tuple(
            Spread(of=f"{net}+ws", minus=net, value="test_error", claimed=Range(low=0.0))
            for net in BOTH
        ),
        reading="slightly higher: test errors lie further from their median",
    ),
    _claim(
        id="C2.6",
        claim="With digit losses the comparison is right more often (96 %) than the digits (94 %)",
        parts=(
            *_COMPARISON_BEATS_DIGITS,
            *(level(f"{net}+ws+aux", low=5, high=7, value="digit_error") for net in BOTH),
        ),
        reading="94 %: within a point",
    ),
    _claim(
        id="C2.7",
        claim="Weight sharing without digit information gives limited gains",
        parts=tuple(
            Difference(of=f"{net}+ws", minus=net, claimed=Range(low=-3.0, high=1.0)) for net in BOTH
        ),
        reading="better by three points at most, not worse by more than one",
    ),
    _claim(
        id="C2.8",
        claim="The real gain comes from the digit losses",
        parts=(
            *(lower(f"{net}+aux2", than=net, by=5) for net in BOTH),
            *(lower(f"{net}+aux2", than=f"{net}+ws") for net in BOTH),
        ),
        reading="five points or more, and more than weight sharing gives",
    ),
    _claim(
        id="C2.9",
        claim="An intermediate loss on the same target helps model_2",
        parts=(lower(f"{M2}+aux1", than=M2),),
    ),
    _claim(
        id="C2.10",
        claim="Training times rank 0 < 1 < 2; weight sharing and digit losses are slower",
        parts=(
            _longer(M1, than=M0),
            _longer(M2, than=M1),
            *(_longer(f"{net}{cell}", than=net) for net in BOTH for cell in ("+ws", "+aux2")),
            *(
                _longer(f"{net}+ws+aux", than=f"{net}{cell}")
                for net in BOTH
                for cell in ("+ws", "+aux2")
            ),
        ),
        reading="on one core of ours, which at times did other work; theirs on a GPU",
    ),
    _claim(
        id="C2.11",
        claim="Two softmax outputs do slightly better than one sigmoid",
        parts=tuple(lower(net, than=f"{net}@sigmoid") for net in SIGMOID),
        reading="in the five networks without model_2's convolutions",
    ),
    _claim(
        id="C2.12",
        claim="Comparing recognised digits is easier to learn than recognising them",
        reading="easier to learn is not measured; that fewer pairs are decided wrongly than have "
        "a misread digit is nearly implied, since most misreadings keep the order",
    ),
    _claim(
        id="C2.13",
        claim="LeakyReLU avoids dying ReLUs",
        reading="stated as a reason for the choice, without a network that has others",
    ),
)
