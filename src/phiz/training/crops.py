"""Training crops, cut once by the very functions that analysis uses, kept as one uint8 array on disk."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from phiz import image, landmarks
from phiz.crop import CROP_VERSION, CropTemplate, chip_crop, face_crop
from phiz.datasets.record import FaceRecord
from phiz.detect import Detector, load_card
from phiz.errors import DataError, RecipeError
from phiz.landmarks import Landmarker, keypoints, load_landmarker
from phiz.landmarks.orders import keypoints_of_fgnet
from phiz.training.fingerprint import Fingerprint, digest, of_file, of_package, of_pictures
from phiz.types import Point

#: The cached crop is this much wider than the network's input, for augmentation to draw from.
MARGIN = 1.5


_tools: tuple[Detector, Landmarker | None] | None = None  # one pair per worker process


@dataclass(frozen=True, slots=True)
class Crops:
    """Crops and labels of one part of one data set, row by row.

    pixels: (N, S, S, 3) uint8, memory-mapped; the central S / MARGIN pixels are the canonical crop.
    age: (N,) years, NaN where unknown. female: (N,) 1, 0, or NaN where unknown.
    age_range: (N, 2) first and last year, in whole years completed, where no age but a range is known; NaN
    elsewhere. paths: (N,) the pictures' paths.
    taught: (N, 3) teachers' age, its deviation (years), probability of female; NaN where they said nothing.
    """

    pixels: NDArray[np.uint8]
    age: NDArray[np.float32]
    female: NDArray[np.float32]
    paths: NDArray[np.str_]
    taught: NDArray[np.float32]
    age_range: NDArray[np.float32]

    @property
    def span(self) -> NDArray[np.float32]:
        """Return between which ages each label lies, (N, 2) years: an age twice, or 20 and 30 for 20-29."""
        exact = np.stack([self.age, self.age], 1)
        upto = self.age_range + np.array([0, 1], np.float32)
        return np.where(np.isnan(exact), upto, exact)

    @property
    def aged(self) -> NDArray[np.bool_]:
        """Return which pictures have an age or a range of ages, (N,)."""
        return ~np.isnan(self.span[:, 0])

    def __len__(self) -> int:
        return len(self.pixels)

    def rows(self, index: NDArray[np.int64]) -> Crops:
        """Return the crops of these rows, in memory."""
        return Crops(*(getattr(self, field.name)[index] for field in fields(self)))

    def with_taught(self, taught: NDArray[np.float32]) -> Crops:
        """Return the same crops with these teachers' answers, (N, 3)."""
        return replace(self, taught=taught)


