"""What phiz must bear: for each kind of input from outside, well-formed examples and what any bytes may do.

A target's `run` takes bytes and returns where phiz did what it promises: an answer of the promised form, or
one of its own errors. Anything else is raised, and is a fault. test_fuzz.py runs the examples and what has
been found; benchmarks/fuzz.py mutates them by the million.
"""

from __future__ import annotations

import functools
import hashlib
import json
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import fake_model
import fuzz_service
import numpy as np
import trees
from pictures import GREY, RGB_ALPHA, bombs, encode, exif, jpeg_with_exif, png, scene
from PIL import Image, features

from phiz import image
from phiz.datasets.imdb_wiki import read_imdb_wiki
from phiz.datasets.record import FaceRecord
from phiz.datasets.splits import load_conflicts, read_split
from phiz.datasets.table import read_table
from phiz.errors import DataError, ImageError, ModelError, PhizError, RecipeError
from phiz.evaluation.fold_files import load_folds
from phiz.evaluation.protocols import load_protocol
from phiz.models.card import ModelCard
from phiz.models.session import load_model

ROOT = Path(__file__).parents[2]
MAX_PIXELS, MAX_BYTES = 1 << 18, 1 << 16


@dataclass(frozen=True, slots=True)
class Target:
    """Examples to begin with, and what runs one input."""

    examples: Callable[[], list[bytes]]
    run: Callable[[bytes], None]


