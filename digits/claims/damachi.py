"""The claims of Damachi, Volpini. Their accuracies are errors here."""

from functools import partial

from digits.claims.deciding import Claim
from digits.claims.parts import Between, Difference, Parameters, Range, higher, level, lower

LINREG, LOGREG, NN, NN_AUX, CNN, CNN_AUX = ALL = tuple(
    f"damachi/{name}" for name in ("linreg", "logreg", "nn", "nn+aux", "cnn", "cnn+aux")
)
_claim = partial(Claim, report="damachi")

AUTHORS = "Damachi, Volpini"
IN_SHORT = (
    "Convolutional networks are best, around 15 % error; two losses help them and hurt dense "
    "networks; simple models vary most."
)

CLAIMS = (
    _claim(
        id="C3.1",
        claim="CNNs are the best models, around 15 % error",
        parts=(
            *(lower(cnn, than=other) for cnn in (CNN, CNN_AUX) for other in ALL[:4]),
            *(level(cnn, low=13, high=17) for cnn in (CNN, CNN_AUX)),
        ),
        reading="around: within two points; they print 16.3 and 18.3",
    ),
    _claim(
        id="C3.2",
        claim="Linear models reach about 70 %",
        parts=tuple(level(net, low=27, high=33) for net in (LINREG, LOGREG)),
        reading="about: within three points",
    ),
    _claim(
        id="C3.3",
        claim="Dense networks reach about 80 %",
        parts=tuple(level(net, low=17, high=23) for net in (NN, NN_AUX)),
        reading="about: within three points",
    ),
    _claim(
        id="C3.4",
        claim="The dense network with two losses tests worse than with one",
        parts=(higher(NN_AUX, than=NN),),
    ),
    _claim(
        id="C3.5",
        claim="The auxiliary loss improves the CNN by 2 %",
        parts=(Difference(of=CNN_AUX, minus=CNN, claimed=Range(low=-3.0, high=-1.0)),),
        reading="by one to three points",
    ),
    _claim(
        id="C3.6",
        claim="Accuracy varies a lot in simple models",
        parts=tuple(higher(net, than=CNN, value="fold_sd") for net in ALL[:4]),
        reading="more over folds in the linear and dense models than in the CNN; two to three "
        "points of it are the sampling of 200 pairs a fold, and the cause is not decided",
    ),
    _claim(
        id="C3.7",
        claim="Test accuracy exceeds cross-validation accuracy, since 5/5 of the data are used",
        parts=tuple(
            Between(of=net, value="test_error", minus_value="fold_error", claimed=Range(high=0.0))
            for net in ALL
        ),
        reading="for each of the six networks; the cause is not decided",
    ),
    _claim(
        id="C3.8",
        claim="Linear regression behaves oddly under squared error; logistic regression is better",
        parts=(lower(LOGREG, than=LINREG),),
        reading="the second half is decided here",
    ),
    _claim(
        id="C3.9",
        claim="Linear layers give good train but very low test accuracy",
        parts=tuple(level(net, low=10, value="gap") for net in (LINREG, LOGREG, NN, NN_AUX)),
        reading="test error ten points above train error or more",
    ),
    _claim(
        id="C3.10",
        claim="The CNN needs fewer parameters than the dense network and is more accurate; "
        "weight sharing improves accuracy and robustness",
        parts=(
            Parameters(of=CNN, against=NN, claimed=Range(high=1.0)),
            lower(CNN, than=NN),
            *(lower(net, than=f"{net}@unshared") for net in (CNN, CNN_AUX)),
            lower(CNN, than=NN, value="fold_sd"),
        ),
        reading="sharing: against a branch for each image; robustness: less spread over folds",
    ),
    _claim(
        id="C3.11",
        claim="Two losses help only if the model is complex enough, otherwise they hurt",
        parts=(lower(CNN_AUX, than=CNN), higher(NN_AUX, than=NN)),
        reading="they help the CNN and hurt the dense network",
    ),
    _claim(
        id="C3.12",
        claim="Adam is preferable to SGD",
        parts=tuple(lower(net, than=f"{net}@sgd") for net in (LOGREG, NN)),
        reading="in two networks: Adam at the report's rate, SGD at the best of four by folds",
    ),
)
