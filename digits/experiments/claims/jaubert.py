"""What Jaubert, Roquette and Soldatenkov claim, how it is read, and the criteria that decide it."""

from functools import partial

from digits.experiments.claim import (
    EQUAL,
    Claim,
    Criterion,
    Range,
    below,
    between,
    higher,
    level,
    lower,
    printed,
    steadier,
)
from digits.experiments.experiment import margin_of
from digits.experiments.jaubert import DIGIT_ACCURACY, RELU, SIGMOID

M0, M1, M2 = (f"jaubert/model_{index}" for index in range(3))
BOTH = (M1, M2)
_claim = partial(Claim, report="jaubert")
_longer = partial(higher, quantity="train_seconds")

#: With plain ReLUs more feature maps are dead in the end.
_DYING = tuple(
    higher(f"jaubert/{name}@relu", than=f"jaubert/{name}@leaky", by=1, quantity="dead_units")
    for name in RELU
)
#: How far an error may be from that of 4 %, as the text rounds it, and equal it.
_NEAR = margin_of("test_error", 4.0)

CLAIMS = (
    _claim(
        id="C2.1",
        claim="model_0 does surprisingly well for its training time",
        criteria=(
            *(lower(M0, than=net, by=-3) for net in BOTH),
            *(lower(M0, than=net, quantity="train_seconds") for net in BOTH),
        ),
        reading="at most three points behind model_1 and model_2, in less time",
    ),
    _claim(
        id="C2.2",
        claim="model_1 gains nothing significant over model_0, only a few percent for more time",
        criteria=(between(M1, M0, -1.0, 1.0), _longer(M1, than=M0)),
        reading="better or worse by one point at most; slower",
    ),
    _claim(
        id="C2.3",
        claim="Each model is best with weight sharing plus digit losses",
        criteria=tuple(
            lower(f"{net}+ws+aux", than=net + cell)
            for net in BOTH
            for cell in ("", "+ws", "+aux2", *(["+aux1"] if net == M2 else []))
        ),
    ),
    _claim(
        id="C2.4",
        claim="model_1 and model_2 with both reach similar accuracy, over 96 %",
        criteria=(
            between(f"{M1}+ws+aux", f"{M2}+ws+aux", -_NEAR, _NEAR),
            *(printed(f"{net}+ws+aux") for net in BOTH),
        ),
        reading=f"similar: within {_NEAR:g} points, the margin of a printed error of 4 %; over "
        "96 %: the errors that their table prints",
        second_criteria=(
            between(f"{M1}+ws+aux", f"{M2}+ws+aux", -_NEAR, _NEAR),
            *(level(f"{net}+ws+aux", high=4) for net in BOTH),
        ),
        second_reading="over 96 %: the mean over draws of pairs, where theirs is one draw",
    ),
    _claim(
        id="C2.5",
        claim="Variances are similar, slightly higher with weight sharing",
        criteria=tuple(
            steadier(f"{net}@one-draw", than=f"{net}+ws@one-draw", quantity="test_error")
            for net in BOTH
        ),
        reading="over trainings on one draw of pairs, as theirs; slightly higher: test errors lie "
        "further from their median; whether they are similar beside that is left open",
    ),
    _claim(
        id="C2.6",
        claim="With digit losses the comparison is right more often (96 %) than the digits (94 %)",
        criteria=(
            *(below(f"{net}+ws+aux", "test_error", "digit_error") for net in BOTH),
            *(printed(f"{net}+ws+aux") for net in BOTH),
            *(printed(f"jaubert/{name}", quantity="digit_error") for name in DIGIT_ACCURACY),
        ),
        reading="96 %: the errors that their table prints; 94 %: read as model_2's alone",
    ),
    _claim(
        id="C2.7",
        claim="Weight sharing without digit information gives limited gains",
        criteria=tuple(between(f"{net}+ws", net, -3.0, 1.0) for net in BOTH),
        reading="better by three points at most, not worse by more than one",
        second_criteria=tuple(between(f"{net}+ws@wide", net, -3.0, 1.0) for net in BOTH),
        second_reading="the shared network as wide as the one without sharing",
    ),
    _claim(
        id="C2.8",
        claim="The real gain comes from the digit losses",
        criteria=(
            *(lower(f"{net}+aux2", than=net, by=5) for net in BOTH),
            *(lower(f"{net}+aux2", than=f"{net}+ws") for net in BOTH),
        ),
        reading="five points or more, and more than weight sharing gives",
    ),
    _claim(
        id="C2.9",
        claim="An intermediate loss on the same target helps model_2",
        criteria=(lower(f"{M2}+aux1", than=M2),),
    ),
    _claim(
        id="C2.10",
        claim="Training times rank 0 < 1 < 2; weight sharing and auxiliary losses are slower",
        criteria=(
            _longer(M1, than=M0),
            _longer(M2, than=M1),
            _longer(f"{M2}+aux1", than=M2),
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
        criteria=tuple(
            lower(f"jaubert/{name}", than=f"jaubert/{name}@sigmoid") for name in SIGMOID
        ),
        reading="in the five networks without model_2's convolutions",
    ),
    _claim(
        id="C2.12",
        claim="Comparing recognised digits is easier to learn than recognising them",
        criteria=tuple(
            Criterion(
                of="jaubert/comparison@true-digits",
                minus=f"{net}+ws+aux",
                minus_quantity="digit_error",
                range=Range(high=0.0),
                margin=EQUAL,
            )
            for net in BOTH
        ),
        reading="the comparison layer, trained on the true digits of 100 pairs for as many steps, "
        "errs less often than the two networks that were trained on 1000 pairs misread digits",
        second_criteria=(
            Criterion(
                of="jaubert/comparison@true-digits",
                minus="jaubert/model_1+ws+aux@100-pairs",
                minus_quantity="digit_error",
                range=Range(high=0.0),
                margin=EQUAL,
            ),
        ),
        second_reading="than a network misreads digits that was trained on the same 100 pairs",
    ),
    _claim(
        id="C2.13",
        claim="LeakyReLU avoids dying ReLUs",
        criteria=(*_DYING, *(lower(f"jaubert/{n}@leaky", than=f"jaubert/{n}@relu") for n in RELU)),
        reading="with plain ReLUs at least one feature map in a hundred more ends as active for no "
        "training pair, and the error is higher",
        second_criteria=_DYING,
        second_reading="whatever the error is",
    ),
)
