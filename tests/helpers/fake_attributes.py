"""A model of three attributes small enough to compute by hand: each is the mean of one colour by 255."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import fake_model
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from phiz.models.card import AttributeSpec, InputSpec, ModelCard, OutputSpec

SIZE = 112
SPECS = {
    "Eyeglasses": AttributeSpec(0.4, True, False, 0.97),
    "Smiling": AttributeSpec(0.99, False, False, 0.8),
    "Chubby": AttributeSpec(0.01, False, True, 0.7),
}
#: Wider than the fake model's of age and gender.
TEMPLATE = fake_model.TEMPLATE | {
    "right_eye": [0.4, 0.4],
    "left_eye": [0.6, 0.4],
    "right_mouth": [0.42, 0.6],
    "left_mouth": [0.58, 0.6],
}


def graph(size: int = SIZE, output: str = "attributes") -> bytes:
    """Return the ONNX file: uint8 (N, size, size, 3) in, (N, 3) probabilities out."""
    nodes = [
        helper.make_node("Cast", ["faces"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Div", ["means", "full"], [output]),
    ]
    made = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["N", size, size, 3])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.float32(255).reshape(()), "full")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def card(weights: bytes) -> ModelCard:
    """Return a card that fits `graph()`."""
    return replace(
        fake_model.card(weights),
        name="fake-attributes",
        task="3 attributes of one face",
        sha256=hashlib.sha256(weights).hexdigest(),
        input=InputSpec(SIZE, "NHWC", "uint8", "RGB"),
        crop=dict(TEMPLATE),
        outputs=(OutputSpec("attributes", "probability", "of each"),),
        labels={},
        branch_weights={},
        attributes=dict(SPECS),
    )


def write(folder: Path, *, weights: bytes | None = None, **changes: object) -> Path:
    """Write fake-attributes.onnx and .json into the folder and return the path of the .onnx."""
    weights = graph() if weights is None else weights
    path = folder / "fake-attributes.onnx"
    path.write_bytes(weights)
    replace(card(weights), **changes).save(path.with_suffix(".json"))
    return path