@functools.cache
def folder() -> Path:
    """A folder of this process, for readers of files; removed when it ends."""
    made = tempfile.TemporaryDirectory(prefix="phiz-fuzz-")
    _kept.append(made)
    return Path(made.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def written(name: str, data: bytes) -> Path:
    path = folder() / name
    path.write_bytes(data)
    return path


def told(error: PhizError, data: bytes = b"") -> None:
    """Check that an error is one that a person can be shown; it may quote the user's own file."""
    message = str(error)
    assert message
    assert len(message) < 2000 + 4 * len(data), f"a message of {len(message)} characters"


# Pictures


def picture(data: bytes) -> None:
    """Read it, and once more as finely only as a look needs; what can be read so can be read whole."""
    for reduction in (lambda width, height: 1.0, lambda width, height: 4.0):
        try:
            made = image.read(data, reduction, max_pixels=MAX_PIXELS, max_bytes=MAX_BYTES)
        except ImageError as error:
            told(error)
            continue
        whole = made.whole()
        assert whole.shape == (made.height, made.width, 3)
        for pixels in (made.pixels, whole):
            assert pixels.dtype == np.uint8
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
            assert 1 <= pixels.shape[0] * pixels.shape[1] <= MAX_PIXELS
            assert pixels.flags["C_CONTIGUOUS"]
        assert made.pixels.shape[0] == -(-made.height // made.scale)


def png_picture(data: bytes) -> None:
    """Try the bytes, and once more with every checksum made right, without which no decoder looks further."""
    picture(data)
    mended, at = bytearray(data), 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(data[at + 4 : end]))
        at = end + 4
    picture(bytes(mended))


#: The modes of Pillow that examples of each format are made in.
MODES = {
    "JPEG": ("RGB", "L", "CMYK"),
    "PNG": ("RGB", "L", "LA", "RGBA", "P", "1", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("RGB", "L", "P", "1", "RGBA"),
    "GIF": ("L", "P"),
    "TIFF": ("RGB", "L", "LA", "RGBA", "P", "1", "I;16", "CMYK"),
    "AVIF": ("RGB", "RGBA"),
    "HEIF": ("RGB", "RGBA"),
}


def pictures(kind: str) -> list[bytes]:
    small = Image.fromarray(scene(16, 12))
    made = [encode(small.convert("L") if m == "I;16" else small.convert(m), kind) for m in MODES[kind]]
    if kind == "JPEG":
        made += [encode(small, kind, progressive=True), encode(small, kind, subsampling=2)]
        made += [jpeg_with_exif(made[0], exif(turn, order)) for turn, order in ((6, "<"), (3, ">"))]
    elif kind == "PNG":
        made += [png(scene(9, 7)[:, :, :1], GREY, (b"tEXt", b"a\0b"), (b"eXIf", exif(6, prefix=b"")))]
        made += [png(np.dstack([scene(5, 4), scene(5, 4)[:, :, :1]]).astype(np.uint16), RGB_ALPHA)]
    elif kind == "WEBP":
        made += [encode(small, kind, lossless=True), encode(small, kind, exif=exif(8))]
    elif kind == "TIFF":
        packings = ("tiff_lzw", "tiff_deflate", "packbits", "jpeg", "tiff_adobe_deflate")
        made += [encode(small, kind, compression=packing) for packing in packings]
        made += [encode(small.convert("1"), kind, compression="group4")]
    if kind in ("PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIF"):
        made.append(encode(small, kind, save_all=True, append_images=[small.rotate(90)]))
    start = {"WEBP": "webp", "HEIF": "none"}.get(kind, kind.lower())
    return made + [data for name, data in bombs(60_000, 60_000).items() if name.startswith(start)]


def heic_pictures() -> list[bytes]:
    """HEIC by the extra `heif`; without it nothing decodes one, and any example does."""
    try:
        from pillow_heif import register_heif_opener
    except ModuleNotFoundError:
        return [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"]
    register_heif_opener()
    return pictures("HEIF")


def avif_pictures() -> list[bytes]:
    return pictures("AVIF") if features.check("avif") else [b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf"]


# Tables and settings


def tables(data: bytes) -> None:
    path = written("table.csv", data)
    try:
        for record in read_table(path, []):
            assert isinstance(record, FaceRecord)
    except DataError as error:
        told(error, data)
    for read in (read_split, load_conflicts, load_folds):
        with suppress(DataError):
            read(path)
    answers(path, data)


def answers(path: Path, data: bytes) -> None:
    try:
        from phiz.training.teachers import load_answers
    except ModuleNotFoundError:  # PyTorch is not installed
        return
    try:
        load_answers(path)
    except RecipeError as error:
        told(error, data)


def table_examples() -> list[bytes]:
    return [
        b"file,age,gender,subject,group,part\na.jpg,3,female,x,y,train\nb/c.jpg,,m,,,test\n",
        b"# made by hand\nFile,Smiling,Young\n\"a,1.jpg\",1,-1\n'b',0,\n",
        b"# seed 7\nfile,part,cluster\na.jpg,train,0\nb.jpg,test,12\n",
        b"file,cluster,age,gender,reason\na.jpg,3,4.0,female,age+gender\n",
        b"fold,part,file\n0,train,a.jpg\n0,test,b.jpg\n1,test,\xff.jpg\n",
        b"picture,age,age_std,female\nUTKFace/a.jpg,31.5,4.25,0.97\nUTKFace/b.jpg,nan,inf,-1e400\n",
    ]


def settings(data: bytes) -> None:
    path = written("settings.toml", data)
    for read in setting_readers():
        try:
            read(path)
        except RecipeError as error:
            told(error, data)


@functools.cache
def setting_readers() -> tuple[Callable[[Path], object], ...]:
    try:
        from phiz.training.attribute_recipe import load_attribute_recipe
        from phiz.training.recipe import load_recipe
    except ModuleNotFoundError:
        return (load_protocol,)
    return load_protocol, load_recipe, load_attribute_recipe


def setting_examples() -> list[bytes]:
    named = [*(ROOT / "recipes").glob("*.toml"), *(ROOT / "protocols").glob("*.toml")]
    return [path.read_bytes() for path in sorted(named)]


# Files of other programs


def matlab(data: bytes) -> None:
    written("imdb.mat", data)
    try:
        for record in read_imdb_wiki(folder(), []):
            assert isinstance(record, FaceRecord)
    except DataError as error:
        told(error, data)


ENTRY = {
    "dob": 711_000.0,
    "photo_taken": 1980.0,
    "gender": 1.0,
    "face_score": 3.5,
    "second_face_score": np.nan,
}


def matlab_examples() -> list[bytes]:
    from scipy.io import savemat

    rows = [ENTRY | {"full_path": f"0{n}/a.jpg", "name": name} for n, name in enumerate(("A", "Élodie"))]
    packed = trees.imdb_mat(folder() / "made.mat", "imdb", rows).read_bytes()
    fields = {name: np.array([[row[name] for row in rows]], dtype=object) for name in rows[0]}
    savemat(folder() / "made.mat", {"imdb": fields}, do_compression=False)
    return [packed, (folder() / "made.mat").read_bytes()]


def hdf5_examples() -> list[bytes]:
    rows = {name: np.array([[value, value]]) for name, value in ENTRY.items()}
    texts: dict[str, object] = {"full_path": ["00/a.jpg", "01/b.jpg"], "name": ["A", "Élodie"]}
    return [trees.hdf5_mat(folder() / "made.mat", rows | texts).read_bytes()]


def card(data: bytes) -> None:
    path = written("fuzzed.json", data)
    try:
        read = ModelCard.load(path)
    except ModelError as error:
        told(error, data)
    else:
        assert json.dumps(read.to_dict(), ensure_ascii=False, allow_nan=False).encode()


def card_examples() -> list[bytes]:
    own = json.dumps(fake_model.card(b"").to_dict()).encode()
    shipped = (ROOT / "src" / "phiz" / "models" / "weights").glob("*.json")
    return [own, *(path.read_bytes() for path in sorted(shipped))]


def network(data: bytes) -> None:
    """Load weights that their card vouches for, and ask them about two faces."""
    path = written("network.onnx", data)
    made = fake_model.card(data).to_dict() | {"sha256": hashlib.sha256(data).hexdigest()}
    path.with_suffix(".json").write_text(json.dumps(made), encoding="utf-8")
    try:
        model = load_model(path)
        estimates = model.decode(model.run(np.zeros((2, model.size, model.size, 3), np.uint8)))
    except ModelError as error:
        told(error, data)
    else:
        assert len(estimates) == 2


def network_examples() -> list[bytes]:
    return [fake_model.graph(), fake_model.graph(outputs=("age", "female"))]


TARGETS: dict[str, Target] = {
    "jpeg": Target(lambda: pictures("JPEG"), picture),
    "png": Target(lambda: pictures("PNG"), png_picture),
    "webp": Target(lambda: pictures("WEBP"), picture),
    "bmp": Target(lambda: pictures("BMP"), picture),
    "gif": Target(lambda: pictures("GIF"), picture),
    "tiff": Target(lambda: pictures("TIFF"), picture),
    "avif": Target(avif_pictures, picture),
    "heic": Target(heic_pictures, picture),
    "multipart": Target(fuzz_service.body_examples, fuzz_service.body),
    "websocket": Target(fuzz_service.stream_examples, fuzz_service.stream),
    "csv": Target(table_examples, tables),
    "toml": Target(setting_examples, settings),
    "matlab": Target(matlab_examples, matlab),
    "hdf5": Target(hdf5_examples, matlab),
    "card": Target(card_examples, card),
    "onnx": Target(network_examples, network),
}


def found() -> Iterator[tuple[str, Path]]:
    """Yield (target, file) of every input that once was a fault and is kept in tests/fuzz/found."""
    for path in sorted((ROOT / "tests" / "fuzz" / "found").glob("*/*")):
        yield path.parent.name, path
