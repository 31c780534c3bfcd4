"""A made data set with genders, one without, and an annotator of two tiny networks."""

from __future__ import annotations

from pathlib import Path

from made_faces import chip, make

ANNOTATION = """
[annotation]
unlabelled = "csv"
networks = ["test_resnet", "test_efficientnet"]

[network]
size = 64
"""


def make_annotation(folder: Path, faces: int = 6) -> Path:
    """Write UTKFace for training, faces.csv of unlabelled portraits beside it, and the annotator's recipe.

    The portraits are of one freely licensed photo, turned a little; half of them have a gender that labelling
    must not look at. Return the recipe's path.
    """
    from PIL import Image

    from phiz.data import ASTRONAUT

    path = make(folder, train=16, validation=6, photos=2)
    text = path.read_text().replace('[[train]]\ndataset = "celeba"\nsplit = "celeba.csv"\nshare = 0.5\n', "")
    text = text.replace("epochs = 3", "epochs = 1")
    path.write_text('task = "annotation"\n' + text + ANNOTATION)
    portrait = Image.open(ASTRONAUT).convert("RGB")
    rows = ["file,age,gender,subject"]
    for i in range(faces):
        picture = portrait.rotate(2 * i).crop((100 + i, 0, 330 + i, 260))
        picture.save(folder / "data" / f"face{i}.jpg")
        rows.append(f"face{i}.jpg,{20 + i},{'f' if i % 2 else 'm'},p{i}")
    chip(30, True).resize((20, 20)).save(folder / "data" / "nobody.jpg")
    (folder / "data" / "faces.csv").write_text("\n".join([*rows, "nobody.jpg,40,,p9"]) + "\n")
    return path
