"""The pictures of a large run: local ones, and those behind the URIs that pyarrow's filesystems read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from pyarrow import ArrowException
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from ..addresses import public_address
from ..errors import ImageError, PhizError
from ..image import MAX_BYTES, MAX_PIXELS, display_name, inputs, load, suffixes


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to read.

    name: what results call it, without any password or option of its URI.
    path: where it lies in its filesystem; absolute for the local one.
    root: the URI that leads to its filesystem, "" for the local one.
    """

    name: str
    path: str
    root: str = ""


def expand(paths: list[str], aside: inputs.Aside | None = None) -> list[Picture]:
    """Return the pictures behind paths, folders, globs and URIs, in the order of plain `phiz analyze`.

    aside: as in `phiz.image.inputs`. Raises PhizError for standard input, a URI that pyarrow cannot open,
    or where there is no picture at all.
    """
    if inputs.STDIN in paths:
        raise PhizError("standard input (-) cannot be shared between workers; name files, folders or URIs")
    aside = inputs.Aside() if aside is None else aside
    found: list[Picture] = []
    for path in paths:
        if is_uri(path):
            found += _expand_uri(path, aside)
        else:
            found += [Picture(name, os.path.abspath(name)) for name in inputs.expand_one(path, aside)]
    inputs.check_any(found, aside)
    return found


def read(picture: Picture, max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Read one picture as `phiz.image.load` does. Raises ImageError with the same words."""
    name = display_name(picture.name)
    if not picture.root:
        return load(picture.path, max_pixels=max_pixels, name=name)
    filesystem, _ = locate(picture.root)
    try:
        with filesystem.open_input_stream(picture.path, compression=None) as file:
            data = file.read(MAX_BYTES + 1)  # one byte too many is refused as too large
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file; check the path") from error
    except PermissionError as error:
        raise ImageError(f"{name}: no permission to read it; change its access rights or copy it") from error
    except (OSError, ArrowException) as error:
        reason = display_name(str(error).partition("\n")[0])
        raise ImageError(f"{name}: cannot be opened ({reason}); check the path") from error
    return load(data, max_pixels=max_pixels, name=name)


def is_uri(path: str) -> bool:
    """Whether a path names its filesystem, as in s3://bucket/folder."""
    return "://" in path


@cache  # a connection is worth keeping
def locate(place: str) -> tuple[FileSystem, str]:
    """Return the filesystem of a path or URI, and the path within it. Raises PhizError."""
    if not is_uri(place):
        return LocalFileSystem(), os.path.abspath(place)
    try:
        filesystem, path = FileSystem.from_uri(place)
    except (ArrowException, OSError, ValueError, ImportError) as error:
        shown = public_address(place)
        raise PhizError(f"cannot open {shown}: {str(error).replace(place, shown)}") from error
    return filesystem, path


def _expand_uri(uri: str, aside: inputs.Aside) -> list[Picture]:
    filesystem, path = locate(uri)
    root = "" if isinstance(filesystem, LocalFileSystem) else uri
    name = public_address(uri)
    try:
        if filesystem.get_file_info(path).type != FileType.Directory:
            return [Picture(name, path, root)]  # a missing one fails when it is read, like any bad picture
        entries = filesystem.get_file_info(FileSelector(path, recursive=True))
    except (OSError, ArrowException) as error:
        aside.problems.append(f"cannot read the folder {name}: {display_name(str(error))}")
        return []
    inside = [entry.path[len(path) :].strip("/") for entry in entries if entry.type == FileType.File]
    shown = sorted((file for file in inside if "/." not in f"/{file}"), key=_walk_order)
    wanted = [file for file in shown if inputs.is_picture(file, suffixes())]
    for file in set(shown) - set(wanted):
        aside.pass_over(file)
    if not wanted:
        aside.problems.append(inputs.no_pictures(name))
    return [Picture(f"{name.rstrip('/')}/{entry}", f"{path.rstrip('/')}/{entry}", root) for entry in wanted]


def _walk_order(path: str) -> list[tuple[bool, str]]:
    """Sort a folder's own files before its folders, as the walk through a local folder does."""
    *folders, file = path.split("/")
    return [*((True, folder) for folder in folders), (False, file)]
