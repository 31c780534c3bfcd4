"""Make faces turned to the side out of a recipe's training pictures, for its [data] turned.

    python tools/turn_faces.py recipes/multitask-domains.toml --data ../shared/data --output runs/turned

Each picture that is seen from the front is turned once, by 15 to 60 degrees to either side; which, and by
how much, follows from its name. Pictures keep folder and name of what they were made of, so that teachers'
answers fit, and none is learnt from whose source is not in the training part. A run that was killed goes on.
The folder holds faces: the terms of the data sets say whether anybody else may see it. Needs the extras train
and eval.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from phiz import image
from phiz.crop import CropTemplate, face_crop
from phiz.datasets.record import FaceRecord
from phiz.detect import Detector
from phiz.landmarks.mesh import FaceMesh
from phiz.training.age_gender_data import training_records
from phiz.training.recipe import load_recipe
from phiz.training.teachers import picture
from phiz.training.turned import turn, yaw

#: The picture that is turned: its side, and how many times as wide as the recipe's crop it is.
SIDE, WIDE = 192, 2.0
#: Degrees: how far a face may look away to be turned, by how much it is, and where it may then look.
FRONTAL, LEAST, MOST = 20.0, 15.0, 60.0


def draw(name: str) -> tuple[float, float]:
    """Return two numbers from 0 to 1 that follow from a name."""
    digest = hashlib.sha256(name.encode()).digest()
    return digest[0] / 255, int.from_bytes(digest[1:5], "big") / 2**32


def turned(
    record: FaceRecord, chips: bool, template: CropTemplate, detector: Detector, mesh: FaceMesh
) -> Image.Image | None:
    """Return the record's face turned, None where it is not seen from the front."""
    photo = image.load(record.path)
    faces = [detector.detect_chip(photo)] if chips else detector.detect(photo)[:1]
    if not faces or faces[0] is None:
        return None
    level = face_crop(photo, faces[0].keypoints, SIDE, template.zoomed_out(WIDE))
    faces = detector.detect(level)[:1]
    surface = mesh.surface(level, faces[0]) if faces else None
    if surface is None or abs(now := yaw(surface)) > FRONTAL:
        return None
    side, share = draw(picture(str(record.path)))
    degrees = (LEAST + share * (MOST - LEAST)) * (1 if side < 0.5 else -1)
    degrees = max(-MOST, min(MOST, now + degrees)) - now
    return Image.fromarray(turn(level, surface, degrees))


def main() -> None:
    """Turn the recipe's training pictures and list them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the data sets")
    parser.add_argument("--output", type=Path, required=True, help="folder to make, outside the repository")
    parser.add_argument("--every", type=int, default=1, help="turn every so-manieth picture of a data set")
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    detector, mesh = Detector(), FaceMesh()
    rows = []
    for records, chips in training_records(recipe, options.data):
        for record in tqdm(records[:: options.every], desc=str(records[0].path.parent.name), unit="face"):
            path = options.output / picture(str(record.path))
            skipped = path.with_suffix(".none")
            if not path.exists() and not skipped.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                made = turned(record, chips, recipe.crop, detector, mesh)
                if made is None:
                    skipped.touch()
                else:
                    part = path.with_suffix(".part")
                    made.save(part, "JPEG", quality=92)
                    part.replace(path)
            if path.exists():
                age = "" if record.age is None else f"{record.age:g}"
                rows.append([path.relative_to(options.output).as_posix(), age, record.gender or ""])
    with (options.output / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["file", "age", "gender"])
        writer.writerows(rows)
    print(f"{options.output}: {len(rows)} turned faces")


if __name__ == "__main__":
    main()
