"""Made trees with attributes: CelebA's layout round one free portrait, and UTKFace's of drawn chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_faces import chip
from PIL import Image, ImageEnhance

NAMES = ("Blurry", "Male", "Smiling", "Young")

RECIPE = """
task = "attributes"
name = "made"
seed = 3
attributes = ["Male", "Young", "Blurry", "Smiling"]

[[train]]
dataset = "celeba"
split = "split.csv"

[[validation]]
dataset = "celeba"
split = "split.csv"

[crop]
right_eye = [0.37, 0.43]
left_eye = [0.63, 0.43]
right_mouth = [0.35, 0.7]
left_mouth = [0.65, 0.7]
chip = [-0.3, -0.3, 1.6]

[network]
size = 32
HEAD

[optimisation]
epochs = 3
batch = 4
device = "cpu"

[loss]
mixup = 0.5
"""
LABEL2LABEL = 'head = "label2label"\nwidth = 16\nheads = 2\nhidden = 16\nlayers = 1\nmask = 0.3'


def make(folder: Path, train: int = 12, validation: int = 8, test: int = 8) -> Path:
    """Write data/CelebA, split.csv and recipe.toml into `folder`; return the recipe's path.

    Every third picture is Blurry (small and enlarged), every second Male (bluish), a Young one bright; nobody
    is Smiling. The first picture shows no face.
    """
    from phiz.data import ASTRONAUT

    pictures = folder / "data" / "CelebA" / "img_align_celeba"
    pictures.mkdir(parents=True)
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((120, 0, 320, 245)).resize((178, 218))
    rows, labels, people = ["file,part,cluster"], [], []
    for i in range(train + validation + test):
        blurry, male, young = i % 3 == 0, i % 2 == 0, i % 5 < 3
        picture = ImageEnhance.Brightness(portrait).enhance(1.2 if young else 0.8).rotate(i % 7 - 3)
        if male:
            pixels = np.asarray(picture).copy()
            pixels[..., 0] = pixels[..., 0] // 2
            picture = Image.fromarray(pixels)
        if blurry:
            picture = picture.resize((60, 73)).resize((178, 218))
        name = f"{i:06d}.jpg"
        (Image.new("RGB", (178, 218), "grey") if i == 0 else picture).save(pictures / name)
        part = "train" if i < train else "validation" if i < train + validation else "test"
        rows.append(f"{name},{part},{i}")
        labels.append(f"{name} " + " ".join("1" if v else "-1" for v in (blurry, male, False, young)))
        people.append(f"{name} {i}")
    celeba = pictures.parent
    (celeba / "list_attr_celeba.txt").write_text(
        "\n".join([str(len(labels)), " ".join(NAMES), *labels]) + "\n"
    )
    (celeba / "identity_CelebA.txt").write_text("\n".join(people) + "\n")
    (folder / "split.csv").write_text("\n".join(rows) + "\n")
    return write_recipe(folder)


def write_recipe(
    folder: Path, name: str = "recipe", head: str = LABEL2LABEL, *changes: tuple[str, str]
) -> Path:
    """Write a recipe with another head or with changed lines; return its path."""
    text = RECIPE.replace("HEAD", head)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.toml").write_text(text)
    return folder / f"{name}.toml"


def make_utkface(folder: Path, each: int = 6) -> None:
    """Add data/UTKFace of drawn chips, `each` of two groups in every part, and utkface.csv."""
    pictures = folder / "data" / "UTKFace"
    pictures.mkdir(parents=True)
    rows = ["file,part,cluster"]
    number = 0
    for part in ("train", "validation", "test"):
        for group in (0, 2):
            for i in range(each):
                age, female = 20 + 10 * (i % 5), i % 2 == 0
                name = f"{age}_{int(female)}_{group}_{20170101000000000 + number}.jpg.chip.jpg"
                chip(age, female).save(pictures / name)
                rows.append(f"{name},{part},{number}")
                number += 1
    (folder / "utkface.csv").write_text("\n".join(rows) + "\n")
