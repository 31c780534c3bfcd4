"""The detector on pictures, and the arithmetic round its network."""

from __future__ import annotations

import numpy as np
import PIL.Image
import pytest

from phiz import image
from phiz.data import ASTRONAUT
from phiz.detect import Detector, load_card
from phiz.detect.yunet import COLUMNS, SCORE, decode, overlaps, suppress, to_detections
from phiz.errors import ModelError
from phiz.types import KEYPOINT_NAMES, Detection

#: The face in the bundled portrait, by eye: eyes and corners of the mouth, pixels.
PORTRAIT = {
    "right_eye": (204, 102),
    "left_eye": (247, 103),
    "right_mouth": (204, 144),
    "left_mouth": (241, 143),
}


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def portrait(scale: float = 1.0) -> np.ndarray:
    picture = PIL.Image.fromarray(image.load(ASTRONAUT))
    size = round(picture.width * scale), round(picture.height * scale)
    return np.asarray(picture.resize(size, PIL.Image.Resampling.LANCZOS))


def on_grey(width: int, height: int, scale: float, left: int, top: int) -> np.ndarray:
    canvas = np.full((height, width, 3), 127, np.uint8)
    photo = portrait(scale)
    canvas[top : top + photo.shape[0], left : left + photo.shape[1]] = photo
    return canvas


def assert_portrait(
    face: Detection, scale: float, left: float = 0, top: float = 0, share: float = 0.12
) -> None:
    """Every point lies where it should, within this share of the eyes' distance."""
    for name, (x, y) in PORTRAIT.items():
        found = np.array(face.keypoints[KEYPOINT_NAMES.index(name)])
        assert np.hypot(*(found - (left + x * scale, top + y * scale))) < share * 44 * scale, name


@pytest.mark.parametrize(
    ("width", "height", "scale", "left", "top"),
    [
        (512, 512, 1.0, 0, 0),  # the picture as it is
        (640, 480, 0.6, 100, 50),  # a face 54 pixels wide, 36 in the look
        (1500, 1000, 0.7, 700, 300),  # shrunk by 1.5, to the nearest pixels
        (2560, 1920, 1.0, 1500, 900),  # by 2
        (2560, 1920, 3.5, 300, 60),  # a face too large for the first look
        (5000, 3600, 1.4, 3000, 2000),  # by 3
    ],
)
def test_finds_the_one_face_whatever_the_size(
    detector: Detector, width: int, height: int, scale: float, left: int, top: int
) -> None:
    (face,) = detector.detect(on_grey(width, height, scale, left, top))
    assert face.score > 0.8
    assert_portrait(face, scale, left, top)
    x, y, w, h = face.box
    assert x < left + 201 * scale < left + 245 * scale < x + w
    assert y < top + 104 * scale < top + 144 * scale < y + h


def test_a_face_of_24_pixels_in_the_look_is_found_with_less_certain_points(detector: Detector) -> None:
    (face,) = detector.detect(on_grey(640, 480, 0.4, 100, 50))
    assert_portrait(face, 0.4, 100, 50, share=0.25)


def test_small_pictures_are_looked_at_whole_for_steady_points(detector: Detector) -> None:
    (face,) = detector.detect(on_grey(400, 300, 0.4, 100, 50))
    assert_portrait(face, 0.4, 100, 50)


def test_points_are_the_persons_own_right_and_left(detector: Detector) -> None:
    (face,) = detector.detect(portrait())
    right_eye, left_eye, nose, right_mouth, left_mouth = face.keypoints
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < nose[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


def test_a_picture_read_smaller_is_answered_in_pixels_of_the_whole(detector: Detector) -> None:
    whole = on_grey(2560, 1920, 2.0, 800, 500)
    (expected,) = detector.detect(whole)
    half = whole.reshape(960, 2, 1280, 2, 3).mean((1, 3)).astype(np.uint8)
    (face,) = detector.detect(half, scale=2)
    assert np.allclose(face.box, expected.box, atol=4)
    assert np.allclose(face.keypoints, expected.keypoints, atol=4)


@pytest.mark.parametrize(("min_face", "found"), [(16, 1), (30, 1), (60, 0)])
def test_min_face_leaves_smaller_faces_out(min_face: int, found: int) -> None:
    picture = on_grey(640, 480, 0.4, 100, 50)  # about 36 pixels wide
    assert len(Detector(min_face).detect(picture)) == found


def test_min_face_looks_finer_than_the_default_where_it_is_small() -> None:
    picture = on_grey(4000, 3000, 0.3, 100, 50)  # a face 27 pixels wide, 9 in the default's look
    (face,) = Detector(min_face=16).detect(picture)
    assert_portrait(face, 0.3, 100, 50, share=0.2)


def test_boxes_a_little_narrower_than_min_face_are_kept(detector: Detector) -> None:
    (face,) = Detector(min_face=16).detect(portrait(0.25))  # a face 23 pixels wide
    kept = face.box[2] / detector.card.slack
    for share, found in ((0.85, 1), (1.15, 0)):  # the box's width changes a little with the look
        assert len(Detector(min_face=share * kept).detect(portrait(0.25))) == found


def test_min_face_may_be_a_share_of_the_longer_side() -> None:
    small, large = on_grey(640, 480, 0.4, 100, 50), on_grey(1280, 960, 0.8, 200, 100)  # 36 and 72 pixels
    for share, found in ((0.05, 1), (0.09, 0)):
        detector = Detector(min_face=share)
        assert [len(detector.detect(picture)) for picture in (small, large)] == [found, found]
    assert Detector(0.05).reduction(640, 480) == 2
    assert Detector(0.05).reduction(3840, 2160) == 12


@pytest.mark.parametrize("value", [0, -3, float("nan"), float("inf")])
def test_min_face_of_no_pixels_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match=f"min_face: expected pixels, or a share below 1, got {value}"):
        Detector(min_face=value)


