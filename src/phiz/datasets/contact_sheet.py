"""A contact sheet: some pictures of a data set with their labels, to see what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import DataError, ImageError
from .record import FaceRecord

COLUMNS, ROWS = 8, 6
SIDE, CAPTION = 128, 16
_GREY, _WHITE = (96, 96, 96), (255, 255, 255)


def chosen(records: Sequence[FaceRecord], count: int = COLUMNS * ROWS) -> list[FaceRecord]:
    """Return count records spread evenly over all, in the order of age; those without an age come last."""
    ordered = sorted(records, key=lambda r: (r.age is None, r.age or 0.0, str(r.path)))
    if len(ordered) <= count:
        return ordered
    return [ordered[index * len(ordered) // count] for index in range(count)]


def write_contact_sheet(path: Path, records: Sequence[FaceRecord]) -> list[str]:
    """Draw up to 48 pictures with age and gender below and write them to path, a .png, .jpg or .webp.

    Returns what is wrong with the pictures that could not be read; their places stay grey. Raises
    DataError where path cannot be written.
    """
    from PIL import Image, ImageDraw, ImageFont, ImageOps  # as in near_duplicates: readers need no Pillow

    from ..image import load

    shown = chosen(records)
    rows = max(1, -(-len(shown) // COLUMNS))
    sheet = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + CAPTION)), _WHITE)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    unreadable = []
    for place, record in enumerate(shown):
        x, y = place % COLUMNS * SIDE, place // COLUMNS * (SIDE + CAPTION)
        try:
            picture = ImageOps.pad(Image.fromarray(load(record.path)), (SIDE, SIDE), color=_WHITE)
        except ImageError as error:
            unreadable.append(str(error))
            picture = Image.new("RGB", (SIDE, SIDE), _GREY)
        sheet.paste(picture, (x, y))
        pen.text((x + 4, y + SIDE + 1), caption(record), fill=(0, 0, 0), font=font)
    try:
        sheet.save(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a place for a .png, .jpg or .webp file, {error}") from error
    return unreadable


def caption(record: FaceRecord) -> str:
    """Return a picture's labels in a few characters, such as "31 female"."""
    age = None if record.age is None else f"{record.age:g}"
    return " ".join(filter(None, (age, record.gender))) or "no label"
