from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from phiz.data import ASTRONAUT
from phiz.detect import Detector, detect_chip, load_detector
from phiz.errors import ModelError
from phiz.types import KEYPOINT_NAMES

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NAMES = ("auto", "short", "back")
#: Where the bundled portrait's eyes, nose tip and mouth are, read off the picture by eye.
KNOWN = ((204, 101), (248, 104), (223, 128), (224, 146))
#: Width of the bundled portrait's face as the detector boxes it, and the part of the picture round it.
FACE_WIDTH, PART = 105, (120, 15, 330, 225)


@pytest.fixture(scope="module")
def auto() -> Detector:
    return load_detector()


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return Image.open(ASTRONAUT).convert("RGB")


def smooth_noise(width: int, height: int) -> Image.Image:
    """A soft, cloudy colour picture."""
    coarse = np.random.default_rng(5).integers(60, 190, (12, 16, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def pasted(canvas: Image.Image, portrait: Image.Image, face: int, x: int, y: int) -> tuple[float, float]:
    """Paste the head at (x, y) with its face `face` pixels wide; return where the face's middle is."""
    scale = face / FACE_WIDTH
    part = portrait.crop(PART)
    size = round(part.width * scale)
    canvas.paste(part.resize((size, size), Image.Resampling.LANCZOS), (x, y))
    return x + 105 * scale, y + 110 * scale


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3000, 5), (5, 3000), (7, 7)])
def test_odd_sizes_hold_no_face(name: str, shape: tuple[int, int]) -> None:
    assert load_detector(name).detect(np.full((*shape, 3), 90, np.uint8)) == []


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_an_rgb_picture_is_refused(name: str) -> None:
    detector = load_detector(name)
    for wrong in (np.zeros((9, 9), np.uint8), np.zeros((9, 9, 3)), np.zeros((0, 9, 3), np.uint8)):
        with pytest.raises(ValueError, match="expected a uint8 RGB picture of height x width x 3, got "):
            detector.detect(wrong)


def test_unknown_detector_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"unknown detector 'haar'; there are auto, short, back"):
        load_detector("haar")


def test_min_face_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="min_face: expected at least 1 pixel, got 0"):
        load_detector(min_face=0)


def test_grey_picture_in_three_channels(auto: Detector, portrait: Image.Image) -> None:
    (face,) = auto.detect(np.asarray(portrait.convert("L").convert("RGB")))
    assert face.score > 0.7


def test_detection_has_six_keypoints_and_lies_on_the_face(auto: Detector, portrait: Image.Image) -> None:
    (face,) = auto.detect(np.asarray(portrait))
    assert len(face.keypoints) == len(KEYPOINT_NAMES)
    assert face.box[0] + face.box[2] / 2 == pytest.approx(225, abs=8)
    assert face.box[1] + face.box[3] / 2 == pytest.approx(125, abs=8)
    for point, known in zip(face.keypoints[:4], KNOWN, strict=True):
        assert np.hypot(point[0] - known[0], point[1] - known[1]) < 8
    for point, known in zip(face.keypoints[:2], KNOWN[:2], strict=True):  # the close-up is worth this much
        assert np.hypot(point[0] - known[0], point[1] - known[1]) < 4


def test_faces_of_a_large_group_picture_are_found_once_each(auto: Detector, portrait: Image.Image) -> None:
    canvas = smooth_noise(4000, 3000)
    sizes = [48, 56, 72, 100, 150, 220, 330, 500]
    middles = {
        size: pasted(canvas, portrait, size, 80 + 1000 * (i % 4), 150 + 1400 * (i // 4))
        for i, size in enumerate(sizes)
    }
    faces = auto.detect(np.asarray(canvas))
    assert len(faces) == len(sizes)
    for face, size in zip(faces, sorted(sizes, reverse=True), strict=True):  # largest first
        x, y, width, height = face.box
        assert width == pytest.approx(size, rel=0.2)
        middle = np.array([x + width / 2, y + height / 2])
        assert np.abs(middle - middles[size]).max() < 0.2 * size


def test_a_wall_of_small_faces_is_found_without_doubles(auto: Detector, portrait: Image.Image) -> None:
    canvas = smooth_noise(1600, 1200)
    for y in range(20, 1050, 170):
        for x in range(20, 1450, 170):
            pasted(canvas, portrait, 60, x, y)
    assert len(auto.detect(np.asarray(canvas))) == 7 * 9


def test_min_face_searches_deeper_and_leaves_smaller_faces_out(portrait: Image.Image) -> None:
    canvas = smooth_noise(1600, 1200)
    pasted(canvas, portrait, 26, 300, 300)
    pasted(canvas, portrait, 120, 900, 600)
    picture = np.asarray(canvas)
    widths = [face.box[2] for face in load_detector(min_face=24).detect(picture)]
    assert widths == pytest.approx([120, 26], rel=0.2)
    for name in NAMES:
        assert all(face.box[2] >= 0.8 * 80 for face in load_detector(name, min_face=80).detect(picture))
    assert len(load_detector(min_face=80).detect(picture)) == 1


def test_texture_holds_no_face(auto: Detector) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    assert auto.detect(noise) == []
    assert auto.detect(np.asarray(smooth_noise(1200, 900))) == []


@pytest.mark.parametrize("name", NAMES)
def test_chip_is_found_in_its_own_pixels(name: str, portrait: Image.Image) -> None:
    # The face cropped as tightly as a UTKFace chip, 200 x 200: 1.9 times enlarged.
    left, top, side = 172, 72, 105
    chip = portrait.crop((left, top, left + side, top + side)).resize((200, 200), Image.Resampling.BICUBIC)
    detector = load_detector(name)
    found = detect_chip(np.asarray(chip), detector)
    assert found is not None
    for point, known in zip(found.keypoints[:4], KNOWN, strict=True):
        expected = ((known[0] - left) * 200 / side, (known[1] - top) * 200 / side)
        assert np.abs(np.subtract(point, expected)).max() < 25


def test_chip_without_a_face_is_none(auto: Detector) -> None:
    assert detect_chip(np.full((200, 200, 3), 120, np.uint8), auto) is None


def test_chip_with_two_faces_gives_the_large_central_one(auto: Detector, portrait: Image.Image) -> None:
    canvas = smooth_noise(400, 400)
    pasted(canvas, portrait, 110, 90, 90)
    pasted(canvas, portrait, 70, 0, 255)
    found = detect_chip(np.asarray(canvas), auto)
    assert found is not None
    assert found.box[2] == pytest.approx(110, rel=0.2)


def sampled(folder: str, pattern: str, number: int) -> list[Path]:
    files = sorted((DATA / folder).glob(pattern))
    if not files:
        pytest.skip("the research faces are not beside the repository")
    return random.Random(0).sample(files, number)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("folder", "pattern"),
    [("UTKFace", "*.jpg"), ("FGNET/images", "*"), ("CelebA/img_align_celeba", "*.jpg")],
)
def test_real_faces_are_found_whole_and_as_chips(auto: Detector, folder: str, pattern: str) -> None:
    pictures = [np.asarray(Image.open(file).convert("RGB")) for file in sampled(folder, pattern, 60)]
    assert sum(len(auto.detect(picture)) == 1 for picture in pictures) >= 57
    assert sum(detect_chip(picture, auto) is not None for picture in pictures) >= 59


def test_two_threads_find_what_one_finds() -> None:
    picture = np.asarray(Image.open(ASTRONAUT).convert("RGB"))
    one, two = load_detector(threads=1), load_detector(threads=2)
    assert one.detect(picture) == two.detect(picture)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        load_detector(threads=0)
