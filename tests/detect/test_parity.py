"""The converted network answers as its authors' file did (golden outputs: tools/convert_yunet.py)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import PIL.Image

from phiz.data import ASTRONAUT
from phiz.detect import load_card
from phiz.detect.detector_card import WEIGHTS

GOLDEN = Path(__file__).with_name("yunet_golden.npz")
SIDE = 640


def test_outputs_are_those_of_the_original() -> None:
    golden = np.load(GOLDEN)
    with PIL.Image.open(ASTRONAUT) as photo:
        pixels = np.asarray(photo.convert("RGB").resize((SIDE, SIDE)))
    session = onnxruntime.InferenceSession(
        (WEIGHTS / "yunet.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    for stride in load_card().strides:
        rows = golden[f"rows_{stride}"]
        names = [f"{kind}_{stride}" for kind in ("cls", "obj", "bbox", "kps")]
        for name, values in zip(names, session.run(names, {"image": pixels[None]}), strict=True):
            assert values.shape[1] == (SIDE // stride) ** 2
            np.testing.assert_allclose(values[0, rows], golden[name], atol=2e-4, err_msg=name)
    assert sum(len(golden[f"rows_{stride}"]) for stride in load_card().strides) >= 3


def test_height_and_width_are_free() -> None:
    session = onnxruntime.InferenceSession(
        (WEIGHTS / "yunet.onnx").read_bytes(), providers=["CPUExecutionProvider"]
    )
    for height, width in ((32, 32), (96, 160), (320, 64)):
        (cls,) = session.run(["cls_32"], {"image": np.zeros((1, height, width, 3), np.uint8)})
        assert cls.shape == (1, height * width // 1024, 1)
