"""The readers by the name that the command line uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..errors import DataError
from .aihub_korean import read_aihub_korean
from .all_age_faces import read_all_age_faces
from .celeba import read_celeba
from .fgnet import read_fgnet
from .fiw import read_fiw
from .imdb_wiki import HALVES, read_imdb_and_wiki, read_imdb_wiki
from .lfwa import read_lfwa
from .megaage_asian import read_megaage_asian
from .morph2 import read_morph2
from .record import FaceRecord, Skipped, key
from .table import read_table
from .utkface import read_utkface

__all__ = ["CHIPS", "FOLDERS", "READERS", "Reader", "key", "read"]

Reader = Callable[[Path, list[Skipped]], Iterator[FaceRecord]]

READERS: dict[str, Reader] = {
    "utkface": read_utkface,
    "celeba": read_celeba,
    "fgnet": read_fgnet,
    "fiw": read_fiw,
    "morph2": read_morph2,
    "megaage-asian": read_megaage_asian,
    "all-age-faces": read_all_age_faces,
    "imdb-wiki": read_imdb_and_wiki,
    "imdb": partial(read_imdb_wiki, source="imdb"),
    "wiki": partial(read_imdb_wiki, source="wiki"),
    "lfwa": read_lfwa,
    "aihub-korean": read_aihub_korean,
    "csv": read_table,
}

#: The usual folder of each data set under a folder that holds several: what its archive unpacks to.
FOLDERS: dict[str, str] = {
    "utkface": "UTKFace",
    "celeba": "CelebA",
    "fgnet": "FGNET",
    "fiw": "FIW",
    "morph2": "MORPH_nonCommercial",
    "megaage-asian": "megaage_asian",
    "all-age-faces": "All-Age-Faces Dataset",
    "imdb-wiki": ".",
    **HALVES,
    "lfwa": "LFWA",
    "aihub-korean": "AIHub-Korean",
    "csv": ".",
}

#: Data sets of tight face chips; the others are photos, whose faces have to be found.
CHIPS = ("utkface", "fiw")


def read(name: str, root: Path, skipped: list[Skipped] | None = None) -> list[FaceRecord]:
    """Return every record of a data set that lies in its usual folder under root.

    What is left out is added to skipped. Raises DataError for an unknown name or a malformed data set.
    """
    if name not in READERS:
        raise DataError(f"{name!r}: expected a data set among {', '.join(READERS)}")
    return list(READERS[name](Path(root) / FOLDERS[name], [] if skipped is None else skipped))
