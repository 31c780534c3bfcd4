"""phiz export: formats, what each needs, and what is said where it lacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phiz import cli

pytest.importorskip("onnx", reason="the extra train brings onnx")


def export(*arguments: object) -> object:
    return CliRunner().invoke(cli.app, ["export", *map(str, arguments)], prog_name="phiz")


def test_fp16_is_written_with_its_card_and_can_be_used(tmp_path: Path) -> None:
    from phiz.models.session import load_model

    done = export("multitask-64", "--format", "onnx-fp16", "--output", tmp_path)
    assert done.exit_code == 0, done.output
    path = tmp_path / "multitask-64-fp16.onnx"
    assert done.output.splitlines()[-1] == f"written: {path} and {path.with_suffix('.json')}"
    assert load_model(path).card.figures["weights"]["largest change"] < 0.01


def test_int8_is_calibrated_and_measured_on_the_recipes_parts(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the recipe's reader is part of the extra train")
    import made_faces

    recipe = made_faces.make(tmp_path, train=12, validation=6)
    out = tmp_path / "out"
    parts = ("--recipe", recipe, "--data", tmp_path / "data", "--cache", tmp_path / "cache")
    done = export("multitask-64", "--format", "onnx-int8", *parts, "--output", out)
    assert done.exit_code == 0, done.output
    card = json.loads((out / "multitask-64-int8.json").read_text())
    assert card["figures"]["quantisation"]["calibration crops"] == 11  # one of 12 is in conflicts.csv
    found = card["figures"]["validation"]
    for name in ("float32", "int8"):
        assert f"validation, {name}: age MAE {found[name]['age_mae']:.3f}, gender " in done.output
    assert (out / "multitask-64-int8.onnx").stat().st_size < 170_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("multitask-64", "--format", "onnx-int8"),
            "onnx-int8 is calibrated on pictures: give the recipe that names them (--recipe FILE)",
        ),
        (("multitask-64",), "multitask-64 is an ONNX model already; --format names what to make of it"),
        (
            ("multitask-64", "--weights", "fixed", "--format", "ncnn"),
            "--weights belongs to a run's folder; a model's branch weights are in its graph",
        ),
        ((".", "--format", "openvino"), ". is the folder of a run: give its recipe too (--recipe FILE)"),
    ],
)
def test_what_lacks_is_said(arguments: tuple[str, ...], message: str) -> None:
    done = export(*arguments)
    assert done.output == f"phiz: {message}\n"
    assert done.exit_code == 2


def test_an_unknown_model_and_an_unknown_format_end_with_status_2(tmp_path: Path) -> None:
    done = export("nosuch", "--format", "onnx-fp16", "--output", tmp_path)
    assert done.output.startswith("phiz: no model is called 'nosuch'; known: ")
    assert done.exit_code == 2
    done = export("multitask-64", "--format", "tensorrt", "--output", tmp_path)
    assert "'tensorrt' is not one of 'onnx', " in done.output
    assert done.exit_code == 2
    assert not list(tmp_path.iterdir())
