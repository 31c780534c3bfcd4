"""One chip, the answer that the fake model with made tables gives of it, and the options that change it.

Whatever presents answers can be held against these: command line, service, client, page, Parquet.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

#: A flat chip, 40 x 50 pixels, in which no face is found: it is taken whole.
COLOUR, SIZE = (204, 50, 46), (40, 50)
_ALWAYS: dict[str, Any] = {"box": [0.0, 0.0, 40.0, 50.0], "score": None, "keypoints": []}
_LOOK: dict[str, Any] = {
    "quality": {"size": 32.0, "sharpness": 0.0, "brightness": 0.343, "inside": 1.0},
    "flags": ["small", "blurred"],
}
_SAID: dict[str, Any] = {
    "age": 25.0,
    "age_interval": [21.0, 31.0],
    "gender": "female",
    "gender_score": 0.6667,
}
_UNSAID: dict[str, Any] = dict.fromkeys(_SAID)
#: Options as `phiz.Analyzer` takes them, and the face of the JSON answer.
CASES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({}, {**_ALWAYS, **_SAID, **_LOOK}),
    ({"coverage": 0.5}, {**_ALWAYS, **_SAID, "age_interval": [23.0, 27.0], **_LOOK}),
    ({"min_gender_score": 0.7}, {**_ALWAYS, **_SAID, "gender": None, **_LOOK}),
    ({"strict": True}, {**_ALWAYS, **_UNSAID, **_LOOK}),
)
#: The same as CSV cells between `score` and `error`, and as the table's first three columns and its end.
CSV = (
    "25.0,21.0,31.0,female,0.6667,32.0,0.0,0.343,,,,1.0,small;blurred",
    "25.0,23.0,27.0,female,0.6667,32.0,0.0,0.343,,,,1.0,small;blurred",
    "25.0,21.0,31.0,,0.6667,32.0,0.0,0.343,,,,1.0,small;blurred",
    ",,,,,32.0,0.0,0.343,,,,1.0,small;blurred",
)
TABLE = (
    ("21 to 31, about 25", "not sure", "67%"),
    ("23 to 27, about 25", "not sure", "67%"),
    ("21 to 31, about 25", "not sure", "67%"),
    ("-", "-", "-"),
)


def write(folder: Path) -> tuple[Path, Path]:
    """Write the model with its card, and the chip, and return their paths."""
    import fake_model

    chip = folder / "chip.png"
    Image.fromarray(np.full((SIZE[1], SIZE[0], 3), COLOUR, np.uint8)).save(chip)
    return fake_model.write(folder, certainty=fake_model.certainty()), chip
