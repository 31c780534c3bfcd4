"""The shipped graph with 8-bit weights and activations, or with 16-bit weights; accepted by measurement only.

docs/quantisation.md says what was tried and what it gave.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import (
    quant_pre_process,
)

from phiz.models.model_store import find_model
from phiz.models.session import AGE, FEMALE, load_model
from phiz.provenance import commit
from phiz.training.crops import Crops, canonical
from phiz.training.equalise import PIXEL_SCALE, PIXEL_ZERO, PIXELS, equalise, fold_input
from phiz.training.figures import plain

CALIBRATION = 1024
METHODS = {
    "minmax": CalibrationMethod.MinMax,
    "percentile": CalibrationMethod.Percentile,
    "entropy": CalibrationMethod.Entropy,
}
#: The kinds of layer that work on 8-bit numbers; the fully connected end stays in float.
QUANTISED = ("Conv", "LeakyRelu", "Add", "Concat", "MaxPool", "AveragePool")
#: Initialisers of fewer numbers stay float32 where weights become float16.
SMALL = 64


@dataclass(frozen=True, slots=True)
class Settings:
    """How to quantise; the defaults are what the validation part chose.

    method: how activation ranges come from the calibration crops, a key of METHODS. equalisation: see
    `equalise`; None leaves the channels as they are. keep_float: layers by the beginning of their name.
    seven_bits: weights in 7 bits, so that pairs of products fit 16 bits also on x86 processors without VNNI.
    operators: write QLinear operators in place of quantise-dequantise pairs round float ones.
    """

    method: str = "minmax"
    equalisation: float | None = 0.5
    keep_float: tuple[str, ...] = ("/start2/",)
    seven_bits: bool = True
    operators: bool = True


def calibration_crops(train: Crops, size: int, count: int = CALIBRATION, seed: int = 0) -> NDArray[np.uint8]:
    """Draw `count` canonical crops, (count, size, size, 3) uint8 RGB, from the training part's cache."""
    rows = np.random.default_rng(seed).permutation(len(train))[:count]
    return canonical(train.rows(np.sort(rows)).pixels, size)


def quantise(
    graph: onnx.ModelProto, crops: NDArray[np.uint8], how: Settings | None = None
) -> onnx.ModelProto:
    """Return the float graph in 8 bits: signed weights per channel, unsigned activations per tensor.

    graph: as `phiz.training.export` writes it. crops: (N, S, S, 3) uint8 RGB, to calibrate on.
    The pixels enter as the 8-bit numbers they are, channels are equalised first, and the fully connected end
    keeps float arithmetic on 8-bit weights. Raises ModelError where the graph has another shape.
    """
    how = how or Settings()
    with tempfile.TemporaryDirectory(prefix="phiz-quantise-") as folder:
        plain, made = Path(folder) / "plain.onnx", Path(folder) / "int8.onnx"
        prepared = prepare(graph, plain)
        if how.equalisation is not None:
            prepared = equalise(prepared, crops, how.equalisation)
        onnx.save(prepared, plain)
        chosen = [node for node in prepared.graph.node if node.op_type in QUANTISED]
        pixels = {"scale": np.array(PIXEL_SCALE, np.float32), "zero_point": np.array(PIXEL_ZERO, np.uint8)}
        _quietly(
            quantize_static,
            str(plain),
            str(made),
            _Reader(crops, prepared.graph.input[0].name),
            quant_format=QuantFormat.QOperator if how.operators else QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=[n.name for n in chosen if _stays_float(n, how.keep_float)],
            per_channel=True,
            reduce_range=how.seven_bits,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=METHODS[how.method],
            extra_options={"TensorQuantOverrides": {PIXELS: [pixels]}},
        )
        model = onnx.load(made)
    _connect_pixels(model.graph)
    _shrink_fully_connected(model.graph)
    _shorten(model.graph)
    onnx.checker.check_model(model)
    return model


def half(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return the float graph with its weights stored as float16, turned back into float32 on loading.

    The arithmetic stays float32, which every processor does well; a GPU's runtime may choose float16 itself.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    casts = []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL:
            continue
        name, short = weight.name, f"{weight.name}_float16"
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), short))
        casts.append(helper.make_node("Cast", [short], [name], to=TensorProto.FLOAT))
    return _behind(casts, model)


