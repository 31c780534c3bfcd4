"""Miniatures of data sets in their published layouts: fourteen pictures, one free portrait on each."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from trees import MATLAB_EPOCH, imdb_mat, text

from phiz.data import ASTRONAUT

COUNT = 14
AGES = list(range(20, 20 + COUNT))  # of one band, since parts are drawn band by band


def faces(folder: Path, names: list[str]) -> None:
    """Write the portrait under each name, turned and framed a little differently each time."""
    portrait = Image.open(ASTRONAUT).convert("RGB").crop((110, 0, 330, 250))
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        portrait.rotate(i - COUNT // 2).save(path, "JPEG", quality=95)


def morph2(data: Path) -> None:
    """One picture each of fourteen people."""
    names = [f"Album2/{i:06d}_0{'MF'[i % 2]}{AGES[i]}.JPG" for i in range(COUNT)]
    faces(data / "MORPH_nonCommercial", names)


def megaage_asian(data: Path) -> None:
    """Twelve train, two test."""
    folder = data / "megaage_asian"
    for part, rows in (("train", range(12)), ("test", range(12, COUNT))):
        faces(folder / part, [f"{i}.jpg" for i in rows])
        text(folder / "list" / f"{part}_name.txt", "".join(f"{i}.jpg\n" for i in rows))
        text(folder / "list" / f"{part}_age.txt", "".join(f"{AGES[i]}\n" for i in rows))


def all_age_faces(data: Path) -> None:
    """Twelve train, two validate."""
    folder = data / "All-Age-Faces Dataset"
    names = [f"{i * 1000:05d}A{AGES[i]:02d}.jpg" for i in range(COUNT)]
    faces(folder / "original images", names)
    rows = [f"{name} {int(i * 1000 > 7380)}\n" for i, name in enumerate(names)]
    text(folder / "image sets" / "train.txt", "".join(rows[:12]))
    text(folder / "image sets" / "val.txt", "".join(rows[12:]))


def imdb_wiki(data: Path) -> None:
    """Seven pictures in either half, of as many people."""
    for half, source, rows in (("imdb_crop", "imdb", range(7)), ("wiki_crop", "wiki", range(7, COUNT))):
        faces(data / half, [f"00/{i}.jpg" for i in rows])
        entries = [
            {
                "dob": 730_000 - 365 * AGES[i] + MATLAB_EPOCH,
                "photo_taken": 2000.0,
                "gender": float(i % 2),
                "face_score": 1.0,
                "second_face_score": float("nan"),
                "full_path": f"00/{i}.jpg",
                "name": f"person {i}",
            }
            for i in rows
        ]
        imdb_mat(data / half / f"{source}.mat", source, entries)


def fgnet(data: Path) -> None:
    """Two tuning people and five others, twice each."""
    people = (1, 2, 3, 4, 5, 6, 11)
    faces(data / "FGNET" / "images", [f"{people[i // 2]:03d}A{AGES[i]:02d}.JPG" for i in range(COUNT)])


def fairface(data: Path) -> None:
    """Twelve train, two validate; ages are ranges."""
    folder = data / "FairFace"
    ranges = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "more than 70"] * 2
    for part, short, rows in (("train", "train", range(12)), ("val", "val", range(12, COUNT))):
        faces(folder, [f"{part}/{i}.jpg" for i in rows])
        lines = [f"{part}/{i}.jpg,{ranges[i]},{('Female', 'Male')[i % 2]},Other,False\n" for i in rows]
        text(folder / f"fairface_label_{short}.csv", "file,age,gender,race,service_test\n" + "".join(lines))


def lagenda(data: Path) -> None:
    """One marked face a photo."""
    folder = data / "LAGENDA"
    faces(folder / "lag_benchmark", [f"{i}.jpg" for i in range(COUNT)])
    header = "img_name,age,gender,face_x0,face_y0,face_x1,face_y1,person_x0,person_y0,person_x1,person_y1\n"
    rows = [
        f"lag_benchmark/{i}.jpg,{AGES[i]},{'FM'[i % 2]},60,60,160,170,0,0,220,250\n" for i in range(COUNT)
    ]
    text(folder / "lagenda_annotation.csv", header + "".join(rows))


def own(data: Path) -> None:
    """A user's table."""
    faces(data, [f"{i}.jpg" for i in range(COUNT)])
    with (data / "faces.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "age", "gender"])
        writer.writerows([f"{i}.jpg", AGES[i], ("female", "male")[i % 2]] for i in range(COUNT))


MAKERS: dict[str, Callable[[Path], None]] = {
    "morph2": morph2,
    "megaage-asian": megaage_asian,
    "all-age-faces": all_age_faces,
    "imdb-wiki": imdb_wiki,
    "fgnet": fgnet,
    "fairface": fairface,
    "lagenda": lagenda,
    "csv": own,
}
