"""What the attribute networks hold and do, beside the papers' figures.

`python -m phiz.networks.attribute_sizes` prints the table; with a path it writes it there as CSV.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from phiz.networks.attributes import AttributeNet, AttributeNetwork
from phiz.networks.layers import count
from phiz.networks.mobilefacenet import CHANNELS, SIZE, GlobalDepthwise, MobileFaceNet

ATTRIBUTES = 40
COLUMNS = (
    "network",
    "side",
    "parameters",
    "multiply_adds",
    "operations",
    "paper_parameters",
    "paper_operations",
)
#: The wide head of Li et al.'s published settings for faces: 2048 wide, 4 heads, 1 and 2 layers.
WIDE = AttributeNetwork(backbone="resnet50", width=2048, heads=4, hidden=2048, query_layers=1, layers=2)


@dataclass(frozen=True, slots=True)
class Row:
    """One network: input side in pixels, parameters, and multiply-adds for one face.

    paper_parameters, paper_operations: as the papers print them, "" where they print none.
    """

    network: str
    side: int
    parameters: int
    multiply_adds: int
    paper_parameters: str = ""
    paper_operations: str = ""


def rows() -> list[Row]:
    """Return the networks of the papers and ours."""
    with torch.device("meta"):  # shapes are all that is counted
        edge = AttributeNetwork()
        whole = nn.Sequential(MobileFaceNet(), GlobalDepthwise(CHANNELS, SIZE // 16))
        made: list[tuple[str, nn.Module, int, tuple[str, str]]] = [
            ("MobileFaceNet (to a vector of 128)", whole, SIZE, ("1.0M", "0.45G")),
            ("MobileFaceNet, plain head", _net(AttributeNetwork(head="plain")), edge.size, ("", "")),
            ("MobileFaceNet, Label2Label", _net(edge), edge.size, ("", "")),
            ("ResNet-50, plain head", _net(AttributeNetwork("resnet50", head="plain")), edge.size, ("", "")),
            ("ResNet-50, Label2Label", _net(WIDE), WIDE.size, ("40.29M", "2.19G")),
        ]
    return [_row(name, net, side, *paper) for name, net, side, paper in made]


def _row(name: str, net: nn.Module, side: int, *paper: str) -> Row:
    size = count(net, side)
    return Row(name, side, size.parameters, size.multiply_adds, *paper)


def _net(how: AttributeNetwork) -> AttributeNet:
    return AttributeNet(how, ATTRIBUTES)


def _cells(row: Row) -> tuple[str, ...]:
    work = row.multiply_adds
    paper = (row.paper_parameters, row.paper_operations)
    return (row.network, f"{row.side}", f"{row.parameters}", f"{work}", f"{2 * work}", *paper)


def table(found: list[Row]) -> str:
    """Return the rows as a Markdown table; M is 1e6, G is 1e9."""
    lines = [
        "| network | parameters | multiply-adds | operations | the papers' |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in found:
        paper = " / ".join(filter(None, (row.paper_parameters, row.paper_operations)))
        work = row.multiply_adds / 1e9
        lines.append(
            f"| {row.network} | {row.parameters / 1e6:.2f}M | {work:.3f}G | {2 * work:.2f}G | {paper} |"
        )
    return "\n".join(lines)


def main(path: Path | None) -> None:
    """Print the table, or write it as CSV."""
    found = rows()
    if path is None:
        print(table(found))
        return
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(map(_cells, found))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
