"""Write web/test/fixture/: made pictures, and the crops, looks and answers that Python gives for them.

Run after a change of the crop, the detector or the shipped weights:

    python tools/web_fixture.py

web/test/ holds JavaScript to it; tests/web/test_web_fixture.py tells when it is stale. The faces are those of
the bundled public-domain photo.
"""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import asdict, replace
from io import BytesIO
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from phiz import Analyzer
from phiz.analyzer import Located
from phiz.crop import CropTemplate, face_crop, fit
from phiz.detect import Detector, load_card
from phiz.detect.looks import first_factor, padded, second_factor, shrink
from phiz.models.certainty import Bounds, Caution, Certainty, Curve, Flag
from phiz.models.model_store import find_model
from phiz.models.session import load_model
from phiz.quality import inside, light, pose
from phiz.types import QUALITY, Estimate

ROOT = Path(__file__).parents[1]
FIXTURE = ROOT / "web" / "test" / "fixture"
PHOTO = ROOT / "src" / "phiz" / "data" / "astronaut.jpg"

Pixels = NDArray[np.uint8]


def pictures() -> dict[str, Pixels]:
    """Return the made pictures by name: a portrait, a group of turned and scaled faces, hard edges."""
    photo = Image.open(PHOTO).convert("RGB")
    return {
        "portrait": np.asarray(photo.crop((60, 0, 380, 300))),
        "group": np.asarray(_group(photo)),
        "edges": np.asarray(_edges()),
    }


def _group(photo: Image.Image) -> Image.Image:
    """Draw a plain wall with faces from 40 to 190 pixels wide, turned, one of them cut by the edge."""
    wall = Image.new("RGB", (1000, 700), (208, 200, 188))
    face = photo.crop((140, 20, 310, 230))
    places = (
        (60, 80, 1.5, 0),
        (470, 60, 1.1, 20),
        (760, 330, 0.8, -15),
        (340, 520, 0.6, 8),
        (905, 90, 1.0, 0),
    )
    for x, y, scale, angle in places:
        size = round(face.width * scale), round(face.height * scale)
        mask = Image.new("L", size, 255).rotate(angle, expand=True)
        turned = face.resize(size, Image.Resampling.LANCZOS).rotate(
            angle, Image.Resampling.BICUBIC, expand=True
        )
        wall.paste(turned, (x, y), mask)
    return wall


