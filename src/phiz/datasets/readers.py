"""The readers by the name that the command line uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from .celeba import read_celeba
from .fgnet import read_fgnet
from .record import FaceRecord, Skipped
from .utkface import read_utkface

Reader = Callable[[Path, list[Skipped]], Iterator[FaceRecord]]

READERS: dict[str, Reader] = {"utkface": read_utkface, "celeba": read_celeba, "fgnet": read_fgnet}
