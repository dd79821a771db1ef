"""What Cadei, Fradiani and Polvani claim, how it is read, and the criteria that decide it."""

from functools import partial

from digits.experiments.cadei import TABLES
from digits.experiments.claim import (
    Claim,
    Criterion,
    between,
    fewer_parameters,
    higher,
    level,
    lower,
    printed,
    times,
)

MLP, CONV, DEEP, RES, DEEP_AUX, SIAMESE, SIAMESE_AUX = ALL = tuple(f"cadei/{n}" for n in TABLES)
OTHERS, FAMILY = (MLP, CONV, RES), (DEEP, DEEP_AUX, SIAMESE, SIAMESE_AUX)
AUG, FIG = "@augmented", "@figure3"
_sooner = partial(lower, quantity="epochs_to_half")
_tenth = partial(fewer_parameters, share=0.9)
#: How faster is read.
_TO_HALF = "fewer epochs to half the test error of guessing"


def _claim(name: str, says: str, *criteria: Criterion, **fields) -> Claim:
    return Claim(id=name, report="cadei", claim=says, criteria=criteria, **fields)


CLAIMS = (
    _claim(
        "C1.1",
        "The best model (Siamese, auxiliary loss, augmentation) has a test error of 2.96 ± 1.06 %",
        printed(SIAMESE_AUX + AUG),
        reading="the test error that their Table II prints",
    ),
    _claim(
        "C1.2",
        "Of the four basic models DeepConvNet is best, but not significantly better than two",
        *(between(DEEP, other, -1.0, 0.0) for other in (MLP, CONV)),
        lower(DEEP, than=RES),
        reading="error at most one point lower than of MLP and ConvNet; lower than of ResNet",
    ),
    _claim(
        "C1.3",
        "ResNet cannot learn the task properly without augmentation",
        *(higher(RES, than=DEEP), level(RES, low=10, quantity="train_error")),
        reading="worse than DeepConvNet, with a train error of at least 10 %",
    ),
    _claim(
        "C1.4",
        "All models overfit without augmentation",
        *(level(net, low=2, quantity="gap") for net in ALL),
        reading="test error at least two points above train error",
    ),
    _claim("C1.5", "The auxiliary loss improves DeepConvNet", lower(DEEP_AUX, than=DEEP)),
    _claim(
        "C1.6",
        "Weight sharing improves DeepConvNet, and more than the auxiliary loss",
        *(lower(SIAMESE, than=other) for other in (DEEP, DEEP_AUX)),
        reading="as theirs, against one tower that takes both images as two channels",
    ),
    _claim(
        "C1.7",
        "The combination is best",
        *(lower(SIAMESE_AUX, than=n) for n in FAMILY[:-1]),
        reading="of these four networks, as above",
    ),
    _claim(
        "C1.8",
        "Weight sharing plus auxiliary loss converges faster and overfits less",
        _sooner(SIAMESE_AUX + FIG, than=DEEP + FIG),
        lower(SIAMESE_AUX + FIG, than=DEEP + FIG, quantity="gap"),
        reading=f"the settings of Figure 3: {_TO_HALF}, and less between test and train error",
    ),
    _claim(
        "C1.9",
        "The validation loss keeps fluctuating in both",
        *(level(net + FIG, low=0.1, quantity="loss_fluctuation") for net in (DEEP, SIAMESE_AUX)),
        reading="in the second half it changes by a tenth of its mean an epoch, or more; a smooth "
        "descent gives a few per cent",
    ),
    _claim(
        "C1.10",
        "With augmentation all models gain strongly, by up to five times",
        *(lower(net + AUG, than=net, by=5) for net in ALL),
        *times(DEEP_AUX, DEEP_AUX + AUG, 4, 6),
        reading="200 epochs against 25; strongly: by at least five points, where they print 9 to "
        "23; five times: four to six times the error, in DeepConvNet with auxiliary loss",
    ),
    _claim(
        "C1.11",
        "With augmentation overfitting almost disappears",
        *(level(net + AUG, low=-2, high=2, quantity="gap") for net in ALL),
        reading="train and test error within two points (they print 4.2 between them for mlp, 2.5 "
        "for the Siamese net)",
    ),
    _claim("C1.12", "With augmentation ResNet gets below 10 % error", level(RES + AUG, high=10)),
    _claim(
        "C1.13",
        "With augmentation the best results remain with the DeepConvNet family",
        *(lower(net + AUG, than=other + AUG) for net in FAMILY for other in OTHERS),
    ),
    _claim(
        "C1.14",
        "Weight sharing significantly reduces the number of parameters",
        *(_tenth(SIAMESE, than=DEEP), _tenth(SIAMESE_AUX, than=DEEP_AUX)),
        reading="by a tenth or more, against the report's networks without sharing",
        second_criteria=tuple(_tenth(n, than=f"{n}@unshared") for n in (SIAMESE, SIAMESE_AUX)),
        second_reading="against two towers",
    ),
    _claim(
        "C1.15",
        "With augmentation weight sharing alone is worse",
        higher(SIAMESE + AUG, than=DEEP + AUG),
        reading="in their Table II, not in their text",
        ours=True,
    ),
    *(
        _claim(
            name,
            says,
            _sooner(net, than=DEEP),
            reading=_TO_HALF,
            second_criteria=(lower(net, than=DEEP, quantity="epochs_to_own_half"),),
            second_reading="fewer epochs to half-way between guessing and the network's own last "
            "errors, since DeepConvNet hardly gets to half the error of guessing",
        )
        for name, says, net in (
            ("C1.16", "The auxiliary loss speeds up the early epochs", DEEP_AUX),
            ("C1.17", "Weight sharing converges faster", SIAMESE),
        )
    ),
)
