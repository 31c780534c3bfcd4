"""Measure which real faces each detector finds and how many false boxes it makes.

    python benchmarks/detector_recall.py --data ../shared/data

Writes results/detector_recall.csv. Four parts:
1. pictures: UTKFace chips (200x200, the face fills them), the same chips padded with grey by 25%, FG-NET and
   CelebA photos; and UTKFace chips through `detect_chip`.
2. groups: as many UTKFace chips of each group in the file names, whole, and shrunk and pasted on a
   background. Groups audit errors only; nothing estimates them.
3. face size: FG-NET and CelebA photos shrunk until the face is so many pixels wide, each pasted at a random
   place of a 640x480 and a 1920x1440 background, a textured picture that this script makes.
4. false boxes: backgrounds with nothing pasted, and the pictures in the folder --without-faces.

Where a face was pasted it is found if a box overlaps the reference box by an intersection over union of 0.4;
elsewhere if a box holds the middle of the picture. The reference is `detect_chip` with `short` on the photo
by itself; photos without one are left out and counted. Every further box is called false, though a photo may
show a second person.
"""

from __future__ import annotations

import argparse
import csv
import platform
import random
from collections import defaultdict
from datetime import date
from importlib import metadata
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from phiz.detect import Detector, detect_chip, load_detector
from phiz.types import Box, Detection

ROOT = Path(__file__).resolve().parents[1]
DETECTORS = ("auto", "short", "back")
GROUP_CODES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Other"}
FACE_WIDTHS = (24, 32, 40, 48, 64, 96, 128, 192)
BACKGROUNDS = ((640, 480), (1920, 1440))
COLUMNS = (
    *("detector", "pictures", "part", "number", "recall", "false_per_picture"),
    *("seed", "command", "date", "python", "versions"),
)
#: key -> [pictures, found, false boxes]
Counts = dict[tuple[str, str, str], list[int]]
Detectors = dict[str, Detector]


def read(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def list_pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".png"})


def draw_sample(files: list[Path], number: int, rng: random.Random) -> list[Path]:
    return rng.sample(files, min(number, len(files)))


def padded(picture: Image.Image, share: float = 0.25) -> Image.Image:
    across, down = round(picture.width * share), round(picture.height * share)
    canvas = Image.new("RGB", (picture.width + 2 * across, picture.height + 2 * down), (127, 127, 127))
    canvas.paste(picture, (across, down))
    return canvas


