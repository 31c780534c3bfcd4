"""Matlab's .mat files as columns: version 5 through scipy, version 7.3 (HDF5) through h5py.

Both parsers end the process on some damaged files, so they run in another: this module, as a program.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

#: Exit status of the program where its output is the text of a DataError.
_REFUSED = 3


def columns(path: Path, names: Sequence[str], struct: str | None = None) -> dict[str, NDArray[Any]]:
    """Return variables of a .mat file, or fields of its struct, as arrays; cells of text as text.

    Singleton axes are dropped but for one, so a column of n values has the shape (n,). Raises DataError
    where the file is missing, damaged or lacks a name, or the package that reads it is not installed.
    """
    command = [sys.executable, "-m", __name__, os.fspath(path), struct or "", *names]
    found = os.pathsep.join(filter(None, sys.path))  # the same packages as here
    done = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": found})
    if done.returncode == 0:
        with np.load(io.BytesIO(done.stdout), allow_pickle=False) as arrays:
            return dict(arrays)
    if done.returncode == _REFUSED:
        raise DataError(os.fsdecode(done.stdout))
    raise DataError(
        f"{path}: expected a whole Matlab file, got one that its reader crashed on (exit status "
        f"{done.returncode}); copy it again"
    )


def main(path: str, struct: str, *names: str) -> int:
    """Write the columns to standard output as .npz, or the text of a DataError; return the exit status."""
    packed = io.BytesIO()
    try:
        arrays: dict[str, Any] = dict(read(Path(path), names, struct or None))
        np.savez(packed, **arrays)
    except DataError as error:
        sys.stdout.buffer.write(os.fsencode(str(error)))
        return _REFUSED
    sys.stdout.buffer.write(packed.getbuffer())
    return 0


def read(path: Path, names: Sequence[str], struct: str | None) -> dict[str, NDArray[Any]]:
    """Do in this process what `columns` does."""
    try:
        with path.open("rb") as file:
            hdf5 = file.read(10) == b"MATLAB 7.3"
    except OSError as error:
        raise DataError(f"{path}: expected a Matlab file, could not read it: {error}") from error
    try:
        found = (_hdf5 if hdf5 else _version5)(path, names, struct)
        if odd := [name for name, values in found.items() if values.dtype.hasobject]:
            raise ValueError(f"{odd[0]} is neither text nor numbers")
    except ModuleNotFoundError as error:
        raise DataError(
            f'{path}: {error.name} reads it and is not installed: pip install "phiz[eval]"'
        ) from error
    except KeyError as error:
        place = f"variable {struct!r} with the fields" if struct else "variables"
        raise DataError(
            f"{path}: expected the {place} {', '.join(names)}; {error.args[0]!r} is missing"
        ) from error
    except Exception as error:  # damaged bytes make the parsers raise almost anything
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"{path}: expected a whole Matlab file, got a damaged one ({reason}); copy it again"
        ) from error
    return found


def _version5(path: Path, names: Sequence[str], struct: str | None) -> dict[str, NDArray[Any]]:
    from scipy.io import loadmat

    content = loadmat(path, squeeze_me=True, variable_names=[struct] if struct else names)
    if struct is None:
        return {name: _text(np.atleast_1d(content[name])) for name in names}
    fields = np.asarray(content[struct])
    for name in names:
        if name not in (fields.dtype.names or ()):
            raise KeyError(name)
    return {name: _text(np.atleast_1d(fields[name].item())) for name in names}


def _text(values: NDArray[Any]) -> NDArray[Any]:
    """Turn a cell array into text; its empty cells come as empty arrays."""
    if values.dtype != object:
        return values
    return np.array([value if isinstance(value, str) else "" for value in values.ravel()], dtype=np.str_)


def _hdf5(path: Path, names: Sequence[str], struct: str | None) -> dict[str, NDArray[Any]]:
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        for name in [struct] if struct else names:
            if name not in file:
                raise KeyError(name)
        place = file[struct] if struct else file
        for name in names:
            if name not in place:
                raise KeyError(name)
            data = place[name]
            if data.dtype == h5py.ref_dtype:  # a cell array: references to arrays of UTF-16 codes
                cells = [file[reference] for reference in np.asarray(data).ravel()]
                values = [np.asarray(cell).astype("<u2").tobytes().decode("utf-16-le") for cell in cells]
                found[name] = np.array(values, dtype=np.str_)
            else:
                found[name] = np.atleast_1d(np.asarray(data).T.squeeze())  # Matlab stores columns first
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
