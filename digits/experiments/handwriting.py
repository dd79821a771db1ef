"""The 2x2 designs once more on digits that are not MNIST's, beside as many pairs of MNIST.

Scikit-learn ships 1,797 digits that other people wrote and other hardware scanned, enough for 500
training pairs a round. Rounds re-use nearly all of them, writers are not kept apart between the two
pools, and the digits fill the frame, so a difference from MNIST is not of handwriting alone. Three
designs with a branch for each image are trained on them and on 500 pairs of MNIST, under the common
protocol: twice its epochs, so as many steps, and the learning rate that was chosen on 1000 pairs of
MNIST.
"""

from functools import partial

from digits.data.sources import OTHER
from digits.experiments import common
from digits.experiments.chosen import CHOSEN
from digits.experiments.experiment import CELLS, Design, Experiment
from digits.models import kqiku, zadoks

ROUNDS = 20
#: Model: the report that it is of, and what builds it.
MODELS = {
    "fcc": ("kqiku", kqiku.fcc),
    "cnn": ("kqiku", kqiku.cnn),
    "twinnet": ("zadoks", zadoks.twin_net),
}
#: Variant: whose digits.
DIGITS = {"mnist-digits": "of the study", "other-digits": OTHER}
#: As many as scikit-learn's digits allow: of training pairs, and of pairs of the protocol's test.
TRAIN_PAIRS, TEST_PAIRS = 500, 350


def experiments() -> list[Experiment]:
    """Return the four networks of each design, on MNIST and on the other digits."""
    return [
        Experiment(
            report="beyond",
            model=model,
            options=options,
            variant=variant,
            build=partial(build, shared="ws" in options, auxiliary="aux" in options),
            recipe=common.PROTOCOL.but(
                epochs=common.PROTOCOL.epochs * common.PROTOCOL.train_pairs // TRAIN_PAIRS,
                curve_step=10,
                learning_rate=CHOSEN.rates[f"common/{report}/{model}{cell}"],
                auxiliary_weight=float("aux" in options),
                train_pairs=TRAIN_PAIRS,
                test_pairs=TEST_PAIRS,
                digits=digits,
            ),
            rounds=ROUNDS,
            tags=frozenset({"beyond", "twin"}),
        )
        for model, (report, build) in MODELS.items()
        for variant, digits in DIGITS.items()
        for cell, options in CELLS.items()
    ]


#: The digits of one source together.
DESIGNS = [
    Design(
        report="beyond",
        model=model,
        variant=variant,
        cells=tuple(f"beyond/{model}{cell}@{variant}" for cell in CELLS),
        baseline="two branches",
    )
    for variant in DIGITS
    for model in MODELS
]
PATTERNS = tuple(f"beyond/*@{variant}" for variant in DIGITS)
