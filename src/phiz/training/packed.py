"""A recipe's crops and labels in one file, to train from on a machine without the pictures.

The file is a ZIP archive: `about.json` (format, identity, sizes), and for each part a folder of JPEGs in the
order of their rows and an array `COLUMN.npy` for each label. It holds faces: the terms of their data sets go
with it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from phiz.errors import DataError
from phiz.training.fingerprint import Fingerprint, differing, digest, of_pictures

FORMAT = "phiz crops 2"
ABOUT = "about.json"
#: Of the JPEGs, whose colours are kept at full size.
QUALITY = 95


@dataclass(frozen=True, slots=True)
class Packed:
    """One part: its crops, (N, S, S, 3) uint8, and its labels, N rows each, by name."""

    pixels: NDArray[np.uint8]
    columns: Mapping[str, NDArray[Any]]


def write(path: Path, identity: Fingerprint, parts: Mapping[str, Packed]) -> None:
    """Write parts into one file; a reader, or a kill, never meets half of it. Raises DataError."""
    about = {
        "format": FORMAT,
        "identity": identity,
        "parts": {
            name: {"rows": len(part.pixels), "side": part.pixels.shape[1], "columns": list(part.columns)}
            for name, part in parts.items()
        },
    }
    unfinished = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(ABOUT, json.dumps(about, indent=2))
            for name, part in parts.items():
                for column, values in part.columns.items():
                    archive.writestr(f"{name}/{column}.npy", _array(values))
                for row in tqdm(range(len(part.pixels)), desc=f"packing {name}", unit="crop"):
                    archive.writestr(f"{name}/{row:07d}.jpg", _jpeg(part.pixels[row]))
        unfinished.replace(path)
    except OSError as error:
        raise DataError(f"{path}: could not write the crops: {error.strerror}") from error


def read(path: Path, identity: Fingerprint, cache: Path) -> dict[str, Packed]:
    """Return the parts of a file, their crops unpacked once into an array in the cache.

    Raises: DataError where the file is none of the kind, is damaged, or was packed for a recipe with other
    data or another crop, naming what differs.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(ABOUT))
            if about["format"] != FORMAT:
                raise DataError(
                    f"{path}: expected the format {FORMAT!r}, got {about['format']!r}; pack it again"
                )
            if parts := differing(about["identity"], identity):
                raise DataError(
                    f"{path}: expected crops for this recipe, got those of another "
                    f"{' and other '.join(parts)}; pack them with phiz crops RECIPE --output FILE"
                )
            key = digest([of_pictures([path]), about])[:16]
            return {
                name: _part(archive, name, held, cache / f"packed-{key}-{name}.npy")
                for name, held in about["parts"].items()
            }
    except FileNotFoundError as error:
        raise DataError(f"{path}: expected a file of phiz crops, there is none") from error
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: expected a file of phiz crops, could not read it: {error}") from error


def _part(archive: zipfile.ZipFile, name: str, held: Mapping[str, Any], file: Path) -> Packed:
    columns = {
        column: np.load(io.BytesIO(archive.read(f"{name}/{column}.npy")), allow_pickle=False)
        for column in held["columns"]
    }
    rows, side = held["rows"], held["side"]
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part.npy")
        pixels = np.lib.format.open_memmap(unfinished, "w+", np.uint8, (rows, side, side, 3))
        for row in tqdm(range(rows), desc=f"unpacking {name}", unit="crop"):
            pixels[row] = np.asarray(Image.open(io.BytesIO(archive.read(f"{name}/{row:07d}.jpg"))))
        pixels.flush()
        del pixels  # closes the file, which some systems want before it is renamed
        unfinished.replace(file)
    return Packed(np.load(file, mmap_mode="r"), columns)


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(file, "JPEG", quality=QUALITY, subsampling=0)
    return file.getvalue()


def _array(values: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()