def byte_weights(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return the float graph with its filters and matrices stored as 8-bit numbers, a scale for each output.

    A quarter of the size; the arithmetic stays float32, on weights rounded to 1/127 of their row's largest.
    `Mul` applies the scales, which runtimes do once on loading; `DequantizeLinear` they do in every call.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    nodes, scales = [], []
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL or values.ndim < 2:
            continue
        largest = np.abs(values).reshape(len(values), -1).max(1)
        scale = (np.where(largest > 0, largest, 1) / 127).astype(np.float32)
        scale = scale.reshape(-1, *[1] * (values.ndim - 1))
        name = weight.name
        byte, wide, factor = (f"{name}_{suffix}" for suffix in ("int8", "wide", "scale"))
        weight.CopyFrom(numpy_helper.from_array(np.round(values / scale).astype(np.int8), byte))
        scales.append(numpy_helper.from_array(scale, factor))
        nodes.append(helper.make_node("Cast", [byte], [wide], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [wide, factor], [name]))
    model.graph.initializer.extend(scales)
    return _behind(nodes, model)


def _behind(first: list[onnx.NodeProto], model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model with these nodes before its own."""
    nodes = [*first, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    _shorten(model.graph)
    onnx.checker.check_model(model)
    return model


def write(
    graph: onnx.ModelProto, source: str | Path, name: str, figures: dict[str, Any], folder: Path
) -> Path:
    """Write NAME.onnx and its card into `folder` and return the ONNX path.

    source: the model that it was made of, whose card it takes over. figures: the new card's figures.
    """
    card, _ = find_model(source)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    data = graph.SerializeToString()
    path.write_bytes(data)
    replace(
        card,
        name=path.stem,
        sha256=hashlib.sha256(data).hexdigest(),
        figures=figures,
        certainty=None,  # fitted on the answers of the model that this was made of
        commit=commit() or "unknown",
        created=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    ).save(path.with_suffix(".json"))
    return path


def measure(model: str | Path, faces: Crops) -> dict[str, float]:
    """Return the plain figures of a model on canonical crops, 64 faces a call; see figures.py."""
    loaded = load_model(model)
    crops = canonical(faces.pixels, loaded.size)
    found = [loaded.run(crops[i : i + 64]) for i in range(0, len(crops), 64)]
    age, female = (
        np.concatenate([part[name] for part in found]) if name in found[0] else None for name in (AGE, FEMALE)
    )
    return {name: round(value, 4) for name, value in plain(age, female, faces).items()}


def prepare(graph: onnx.ModelProto, file: Path) -> onnx.ModelProto:
    """Return the graph after shape inference and constant folding, its pixels scaled as 8-bit numbers are.

    file: a place for the intermediate file. Raises ModelError where the graph is not the exported network.
    """
    onnx.save(graph, file)
    _quietly(quant_pre_process, str(file), str(file), skip_symbolic_shape=True)
    return fold_input(onnx.load(file))


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    """The calibration crops, 32 at a time."""

    def __init__(self, crops: NDArray[np.uint8], name: str) -> None:
        self._batches = iter([{name: crops[i : i + 32]} for i in range(0, len(crops), 32)])

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        return next(self._batches, None)


def _quietly(function: Any, *arguments: Any, **options: Any) -> None:
    """Call one of ONNX Runtime's tools without its advice on the root logger and standard output."""
    from contextlib import redirect_stdout
    from io import StringIO

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()):
            function(*arguments, **options)
    finally:
        root.setLevel(level)


def _stays_float(node: onnx.NodeProto, prefixes: Sequence[str]) -> bool:
    # The Concat of flattened vectors belongs to the fully connected end.
    return node.name.startswith(tuple(prefixes)) or any("Flatten" in name for name in node.input)


def _connect_pixels(graph: onnx.GraphProto) -> None:
    """Let the uint8 pixels in where they were turned into float32 and back: the same numbers, fewer steps."""
    made_by = {output: node for node in graph.node for output in node.output}
    quantised = next((n for n in graph.node if n.op_type == "QuantizeLinear" and n.input[0] == PIXELS), None)
    if quantised is None:  # all that takes pixels stays in float
        return
    gone = [quantised]
    while gone[-1].op_type != "Cast":
        gone.append(made_by[gone[-1].input[0]])
    pixels = gone[-1].input[0]
    for node in graph.node:
        for i, name in enumerate(node.input):
            if name == quantised.output[0]:
                node.input[i] = pixels
    # What stays in float takes the pixels from the same 8-bit numbers.
    if any(PIXELS in node.input for node in graph.node if node not in gone):
        scale, zero = quantised.input[1:]
        index = list(graph.node).index(gone[1])
        graph.node.insert(index, helper.make_node("DequantizeLinear", [pixels, scale, zero], [PIXELS]))
    for node in gone:
        graph.node.remove(node)


def _shrink_fully_connected(graph: onnx.GraphProto) -> None:
    """Store the one large matrix as signed 8-bit numbers, a scale for each of its rows."""
    weights = {weight.name: weight for weight in graph.initializer}
    gemm = next(node for node in graph.node if node.op_type == "Gemm")
    name = gemm.input[1]
    rows = numpy_helper.to_array(weights[name])
    scale = (np.abs(rows).max(1) / 127).astype(np.float32)
    parts = {
        "q": np.round(rows / scale[:, None]).astype(np.int8),
        "scale": scale,
        "zero": np.zeros(len(rows), np.int8),
    }
    graph.initializer.remove(weights[name])
    graph.initializer.extend(
        numpy_helper.from_array(value, f"{name}_{part}") for part, value in parts.items()
    )
    inputs = [f"{name}_{part}" for part in parts]
    index = list(graph.node).index(gemm)
    graph.node.insert(index, helper.make_node("DequantizeLinear", inputs, [name], axis=0))


def _shorten(graph: onnx.GraphProto) -> None:
    """Give inner tensors numbers for names, and drop what no runtime needs: names weigh in a small file."""
    kept = {value.name for value in (*graph.input, *graph.output)}
    numbers: dict[str, str] = {"": ""}

    def short(name: str) -> str:
        return name if name in kept else numbers.setdefault(name, f"{len(numbers):x}")

    used = {name for node in graph.node for name in node.input}
    weights = [weight for weight in graph.initializer if weight.name in used]
    for weight in weights:
        weight.name = short(weight.name)
    del graph.initializer[:]
    graph.initializer.extend(weights)
    del graph.value_info[:]
    for node in graph.node:
        node.input[:] = [short(name) for name in node.input]
        node.output[:] = [short(name) for name in node.output]
        node.name = node.doc_string = ""