def texture(width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Make a background: colour noise summed over scales, about 1/f as in photographs, and hard blocks."""
    total = np.zeros((height, width, 3))
    for level in range(2, 9):
        cells = rng.normal(size=(2**level * 3 // 4, 2**level, 3))
        layer = [
            Image.fromarray(cells[:, :, c].astype(np.float32)).resize((width, height), 3) for c in range(3)
        ]
        total += np.stack([np.asarray(channel) for channel in layer], -1) / 2 ** (level / 2)
    pixels = np.clip(128 + 45 * total, 0, 255).astype(np.uint8)
    for _ in range(40):
        x, y = rng.integers(0, width), rng.integers(0, height)
        w, h = rng.integers(8, width // 5, 2)
        pixels[y : y + h, x : x + w] = pixels[y : y + h, x : x + w] // 2 + rng.integers(
            0, 128, 3, dtype=np.uint8
        )
    return Image.fromarray(pixels)


def overlap(one: Box, other: Box) -> float:
    (x, y, w, h), (u, v, p, q) = one, other
    shared = max(0.0, min(x + w, u + p) - max(x, u)) * max(0.0, min(y + h, v + q) - max(y, v))
    return shared / (w * h + p * q - shared)


def central(faces: list[Detection], picture: Image.Image) -> list[bool]:
    across, down = picture.width / 2, picture.height / 2
    return [x < across < x + w and y < down < y + h for x, y, w, h in (face.box for face in faces)]


def count(counts: Counts, key: tuple[str, str, str], hits: list[bool]) -> None:
    """Add one picture whose boxes are, one by one, on the face or not."""
    total = counts[key]
    total[0] += 1
    total[1] += any(hits)
    total[2] += len(hits) - any(hits)


def paste(photo: Image.Image, box: Box, width: float, canvas: Image.Image, rng: random.Random) -> Box:
    """Paste the photo on the canvas with its face so wide; return where the face's box went."""
    scale = width / box[2]
    size = round(photo.width * scale), round(photo.height * scale)
    room = canvas.width - size[0], canvas.height - size[1]
    at = [rng.randint(min(0, free), max(0, free)) for free in room]
    canvas.paste(photo.resize(size, Image.Resampling.LANCZOS), (at[0], at[1]))
    return box[0] * scale + at[0], box[1] * scale + at[1], box[2] * scale, box[3] * scale


def on_face(faces: list[Detection], box: Box) -> list[bool]:
    return [overlap(face.box, box) >= 0.4 for face in faces]


def measure_pictures(detectors: Detectors, data: Path, number: int, rng: random.Random) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    for kind, folder, share in (
        ("UTKFace chip", "UTKFace", 1),
        ("FG-NET", "FGNET/images", 2),
        ("CelebA", "CelebA/img_align_celeba", 2),
    ):
        files = draw_sample(list_pictures(data / folder), number // share, rng)
        for path in tqdm(files, desc=kind, mininterval=2):
            photo = read(path)
            variants = {kind: photo}
            if folder == "UTKFace":
                variants["UTKFace chip, padded 25%"] = padded(photo)
                found = detect_chip(np.asarray(photo), detectors["auto"])
                count(counts, ("detect_chip", kind, "all"), central([found] if found else [], photo))
            for label, picture in variants.items():
                for name, detector in detectors.items():
                    count(
                        counts, (name, label, "all"), central(detector.detect(np.asarray(picture)), picture)
                    )
    return counts


def measure_groups(detectors: Detectors, data: Path, number: int, seed: int) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    rng, noise, auto = random.Random(seed), np.random.default_rng(seed), detectors["auto"]
    backgrounds = [texture(640, 480, noise) for _ in range(6)]
    files: dict[str, list[Path]] = defaultdict(list)
    for path in list_pictures(data / "UTKFace"):
        fields = path.name.split("_")
        if len(fields) == 4 and fields[2] in GROUP_CODES:
            files[GROUP_CODES[fields[2]]].append(path)
    for group in GROUP_CODES.values():
        for path in tqdm(draw_sample(files[group], number, rng), desc=group, mininterval=2):
            chip = read(path)
            found = detect_chip(np.asarray(chip), auto)
            count(counts, ("detect_chip", "UTKFace chip", group), central([found] if found else [], chip))
            count(counts, ("auto", "UTKFace chip", group), central(auto.detect(np.asarray(chip)), chip))
            for width in (32, 48):
                canvas = rng.choice(backgrounds).copy()
                box = paste(chip, found.box if found else (8, 8, 184, 184), width, canvas, rng)
                hits = on_face(auto.detect(np.asarray(canvas)), box)
                count(counts, ("auto", f"UTKFace chip pasted, face {width} px", group), hits)
    return counts


def measure_sizes(detectors: Detectors, data: Path, number: int, seed: int) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    rng, noise, left_out = random.Random(seed), np.random.default_rng(seed), 0
    paths = [
        path
        for folder in ("FGNET/images", "CelebA/img_align_celeba")
        for path in draw_sample(list_pictures(data / folder), number // 2, rng)
    ]
    rng.shuffle(paths)
    deeper = load_detector("auto", min_face=24)
    backgrounds = {size: [texture(*size, noise) for _ in range(4)] for size in BACKGROUNDS}
    for index, path in enumerate(tqdm(paths, desc="face sizes", mininterval=2)):
        photo = read(path)
        reference = detect_chip(np.asarray(photo), detectors["short"])
        if reference is None:
            left_out += 1
            continue
        for (width, height), canvases in backgrounds.items():
            # A look at the large background takes ten times as long: every photo at one width only.
            widths = FACE_WIDTHS if width == 640 else [FACE_WIDTHS[index % len(FACE_WIDTHS)]]
            for face in widths:
                canvas = rng.choice(canvases).copy()
                box = paste(photo, reference.box, face, canvas, rng)
                extra = {"auto, min_face 24": deeper} if width == 640 and face <= 40 else {}
                for name, detector in (detectors | extra).items():
                    key = (name, f"pasted in {width}x{height}", f"{face} px")
                    count(counts, key, on_face(detector.detect(np.asarray(canvas)), box))
    print(f"{left_out} of {len(paths)} photos left out of the face sizes: no reference")
    return counts


def measure_false_boxes(detectors: Detectors, folder: Path | None, seed: int) -> Counts:
    counts: Counts = defaultdict(lambda: [0, 0, 0])
    noise = np.random.default_rng(seed + 1)
    pictures = [("made texture 640x480", texture(640, 480, noise)) for _ in range(60)]
    pictures += [("made texture 1920x1440", texture(1920, 1440, noise)) for _ in range(10)]
    for path in list_pictures(folder) if folder else []:
        photo = read(path)
        pictures.append(("without faces", photo))
        pictures.append(("without faces, doubled", photo.resize((photo.width * 2, photo.height * 2))))
    for kind, picture in tqdm(pictures, desc="false boxes", mininterval=2):
        for name, detector in detectors.items():
            count(counts, (name, kind, "all"), [False] * len(detector.detect(np.asarray(picture))))
    return counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--without-faces", type=Path, help="folder of pictures that show no face")
    parser.add_argument(
        "--pictures", type=int, default=600, help="UTKFace chips of part 1; the other parts follow"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "detector_recall.csv")
    options = parser.parse_args()
    detectors = {name: load_detector(name) for name in DETECTORS}
    data, number, seed = options.data, options.pictures, options.seed
    counts = measure_pictures(detectors, data, number, random.Random(seed))
    counts |= measure_groups(detectors, data, number // 3, seed)
    counts |= measure_sizes(detectors, data, number // 6, seed)
    counts |= measure_false_boxes(detectors, options.without_faces, seed)
    versions = " ".join(
        f"{name}={metadata.version(name)}" for name in ("phiz", "numpy", "onnxruntime", "pillow")
    )
    command = f"python benchmarks/detector_recall.py --pictures {options.pictures} --seed {options.seed}"
    if options.without_faces:
        command += " --without-faces FOLDER"
    with options.output.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for (name, kind, part), (number, found, false) in counts.items():
            none_to_find = "texture" in kind or "without" in kind
            recall = "" if none_to_find else f"{found / number:.4f}"
            print(
                f"{name:17s} {kind:36s} {part:6s} {number:5d}  recall {recall:6s}  false {false / number:.4f}"
            )
            row = [name, kind, part, number, recall, f"{false / number:.4f}", options.seed, command]
            table.writerow([*row, date.today(), platform.python_version(), versions])


if __name__ == "__main__":
    main()
