"""What Damachi and Volpini claim, how it is read, and the criteria that decide it."""

from functools import partial

from digits.experiments.claim import Claim, below, between, fewer_parameters, higher, level, lower
from digits.experiments.damachi import TUNED

LINREG, LOGREG, NN, NN_AUX, CNN, CNN_AUX = ALL = tuple(
    f"damachi/{name}" for name in ("linreg", "logreg", "nn", "nn+aux", "cnn", "cnn+aux")
)
_claim = partial(Claim, report="damachi")

CLAIMS = (
    _claim(
        id="C3.1",
        claim="CNNs are the best models, around 15 % error",
        criteria=(
            *(lower(cnn, than=other) for cnn in (CNN, CNN_AUX) for other in ALL[:4]),
            *(level(cnn, low=13, high=17) for cnn in (CNN, CNN_AUX)),
        ),
        reading="around: within two points; they print 16.3 and 18.3",
    ),
    _claim(
        id="C3.2",
        claim="Linear models reach about 70 %",
        criteria=tuple(level(net, low=26, high=34) for net in (LINREG, LOGREG)),
        reading="about: within four points, of means, though each printed number is one run",
    ),
    _claim(
        id="C3.3",
        claim="Dense networks reach about 80 %",
        criteria=tuple(level(net, low=17, high=23) for net in (NN, NN_AUX)),
        reading="about: within three points, of means, though each printed number is one run",
    ),
    _claim(
        id="C3.4",
        claim="The dense network with two losses tests worse than with one",
        criteria=(higher(NN_AUX, than=NN),),
    ),
    _claim(
        id="C3.5",
        claim="The auxiliary loss improves the CNN by 2 %",
        criteria=(between(CNN_AUX, CNN, -3.0, -1.0),),
        reading="by one to three points",
    ),
    _claim(
        id="C3.6",
        claim="Accuracy varies a lot in simple models",
        criteria=tuple(higher(net, than=CNN, quantity="fold_sd") for net in ALL[:4]),
        reading="more over folds in the linear and dense models than in the CNN; folds of 200 "
        "pairs alone give an SD of two to three points; the cause is not decided",
    ),
    _claim(
        id="C3.7",
        claim="Test accuracy exceeds cross-validation accuracy, since 5/5 of the data are used",
        criteria=tuple(below(net, "test_error", "fold_error") for net in ALL),
        reading="for each of the six networks; the cause is not decided",
    ),
    _claim(
        id="C3.8",
        claim="Linear regression behaves oddly under squared error; logistic regression is better",
        criteria=(lower(LOGREG, than=LINREG),),
        reading="the second half is decided here",
    ),
    _claim(
        id="C3.9",
        claim="Linear layers give good train but very low test accuracy",
        criteria=(
            *(level(net, high=10, quantity="train_error") for net in (LINREG, LOGREG)),
            *(level(net, low=10, quantity="gap") for net in (LINREG, LOGREG)),
        ),
        reading="linear and logistic regression; good: train error of at most 10 %; very low: test "
        "error at least ten points above it",
    ),
    _claim(
        id="C3.10",
        claim="The CNN needs fewer parameters than the dense network and is more accurate; "
        "weight sharing improves accuracy and robustness",
        criteria=(
            fewer_parameters(CNN, than=NN, share=1.0),
            lower(CNN, than=NN),
            *(lower(net, than=f"{net}@unshared") for net in (CNN, CNN_AUX)),
            lower(CNN, than=NN, quantity="fold_sd"),
        ),
        reading="accuracy of sharing: against a branch for each image; robustness: the CNN against "
        "the dense network, less spread over folds; of sharing itself it is not measured",
    ),
    _claim(
        id="C3.11",
        claim="Two losses help only if the model is complex enough, otherwise they hurt",
        criteria=(lower(CNN_AUX, than=CNN), higher(NN_AUX, than=NN)),
        reading="they help the CNN and hurt the dense network",
    ),
    _claim(
        id="C3.12",
        claim="Adam is preferable to SGD",
        criteria=tuple(lower(f"damachi/{n}@adam", than=f"damachi/{n}@sgd") for n in TUNED),
        reading="lower error in logistic regression and in the dense network, both optimizers with "
        "the best rate of a grid on the folds of one round; whether the adaptive rates cause it is "
        "not decided",
    ),
    _claim(
        id="C3.13",
        claim="Dropout makes the networks generalise better",
        criteria=tuple(
            lower(net, than=f"{net}@no-dropout", quantity=quantity)
            for net in (CNN, CNN_AUX)
            for quantity in ("gap", "precise_error")
        ),
        reading="the CNNs with dropout have less between train and test error, and a lower test "
        "error",
    ),
    _claim(
        id="C3.14",
        claim="CNNs reach 82 to 84 % accuracy",
        criteria=tuple(level(net, low=15, high=19) for net in (CNN, CNN_AUX)),
        reading="means, though each printed number is one run: errors of 16 to 18 %, or within a "
        "point of these, the margin of printed numbers",
        second_criteria=tuple(
            level(net, low=15, high=19, quantity="test_error_training_mode")
            for net in (CNN, CNN_AUX)
        ),
        second_reading="scored in training mode, as by their code",
    ),
)
