"""From the ONNX model to other runtimes' files, each checked against ONNX Runtime before it is kept.

A converter is a heavy package that phiz does not depend on; without it the error says what to install.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from phiz.errors import PhizError
from phiz.models.model_store import find_model
from phiz.models.session import AGE, FEMALE, Model, load_model

#: Largest difference to ONNX Runtime: relative to 1, or to the value if larger.
TOLERANCE = 1e-3

Crops = NDArray[np.uint8]
#: From crops (N, S, S, 3) to the outputs by name.
Predict = Callable[[Crops], dict[str, NDArray[np.float32]]]


class ConversionError(PhizError):
    """A converter is missing, failed, or made a file that gives other answers."""


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    modules: what must be importable. install: how to get it. make: writes files of a stem into a folder, from
    an ONNX file and the model made of it, and returns how to run them.
    """

    modules: tuple[str, ...]
    install: str
    make: Callable[[Path, Model, Path, str], Predict]


def convert(kind: str, model: str | Path, folder: Path) -> list[Path]:
    """Write a model in another format into `folder` and return the files, its card among them.

    kind: a key of FORMATS. model: a name or a path, see `phiz.models.model_store.find_model`.
    Raises ConversionError where the converter is missing or fails, or where
    an answer on `made_crops` differs by more than TOLERANCE; then nothing is written.
    """
    card, path = find_model(model)
    how = FORMATS[kind]
    if missing := [name for name in how.modules if find_spec(name) is None]:
        raise ConversionError(f"{kind}: {' and '.join(missing)} not installed: {how.install}")
    loaded = load_model(path)
    with TemporaryDirectory(prefix="phiz-convert-") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        copy = Path(shutil.copy(path, temporary))  # some converters write into what they read
        predict = how.make(copy, loaded, made, card.name)
        difference = parity(loaded, predict)
        if not difference <= TOLERANCE:  # also where it is NaN
            raise ConversionError(
                f"{kind}: expected ONNX Runtime's answers within {TOLERANCE}, they differ by "
                f"{difference:.2g}, so nothing was written"
            )
        shutil.copy(path.with_suffix(".json"), made / f"{card.name}.json")
        folder.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(file, folder)) for file in sorted(made.iterdir()) if file.is_file()]


def made_crops(size: int) -> Crops:
    """Return crops to compare answers on, (8, size, size, 3): flat greys, ramps, rings and noise."""
    y, x = np.mgrid[:size, :size]
    flat = [np.full((size, size, 3), value, np.uint8) for value in (0, 128, 255)]
    ramps = [np.stack([a * 4, b * 4, (a + b) * 2], -1) % 256 for a, b in ((x, y), (y, x[:, ::-1]))]
    radius = (x - size // 2) ** 2 + (y - size // 2) ** 2
    rings = np.stack([radius // step % 256 for step in (3, 5, 7)], -1)
    noise = np.random.default_rng(0).integers(0, 256, (2, size, size, 3))
    return np.stack([*flat, *ramps, rings, *noise]).astype(np.uint8)


def parity(model: Model, predict: Predict) -> float:
    """Return the largest |a - b| / max(1, |a|) of what `predict` gives on `made_crops`; a by ONNX Runtime."""
    crops = made_crops(model.size)
    expected, found = model.run(crops), predict(crops)
    return max(
        float(np.max(np.abs(expected[name] - found[name]) / np.maximum(1, np.abs(expected[name]))))
        for name in found
    )


def _openvino(path: Path, model: Model, folder: Path, stem: str) -> Predict:
    import openvino

    made = folder / f"{stem}.xml"
    openvino.save_model(openvino.convert_model(path), made, compress_to_fp16=False)
    compiled = openvino.compile_model(made, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    names = [output.name for output in model.card.outputs]

    def predict(crops: Crops) -> dict[str, NDArray[np.float32]]:
        found = compiled(crops)
        return {name: np.array(found[name]) for name in names}

    return predict


def _ncnn(path: Path, model: Model, folder: Path, stem: str) -> Predict:
    """Make a file for float pixels, 0 to 255, (S, S, 3), of one face: ncnn knows no uint8 and no batches.

    in0 are the pixels, out0 is age, out1 is female. The branches' own answers are left out: they would be
    tensors without a dimension, on which ncnn fails.
    """
    import ncnn

    graph = _for_ncnn(onnx.load(path))
    with TemporaryDirectory(prefix="phiz-pnnx-") as work:
        source = Path(work) / "model.onnx"
        onnx.save(graph, source)
        files = {kind: folder / f"{stem}.ncnn.{kind}" for kind in ("param", "bin")}
        arguments = [f"inputshape=[1,{model.size},{model.size},3]f32", "fp16=0"]
        arguments += [f"ncnn{kind}={file}" for kind, file in files.items()]
        _run([_pnnx(), str(source), *arguments], work)
    net = ncnn.Net()
    for name in ("packed", "storage", "arithmetic"):
        setattr(net.opt, f"use_fp16_{name}", False)
    net.load_param(str(files["param"]))
    net.load_model(str(files["bin"]))
    names = [output.name for output in graph.graph.output]

    def predict(crops: Crops) -> dict[str, NDArray[np.float32]]:
        rows = []
        for crop in crops.astype(np.float32):
            extractor = net.create_extractor()
            extractor.input("in0", ncnn.Mat(crop).clone())
            rows.append([np.array(extractor.extract(f"out{i}")[1]).ravel()[0] for i in range(len(names))])
        return dict(zip(names, np.array(rows, np.float32).T, strict=True))

    return predict


def _for_ncnn(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with a float32 input for one face in place of uint8 for N, and two outputs."""
    outputs = {output.name: output for output in graph.graph.output}
    del graph.graph.output[:]
    graph.graph.output.extend(outputs[name] for name in (AGE, FEMALE))
    source = graph.graph.input[0]
    source.type.tensor_type.elem_type = TensorProto.FLOAT
    for value in (source, *graph.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    cast = next(node for node in graph.graph.node if node.op_type == "Cast")
    for node in graph.graph.node:
        node.input[:] = [cast.input[0] if name == cast.output[0] else name for name in node.input]
    graph.graph.node.remove(cast)
    return graph


def _pnnx() -> str:
    import pnnx

    return str(pnnx.EXEC_PATH)


def _run(command: list[str], folder: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise ConversionError(f"{Path(command[0]).name} failed with status {done.returncode}: {last}")


FORMATS = {
    "openvino": Format(("openvino",), "pip install openvino", _openvino),
    "ncnn": Format(("pnnx", "ncnn"), "pip install pnnx ncnn", _ncnn),
}
