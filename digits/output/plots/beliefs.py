"""What trained networks believe of one pair of images."""

import textwrap

from matplotlib.figure import Figure

from digits.data.pairs import Pairs
from digits.experiments.registry import EXPERIMENTS
from digits.output.names import name_of
from digits.output.plots.images import side_by_side
from digits.output.plots.style import colour_of, new_figure
from digits.study.trained import Beliefs


def beliefs(pair: Pairs, believed: dict[str, Beliefs], caption: str) -> Figure:
    """Show a pair, and of each network P(first ≤ second) and the probabilities of both digits.

    pair: of raw pixels, the first counts. believed: by the id of the network, what
    `TrainedNetwork.believe` gives of the pair.
    """
    first, second = pair.classes[0].tolist()
    shape = {"each": 1.5, "width_ratios": (1.1, 0.9, 2, 2)}
    title = f"What does each network believe of {first} and {second}?"
    figure, axes = new_figure(caption, 0.9, 4 * len(believed), 4, title=title, **shape)
    images = pair.images[0].numpy()
    for row, (name, belief) in zip(axes, believed.items(), strict=True):
        shown, decides, *of_digits = row
        side_by_side(shown, images)
        report, _, network = name_of(EXPERIMENTS[name]).partition(", ")
        shown.set_title(textwrap.fill(f"{report}: {network}", 22), fontsize=8.5)
        probability = float(belief.not_greater[0])
        decides.barh(0, probability, color=colour_of(name), height=0.5)
        decides.annotate(f"{probability:.2f}", (0.5, 0.42), ha="center", va="bottom")
        decides.axvline(0.5, color="black", linewidth=0.8, linestyle="--")
        decides.set(xlim=(0, 1), ylim=(-0.5, 0.9), yticks=[], xticks=[0, 0.5, 1])
        decides.set_title("P(first ≤ second)", fontsize=8.5)
        for place, axis in enumerate(of_digits):
            word = ("first", "second")[place]
            if belief.digits is None:
                axis.text(0, 0.5, f"learned no digits:\nno opinion on the {word}", va="center")
                axis.set_axis_off()
                continue
            colours = ["#bbbbbb"] * 10
            colours[(first, second)[place]] = colour_of(name)
            axis.bar(range(10), belief.digits[0, place], color=colours)
            axis.set(ylim=(0, 1.02), xticks=range(10), yticks=[0, 1])
            axis.set_title(f"which digit is the {word}?", fontsize=8.5)
    return figure
