"""Tables of what there is: experiments, layers, published numbers."""

import pandas as pd
import torch
from torch import nn

from digits.experiment import Experiment
from digits.models.blocks import parameter_count, parameters_built_by
from digits.recipe import Recipe
from digits.tables.words import mean_sd


def experiment_table(experiments: list[Experiment]) -> pd.DataFrame:
    """Return one row per experiment: id, parameters, those reported, protocol, what was published.

    rounds and epochs: of the full protocol; loss weights: of each auxiliary term and of the
    target; published: the test error. Columns that say nothing here are left out.
    """
    rows = []
    for experiment in experiments:
        recipe = experiment.recipe
        epochs = str(recipe.epochs)
        rows.append(
            {
                "experiment": experiment.id,
                "parameters": parameters_built_by(experiment.build),
                "reported": _reported_text(experiment),
                "rounds": experiment.rounds,
                "epochs": f"{recipe.trainings}x{epochs}" if recipe.trainings > 1 else epochs,
                "batch": recipe.batch_size,
                "learning rate": f"{recipe.learning_rate:g}",
                "L2": f"{recipe.weight_decay:g}" if recipe.weight_decay else "",
                "loss weights": _weights_text(recipe),
                "published (%)": published_text(experiment),
            }
        )
    table = pd.DataFrame(rows)
    return table.drop(columns=[name for name in ("L2", "loss weights") if not any(table[name])])


def layer_table(model: nn.Module) -> pd.DataFrame:
    """Return one row per layer in the order of the forward pass.

    Columns: its place in the model, its kind, the shape of its output for one pair or image, its
    parameters, and how often it is applied: twice where both images pass the same layer.
    """
    rows: dict[nn.Module, dict] = {}

    def note(name):
        def hook(layer, _, output):
            if layer in rows:
                rows[layer]["applied"] += 1
            else:
                rows[layer] = {
                    "layer": name,
                    "kind": type(layer).__name__,
                    "output": "x".join(map(str, output.shape[1:])),
                    "parameters": parameter_count(layer),
                    "applied": 1,
                }

        return hook

    leaves = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(note(name)) for name, layer in leaves]
    with torch.inference_mode():
        model.eval()(torch.zeros(1, 2, 14, 14))
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows.values())


def published_text(experiment: Experiment) -> str:
    """Return the printed test errors of an experiment, mean ± SD in per cent, "" if none."""
    numbers = [p for p in experiment.published if p.quantity == "test_error"]
    return ", ".join(mean_sd({"mean": p.mean, "sd": p.sd}) for p in numbers)


def _reported_text(experiment: Experiment) -> str:
    if experiment.reported_parameters is None:
        return ""
    return f"{experiment.reported_parameters}{' (misprint)' if experiment.misprinted else ''}"


def _weights_text(recipe: Recipe) -> str:
    weights = recipe.auxiliary_weight, recipe.target_weight
    return "{:g}, {:g}".format(*weights) if recipe.auxiliary_weight else ""
