"""Draw what augmentation does, link by link, on the bundled public-domain portrait.

    python tools/augmentation_sheet.py recipes/NAME.toml docs/augmentation.webp --turned docs/turned.webp

Each row is one link alone, always applied, in eight draws; the last rows are the recipe's whole augmentation
at full strength and in its gentle epochs, and the poor camera of validation. No other picture is drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from phiz import image
from phiz.crop import CropTemplate, face_crop
from phiz.data import ASTRONAUT
from phiz.detect import Detector
from phiz.landmarks.mesh import FaceMesh
from phiz.training.augment import augment
from phiz.training.crops import MARGIN
from phiz.training.domains import POOR
from phiz.training.recipe import load_recipe
from phiz.training.sections import Augmentation
from phiz.training.turned import turn
from phiz.types import Point

DRAWS, CAPTION = 8, 96
ANGLES, SIDE = (-60, -45, -30, -15, 0, 15, 30, 45, 60), 96
#: Links that are spreads rather than probabilities, and how much of each the sheet shows.
SPREADS = {"keypoints": 0.03, "rotation": 15.0, "exposure": 1.5, "cast": 0.3}
LINKS = ("light", "lens", "motion", "shrink", "sensor", "jpeg")
COVERS = ("mask", "scarf", "hat", "glasses", "patch", "corners")


def rows(how: Augmentation) -> dict[str, Augmentation]:
    """Return the settings of each row by its caption."""
    names = [field.name for field in fields(Augmentation) if field.name not in ("flip", "faint")]
    nothing = Augmentation(**dict.fromkeys(names, 0.0), flip=False)
    found = {"none": nothing}
    found |= {name: replace(nothing, **{name: value}) for name, value in SPREADS.items()}
    found |= {name: replace(nothing, **{name: 1.0}) for name in (*LINKS, *COVERS)}
    gentle = replace(how, **{name: how.faint * getattr(how, name) for name in names})
    return found | {"recipe": how, "recipe, faint": gentle, "poor camera": POOR}


def main() -> None:
    """Cut the portrait's face as training does and draw the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument(
        "--turned", type=Path, help="also draw the face turned to either side, into this file"
    )
    options = parser.parse_args()
    recipe = load_recipe(options.recipe)
    size, full = recipe.network.size, round(recipe.network.size * MARGIN)
    picture = image.load(ASTRONAUT)
    points = Detector().detect(picture)[0].keypoints
    face = face_crop(picture, points, full, recipe.crop.zoomed_out(MARGIN))
    crops = torch.from_numpy(np.array(face))[None].expand(DRAWS, -1, -1, -1).contiguous()
    shown = rows(recipe.augmentation)
    sheet = Image.new("RGB", (CAPTION + DRAWS * (size + 2), len(shown) * (size + 2)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (caption, how) in enumerate(shown.items()):
        top = number * (size + 2)
        draw.text((4, top + size // 2 - 6), caption, fill="black")
        x = augment(crops, size, how, torch.Generator().manual_seed(number))
        pixels = x.add(1).mul(127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
        for column, one in enumerate(pixels):
            sheet.paste(Image.fromarray(one), (CAPTION + column * (size + 2), top))
    sheet.save(options.output, quality=90, method=6)
    print(f"{options.output}: {len(shown)} rows")
    if options.turned:
        draw_turned(picture, points, recipe.crop).save(options.turned, quality=90, method=6)


def draw_turned(picture: np.ndarray, points: Sequence[Point], crop: CropTemplate) -> Image.Image:
    """Return the face turned by each of ANGLES, and below it the crop by the points found on it."""
    detector, mesh = Detector(), FaceMesh()
    level = face_crop(picture, points, 2 * SIDE, crop.zoomed_out(2.0))
    surface = mesh.surface(level, detector.detect(level)[0])
    if surface is None:
        raise SystemExit("expected the face mesh to see the portrait's face")
    sheet = Image.new("RGB", (len(ANGLES) * (SIDE + 2), 2 * (SIDE + 2)), "white")
    for column, degrees in enumerate(ANGLES):
        seen = turn(level, surface, degrees)
        below = face_crop(seen, detector.detect(seen)[0].keypoints, SIDE, crop)
        sheet.paste(Image.fromarray(seen).resize((SIDE, SIDE)), (column * (SIDE + 2), 0))
        sheet.paste(Image.fromarray(below), (column * (SIDE + 2), SIDE + 2))
    return sheet


if __name__ == "__main__":
    main()
