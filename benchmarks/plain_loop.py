"""One round the way this exercise is usually written, to measure the study's own loop against.

A `DataLoader`, the default Adam, the default memory format, and the error on all training and all
test pairs after every epoch. It sees the same pairs, network, batches and losses.
"""

import torch
from torch.utils.data import DataLoader, TensorDataset

from digits.data.pairs import draw_round
from digits.data.seeds import streams
from digits.data.sources import Digits
from digits.experiments.experiment import Experiment
from digits.training.evaluation import decide, objective_of


def train(experiment: Experiment, seed: int, digits: Digits) -> float:
    """Train `experiment` once and return its test error in per cent."""
    recipe = experiment.recipe
    pairs = draw_round(digits, recipe.draw, streams(seed)["pairs"])
    train_set, test_set = (
        TensorDataset(these.images, these.classes, these.target)
        for these in (pairs.train, pairs.test)
    )
    train_loader = DataLoader(train_set, batch_size=recipe.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=recipe.batch_size)
    torch.manual_seed(seed)
    model = experiment.build()
    optimizer = torch.optim.Adam(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    for _ in range(recipe.trainings * recipe.epochs):
        model.train()
        for images, classes, target in train_loader:
            loss = objective_of(model(images), target, classes, recipe)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        error(model, train_loader)
        test_error = error(model, test_loader)
    return test_error


@torch.no_grad()
def error(model: torch.nn.Module, loader: DataLoader) -> float:
    """Return the error in per cent on all pairs of `loader`."""
    model.eval()
    wrong = sum((decide(model(images).target) != target).sum() for images, _, target in loader)
    return 100 * wrong.item() / len(loader.dataset)
