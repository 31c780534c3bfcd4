from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_pictures import made_pictures
from PIL import Image

from phiz.data import ASTRONAUT
from phiz.detect import BlazeFace, blazeface, load_detector
from phiz.detect.blazeface import VARIANTS, WEIGHTS, open_session
from phiz.detect.boxes import decode, make_anchors, sigmoid, weighted_nms
from phiz.detect.window import Window
from phiz.errors import ModelError

GOLDEN = Path(__file__).with_name("blazeface_golden.npz")


def outputs(name: str, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    variant = VARIANTS[name]
    session = open_session(WEIGHTS / variant.file, variant.sha256, 1)
    return session.run(["regressors", "classificators"], {"image": pictures})


@pytest.mark.parametrize("name", VARIANTS)
def test_network_gives_what_the_tflite_model_gives(name: str) -> None:
    golden = np.load(GOLDEN)
    regressors, logits = outputs(name, made_pictures(VARIANTS[name].side))
    np.testing.assert_allclose(regressors, golden[f"{name}_regressors"][:2], atol=1e-3)
    np.testing.assert_allclose(logits, golden[f"{name}_classificators"][:2], atol=5e-3)
    np.testing.assert_allclose(sigmoid(logits), sigmoid(golden[f"{name}_classificators"][:2]), atol=1e-4)


@pytest.mark.parametrize("name", VARIANTS)
def test_portrait_gives_the_face_that_the_tflite_model_gives(name: str) -> None:
    golden, side = np.load(GOLDEN), VARIANTS[name].side
    portrait = np.asarray(Image.open(ASTRONAUT).convert("RGB").resize((side, side)))
    anchors = make_anchors(VARIANTS[name].grids, side, side)
    got, expected = (
        weighted_nms(decode(regressors, logits[:, 0], anchors, 0.5), 0.3)[0]
        for regressors, logits in (
            [output[0] for output in outputs(name, portrait[None])],
            [golden[f"{name}_{kind}"][2] for kind in ("regressors", "classificators")],
        )
    )
    np.testing.assert_allclose(got, expected, atol=0.3)  # JPEG decoders may differ by a grey level


@pytest.mark.parametrize("name", VARIANTS)
def test_one_call_may_hold_several_pictures(name: str) -> None:
    pictures = made_pictures(VARIANTS[name].side)
    together = outputs(name, pictures)
    alone = [outputs(name, picture[None]) for picture in pictures]
    for kind in (0, 1):
        np.testing.assert_allclose(together[kind], np.concatenate([one[kind] for one in alone]), atol=1e-3)


def test_what_is_trimmed_from_a_wide_picture_changes_little() -> None:
    picture = Image.open(ASTRONAUT).crop((0, 0, 512, 384))
    network, window = BlazeFace("back"), Window(0.0, 0.0, 512.0)
    (square,), (trimmed,) = (network.candidates(picture, [window], trim=trim) for trim in (False, True))
    np.testing.assert_allclose(trimmed[:16], square[:16], atol=0.04 * (square[2] - square[0]))
    assert trimmed[16] == pytest.approx(square[16], abs=0.05)


@pytest.mark.parametrize("name", VARIANTS)
def test_whole_network_finds_the_portrait_in_its_own_pixels(name: str) -> None:
    (face,) = BlazeFace(name).detect(np.asarray(Image.open(ASTRONAUT)))
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
    assert face.score > 0.7
    # Read off the picture by eye; its 105-pixel face is only 20 to 40 pixels wide to the network.
    for point, known in ((right_eye, (204, 101)), (left_eye, (248, 104)), (mouth, (224, 146))):
        assert np.hypot(point[0] - known[0], point[1] - known[1]) < 14
    assert right_ear[0] < right_eye[0] < nose[0] < left_eye[0] < left_ear[0]
    x, y, width, height = face.box
    assert x < right_eye[0] < x + width
    assert y < right_eye[1] < mouth[1] < y + height


def damaged(tmp_path: Path, change: str) -> Path:
    data = (WEIGHTS / VARIANTS["short"].file).read_bytes()
    made = {"truncated": data[:-1], "empty": b"", "one bit": bytes([data[0] ^ 1]) + data[1:]}[change]
    (tmp_path / VARIANTS["short"].file).write_bytes(made)
    return tmp_path


@pytest.mark.parametrize("change", ["truncated", "empty", "one bit"])
def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch, change: str) -> None:
    monkeypatch.setattr(blazeface, "WEIGHTS", damaged(tmp_path, change))
    with pytest.raises(
        ModelError,
        match=f"blazeface_short.onnx are damaged: expected sha256 {VARIANTS['short'].sha256}, got .*",
    ):
        load_detector("auto")


def test_missing_weights_are_a_model_error(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(blazeface, "WEIGHTS", tmp_path)
    with pytest.raises(ModelError, match=r"cannot read the weights blazeface_back.onnx: No such file"):
        load_detector("back")


def test_licence_travels_with_the_weights() -> None:
    assert "Apache License" in (WEIGHTS / "LICENSE").read_text()
    notice = (WEIGHTS / "NOTICE").read_text()
    for variant in VARIANTS.values():
        assert variant.file in notice
