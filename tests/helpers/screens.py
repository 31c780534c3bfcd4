"""Made screens: rules with contents of one colour each, and counts of people who are written out."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from PIL import Image, ImageDraw

from phiz.audience.signal import AGE_KEYS, Signal

#: A Thursday.
NOON = datetime(2026, 11, 26, 12, 0, tzinfo=timezone.utc)
#: For each content of RULES, the colour of its picture.
COLOURS = {"welcome": (30, 40, 90), "women": (150, 30, 60), "men": (20, 110, 60), "crowd": (190, 120, 10)}
RULES = """
[screen]
zone = "UTC"

[[content]]
name = "welcome"
file = "welcome.png"
fallback = true

[[content]]
name = "women"
file = "women.png"
least_seconds = 1
when.female.least = 0.6

[[content]]
name = "men"
file = "men.png"
least_seconds = 1
when.male.least = 0.6

[[content]]
name = "crowd"
file = "crowd.png"
least_seconds = 1
when.people.least = 3
"""


def write_screen(folder: Path, rules: str = RULES, size: tuple[int, int] = (320, 180)) -> Path:
    """Write RULES or others, and pictures of COLOURS with their names on them; returns the rules' path."""
    for name, colour in COLOURS.items():
        picture = Image.new("RGB", size, colour)
        draw = ImageDraw.Draw(picture)
        draw.text((size[0] // 2, size[1] // 2), name, "white", anchor="mm", font_size=size[1] // 4)
        picture.save(folder / f"{name}.png")
    path = folder / "signage.toml"
    path.write_text(rules, encoding="utf-8")
    return path


def people(
    female: int = 0,
    male: int = 0,
    not_sure: int = 0,
    *,
    facing: int | None = None,
    longest: float = 5.0,
    at: datetime = NOON,
    **ages: int,
) -> Signal:
    """A signal; ages: of those who are not 20-39, by a word such as `child`; not_sure are so in age too."""
    count = female + male + not_sure
    bands = {"child": "0-12", "teen": "13-19", "middle": "40-59", "old": "60+", "unknown": "not sure"}
    told = {name: 0 for name in AGE_KEYS} | {bands[word]: n for word, n in ages.items()}
    told["not sure"] += not_sure
    told["20-39"] = count - sum(told.values())
    return Signal(
        at=at,
        people=count,
        facing=count if facing is None else facing,
        female=female,
        male=male,
        not_sure=not_sure,
        ages=told,
        longest_seconds=longest if count else 0.0,
    )