def canonical(pixels: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return the canonical crops (N, size, size, 3) in the middle of the cache's wider ones."""
    edge = (pixels.shape[1] - size) // 2
    if pixels.shape[1] != round(size * MARGIN):
        raise ValueError(f"expected crops {round(size * MARGIN)} pixels wide, got {pixels.shape[1]}")
    return np.ascontiguousarray(pixels[:, edge : edge + size, edge : edge + size])


def load_crops(
    records: Sequence[FaceRecord],
    *,
    chips: bool,
    template: CropTemplate,
    size: int,
    cache: Path,
    aligner: str = "detector",
    fan_weights: Path | None = None,
) -> Crops:
    """Return the crops of `records`, cutting them first where the cache does not hold them yet.

    The cache holds those of the same pictures, by place, size and time, cut by the same detector, aligner and
    version of the crop; crops of anything else lie beside them and are left alone.
    chips: the pictures are tight face chips (analysed as with --cropped) rather than photos. A
    photo without a face is left out; a chip without one gets the template's chip crop.
    size: side of the network's input in pixels; the crops are MARGIN times as wide.
    aligner: one of recipe.ALIGNERS. "landmarks" cuts by the records' own and leaves out a record without
    any; "mesh" and "fan" find them on the detector's face, whose own points serve where they see no face.
    fan_weights: of "fan", see `phiz.landmarks.load_landmarker`.
    Raises: ImageError where a picture cannot be read; DataError where none is given or none shows a face;
    RecipeError where "landmarks" leaves no record; ModelError where the aligner cannot be loaded.
    """
    if not records:
        raise DataError("expected pictures to cut crops of, got none")
    if aligner == "landmarks" and all(record.landmarks is None for record in records):
        raise RecipeError(
            '[data] aligner = "landmarks" needs a data set with its own, such as FG-NET; none of these '
            f"{len(records)} pictures has any"
        )
    full = round(size * MARGIN)
    key = cutting(aligner, fan_weights) | {
        "pictures": of_pictures(record.path for record in records),
        "points": digest([record.landmarks for record in records]) if aligner == "landmarks" else "",
        "crop": digest([chips, template.to_dict(), full]),
    }
    stem = cache / digest(key)[:16]
    pixels_file, found_file = stem.with_suffix(".npy"), stem.with_suffix(".found.npy")
    if not found_file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        wide = template.zoomed_out(MARGIN)
        jobs = [_Job(r.path, r.landmarks, aligner, fan_weights, chips, wide, full) for r in records]
        # FAN is large, and PyTorch shares one network's work out by itself.
        _cut(jobs, pixels_file, found_file, workers=1 if aligner == "fan" else os.cpu_count())
    found = np.load(found_file)
    kept = [record for record, ok in zip(records, found, strict=True) if ok]
    return Crops(
        pixels=np.load(pixels_file, mmap_mode="r")[: len(kept)],
        age=np.array([np.nan if r.age is None else r.age for r in kept], dtype=np.float32),
        female=np.array([_FEMALE[r.gender] for r in kept], dtype=np.float32),
        paths=np.array([str(r.path) for r in kept], dtype=np.str_),
        taught=np.full((len(kept), 3), np.nan, dtype=np.float32),
        age_range=np.array([r.age_range or (np.nan, np.nan) for r in kept], dtype=np.float32),
    )


def cutting(aligner: str, fan_weights: Path | None = None) -> Fingerprint:
    """Return the identity of what finds and cuts a face: the crop's version, the detector, the aligner."""
    by_mesh = aligner == "mesh"
    return {
        "crop version": digest(CROP_VERSION),
        "detector": digest(asdict(load_card())),
        "aligner": digest(
            [aligner, of_package(landmarks) if by_mesh else "", of_file(fan_weights) if fan_weights else ""]
        ),
    }


def of_crops(parts: Mapping[str, Crops], aligner: str, fan_weights: Path | None = None) -> Fingerprint:
    """Return the identity of what is trained on: the pictures and labels of each part, and what cut them."""
    found = cutting(aligner, fan_weights)
    for name, part in parts.items():
        labels = [v.tolist() for v in (part.age, part.female, part.taught, part.age_range)]
        found |= {f"pictures of {name}": of_pictures(part.paths), f"labels of {name}": digest(labels)}
    return found


_FEMALE = {"female": 1.0, "male": 0.0, None: np.nan}


@dataclass(frozen=True, slots=True)
class _Job:
    """One picture to cut, ready to be sent to a worker process."""

    path: Path
    landmarks: tuple[Point, ...] | None
    aligner: str
    fan_weights: Path | None
    chips: bool
    template: CropTemplate
    size: int


def _cut(jobs: Sequence[_Job], pixels_file: Path, found_file: Path, workers: int | None) -> None:
    """Write the crops, those of the faces found first, and which pictures have one.

    Each call works in a folder of its own, so that several processes may cut the same pictures at a time.
    """
    with TemporaryDirectory(prefix=".cutting-", dir=pixels_file.parent) as own:
        pixels = None
        found = np.zeros(len(jobs), bool)
        count = 0
        with ProcessPoolExecutor(workers) as pool:
            done = pool.map(_cut_one, jobs, chunksize=32)
            for i, crop in enumerate(tqdm(done, total=len(jobs), desc="cutting crops", unit="face")):
                if crop is not None:
                    if pixels is None:  # straight to the file: half a million crops do not fit into memory
                        shape = (len(jobs), *crop.shape)
                        pixels = np.lib.format.open_memmap(Path(own, "pixels.npy"), "w+", np.uint8, shape)
                    pixels[count], found[i] = crop, True
                    count += 1
        if pixels is None:
            raise DataError(f"no face was found in any of the {len(jobs)} pictures in {jobs[0].path.parent}")
        pixels.flush()
        del pixels  # closes the file, which some systems want before it is renamed
        np.save(Path(own, "found.npy"), found)
        if not found_file.exists():  # else another process was faster, and may have its file open
            # The found file comes last, after both are complete: a cut that was killed is done again.
            Path(own, "pixels.npy").replace(pixels_file)
            Path(own, "found.npy").replace(found_file)


def _cut_one(job: _Job) -> NDArray[np.uint8] | None:
    global _tools
    if job.aligner == "landmarks":
        if job.landmarks is None:
            return None
        points = keypoints_of_fgnet(job.landmarks)
        return face_crop(image.load(job.path), points, job.size, job.template)
    if _tools is None:
        _tools = Detector(), load_aligner(job.aligner, job.fan_weights)
    detector, landmarker = _tools
    picture = image.load(job.path)
    faces = [detector.detect_chip(picture)] if job.chips else detector.detect(picture)[:1]
    if not faces:
        return None
    if faces[0] is None:
        return chip_crop(picture, job.size, job.template)
    return face_crop(picture, keypoints(picture, faces[0], landmarker), job.size, job.template)


def load_aligner(name: str, fan_weights: Path | None = None) -> Landmarker | None:
    """Return an aligner's landmark finder; None for "detector", which cuts by the detector's own points."""
    return None if name == "detector" else load_landmarker(name, fan_weights=fan_weights)
