"""Measure which faces the detector finds, where it puts their points, and how often it sees one that is none.

    python benchmarks/detector_recall.py --data ../shared/data

Writes results/detection/detector_recall.csv. What is measured:
1. WIDER FACE, whole photos: recall by face height, and boxes on no labelled face, a photo. Invalid and
   heavily covered faces and those under 12 pixels count for nothing; a box on one is not false either.
2. Portraits (UTKFace chips, FG-NET, CelebA, FIW) and, by the groups in UTKFace's names, its chips whole and
   shrunk on a background. Groups audit errors only; nothing estimates them.
3. Photos of FG-NET and CelebA shrunk until the face is so wide, at random places of a made background.
4. FG-NET turned by 30 to 180 degrees.
5. Points against FG-NET's own, as shares of the eyes' distance, by face width in the picture.
6. Made backgrounds without any face.

A face counts as found if a box overlaps its own by an intersection over union of 0.4; in a portrait, if a box
holds the middle of FG-NET's eyes and mouth, elsewhere the middle of the picture. Pasted faces are as wide as
the box that the detector gives the photo by itself.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import PIL.Image
from tqdm import tqdm

from phiz.datasets.fgnet import read_fgnet
from phiz.detect import Detector
from phiz.landmarks.orders import keypoints_of_fgnet
from phiz.provenance import cells, write_rows
from phiz.types import KEYPOINT_NAMES, Box, Detection

ROOT = Path(__file__).resolve().parents[1]
GROUPS = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Other"}
FACE_WIDTHS = (24, 32, 40, 48, 64, 96, 192)
BACKGROUNDS = ((640, 480), (1920, 1440), (4000, 3000))
HEIGHTS = ((12, 24), (24, 48), (48, 96), (96, 10_000))
ANGLES = (30, 45, 60, 90, 180)
COLUMNS = ("part", "measure", "number", "recall", "false_per_picture", "error")
Row = dict[str, object]


def read(path: Path) -> PIL.Image.Image:
    with PIL.Image.open(path) as picture:
        return picture.convert("RGB")


def texture(width: int, height: int, rng: np.random.Generator) -> PIL.Image.Image:
    """Make a background: colour noise summed over scales, about 1/f as in photographs, and hard blocks."""
    total = np.zeros((height, width, 3))
    for level in range(2, 9):
        cells_of = rng.normal(size=(2**level * 3 // 4, 2**level, 3)).astype(np.float32)
        layer = [PIL.Image.fromarray(cells_of[:, :, c]).resize((width, height), 3) for c in range(3)]
        total += np.stack([np.asarray(channel) for channel in layer], -1) / 2 ** (level / 2)
    pixels = np.clip(128 + 45 * total, 0, 255).astype(np.uint8)
    for _ in range(40):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(8, width // 5, 2)
        colour = rng.integers(0, 128, 3, dtype=np.uint8)
        pixels[y : y + h, x : x + w] = pixels[y : y + h, x : x + w] // 2 + colour
    return PIL.Image.fromarray(pixels)


def overlap(one: Box, other: Box) -> float:
    (x, y, w, h), (u, v, p, q) = one, other
    shared = max(0.0, min(x + w, u + p) - max(x, u)) * max(0.0, min(y + h, v + q) - max(y, v))
    return shared / (w * h + p * q - shared)


def holds(face: Detection, x: float, y: float) -> bool:
    left, top, width, height = face.box
    return left < x < left + width and top < y < top + height


def row(part: str, measure: str, found: list[bool], false: float | None = None) -> Row:
    recall = f"{np.mean(found):.4f}" if found else ""
    number = len(found)
    return {
        "part": part,
        "measure": measure,
        "number": number,
        "recall": recall,
        "false_per_picture": "" if false is None else f"{false:.4f}",
    }


def wider(detector: Detector, data: Path) -> Iterator[Row]:
    photos: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (data / "WIDER/boxes.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            photos[line["file"]].append(line)
    found: dict[tuple[int, int], list[bool]] = defaultdict(list)
    false = 0
    for name, lines in tqdm(photos.items(), desc="WIDER FACE"):
        faces = detector.detect(np.asarray(read(data / "WIDER/images" / name)))
        boxes = [tuple(float(line[key]) for key in ("x", "y", "width", "height")) for line in lines]
        false += sum(max(overlap(face.box, box) for box in boxes) < 0.4 for face in faces)
        for line, box in zip(lines, boxes, strict=True):
            if line["invalid"] == "1" or line["occlusion"] == "2":
                continue
            hit = any(overlap(face.box, box) >= 0.4 for face in faces)
            for low, high in HEIGHTS:
                if low <= box[3] < high:
                    found[low, high].append(hit)
    for low, high in HEIGHTS:
        name = f"faces {low}-{high} pixels high" if high < 10_000 else f"faces from {low} pixels high"
        yield row("WIDER FACE", name, found[low, high])
    yield row("WIDER FACE", "all photos", [], false / len(photos)) | {"number": len(photos)}


def portraits(detector: Detector, data: Path, number: int, rng: random.Random) -> Iterator[Row]:
    for name, folder, chip in (
        ("UTKFace", "UTKFace", True),
        ("FIW", "FIW/faces", True),
        ("FG-NET", "FGNET/images", False),
        ("CelebA", "CelebA/img_align_celeba", False),
    ):
        files = sorted((data / folder).iterdir())
        found, further = [], 0
        for path in tqdm(rng.sample(files, min(number, len(files))), desc=name):
            picture = read(path)
            pixels = np.asarray(picture)
            face = detector.detect_chip(pixels) if chip else None
            faces = ([face] if face else []) if chip else detector.detect(pixels)
            hits = [holds(face, picture.width / 2, picture.height / 2) for face in faces]
            found.append(any(hits))
            further += len(hits) - any(hits)
        yield row("portraits", name, found, further / len(found))


def groups(detector: Detector, data: Path, number: int, rng: random.Random, seed: int) -> Iterator[Row]:
    by_group: dict[str, list[Path]] = defaultdict(list)
    for path in sorted((data / "UTKFace").iterdir()):
        parts = path.name.split("_")
        if len(parts) == 4 and parts[2] in GROUPS:
            by_group[GROUPS[parts[2]]].append(path)
    background = texture(640, 480, np.random.default_rng(seed))
    for group, files in sorted(by_group.items()):
        chosen = rng.sample(files, min(number, len(files)))
        whole = [detector.detect_chip(np.asarray(read(path))) is not None for path in chosen]
        yield row("groups", f"{group}, chip", whole)
        for width in (32, 48):
            hits = pasted(detector, chosen, background, width, rng, several=1, chip=True)
            yield row("groups", f"{group}, face {width} pixels wide", list(hits))


def pasted(
    detector: Detector,
    files: Iterable[Path],
    background: PIL.Image.Image,
    width: float,
    rng: random.Random,
    *,
    several: int,
    chip: bool = False,
) -> Iterator[bool]:
    """Say for each photo whether its face is found again, `several` photos at a time on the background."""
    waiting = list(files)
    while waiting:
        canvas, places = background.copy(), []
        for path in [waiting.pop() for _ in range(min(several, len(waiting)))]:
            photo = read(path)
            face = _alone(detector, photo, chip)
            if face is None:
                continue
            scale = width / face[2]
            size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
            at = [rng.randint(min(0, free), max(0, free)) for free in np.subtract(canvas.size, size)]
            canvas.paste(photo.resize(size, PIL.Image.Resampling.LANCZOS), (at[0], at[1]))
            box = face[0] * scale + at[0], face[1] * scale + at[1], face[2] * scale, face[3] * scale
            places = [(there, area) for there, area in places if not _covers(at, size, there)]
            places.append((box, size))
        faces = detector.detect(np.asarray(canvas))
        for box, _ in places:
            yield any(overlap(face.box, box) >= 0.4 for face in faces)


def _alone(detector: Detector, photo: PIL.Image.Image, chip: bool) -> Box | None:
    pixels = np.asarray(photo)
    faces = [detector.detect_chip(pixels)] if chip else detector.detect(pixels)[:1]
    return faces[0].box if faces and faces[0] else None


def _covers(at: list[int], size: tuple[int, int], box: Box) -> bool:
    """Whether a photo pasted later lies over a face."""
    area = (float(at[0]), float(at[1]), float(size[0]), float(size[1]))
    return overlap(area, box) > 0


def sizes(detector: Detector, data: Path, number: int, rng: random.Random, seed: int) -> Iterator[Row]:
    files = []
    for folder in ("FGNET/images", "CelebA/img_align_celeba"):
        files += rng.sample(sorted((data / folder).iterdir()), number // 2)
    for width, height in BACKGROUNDS:
        background = texture(width, height, np.random.default_rng(seed))
        for face in tqdm(FACE_WIDTHS, desc=f"pasted in {width}x{height}"):
            several = max(1, min(8, width // (face * 6)))
            hits = list(pasted(detector, files, background, face, random.Random(seed), several=several))
            yield row(f"pasted in {width}x{height}", f"face {face} pixels wide", hits)
        false = len(detector.detect(np.asarray(background)))
        yield row("without faces", f"{width}x{height}", [], float(false)) | {"number": 1}


def turned(detector: Detector, data: Path, number: int, rng: random.Random) -> Iterator[Row]:
    records = rng.sample(list(read_fgnet(data / "FGNET")), number)
    for angle in ANGLES:
        found = []
        for record in records:
            picture = read(record.path)
            assert record.landmarks is not None
            middle = np.mean(keypoints_of_fgnet(record.landmarks), axis=0) - np.divide(picture.size, 2)
            grown = picture.rotate(angle, PIL.Image.Resampling.BICUBIC, expand=True)
            a = np.radians(angle)
            there = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) @ middle
            x, y = there + np.divide(grown.size, 2)
            found.append(any(holds(face, x, y) for face in detector.detect(np.asarray(grown))))
        yield row("turned", f"FG-NET by {angle} degrees", found)


def points(detector: Detector, data: Path) -> Iterator[Row]:
    records = list(read_fgnet(data / "FGNET"))[::4]
    for width in (None, 200, 100, 50, 32):
        errors = []
        for record in tqdm(records, desc=f"points, {width}"):
            picture = read(record.path)
            assert record.landmarks is not None
            wanted = np.array(keypoints_of_fgnet(record.landmarks))
            if width is not None:
                scale = width / np.ptp(np.array(record.landmarks)[:, 0])
                size = round(picture.width * scale), round(picture.height * scale)
                wanted = wanted * np.divide(size, picture.size)
                picture = picture.resize(size, PIL.Image.Resampling.LANCZOS)
            faces = detector.detect(np.asarray(picture))
            if faces:
                off = np.linalg.norm(np.array(faces[0].keypoints) - wanted, axis=1)
                errors.append(off / np.linalg.norm(wanted[0] - wanted[1]))
        name = "as it is" if width is None else f"face {width} pixels wide"
        for point, error in zip(KEYPOINT_NAMES, np.median(errors, axis=0), strict=True):
            yield {
                "part": "points, FG-NET",
                "measure": f"{name}, {point}",
                "number": len(errors),
                "error": f"{error:.4f}",
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detection" / "detector_recall.csv")
    options = parser.parse_args()
    detector, rng = Detector(), random.Random(options.seed)
    rows = [
        *wider(detector, options.data),
        *portraits(detector, options.data, options.number, rng),
        *groups(detector, options.data, options.number // 2, rng, options.seed),
        *sizes(detector, options.data, options.number, rng, options.seed),
        *turned(detector, options.data, options.number, rng),
        *points(detector, options.data),
    ]
    made = cells() | {"seed": str(options.seed)}
    rows = [{column: each.get(column, "") for column in COLUMNS} for each in rows]
    write_rows(options.output, rows, made)
    for each in rows:
        print(*each.values(), sep="\t")


if __name__ == "__main__":
    main()
