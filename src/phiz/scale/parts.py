"""The Parquet parts of a large run: one per fixed chunk of the input list, whole or absent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, FileSystem

from ..addresses import public_address
from ..errors import OutputError
from ..image import display_name
from ..types import QUALITY, Result
from .pictures import Picture, locate

_FACE = pa.struct(
    {
        "box": pa.list_(pa.float64()),
        "score": pa.float64(),
        "keypoints": pa.list_(pa.list_(pa.float64())),
        "age": pa.float64(),
        "age_interval": pa.list_(pa.float64()),
        "gender": pa.string(),
        "gender_score": pa.float64(),
        "quality": pa.struct({name: pa.float64() for name in QUALITY}),
        "flags": pa.list_(pa.string()),
    }
)
#: One row per picture, with the fields of a JSON line of plain `phiz analyze`; a quality it lacks is null.
SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "faces": pa.list_(_FACE),
        "error": pa.string(),
    }
)
_PART = re.compile(r"part-\d{7,}-[0-9a-f]{16}\.parquet")
_UNFINISHED = re.compile(r"\.part-.*\.tmp")
#: Parts that one row group of a joined file is made of.
_JOINED = 64


class Chunk(NamedTuple):
    """Pictures that are analysed together, and the name of the part that holds their results."""

    part: str
    pictures: Sequence[Picture]


class Count(NamedTuple):
    """How many pictures a part, or a run, holds and how many of them could not be read."""

    pictures: int
    unreadable: int


def plan(pictures: Sequence[Picture], size: int, settings: Mapping[str, Any]) -> Iterator[Chunk]:
    """Cut the list into chunks of `size`; sorted by name, their parts hold the list in its order.

    A part is named after its place and a hash of its pictures' names and paths and of `settings`, so
    another list or other settings never take it for theirs.
    """
    start = hashlib.sha256(json.dumps(dict(settings), sort_keys=True).encode())
    for number, first in enumerate(range(0, len(pictures), size)):
        chunk = pictures[first : first + size]
        key = start.copy()
        for picture in chunk:
            key.update(f"{picture.name}\0{picture.path}\0".encode("utf-8", "surrogateescape"))
        yield Chunk(f"part-{number:07d}-{key.hexdigest()[:16]}.parquet", chunk)


class Folder:
    """The folder of a run's parts, a local path or a URI; every worker of a cluster must see the same one."""

    def __init__(self, place: str) -> None:
        self.name = display_name(public_address(place))
        self._place = place

    def make(self) -> None:
        """Create the folder where it is missing. Raises OutputError."""
        filesystem, path = self._at()
        try:
            filesystem.create_dir(path)
        except (OSError, pa.ArrowException) as error:
            raise OutputError(f"cannot make the folder {self.name}: {error}") from error

    def parts(self) -> dict[str, Count]:
        """Return the whole parts in the folder and what they hold; a damaged one does not count."""
        filesystem, path = self._at()
        counts = {
            name: _count(filesystem, f"{path}/{name}") for name in self._names() if _PART.fullmatch(name)
        }
        return {name: count for name, count in counts.items() if count}

    def count(self, part: str) -> Count | None:
        """Return what a part holds, None where it is missing or damaged."""
        filesystem, path = self._at()
        return _count(filesystem, f"{path}/{part}")

    def attempts(self, part: str) -> int:
        """Return how many attempts at a part were begun and not ended."""
        return sum(name.startswith(f".{part}.") for name in self._names())

    def begin(self, part: str) -> str:
        """Begin an attempt at a part and return the path of its own file, which stays where it never ends."""
        filesystem, path = self._at()
        own = f"{path}/.{part}.{uuid4().hex}.tmp"
        try:
            filesystem.open_output_stream(own, compression=None).close()
        except (OSError, pa.ArrowException) as error:
            raise self._failure(part, error) from error
        return own

    def finish(self, part: str, own: str, results: Iterable[Result]) -> Count:
        """Write a part to the attempt's file and give it its name. Raises OutputError."""
        filesystem, path = self._at()
        table = pa.Table.from_pylist([result.to_dict() for result in results], SCHEMA)
        try:
            with filesystem.open_output_stream(own, compression=None) as file:
                pq.write_table(table, file)
            filesystem.move(own, f"{path}/{part}")
        except (OSError, pa.ArrowException) as error:
            raise self._failure(part, error) from error
        return _counted(table)

    def tidy(self) -> None:
        """Remove the files of attempts that never ended."""
        filesystem, path = self._at()
        for name in filter(_UNFINISHED.fullmatch, self._names()):
            filesystem.delete_file(f"{path}/{name}")

    def join(self, parts: Iterable[str], output: str) -> None:
        """Put the parts together as the file `output` and remove the folder. Raises OutputError."""
        filesystem, path = self._at()
        _, target = locate(output)
        unfinished = f"{path}/joined.tmp"
        names = iter(parts)
        try:
            with (
                filesystem.open_output_stream(unfinished, compression=None) as file,
                pq.ParquetWriter(file, SCHEMA) as writer,
            ):
                while some := list(islice(names, _JOINED)):
                    tables = [pq.read_table(f"{path}/{name}", filesystem=filesystem) for name in some]
                    writer.write_table(pa.concat_tables(tables))
            filesystem.move(unfinished, target)
            filesystem.delete_dir(path)
        except (OSError, pa.ArrowException) as error:
            raise OutputError(f"cannot write {display_name(output)}: {error}") from error

    def _failure(self, part: str, error: Exception) -> OutputError:
        return OutputError(f"cannot write {self.name}/{part}: {error}")

    def _at(self) -> tuple[FileSystem, str]:
        filesystem, path = locate(self._place)
        return filesystem, path.rstrip("/")

    def _names(self) -> list[str]:
        filesystem, path = self._at()
        try:
            return [entry.base_name for entry in filesystem.get_file_info(FileSelector(path))]
        except (OSError, pa.ArrowException) as error:
            raise OutputError(f"cannot read the folder {self.name}: {error}") from error


def _count(filesystem: FileSystem, path: str) -> Count | None:
    try:
        with filesystem.open_input_file(path) as file:
            return _counted(pq.read_table(file, columns=["error"]))
    except (OSError, pa.ArrowException):
        return None


def _counted(table: pa.Table) -> Count:
    return Count(table.num_rows, table.num_rows - table["error"].null_count)
