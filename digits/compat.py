"""One way around a packaging gap: torchvision's data sets beside a CPU build of torch.

torchvision's wheels on the package index are compiled against the CUDA build of torch. Beside a
CPU build their compiled operators do not load, and `import torchvision` stops while it registers
`nms`. The data sets are pure Python and need none of these operators: declaring the two missing
schemas is enough to let the import pass. (Seen with torch 2.13.0+cpu and torchvision 0.28.0.)
"""

import importlib
import sys
from types import ModuleType

import torch

_declared: torch.library.Library | None = None  # a Library's schemas vanish when it is collected


def torchvision_datasets() -> ModuleType:
    """Import `torchvision.datasets`, with missing operator schemas declared only where needed."""
    global _declared
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # left half-imported by the failure
    _declared = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        _declared.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return importlib.import_module("torchvision.datasets")
