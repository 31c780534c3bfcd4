"""Builds small data sets in the published layouts, with real pictures and real Matlab files."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

MATLAB_EPOCH = 366  # Matlab's day number of 31 December of year 0, from which Python's ordinals count


def picture(path: Path, seed: int = 0) -> Path:
    """Write a small picture of its own, blurred noise, so that no two of different seeds look alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    Image.fromarray(coarse).resize((48, 48), Image.Resampling.BICUBIC).save(path, kind, quality=95)
    return path


def pictures(folder: Path, *names: str) -> Path:
    for seed, name in enumerate(names):
        picture(folder / name, seed)
    return folder


def text(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def points(count: int = 68) -> str:
    rows = "\n".join(f"{10 + i}.5 {200 - i}.25" for i in range(count))
    return f"version: 1\nn_points: {count}\n{{\n{rows}\n}}\n"


def imdb_mat(path: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write imdb.mat or wiki.mat: one struct whose fields are 1xN rows and 1xN cells of text."""
    from scipy.io import savemat

    fields: dict[str, Any] = {}
    for field in ("dob", "photo_taken", "gender", "face_score", "second_face_score"):
        fields[field] = np.array([[row[field] for row in rows]], dtype=float)
    for field in ("full_path", "name"):
        fields[field] = np.array([[row[field] for row in rows]], dtype=object)
    boxes = np.empty((1, len(rows)), dtype=object)
    for index in range(len(rows)):
        boxes[0, index] = np.array([[1.0, 1.0, 30.0, 30.0]])
    fields["face_location"] = boxes
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {name: fields}, do_compression=True)
    return path


def hdf5_mat(path: Path, variables: Mapping[str, Any]) -> Path:
    """Write a Matlab 7.3 file: HDF5 behind 512 bytes of header; lists of text become cell arrays."""
    import h5py

    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            if isinstance(value, list):
                cells = file.create_dataset(name, (1, len(value)), dtype=h5py.ref_dtype)
                for index, string in enumerate(value):
                    codes = np.frombuffer(string.encode("utf-16-le"), "<u2")[:, None]
                    cells[0, index] = file.create_dataset(f"#refs#/{name}{index}", data=codes).ref
            else:
                file[name] = np.asarray(value).T  # Matlab's order: the first axis last
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H", 0x0200) + b"IM"
    with path.open("r+b") as file:
        file.write(header)
    return path
