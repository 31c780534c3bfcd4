"""What the attribute networks hold and do.

`python -m phiz.networks.attribute_sizes FILE` writes them as CSV; docs/experiments/attributes.md
shows them beside the papers'.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from phiz.networks.attribute_net import AttributeNet, AttributeNetwork
from phiz.networks.layers import count
from phiz.networks.mobilefacenet import CHANNELS, SIZE, GlobalDepthwise, MobileFaceNet

ATTRIBUTES = 40
COLUMNS = ("network", "side", "parameters", "multiply_adds", "operations")
#: The wide head of Li et al.'s published settings for faces: 2048 wide, 4 heads, 1 and 2 layers.
WIDE = AttributeNetwork(backbone="resnet50", width=2048, heads=4, hidden=2048, query_layers=1, layers=2)


@dataclass(frozen=True, slots=True)
class Row:
    """One network: input side in pixels, parameters, and multiply-adds for one face."""

    network: str
    side: int
    parameters: int
    multiply_adds: int


def rows() -> list[Row]:
    """Return the networks of the papers and ours."""
    with torch.device("meta"):  # shapes are all that is counted
        edge = AttributeNetwork()
        whole = nn.Sequential(MobileFaceNet(), GlobalDepthwise(CHANNELS, SIZE // 16))
        made: list[tuple[str, nn.Module, int]] = [
            ("MobileFaceNet (to a vector of 128)", whole, SIZE),
            ("MobileFaceNet, plain head", _net(AttributeNetwork(head="plain")), edge.size),
            ("MobileFaceNet, Label2Label", _net(edge), edge.size),
            ("ResNet-50, plain head", _net(AttributeNetwork("resnet50", head="plain")), edge.size),
            ("ResNet-50, Label2Label", _net(WIDE), WIDE.size),
        ]
    return [_row(name, net, side) for name, net, side in made]


def _row(name: str, net: nn.Module, side: int) -> Row:
    size = count(net, side)
    return Row(name, side, size.parameters, size.multiply_adds)


def _net(how: AttributeNetwork) -> AttributeNet:
    return AttributeNet(how, ATTRIBUTES)


def _cells(row: Row) -> tuple[str, ...]:
    work = row.multiply_adds
    return (row.network, f"{row.side}", f"{row.parameters}", f"{work}", f"{2 * work}")


def main(path: Path) -> None:
    """Write the table as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(_cells, rows()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