def _edges() -> Image.Image:
    """Draw rings, stripes and a checkerboard: whatever differs between two resamplings shows here first."""
    canvas = Image.new("RGB", (421, 333), (12, 60, 200))
    pen = ImageDraw.Draw(canvas)
    for radius in range(160, 4, -7):
        shade = (radius * 37 % 256, radius * 91 % 256, radius * 53 % 256)
        pen.ellipse((200 - radius, 160 - radius, 200 + radius, 160 + radius), fill=shade)
    for x in range(0, 120, 3):
        pen.line((x, 200, x + 40, 333), fill=(255, 255, 255) if x % 2 else (0, 0, 0))
    for x in range(300, 421, 2):
        for y in range(0, 120, 2):
            pen.point((x, y + x // 2 % 2), fill=(255, 240, 0))
    return canvas


def placed(x: float, y: float, width: float, angle: float) -> list[list[float]]:
    """Return the keypoints of an upright face `width` pixels wide at (x, y), turned by `angle` degrees."""
    upright = ((-0.2, -0.15), (0.2, -0.15), (0.0, 0.08), (-0.16, 0.25), (0.17, 0.25))
    turn = width * complex(math.cos(math.radians(angle)), math.sin(math.radians(angle)))
    points = (complex(*point) * turn for point in upright)
    return [[round(x + point.real, 3), round(y + point.imag, 3)] for point in points]


#: Picture, keypoints and side of each crop: enlarging, shrinking a little and a lot, turned, past every edge.
CROPS: tuple[tuple[str, list[list[float]], int], ...] = (
    ("edges", placed(200.3, 160.7, 40, 0), 64),
    ("edges", placed(200, 160, 90, 30), 64),
    ("edges", placed(330, 80, 210, -75), 64),
    ("edges", placed(60, 260, 300, 180), 64),
    ("edges", placed(210, 166, 600, 12), 64),
    ("edges", placed(5, 330, 130, 45), 64),
    ("edges", placed(200, 160, 160, 5), 96),
    ("portrait", placed(165, 115, 110, 3), 64),
    ("portrait", placed(160, 110, 290, -20), 64),
)


#: Picture and factor of each look: as it is, two of three pixels, means of blocks, of samples of blocks.
LOOKS = (("edges", 1.0), ("edges", 1.5), ("portrait", 1.5), ("edges", 2.0), ("portrait", 3.0), ("edges", 7.0))
#: Smallest face of the answer that is found in a coarse look, in pixels.
COARSE = 50
#: Width, height and smallest face of pictures whose looks are planned.
PLANS = (
    *(
        (width, height, None)
        for width, height in ((320, 300), (640, 480), (1920, 1440), (4000, 3000), (9000, 8000))
    ),
    *((1920, 1080, face) for face in (1, 16, 24, 40, 96, 400)),
    (12000, 6000, 10),
    (8000, 100, None),
)
#: Made tables of a card's `certainty`, of every kind and flag.
TABLES = Certainty(
    scale={
        "age": Curve((0.0, 20.0, 60.0), (-0.5, 1.1, 2.0)),
        "age_branches": Curve((0.5, 4.0), (0.0, 0.7)),
        "size": Curve((16.0, 64.0), (0.6, 0.0)),
        "yaw": Curve((10.0, 60.0), (0.0, 0.8)),
    },
    age={
        level: Bounds(Curve((0.0, 50.0), (reach, 1.2 * reach)), Curve((0.0, 50.0), (1.1 * reach, reach)))
        for level, reach in (("0.5", 0.6), ("0.8", 1.3), ("0.9", 1.9))
    },
    gender={"age": Curve((5.0, 18.0), (0.3, 0.8)), "gender_branches": Curve((0.0, 0.6), (0.0, -0.7))},
    highest=0.985,
    covered={"age_branches": Curve((2.0, 10.0), (-2.0, 2.0))},
    flags={
        "small": Flag("size", least=24.0),
        "blurred": Flag("sharpness", least=0.2),
        "profile": Flag("yaw", most=45.0),
        "dark": Flag("brightness", least=0.15),
        "bright": Flag("brightness", most=0.85),
        "cut off": Flag("inside", least=0.8),
        "covered": Flag("covered", most=0.5),
    },
)
_GOOD = {
    "size": 80.0,
    "sharpness": 0.4,
    "brightness": 0.5,
    "yaw": -8.0,
    "pitch": 5.0,
    "roll": 2.0,
    "inside": 1.0,
}
#: Estimates and looks: an adult, a child on whom branches disagree, a bad look in the dark, a glaring one.
LOOKED_AT = (
    (Estimate(34.4, "female", 0.93, {"age_branches": 1.3, "gender_branches": 0.05}), _GOOD),
    (Estimate(3.2, "male", 0.61, {"age_branches": 9.0, "gender_branches": 0.5}), {**_GOOD, "yaw": 20.5}),
    (
        Estimate(71.0, "male", 1.0, {"age_branches": 3.5, "gender_branches": 0.0}),
        dict(zip(QUALITY, (18.0, 0.1, 0.1, 52.0, -20.0, -30.0, 0.7), strict=True)),
    ),
    (Estimate(0.0, "female", 0.5, {}), {**_GOOD, "brightness": 0.9, "yaw": -45.0}),
)
CAUTIONS = (Caution(), Caution(0.5, 0.9, False), Caution(0.8, 0.5, True))


def make() -> dict[str, Any]:
    """Return the fixture's content: pictures, and looks, crops and answers as Python computes them now."""
    made = pictures()
    model = load_model()
    crops = []
    for name, keypoints, size in CROPS:
        pixels = face_crop(made[name], [(x, y) for x, y in keypoints], size, model.template)
        crops.append({"picture": name, "keypoints": keypoints, "size": size, "pixels": pixels})
    for name in ("portrait", "group"):  # keypoints as the detector gives them, and the age of that very crop
        for face in Detector().detect(made[name]):
            pixels = face_crop(made[name], face.keypoints, model.size, model.template)
            (estimate,) = model.decode(model.run(pixels[None]))
            crop = {
                "picture": name,
                "keypoints": [list(point) for point in face.keypoints],
                "size": model.size,
            }
            told = {"age": estimate.age, "female": _female(estimate), "signals": dict(estimate.signals)}
            crops.append({**crop, "pixels": pixels, **told})
    for crop in crops:
        crop["quality"] = _quality(made[crop["picture"]], crop["keypoints"], crop["pixels"])
    card = load_card()
    looks = []
    for name, factor in LOOKS:
        pixels = padded(shrink(made[name], factor), max(card.strides))[0]
        looks.append({"picture": name, "factor": factor, "pixels": pixels})
    analyzer = Analyzer()
    answers = {name: _answer(analyzer, made, name, 1) for name in made}
    # Large enough for a second look, and for crops that are shrunk by whole factors first.
    answers["enlarged"] = _answer(analyzer, made, "portrait", 4)
    answers["coarse"] = _answer(Analyzer(min_face=COARSE), made, "group", 1) | {"min_face": COARSE}
    return {
        "template": template(),
        "pictures": made,
        "crops": crops,
        "looks": looks,
        "plans": [_plan(*plan) for plan in PLANS],
        "answers": answers,
        "certainty": {"tables": asdict(TABLES), "cases": _cases()},
    }


def _quality(picture: Pixels, keypoints: list[list[float]], crop: Pixels) -> dict[str, float]:
    """Return the quality of a crop by the functions that the Analyzer uses."""
    size = len(crop)
    turn, shift = fit([(x, y) for x, y in keypoints], size, load_model().template)
    ((sharpness, brightness),) = light(crop[None])
    yaw, pitch, roll = pose([(x, y) for x, y in keypoints])
    lies = inside(turn, shift, size, picture.shape[1], picture.shape[0])
    values = (abs(turn) * size, sharpness, brightness, yaw, pitch, roll, lies)
    return dict(zip(QUALITY, values, strict=True))


def _cases() -> list[dict[str, Any]]:
    """Return made estimates and looks, and what an Analyzer whose card has TABLES says of them."""
    card, weights = find_model()
    with TemporaryDirectory() as folder:
        shutil.copy(weights, Path(folder, "made.onnx"))
        replace(card, certainty=TABLES).save(Path(folder, "made.json"))
        analyzer = Analyzer(Path(folder, "made.onnx"))
    found = []
    for (estimate, quality), caution in product(LOOKED_AT, CAUTIONS):
        crops = np.zeros((1, analyzer.card.input.size, analyzer.card.input.size, 3), np.uint8)
        located = Located(9, 9, (None,), crops, quality=(quality,))
        (face,) = analyzer.combine(located, [estimate], None, caution).faces
        told = ("age", "age_interval", "gender", "gender_score", "flags")
        case = {"estimate": asdict(estimate), "quality": quality, "caution": asdict(caution)}
        found.append({**case, "face": {name: getattr(face, name) for name in told}})
    return found


def _plan(width: int, height: int, min_face: int | None) -> dict[str, Any]:
    """Return by how much a picture of that size is shrunk for its first look, that for its second."""
    card = load_card()
    factor = first_factor(width, height, min_face, card)
    again = second_factor(int(width / factor), int(height / factor), card)
    return {"width": width, "height": height, "min_face": min_face, "first": factor, "second": again}


def template() -> dict[str, list[float]]:
    """Return the crop template of the shipped model."""
    found: CropTemplate = load_model().template
    return found.to_dict()


def _female(estimate: Any) -> float:
    score: float = estimate.gender_score
    return score if estimate.gender == "female" else 1 - score


def _answer(analyzer: Analyzer, made: dict[str, Pixels], name: str, times: int) -> dict[str, Any]:
    """Analyse a picture enlarged `times` times."""
    result = analyzer.analyze(enlarged(made[name], times)).to_dict()
    return {"picture": name, "times": times, **{key: result[key] for key in ("width", "height", "faces")}}


def enlarged(pixels: Pixels, times: int) -> Pixels:
    """Enlarge smoothly, in whole numbers, so that JavaScript makes the very same picture.

    Repeated pixels would do without arithmetic, but their stairs turn a shift by hundredths of a pixel, which
    is what two runtimes differ by, into months of age.
    """
    grown = pixels.astype(np.int64)
    for axis in (0, 1):
        length = grown.shape[axis]
        place = 2 * np.arange(length * times) + 1 - times  # of each new pixel's centre, in 2 * times a pixel
        first, share = place // (2 * times), place % (2 * times)
        low, high = (grown.take(np.clip(first + step, 0, length - 1), axis) for step in (0, 1))
        weight = share[:, None, None] if axis == 0 else share[None, :, None]
        grown = low * (2 * times - weight) + high * weight
    return ((grown + 2 * times * times) // (4 * times * times)).astype(np.uint8)


def png(pixels: Pixels) -> bytes:
    """Encode a picture as PNG."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def main() -> None:
    """Write the fixture: one PNG per picture and per crop, and fixture.json."""
    FIXTURE.mkdir(parents=True, exist_ok=True)
    for old in FIXTURE.glob("*.png"):
        old.unlink()
    made = make()
    for name, pixels in made["pictures"].items():
        (FIXTURE / f"{name}.png").write_bytes(png(pixels))
    del made["pictures"]
    for kind in ("crop", "look"):
        for number, entry in enumerate(made[f"{kind}s"]):
            entry["file"] = f"{kind}{number:02}.png"
            (FIXTURE / entry["file"]).write_bytes(png(entry.pop("pixels")))
    (FIXTURE / "fixture.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(f"{FIXTURE.relative_to(ROOT)}: {len(made['crops'])} crops, {len(made['looks'])} looks")


if __name__ == "__main__":
    main()
