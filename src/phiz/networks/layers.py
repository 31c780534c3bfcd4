"""Count what a network holds and does; `python -m phiz.networks.layers` prints each layer and each part."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from phiz.networks.label2label import Attention
from phiz.networks.multitask import INPUT_SIZE, MultiTaskNet


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: its name, kind, output shape without the batch, parameters, multiply-adds for one face."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, slots=True)
class Size:
    """A whole network: its layers in the order in which they run, and the sums."""

    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int


def count(net: nn.Module, size: int = INPUT_SIZE) -> Size:
    """Run one blank face through `net`; return what convolutions, norms, linear layers and attention cost.

    Multiply-adds are those of convolutions, linear layers and attention's two products, for its linear layers
    are listed by themselves; normalisation is folded into convolutions for use. Activations and additions are
    left out. Counted here, not by PyTorch, whose own counter knows attention in some versions only.
    """
    layers: list[Layer] = []

    def record(name: str, module: nn.Module) -> None:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            parameters = sum(p.numel() for p in module.parameters(recurse=False))
            shape = tuple(output.shape[1:])
            layers.append(Layer(name, _kind(module), shape, parameters, _work(module, inputs, output)))

        hooks.append(module.register_forward_hook(hook))

    hooks: list[torch.utils.hooks.RemovableHandle] = []
    for name, module in net.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d, Attention)):
            record(name, module)
    training = net.training
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, size, size, device=next(net.parameters()).device))
    net.train(training)
    for hook in hooks:
        hook.remove()
    total = sum(p.numel() for p in net.parameters())
    return Size(tuple(layers), total, sum(layer.multiply_adds for layer in layers))


def _work(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> int:
    """Return the multiply-adds that made `output`, of a batch of one."""
    if isinstance(module, nn.Conv2d):
        return output.numel() * module.weight[0].numel()
    if isinstance(module, nn.Linear):
        return output.numel() * module.in_features
    if isinstance(module, Attention):
        _, keys, _ = inputs
        return 2 * output.numel() * keys.shape[1]  # queries times keys, then shares times values
    return 0


def _kind(module: nn.Module) -> str:
    if isinstance(module, nn.Conv2d):
        (height, width), stride = module.kernel_size, module.stride[0]
        depthwise = "depthwise " if module.groups > 1 else ""
        return f"{depthwise}conv {height}x{width}" + (f" / {stride}" if stride > 1 else "")
    if isinstance(module, Attention):
        return "attention"
    return "batch norm" if isinstance(module, nn.BatchNorm2d) else "fully connected"


def table(size: Size) -> str:
    """Return the layers as a Markdown table."""
    lines = ["| layer | kind | output | parameters | multiply-adds |", "| --- | --- | --- | ---: | ---: |"]
    for layer in size.layers:
        shape = "x".join(map(str, layer.shape))
        lines.append(
            f"| {layer.name} | {layer.kind} | {shape} | {layer.parameters:,} | {layer.multiply_adds:,} |"
        )
    lines.append(f"| **total** | | | **{size.parameters:,}** | **{size.multiply_adds:,}** |")
    return "\n".join(lines)


def parts_table(size: Size) -> str:
    """Return the sums of each part of the network, by the first word of its layers' names, as Markdown."""
    lines = ["| part | layers | parameters | multiply-adds |", "| --- | ---: | ---: | ---: |"]
    for name, group in groupby(size.layers, key=lambda layer: layer.name.partition(".")[0]):
        layers = tuple(group)
        work = sum(layer.multiply_adds for layer in layers)
        held = sum(layer.parameters for layer in layers)
        lines.append(f"| {name} | {len(layers)} | {held:,} | {work:,} |")
    lines.append(f"| **all** | {len(size.layers)} | **{size.parameters:,}** | **{size.multiply_adds:,}** |")
    return "\n".join(lines)


if __name__ == "__main__":
    counted = count(MultiTaskNet())
    print(table(counted), parts_table(counted), sep="\n\n")
