"""Every data set that phiz reads, in one list: a new one is an entry here and a file with its reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import DataError
from .aihub_korean import read_aihub_korean
from .all_age_faces import read_all_age_faces
from .celeba import read_celeba
from .fairface import read_fairface
from .fgnet import read_fgnet
from .fiw import read_fiw
from .imdb_wiki import HALVES, read_imdb_and_wiki, read_imdb_wiki
from .lagenda import read_lagenda
from .lfwa import read_lfwa
from .megaage_asian import read_megaage_asian
from .morph2 import read_morph2
from .record import FaceRecord, Skipped, key
from .table import read_table
from .utkface import read_utkface

__all__ = ["CHIP", "DATA_SETS", "PHOTO", "DataSet", "Reader", "find", "key", "named", "read", "share"]

Reader = Callable[[Path, list[Skipped]], Iterator[FaceRecord]]


@dataclass(frozen=True, slots=True)
class DataSet:
    """One data set.

    name: by which commands, recipes and protocols know it. title: by which cards and pages do.
    folder: its usual one under a folder that holds several: what its archive unpacks to.
    kind: of its pictures: CHIP or PHOTO.
    terms: what its owners allow, in a few words. reader: yields the records of a folder.
    holds: names of the data sets whose pictures are among its own.
    """

    name: str
    title: str
    folder: str
    kind: str
    terms: str
    reader: Reader
    holds: tuple[str, ...] = ()

    @property
    def chips(self) -> bool:
        """Whether its pictures are face chips."""
        return self.kind == CHIP


#: Kinds of pictures: a tight chip of one face, or a photo, in which faces have to be found.
CHIP, PHOTO = "chip", "photo"
_RESEARCH, _ACADEMIC = "non-commercial research", "academic research"
_NOT_PASSED_ON = f"{_RESEARCH}, pictures not to be passed on"
_EDUCATION = f"{_RESEARCH} and education, pictures not to be passed on"
_RELEASE, _AI_HUB = "those of the release that you licensed", "those of AI Hub, on application"
_OPEN_IMAGES = "pictures CC BY 2.0 (Open Images), labels under their owners' terms"
_imdb, _wiki = partial(read_imdb_wiki, source="imdb"), partial(read_imdb_wiki, source="wiki")

_ALL = (
    DataSet("utkface", "UTKFace", "UTKFace", CHIP, _RESEARCH, read_utkface),
    DataSet("celeba", "CelebA", "CelebA", PHOTO, _NOT_PASSED_ON, read_celeba),
    DataSet("fgnet", "FG-NET", "FGNET", PHOTO, "research", read_fgnet),
    DataSet("fiw", "Families in the Wild", "FIW", CHIP, _EDUCATION, read_fiw),
    DataSet("fairface", "FairFace", "FairFace", CHIP, "CC BY 4.0", read_fairface),
    DataSet("lagenda", "LAGENDA", "LAGENDA", PHOTO, _OPEN_IMAGES, read_lagenda),
    DataSet("morph2", "MORPH-II", "MORPH_nonCommercial", PHOTO, _RELEASE, read_morph2),
    DataSet("megaage-asian", "MegaAge-Asian", "megaage_asian", PHOTO, _RESEARCH, read_megaage_asian),
    DataSet("all-age-faces", "All-Age-Faces", "All-Age-Faces Dataset", PHOTO, _RESEARCH, read_all_age_faces),
    DataSet("imdb-wiki", "IMDB-WIKI", ".", PHOTO, _ACADEMIC, read_imdb_and_wiki, holds=("imdb", "wiki")),
    DataSet("imdb", "IMDB", HALVES["imdb"], PHOTO, _ACADEMIC, _imdb),
    DataSet("wiki", "WIKI", HALVES["wiki"], PHOTO, _ACADEMIC, _wiki),
    DataSet("lfwa", "LFWA", "LFWA", PHOTO, _RESEARCH, read_lfwa),
    DataSet("aihub-korean", "AI Hub Korean", "AIHub-Korean", PHOTO, _AI_HUB, read_aihub_korean),
    DataSet("csv", "csv", ".", PHOTO, "your own", read_table),
)
DATA_SETS: dict[str, DataSet] = {each.name: each for each in _ALL}


def named(name: str) -> DataSet:
    """Return a data set by its name. Raises DataError for an unknown one."""
    if name not in DATA_SETS:
        raise DataError(f"{name!r}: expected a data set among {', '.join(DATA_SETS)}")
    return DATA_SETS[name]


def share(one: str, other: str) -> bool:
    """Whether two data sets, by their names, hold some of the same pictures."""
    sets = [{name, *named(name).holds} for name in (one, other)]
    return not sets[0].isdisjoint(sets[1])


def find(text: str) -> DataSet | None:
    """Return the data set that a card means by a title, name or folder, whatever the case; None for none."""
    wanted = text.lower()
    for each in DATA_SETS.values():
        folder = "" if each.folder == "." else each.folder.lower()
        if wanted in (each.title.lower(), each.name, folder):
            return each
    return None


def read(name: str, root: Path, skipped: list[Skipped] | None = None) -> list[FaceRecord]:
    """Return every record of a data set that lies in its usual folder under root.

    What is left out is added to skipped. Raises DataError for an unknown name or a malformed data set.
    """
    found = named(name)
    return list(found.reader(Path(root) / found.folder, [] if skipped is None else skipped))
