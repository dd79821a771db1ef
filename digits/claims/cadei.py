"""The claims of Cadei, Fradiani, Polvani."""

from functools import partial

from digits.claims.deciding import Claim
from digits.claims.parts import Difference, Parameters, Range, higher, level, lower

MLP, CONV, DEEP, RES, SIAMESE = (
    f"cadei/{name}" for name in ("mlp", "convnet", "deepconvnet", "resnet", "siamese")
)
ALL = (MLP, CONV, DEEP, RES, f"{DEEP}+aux", SIAMESE, f"{SIAMESE}+aux")
_claim = partial(Claim, report="cadei")

AUTHORS = "Cadei, Fradiani, Polvani"
IN_SHORT = (
    "A Siamese tower, an auxiliary loss and pairs formed anew each help, and together reach "
    "2.96 % error; a ResNet cannot learn the task without augmentation."
)

CLAIMS = (
    _claim(
        id="C1.1",
        claim="The best model (Siamese, auxiliary loss, augmentation) has 2.96 ± 1.06 % test error",
        parts=(level(f"{SIAMESE}+aux@augmented", low=1.96, high=3.96),),
        reading="within a point",
    ),
    _claim(
        id="C1.2",
        claim="Of the four basic models DeepConvNet is best, but not clearly ahead of two others",
        parts=(
            *(
                Difference(of=DEEP, minus=other, claimed=Range(low=-3.0, high=0.0))
                for other in (MLP, CONV)
            ),
            lower(DEEP, than=RES),
        ),
        reading="better than MLP and ConvNet by three points at most, and than ResNet",
    ),
    _claim(
        id="C1.3",
        claim="ResNet cannot learn the task properly without augmentation",
        parts=(higher(RES, than=DEEP), level(RES, low=10, value="train_error")),
        reading="worse than DeepConvNet, with a train error above 10 %",
    ),
    _claim(
        id="C1.4",
        claim="All models overfit without augmentation",
        parts=tuple(level(net, low=2, value="gap") for net in ALL),
        reading="test error two points above train error or more",
    ),
    _claim(
        id="C1.5",
        claim="The auxiliary loss improves DeepConvNet",
        parts=(lower(f"{DEEP}+aux", than=DEEP),),
    ),
    _claim(
        id="C1.6",
        claim="Weight sharing improves DeepConvNet, and more than the auxiliary loss",
        parts=(lower(SIAMESE, than=DEEP), lower(SIAMESE, than=f"{DEEP}+aux")),
    ),
    _claim(
        id="C1.7",
        claim="The combination is best",
        parts=tuple(
            lower(f"{SIAMESE}+aux", than=other) for other in (DEEP, f"{DEEP}+aux", SIAMESE)
        ),
    ),
    _claim(
        id="C1.8",
        claim="Weight sharing plus auxiliary loss converges faster and overfits less",
        parts=tuple(
            lower(f"{SIAMESE}+aux@figure3", than=f"{DEEP}@figure3", value=value)
            for value in ("kept_epoch", "gap")
        ),
        reading="the settings of Figure 3: lowest validation loss earlier, smaller test-train gap",
    ),
    _claim(
        id="C1.9",
        claim="Validation loss keeps fluctuating in both",
        parts=tuple(
            level(f"{net}@figure3", low=0.25, value="rises") for net in (DEEP, f"{SIAMESE}+aux")
        ),
        reading="it rises in a quarter of the epochs of the second half or more",
    ),
    _claim(
        id="C1.10",
        claim="With augmentation all models gain strongly",
        parts=tuple(lower(f"{net}@augmented", than=net, by=5) for net in ALL),
        reading="strongly: by five points or more, 200 epochs against 25; they print 9 to 23",
    ),
    _claim(
        id="C1.11",
        claim="With augmentation overfitting almost disappears",
        parts=tuple(level(f"{net}@augmented", low=-2, high=2, value="gap") for net in ALL),
        reading="train and test error within two points",
    ),
    _claim(
        id="C1.12",
        claim="With augmentation ResNet gets below 10 %",
        parts=(level(f"{RES}@augmented", high=10),),
    ),
    _claim(
        id="C1.13",
        claim="With augmentation the best results remain with the DeepConvNet family",
        parts=tuple(
            lower(f"{net}@augmented", than=f"{other}@augmented")
            for net in (DEEP, f"{DEEP}+aux", SIAMESE, f"{SIAMESE}+aux")
            for other in (MLP, CONV, RES)
        ),
    ),
    _claim(
        id="C1.14",
        claim="Weight sharing significantly reduces the number of parameters",
        parts=(
            Parameters(of=SIAMESE, against=DEEP, claimed=Range(high=0.9)),
            Parameters(of=f"{SIAMESE}+aux", against=f"{DEEP}+aux", claimed=Range(high=0.9)),
        ),
        reading="significantly: by a tenth or more, against the networks that the report has",
    ),
    _claim(
        id="C1.15",
        claim="With augmentation weight sharing alone is worse (in Table II, not in the text)",
        parts=(higher(f"{SIAMESE}@augmented", than=f"{DEEP}@augmented"),),
    ),
)
