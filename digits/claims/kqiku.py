"""The claims of Kqiku, Soydinc, Noguerón, decided by the networks as written."""

from functools import partial

from digits.claims.deciding import Claim
from digits.claims.parts import higher, level, lower

FCC, CNN = "kqiku/fcc", "kqiku/cnn"
CELLS = ("", "+ws", "+aux", "+ws+aux")
_claim = partial(Claim, report="kqiku")

#: What decides claims about the auxiliary loss here is not what the authors looked at.
_LOSS_WAS_OFF = "decided with this loss on; their table was trained without it, by a slip"

#: The auxiliary loss used alone is worse.
_AUX_ALONE_IS_WORSE = tuple(higher(f"{net}+aux", than=net) for net in (FCC, CNN))

AUTHORS = "Kqiku, Soydinc, Noguerón"
IN_SHORT = (
    "A Siamese CNN beats a dense network; weight sharing improves both; the auxiliary loss alone "
    "worsens them, and helps only beside weight sharing (best: 12.8 % error)."
)

CLAIMS = (
    _claim(
        id="C0.1",
        claim="On test data the Siamese CNN is consistently better than the FCC",
        parts=tuple(lower(CNN + cell, than=FCC + cell) for cell in CELLS),
        reading="in each of the four variants",
    ),
    _claim(
        id="C0.2",
        claim="FCC's train error is close to 0, CNN's around 2 %; FCC overfits more",
        parts=(
            *(level(FCC + cell, high=1, value="train_error") for cell in CELLS),
            *(level(CNN + cell, low=1, high=3, value="train_error") for cell in CELLS),
            *(higher(FCC + cell, than=CNN + cell, value="gap") for cell in CELLS),
        ),
        reading="close to 0: under 1 %; around 2: 1 to 3; overfits: test minus train error",
    ),
    _claim(
        id="C0.3",
        claim="Weight sharing clearly improves both",
        parts=tuple(
            lower(f"{net}+ws{aux}", than=f"{net}{aux}")
            for net in (FCC, CNN)
            for aux in ("", "+aux")
        ),
        reading="with and without the auxiliary loss",
    ),
    _claim(
        id="C0.4",
        claim="The auxiliary loss used alone slightly worsens both",
        parts=_AUX_ALONE_IS_WORSE,
        reading=f"by how much is left open; {_LOSS_WAS_OFF}",
    ),
    _claim(
        id="C0.5",
        claim="Weight sharing plus auxiliary loss is the best variant of each architecture",
        parts=tuple(
            lower(f"{net}+ws+aux", than=net + cell) for net in (FCC, CNN) for cell in CELLS[:-1]
        ),
        reading=_LOSS_WAS_OFF,
    ),
    _claim(
        id="C0.6",
        claim="For the CNN the combination improves performance drastically",
        parts=(lower(f"{CNN}+ws+aux", than=CNN, by=2),),
        reading=f"drastically: by two points or more; they print 2.3; {_LOSS_WAS_OFF}",
    ),
    _claim(
        id="C0.7",
        claim="FCC models reach their peak earlier in training than CNN models",
        parts=tuple(lower(FCC + cell, than=CNN + cell, value="peak_epoch") for cell in CELLS),
    ),
    _claim(
        id="C0.8",
        claim="FCC is more prone to overfitting, especially without weight sharing",
        parts=(
            *(higher(FCC + cell, than=CNN + cell, value="gap") for cell in CELLS),
            higher(FCC, than=f"{FCC}+ws", value="gap"),
            higher(f"{FCC}+aux", than=f"{FCC}+ws+aux", value="gap"),
        ),
    ),
    _claim(
        id="C0.9",
        claim="Convolutional networks in general outperform dense ones here",
        parts=(
            lower(CNN, than=FCC),
            lower("cadei/convnet", than="cadei/mlp"),
            lower("jaubert/model_1", than="jaubert/model_0"),
            lower("jaubert/model_2", than="jaubert/model_0"),
            lower("damachi/cnn", than="damachi/nn"),
        ),
        reading="in general: in the plain networks of every report that has both",
    ),
    _claim(
        id="C0.10",
        claim="Without weight sharing the auxiliary loss hurts: gradients hardly reach deep layers",
        parts=_AUX_ALONE_IS_WORSE,
        reading=f"that it hurts is decided here, no mechanism is shown; {_LOSS_WAS_OFF}",
    ),
    _claim(
        id="C0.11",
        claim="The CNN has spare capacity, the FCC has none",
        reading="no quantity of capacity is named",
    ),
)
