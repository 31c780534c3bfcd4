"""A made data set of a few small chips, with split files and a recipe; enough to run every step for real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

RECIPE = """
name = "made"
seed = 3

[[train]]
dataset = "utkface"
split = "split.csv"
without = "conflicts.csv"

[[train]]
dataset = "celeba"
split = "celeba.csv"
share = 0.5

[[validation]]
dataset = "utkface"
split = "split.csv"

[data]

[crop]
right_eye = [0.28, 0.28]
left_eye = [0.72, 0.28]
right_mouth = [0.35, 0.75]
left_mouth = [0.65, 0.75]
chip = [0.05, 0.05, 0.9]

[optimisation]
epochs = 3
batch = 8

[loss]
distribution = 0.5
"""


def chip(age: int, female: bool, size: int = 80) -> Image.Image:
    """A round head whose brightness tells the age and whose colour the gender."""
    picture = Image.new("RGB", (size, size), (30, 30, 30))
    draw = ImageDraw.Draw(picture)
    tone = 60 + age
    draw.ellipse((4, 2, size - 5, size - 3), fill=(tone, tone, 200) if female else (200, tone, tone))
    for x in (0.32, 0.68):
        draw.ellipse((x * size - 4, 0.38 * size, x * size + 4, 0.38 * size + 6), fill=(0, 0, 0))
    draw.rectangle((0.35 * size, 0.72 * size, 0.65 * size, 0.76 * size), fill=(120, 0, 0))
    return picture


def make(folder: Path, train: int = 30, validation: int = 10, photos: int = 6) -> Path:
    """Write data/, split files and recipe.toml into `folder`; return the recipe's path."""
    random = np.random.default_rng(0)
    pictures = folder / "data" / "UTKFace"
    pictures.mkdir(parents=True)
    rows = ["file,part,cluster"]
    for i in range(train + validation):
        age, female = int(random.integers(1, 90)), bool(random.integers(2))
        name = f"{age}_{int(female)}_0_{20170101000000000 + i}.jpg.chip.jpg"
        chip(age, female).save(pictures / name)
        rows.append(f"{name},{'train' if i < train else 'validation'},{i}")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    (folder / "conflicts.csv").write_text("file,reason\n" + rows[1].split(",")[0] + ",age\n")
    _photos(folder / "data" / "CelebA", photos)
    names = [f"{i:06d}.jpg" for i in range(photos)]
    (folder / "celeba.csv").write_text(
        "file,part,cluster\n" + "".join(f"{n},train,{i}\n" for i, n in enumerate(names))
    )
    (folder / "recipe.toml").write_text(RECIPE)
    return folder / "recipe.toml"


def _photos(folder: Path, count: int) -> None:
    """CelebA's layout with one freely licensed portrait, turned a little, and one empty picture."""
    from phiz.data import ASTRONAUT

    (folder / "img_align_celeba").mkdir(parents=True)
    portrait = Image.open(ASTRONAUT).convert("RGB")
    for i in range(count):
        picture = Image.new("RGB", (178, 218), "grey") if i == 0 else portrait.crop((120, 0, 320, 245))
        picture.resize((178, 218)).rotate(i).save(folder / "img_align_celeba" / f"{i:06d}.jpg")
    names = [f"{i:06d}.jpg" for i in range(count)]
    (folder / "list_attr_celeba.txt").write_text(
        f"{count}\nMale Young\n" + "".join(f"{n} -1 1\n" for n in names)
    )
    (folder / "identity_CelebA.txt").write_text("".join(f"{n} {i}\n" for i, n in enumerate(names)))
