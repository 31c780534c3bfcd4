"""The fixture that holds JavaScript to Python is what Python computes now."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixture_tool import fixture_tool
from PIL import Image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "web" / "test" / "fixture"
STALE = "run tools/web_fixture.py, then the tests in web/"


def _pixels(name: str) -> Any:
    return np.asarray(Image.open(FOLDER / name))


def test_fixture_is_fresh() -> None:
    made = fixture_tool().make()
    stored = json.loads((FOLDER / "fixture.json").read_text(encoding="utf-8"))
    assert stored["template"] == made["template"]
    # Pillow's decoder and drawing may differ by a grey level between versions, and answers with them.
    for name, pixels in made["pictures"].items():
        difference = np.abs(_pixels(f"{name}.png").astype(int) - pixels)
        assert np.mean(difference > 1) < 0.01, STALE
    assert len(stored["crops"]) == len(made["crops"])
    for old, new in zip(stored["crops"], made["crops"], strict=True):
        assert np.allclose(old["keypoints"], new["keypoints"], atol=0.2), STALE
        assert np.mean(np.abs(_pixels(old["file"]).astype(int) - new["pixels"])) < 0.5, STALE
        if "age" in new:
            assert old["age"] == pytest.approx(new["age"], abs=0.2), STALE
    assert len(stored["looks"]) == len(made["looks"])
    for old, new in zip(stored["looks"], made["looks"], strict=True):
        assert np.mean(np.abs(_pixels(old["file"]).astype(int) - new["pixels"])) < 0.5, STALE
    assert stored["plans"] == made["plans"], STALE
    for name, new in made["answers"].items():
        old = stored["answers"][name]
        assert [face["age"] for face in old["faces"]] == pytest.approx(
            [face["age"] for face in new["faces"]], abs=0.3
        ), STALE
        assert np.allclose([f["box"] for f in old["faces"]], [f["box"] for f in new["faces"]], atol=0.5), (
            STALE
        )
