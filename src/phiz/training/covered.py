"""Faces with made covers over their crops, and the same faces without, as a model sees them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ..analyzer import Analyzer
from ..datasets import registry
from ..errors import ImageError
from ..evaluation.answering import plan
from ..evaluation.looks_at_faces import Looks, said
from ..evaluation.protocols import load_protocol
from ..evaluation.robustness import draw
from ..quality import light

#: Pictures of UTKFace's validation part that are covered.
COUNT, SEED = 400, 20_240_601


def covered_looks(model: str, protocols: Path, data: Path) -> tuple[Looks, Looks]:
    """Return the looks of some validation pictures, bare and each with a cover of `phiz.training.covers`."""
    import torch

    from .covers import cover
    from .sections import Augmentation

    protocol = load_protocol(protocols / "utkface-validation.toml")
    tests = plan(protocol, registry.read("utkface", data), data / "UTKFace")
    analyzer = Analyzer(model, cropped=True)
    random = torch.Generator().manual_seed(SEED)
    bare = Augmentation()
    ways = (
        replace(bare, mask=1.0),
        replace(bare, scarf=1.0),
        replace(bare, hat=1.0),
        replace(bare, glasses=1.0),
        replace(bare, patch=1.0),
    )
    rows: tuple[list[tuple[float, float, list[float]]], ...] = ([], [])
    for number, key in enumerate(draw(tests.records, COUNT, SEED)):
        try:
            located = analyzer.locate(analyzer.read(tests.records[key].path))
        except ImageError:
            continue
        x = torch.from_numpy(located.crops[:1].astype(np.float32) / 255).permute(0, 3, 1, 2).contiguous()
        cover(x, ways[number % len(ways)], random)
        crop = x.clamp(0, 1).mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        ((sharpness, brightness),) = light(crop)
        hidden = replace(
            located,
            crops=np.ascontiguousarray(crop),
            quality=({**located.quality[0], "sharpness": sharpness, "brightness": brightness},),
        )
        for made, some in zip(rows, (located, hidden), strict=True):
            made.append(said(analyzer, some))
    return _looks(rows[0]), _looks(rows[1])


def _looks(rows: list[tuple[float, float, list[float]]]) -> Looks:
    age, female, signals = (np.array(column, np.float64) for column in zip(*rows, strict=True))
    n, nothing = len(age), np.full(len(age), np.nan)
    name = np.full(n, "covers")
    return Looks(name, np.zeros(n, bool), name, nothing, nothing, age, female, signals)
