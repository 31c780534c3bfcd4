"""The readers by the name that the command line uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import DataError
from .celeba import read_celeba
from .fgnet import read_fgnet
from .record import FaceRecord, Skipped, key
from .utkface import read_utkface

__all__ = ["FOLDERS", "READERS", "Reader", "key", "read"]

Reader = Callable[[Path, list[Skipped]], Iterator[FaceRecord]]

READERS: dict[str, Reader] = {"utkface": read_utkface, "celeba": read_celeba, "fgnet": read_fgnet}

#: The usual folder of each data set under a folder that holds several.
FOLDERS: dict[str, str] = {"utkface": "UTKFace", "celeba": "CelebA", "fgnet": "FGNET"}


def read(name: str, root: Path, skipped: list[Skipped] | None = None) -> list[FaceRecord]:
    """Return every record of a data set that lies in its usual folder under root.

    What is left out is added to skipped. Raises DataError for an unknown name or a malformed data set.
    """
    if name not in READERS:
        raise DataError(f"{name!r}: expected a data set among {', '.join(READERS)}")
    return list(READERS[name](Path(root) / FOLDERS[name], [] if skipped is None else skipped))
