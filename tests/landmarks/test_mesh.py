from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_pictures import made_pictures
from PIL import Image

from phiz.crop import resample
from phiz.data import ASTRONAUT
from phiz.detect import Detector
from phiz.errors import ModelError
from phiz.landmarks import keypoints, load_landmarker, mesh
from phiz.landmarks.orders import keypoints_of_ibug
from phiz.models.runtime import open_session, read_weights
from phiz.types import KEYPOINT_NAMES, Detection

GOLDEN = Path(__file__).with_name("mesh_golden.npz")


def outputs(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    session = open_session(read_weights(mesh.WEIGHTS / mesh.FILE, mesh.SHA256))
    return session.run(["points", "presence"], {"image": pictures})


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.asarray(Image.open(ASTRONAUT).convert("RGB"))


@pytest.fixture(scope="module")
def face(portrait: np.ndarray) -> Detection:
    return Detector(min_face=16).detect(portrait)[0]  # at full size: where it looks is then steadiest


def test_network_gives_what_the_tflite_model_gives() -> None:
    golden = np.load(GOLDEN)
    points, presence = outputs(made_pictures(mesh.SIDE))
    # Weights rounded to 16 bits move the points.
    np.testing.assert_allclose(points[:, :, :2], golden["points"][:2, :, :2], atol=0.05)
    np.testing.assert_allclose(presence, golden["presence"][:2], atol=0.02)


def test_portrait_gives_the_points_that_the_tflite_model_gives() -> None:
    golden = np.load(GOLDEN)
    picture = np.asarray(Image.open(ASTRONAUT).convert("RGB").resize((mesh.SIDE, mesh.SIDE)))
    points, presence = outputs(picture[None])
    np.testing.assert_allclose(points[0, :, :2], golden["points"][2, :, :2], atol=0.5)  # JPEG decoders differ
    assert presence[0, 0] == pytest.approx(golden["presence"][2, 0], abs=0.5)


def test_one_call_may_hold_several_pictures() -> None:
    pictures = made_pictures(mesh.SIDE)
    together, alone = outputs(pictures)[0], [outputs(picture[None])[0] for picture in pictures]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-3)


def test_portraits_points_lie_where_they_are_seen(portrait: np.ndarray, face: Detection) -> None:
    points = load_landmarker("mesh").find(portrait, face)
    # Read off the picture by eye: corners of eyes and mouth, tip of the nose, chin.
    known = {36: (194, 100), 39: (212, 102), 42: (238, 103), 45: (259, 103), 30: (224, 126)}
    known |= {48: (202, 139), 54: (247, 139), 8: (222, 177)}
    for index, place in known.items():
        assert np.hypot(*(points[index] - place)) < 4, index
    # Each part runs the way that its order says.
    assert (np.diff(points[:17, 0]) > 0).all()
    assert (np.diff(points[17:27, 0]) > 0).all()
    assert (np.diff(points[27:31, 1]) > 0).all()
    assert (np.diff(points[48:55, 0]) > 0).all()
    assert (np.diff(points[54:60, 0]) < 0).all()
    assert (points[[37, 38, 43, 44], 1] < points[[41, 40, 47, 46], 1]).all()
    assert (points[61:64, 1] < points[[67, 66, 65], 1]).all()


@pytest.mark.parametrize("degrees", [-60, 25, 180])
def test_points_turn_with_the_picture(portrait: np.ndarray, face: Detection, degrees: float) -> None:
    straight = load_landmarker("mesh").find(portrait, face) @ (1, 1j)
    turn = np.exp(1j * np.radians(degrees))
    middle = complex(face.box[0] + face.box[2] / 2, face.box[1] + face.box[3] / 2)
    # The new picture's pixel z shows the old one's turn * (z - 200) + middle.
    turned = resample(portrait, turn, middle - turn * (200 + 200j), 400)

    def there(z: complex) -> complex:
        return (z - middle) / turn + (200 + 200j)

    points = tuple((there(complex(*p)).real, there(complex(*p)).imag) for p in face.keypoints)
    box = (200 - face.box[2] / 2, 200 - face.box[3] / 2, *face.box[2:])
    found = load_landmarker("mesh").find(turned, Detection(box, face.score, points)) @ (1, 1j)
    assert np.abs(found - there(straight)).max() < 1.5  # the face is 105 pixels wide


def test_a_mirrored_face_has_mirrored_points(portrait: np.ndarray, face: Detection) -> None:
    width = portrait.shape[1]
    x, y, w, h = face.box
    order = [
        KEYPOINT_NAMES.index(name) for name in ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    ]
    flipped = [(width - face.keypoints[i][0], face.keypoints[i][1]) for i in order]
    mirrored = Detection((width - x - w, y, w, h), face.score, tuple(flipped))
    finder = load_landmarker("mesh")
    straight, other = (
        keypoints_of_ibug(finder.find(p, f))
        for p, f in ((portrait, face), (np.ascontiguousarray(portrait[:, ::-1]), mirrored))
    )
    assert width - other[0][0] == pytest.approx(straight[1][0], abs=0.8)
    assert width - other[1][0] == pytest.approx(straight[0][0], abs=0.8)


def test_where_no_face_is_the_detectors_points_serve(portrait: np.ndarray, face: Detection) -> None:
    finder = load_landmarker("mesh")
    flat = np.full_like(portrait, 90)
    assert finder.find(flat, face) is None
    assert keypoints(flat, face, finder) == face.keypoints
    assert keypoints(portrait, face, None) == face.keypoints
    assert keypoints(portrait, face, finder) == keypoints_of_ibug(finder.find(portrait, face))


def test_another_kind_of_picture_is_refused(face: Detection) -> None:
    with pytest.raises(ValueError, match="expected a uint8 RGB picture"):
        load_landmarker("mesh").find(np.zeros((10, 10, 3), dtype=np.float32), face)


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / mesh.FILE).write_bytes((mesh.WEIGHTS / mesh.FILE).read_bytes()[:-1])
    monkeypatch.setattr(mesh, "WEIGHTS", tmp_path)
    with pytest.raises(
        ModelError,
        match=f"facemesh.onnx: the weights do not match their card: expected sha256 {mesh.SHA256}, got ",
    ):
        load_landmarker("mesh")


def test_an_unknown_name_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="unknown landmark finder 'dlib'; there are mesh, fan"):
        load_landmarker("dlib")


def test_licence_travels_with_the_weights() -> None:
    assert "Apache License" in (mesh.WEIGHTS / "LICENSE").read_text()
    assert mesh.FILE in (mesh.WEIGHTS / "NOTICE").read_text()


def test_each_of_the_68_is_a_point_of_the_mesh() -> None:
    assert len(mesh.POINTS) == 68
    assert all(0 <= point < 468 for group in mesh.POINTS for point in group)
    assert len(set(mesh.POINTS)) == 68
