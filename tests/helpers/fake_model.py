"""A model small enough to compute by hand, with the names and types of a real one, and its card.

Age is the mean of all pixel values divided by 4, female is the mean of red divided by 255; the three
branches add -3, 0 and +3 years, so that their mean is the age.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from phiz.models.card import InputSpec, ModelCard, OutputSpec, TrainingData
from phiz.models.certainty import Bounds, Certainty, Curve, Flag

SIZE = 64
AGES, FEMALES = ("age1", "age2", "age3"), ("female1", "female2", "female3")
TEMPLATE = {
    "right_eye": [0.35, 0.4],
    "left_eye": [0.65, 0.4],
    "right_mouth": [0.38, 0.7],
    "left_mouth": [0.62, 0.7],
    "chip": [0.1, 0.1, 0.8],
}


def graph(size: int = SIZE, outputs: tuple[str, ...] = ("age", *AGES, "female", *FEMALES)) -> bytes:
    """Return the ONNX file: uint8 (N, size, size, 3) in, the chosen outputs of shape (N) out."""

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], **attributes)

    def number(name: str, value: float) -> onnx.TensorProto:
        return numpy_helper.from_array(np.float32(value).reshape(()), name)

    nodes = [
        node("Cast", ["faces"], "pixels", to=TensorProto.FLOAT),
        node("ReduceMean", ["pixels"], "grey", axes=[1, 2, 3], keepdims=0),
        node("Mul", ["grey", "quarter"], "age"),
        node("Gather", ["pixels", "first"], "red", axis=3),
        node("ReduceMean", ["red"], "red_mean", axes=[1, 2], keepdims=0),
        node("Div", ["red_mean", "full"], "female"),
    ]
    nodes += [node("Add", ["age", f"shift{name}"], name) for name in AGES]
    nodes += [node("Identity", ["female"], name) for name in FEMALES]
    constants = [number("quarter", 0.25), number("full", 255), numpy_helper.from_array(np.int64(0), "first")]
    constants += [number(f"shift{name}", value) for name, value in zip(AGES, (-3, 0, 3), strict=True)]
    made = helper.make_graph(
        nodes,
        "fake",
        [helper.make_tensor_value_info("faces", TensorProto.UINT8, ["N", size, size, 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in outputs],
        constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def card(weights: bytes) -> ModelCard:
    """Return a card that fits `graph()`."""
    outputs = [OutputSpec(name, "years", "age") for name in ("age", *AGES)]
    outputs += [OutputSpec(name, "probability", "female") for name in ("female", *FEMALES)]
    third = 1 / 3
    return ModelCard(
        name="fake",
        task="age and gender of one face",
        sha256=hashlib.sha256(weights).hexdigest(),
        input=InputSpec(SIZE, "NHWC", "uint8", "RGB"),
        crop=dict(TEMPLATE),
        outputs=tuple(outputs),
        labels={"gender": ("female", "male")},
        branch_weights={"age": (third, third, third), "gender": (0.5, 0.25, 0.25)},
        parameters=7,
        multiply_adds=12_288,
        training_data=(TrainingData("none", "made by hand"),),
        license="Apache-2.0",
        figures={},
        recipe="none",
        commit="none",
        created="2024-01-01",
    )


def certainty() -> Certainty:
    """Return tables to compute by hand: nothing but sharpness, size and the age matters."""
    return Certainty(
        scale={"sharpness": Curve((0.0, 1.0), (math.log(2), 0.0))},
        age={
            "0.5": Bounds(Curve((0.0,), (1.0,)), Curve((0.0,), (1.0,))),
            "0.9": Bounds(Curve((0.0, 50.0), (1.0, 3.0)), Curve((0.0, 50.0), (2.0, 4.0))),
        },
        gender={"sharpness": Curve((0.0, 1.0), (0.5, 1.0)), "inside": Curve((1.0,), (0.0,))},
        highest=0.97,
        covered={},
        flags={"small": Flag("size", least=40.0), "blurred": Flag("sharpness", least=0.1)},
    )


def write(folder: Path, *, weights: bytes | None = None, **changes: object) -> Path:
    """Write fake.onnx and fake.json into the folder and return the path of fake.onnx."""
    weights = graph() if weights is None else weights
    path = folder / "fake.onnx"
    path.write_bytes(weights)
    replace(card(weights), **changes).save(folder / "fake.json")
    return path
