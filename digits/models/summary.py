"""What a network is made of: its parameters, its arithmetic, its layers."""

import functools
from typing import NamedTuple

import pandas as pd
import torch
from torch import nn

from digits.models.blocks import MakeModule, PerImage


def parameter_count(model: nn.Module) -> int:
    """Count a model's trainable numbers; a shared module counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


class Summary(NamedTuple):
    """What a network is made of.

    parameters: its trainable numbers. shared: both images pass the same module. flops: the
    floating-point operations of one forward pass of one pair, in convolutions and dense layers,
    two for each weight that meets a number.
    """

    parameters: int
    shared: bool
    flops: float


@functools.cache
def summary_of(build: MakeModule) -> Summary:
    """Summarise the network that `build` makes; torch's own random numbers stay as they are.

    (torch's counter of operations agrees, but goes through each in Python, for seconds; and a
    model without numbers, on its "meta" device, takes four times as long to build.)
    """
    with torch.random.fork_rng(devices=[]):
        model = build()
    counted = _operations(model)
    parts = [module for module in model.modules() if isinstance(module, PerImage)]
    shared = any(part.first is part.second for part in parts)
    return Summary(parameter_count(model), shared, float(counted))


def _operations(model: nn.Module) -> int:
    """Count the operations of the layers with weights in a forward pass of one pair."""
    counted = []

    def count(layer, _, output):
        counted.append(2 * output.numel() * layer.weight[0].numel())

    for layer in model.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            layer.register_forward_hook(count)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more of them wait for each other longer than they work
    try:
        _pass_one_pair(model)
    finally:
        torch.set_num_threads(threads)
    return sum(counted)


def _pass_one_pair(model: nn.Module) -> None:
    """Apply `model` once, without a trace in torch's random numbers, also of dropout left on."""
    with torch.inference_mode(), torch.random.fork_rng(devices=[]):
        model.eval()(torch.zeros(1, 2, 14, 14))


def layer_table(model: nn.Module) -> pd.DataFrame:
    """Return one row per layer in the order of the forward pass.

    Columns: its place in the model, its kind, the shape of its output for one pair or image, its
    parameters, and how often it is applied: twice where both images pass the same layer.
    """
    rows: dict[nn.Module, dict] = {}

    def note(name: str, layer: nn.Module, _, output: torch.Tensor) -> None:
        row = {"layer": name, "kind": type(layer).__name__}
        row |= {"output": "x".join(map(str, output.shape[1:]))}
        row |= {"parameters": parameter_count(layer), "applied": 0}
        rows.setdefault(layer, row)["applied"] += 1

    leaves = [(name, layer) for name, layer in model.named_modules() if not list(layer.children())]
    handles = [layer.register_forward_hook(functools.partial(note, name)) for name, layer in leaves]
    _pass_one_pair(model)
    for handle in handles:
        handle.remove()
    return pd.DataFrame(rows.values())
