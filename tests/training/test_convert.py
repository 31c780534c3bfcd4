"""Other runtimes' files: refused where they give other answers; without a converter, what to install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra train brings onnx")

from phiz.models.model_store import find_model
from phiz.models.session import Model, load_model
from phiz.training import convert
from phiz.training.convert import ConversionError


def copied(shift: float) -> convert.Format:
    """A format whose file is a copy of the ONNX file, and whose ages are `shift` years off."""

    def make(path: Path, model: Model, folder: Path, stem: str) -> convert.Predict:
        (folder / f"{stem}.copy").write_bytes(path.read_bytes())
        path.write_bytes(b"what a converter left of it")
        loaded = load_model("multitask-64")

        def predict(crops: np.ndarray) -> dict[str, np.ndarray]:
            found = loaded.run(crops)
            return {"age": found["age"] + np.float32(shift), "female": found["female"]}

        return predict

    return convert.Format((), "", make)


def test_a_file_with_the_same_answers_is_written_with_its_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(convert.FORMATS, "copy", copied(0.0))
    files = convert.convert("copy", "multitask-64", tmp_path / "new")
    assert [file.name for file in files] == ["multitask-64.copy", "multitask-64.json"]
    _card, weights = find_model()
    assert files[0].read_bytes() == weights.read_bytes()
    assert files[1].read_bytes() == weights.with_suffix(".json").read_bytes()


@pytest.mark.parametrize("shift", [0.5, np.nan])
def test_a_file_with_other_answers_is_not_written(
    shift: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(convert.FORMATS, "copy", copied(shift))
    with pytest.raises(
        ConversionError, match=r"copy: expected ONNX Runtime's answers within 0\.001, they differ"
    ):
        convert.convert("copy", "multitask-64", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kind", list(convert.FORMATS))
def test_a_missing_converter_is_named_with_what_to_install(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda name: None)
    with pytest.raises(ConversionError) as caught:
        convert.convert(kind, "multitask-64", tmp_path)
    how = convert.FORMATS[kind]
    assert str(caught.value) == f"{kind}: {' and '.join(how.modules)} not installed: {how.install}"
    assert how.install.startswith("pip install ")


def test_made_crops_fill_the_range() -> None:
    crops = convert.made_crops(64)
    assert crops.shape == (8, 64, 64, 3)
    assert crops.dtype == np.uint8
    assert (crops.min(), crops.max()) == (0, 255)


def test_a_converter_that_fails_says_its_last_words(tmp_path: Path) -> None:
    import sys

    with pytest.raises(ConversionError, match="failed with status 3: no such operator"):
        convert._run(
            [sys.executable, "-c", "import sys; print('no such operator', file=sys.stderr); sys.exit(3)"],
            str(tmp_path),
        )


@pytest.mark.parametrize(("kind", "file"), [("openvino", "xml"), ("ncnn", "ncnn.param")])
def test_a_real_converter(kind: str, file: str, tmp_path: Path) -> None:
    for module in convert.FORMATS[kind].modules:
        pytest.importorskip(module, reason=f"{kind} needs {module}")
    files = convert.convert(kind, "multitask-64", tmp_path)
    assert tmp_path / f"multitask-64.{file}" in files
