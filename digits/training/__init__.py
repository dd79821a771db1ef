"""One round: a recipe, a device, the training loop, scoring, and the record of it all."""

from digits.training.device import Device
from digits.training.evaluation import evaluate
from digits.training.loop import fit
from digits.training.recipe import Recipe
from digits.training.round import train
