"""What a run computes on and in which precision: not part of a recipe, but of every record."""

import contextlib
import functools
import os
from typing import Literal

import torch
from torch import Tensor, nn

from digits.core import Frozen, InputError
from digits.models.blocks import Output

# Matrix products on a card repeat themselves only with workspaces of a fixed size, which are read
# when the card is first used; torch refuses to be deterministic without.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

DEVICES = ("cpu", "cuda", "auto")
PRECISIONS = ("fp32", "bf16")


class Device(Frozen):
    """Where and how a network computes.

    kind: "cpu", one thread of it; or "cuda", one graphics card.
    precision: "fp32"; or "bf16", where matrix products and convolutions are computed in bfloat16
        while weights, batch statistics and losses stay in float32.
    """

    kind: Literal["cpu", "cuda"] = "cpu"
    precision: Literal[*PRECISIONS] = "fp32"

    @property
    def dtype(self) -> str:
        """The name of the type of number in matrix products, as records have it."""
        return {"fp32": "float32", "bf16": "bfloat16"}[self.precision]

    @property
    def processor(self) -> str:
        """The kind of processor or card, on which the last bits of a sum depend."""
        if self.kind == "cuda":
            return torch.cuda.get_device_name()
        return (
            f"{torch.cpu.get_capabilities()['cpu_name']}, {torch.backends.cpu.get_cpu_capability()}"
        )

    def forward(self, model: nn.Module, images: Tensor) -> Output:
        """Apply `model` to images (N, 2, 14, 14); the outputs are float32 in any precision."""
        if self.precision == "fp32":
            return model(images)
        with torch.autocast(self.kind, torch.bfloat16):
            output = model(images)
        return Output(output.target.float(), tuple(a.float() for a in output.auxiliary))

    def features(self, branch: nn.Module, images: Tensor) -> Tensor:
        """Apply `branch` to images (N, 1, 14, 14); its features are float32 in any precision."""
        with torch.autocast(self.kind, torch.bfloat16, enabled=self.precision == "bf16"):
            return branch(images).float()

    @contextlib.contextmanager
    def deterministic(self):
        """Compute so that a seed gives the same bits again, and leave all as it was afterwards.

        One thread on a CPU: the number of threads changes the last bits of a sum; and several
        processes of one thread train about twice as many rounds in a minute as one process of
        several threads. On a graphics card, only algorithms that repeat themselves, and float32
        without the shorter numbers (TF32) that torch would take for convolutions.
        """
        threads, on_card = torch.get_num_threads(), self.kind == "cuda"
        strict = torch.are_deterministic_algorithms_enabled()
        warns = torch.is_deterministic_algorithms_warn_only_enabled()
        shorter = torch.backends.cudnn.allow_tf32
        torch.set_num_threads(1)
        torch.backends.cudnn.allow_tf32 = False
        if on_card:
            torch.use_deterministic_algorithms(True)
        try:
            with self.random_state_kept():
                yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cudnn.allow_tf32 = shorter
            torch.use_deterministic_algorithms(strict, warn_only=warns)

    def random_state_kept(self):
        """Return a context after which torch's random state is as before, here and on its card.

        Torch by itself would ask all cards of the machine, also for what runs on the processor.
        """
        return torch.random.fork_rng(devices=[0] if self.kind == "cuda" else [])


#: One thread of the processor, float32: what a record was made with unless it says otherwise.
CPU = Device()


def device_named(name: Literal[*DEVICES]) -> Literal["cpu", "cuda"]:
    """Return the device that `name` stands for on this machine.

    Raises `InputError` for "cuda" without a graphics card; "auto" is then the processor.
    """
    if name != "cpu" and torch.cuda.is_available():
        return "cuda"
    if name == "cuda":
        raise InputError(
            "device 'cuda' needs a graphics card and a torch that is built for it, and torch finds "
            "none: choose 'cpu', or 'auto', which takes what is there."
        )
    return "cpu"


def best_device(name: str, precision: str | None, bf16_pays: bool) -> Device:
    """Return the device that `name` (see `device_named`) stands for, in the precision asked for.

    precision: None for bf16 where it pays and the device multiplies it itself, else fp32. Raises
    `InputError` for "bf16" on a device that does not.
    """
    kind = device_named(name)
    if precision == "bf16" and not has_bf16(kind):
        raise InputError(
            "precision 'bf16' is slower than float32 here, since this device does not multiply "
            "bfloat16 itself: choose 'fp32'."
        )
    own = "bf16" if bf16_pays and has_bf16(kind) else "fp32"
    return Device(kind=kind, precision=precision or own)


@functools.cache
def has_bf16(device: Literal["cpu", "cuda"]) -> bool:
    """Say whether `device` multiplies bfloat16 matrices itself; where not, it is slow at it."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    processor = torch.cpu.get_capabilities()
    return any(processor.get(name) for name in ("avx512_bf16", "amx_bf16", "sve_bf16", "bf16"))
