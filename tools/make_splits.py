"""Make the published splits again: the rule of `phiz data split`, then copies of one photo put on one side.

    python tools/make_splits.py --data ../shared/data             # by the published list, splits/copies.csv
    python tools/make_splits.py --data ../shared/data --search    # look for the copies first (minutes)

The search cuts every face as training does and compares the crops of all data sets, upright and mirrored.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from phiz.crop import CropTemplate
from phiz.datasets import near_duplicates, registry, splits
from phiz.datasets.copies import Copy, Picture, read_copies, together, write_copies
from phiz.models.session import load_model
from phiz.training.crops import canonical, load_crops

SPLITS = Path(__file__).parents[1] / "splits"
SEED = 0
SETS = ("utkface", "celeba", "fiw")
#: Correlation of crops from which two pictures are kept on one side; docs/data.md tells how pairs look.
KEEP_TOGETHER = 0.78
SIZE = 64
MODEL = "multitask-64"
RULE = "Rule and counts: README.md. Made by: tools/make_splits.py --data DIR"


def search(data: Path, cache: Path) -> list[Copy]:
    """Return the pairs of pictures whose aligned crops agree, within and across data sets."""
    template = CropTemplate.from_dict(load_model(MODEL).card.crop)
    side = near_duplicates.SIDE
    names: list[Picture] = []
    small = []
    for name in SETS:
        records, chips = registry.read(name, data), registry.named(name).chips
        crops = load_crops(records, chips=chips, template=template, size=SIZE, cache=cache)
        names += [(name, Path(path).name) for path in crops.paths]
        for row in range(len(crops)):
            face = Image.fromarray(canonical(crops.pixels[row : row + 1], SIZE)[0])
            small.append(np.asarray(face.convert("L").resize((side, side), Image.Resampling.BOX), np.uint8))
    found = near_duplicates.matches(np.stack(small), KEEP_TOGETHER)
    return [Copy(names[i], names[j], alike) for i, j, alike in found]


def main() -> None:
    """Read the data, make the splits and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="holds UTKFace/, CelebA/ and FIW/")
    parser.add_argument("--search", action="store_true", help="look for copies rather than read the list")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="folder of the cut crops")
    options = parser.parse_args()
    if options.search:
        write_copies(SPLITS / "copies.csv", search(options.data, options.cache), f"{RULE} --search")
    copies = read_copies(SPLITS / "copies.csv")

    records = {name: registry.read(name, options.data) for name in SETS}
    row = {record.path.name: i for i, record in enumerate(records["utkface"])}
    same_photo = [
        (row[copy.first[1]], row[copy.second[1]])
        for copy in copies
        if copy.first[0] == copy.second[0] == "utkface" and copy.correlation >= splits.SAME_PHOTO
    ]
    chips, contradicting = splits.split_utkface(records["utkface"], SEED, same_photo)
    made = together(
        {
            "utkface": chips,
            "celeba": splits.split_celeba(records["celeba"], SEED),
            "fiw": splits.split_fiw(records["fiw"], SEED),
        },
        copies,
        followers=["fiw"],
    )
    # The attributes' test part is the validation part of celeba.csv, whatever moved there.
    tested = {row.file for row in made["celeba"] if row.part == "validation"}
    attributes = [
        row if (row.part == "test") == (row.file in tested) else replace(row, part="train")
        for row in splits.split_celeba(records["celeba"], SEED, test=True)
    ]
    made["celeba_attributes"] = together({"celeba": attributes}, copies)["celeba"]
    for name, rows in made.items():
        splits.write_split(SPLITS / f"{name}.csv", rows, RULE)
        parts = Counter(row.part for row in rows)
        print(f"{name}: " + ", ".join(f"{part} {parts[part]:,}" for part in sorted(parts)))
    header = f"Copies of one photo with contradicting labels. {RULE}"
    splits.write_conflicts(SPLITS / "utkface_conflicts.csv", contradicting, header)
    groups = len({conflict.cluster for conflict in contradicting})
    print(f"utkface_conflicts: {len(contradicting)} pictures in {groups} groups")


if __name__ == "__main__":
    main()