def test_a_picture_without_a_face_gives_none(detector: Detector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for picture in (noise, np.zeros((480, 640, 3), np.uint8), np.zeros((1, 1, 3), np.uint8)):
        assert detector.detect(picture) == []
        assert detector.detect_chip(np.zeros((5, 3, 3), np.uint8)) is None


def test_a_tight_chip_needs_no_padding(detector: Detector) -> None:
    chip = portrait()[70:172, 178:272]
    face = detector.detect_chip(chip)
    assert face is not None
    assert_portrait(face, 1.0, -178, -70, share=0.15)


def test_of_several_faces_in_a_chip_the_central_one_counts(detector: Detector) -> None:
    canvas = np.full((300, 300, 3), 127, np.uint8)
    canvas[90:210, 90:210] = portrait()[55:175, 165:285]
    canvas[:120, :120] = portrait()[55:175, 165:285]
    face = detector.detect_chip(canvas)
    assert face is not None
    assert 90 < face.box[0] + face.box[2] / 2 < 210


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "empty"],
)
def test_what_is_no_picture_is_refused(detector: Detector, picture: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected a uint8 RGB picture of height x width x 3, got"):
        detector.detect(picture)


def test_a_transposed_view_is_the_same_picture(detector: Detector) -> None:
    picture = portrait()
    view = np.ascontiguousarray(picture.transpose(1, 0, 2)).transpose(1, 0, 2)
    assert not view.flags.c_contiguous
    assert detector.detect(view) == detector.detect(picture)


def row(left: float, top: float, right: float, bottom: float, score: float) -> list[float]:
    return [left, top, right, bottom, *([left, top] * 5), score]


def test_decode_puts_boxes_and_points_where_the_paper_says() -> None:
    outputs = {
        name: np.zeros((1, 6, size), np.float32)
        for name, size in (("cls_8", 1), ("obj_8", 1), ("bbox_8", 4), ("kps_8", 10))
    }
    outputs["cls_8"][0, 4], outputs["obj_8"][0, 4] = 0.81, 0.64
    outputs["bbox_8"][0, 4] = (0.5, 0.25, np.log(2), np.log(4))
    outputs["kps_8"][0, 4] = np.arange(10) / 10
    (face,) = decode(outputs, width=24, strides=[8], least=0.5)  # cell 4 of rows of 3: column 1, row 1
    assert face[SCORE] == pytest.approx(0.72)
    assert face[:4] == pytest.approx([12 - 8, 10 - 16, 12 + 8, 10 + 16])
    assert face[4:8] == pytest.approx([8.0, 8.8, 9.6, 10.4])
    assert decode(outputs, 24, [8], least=0.73).shape == (0, COLUMNS)


def test_suppress_keeps_the_best_and_steadies_it_by_the_others() -> None:
    faces = np.array(
        [
            row(0, 0, 10, 10, 0.6),
            row(1, 0, 11, 10, 0.9),  # overlaps the first by 0.82
            row(6, 0, 16, 10, 0.7),  # and this one by a third: dropped, but no part of the mean
            row(40, 0, 50, 10, 0.65),
        ]
    )
    kept = suppress(faces, overlap=0.3)
    assert kept[:, SCORE].tolist() == [0.9, 0.65]
    assert kept[0, 0] == pytest.approx((0.9 * 1 + 0.6 * 0) / 1.5)
    assert kept[1, :4].tolist() == [40, 0, 50, 10]
    assert suppress(np.zeros((0, COLUMNS)), 0.3).shape == (0, COLUMNS)


def test_a_box_without_area_survives_suppression_once() -> None:
    kept = suppress(np.array([row(5, 5, 5, 5, 0.7)]), 0.3)
    assert kept.shape == (1, COLUMNS)
    assert np.isfinite(kept).all()


def test_overlaps_is_the_intersection_over_union() -> None:
    one, many = np.array(row(0, 0, 10, 10, 1)), np.array([row(5, 0, 15, 10, 1), row(20, 0, 30, 10, 1)])
    assert overlaps(one, many) == pytest.approx([1 / 3, 0])


def test_detections_come_largest_first() -> None:
    faces = to_detections(np.array([row(0, 0, 5, 5, 0.9), row(10, 10, 30, 20, 0.7)]))
    assert [face.box for face in faces] == [(10, 10, 20, 10), (0, 0, 5, 5)]
    assert faces[0].score == 0.7


def test_the_card_names_phizs_keypoints(tmp_path) -> None:
    card = load_card()
    assert card.keypoints == KEYPOINT_NAMES
    assert card.license == "MIT"
    wrong = tmp_path / "yunet.json"
    text = (load_card.__defaults__[0]).read_text().replace('"right_eye",', '"left_ear",')
    wrong.write_text(text)
    with pytest.raises(ModelError, match="expected the keypoints right_eye"):
        load_card(wrong)


def test_damaged_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr("phiz.detect.yunet.WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match=r"yunet\.onnx: no such weights"):
        Detector()
    (tmp_path / "yunet.onnx").write_bytes(b"x")
    with pytest.raises(ModelError, match="the weights do not match their card"):
        Detector()
