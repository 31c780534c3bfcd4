"""Make a network's channels alike before its tensors are cut into 256 steps each.

Leaky ReLU commutes with positive factors, so a channel may be divided by a factor after one convolution and
multiplied by it inside the next: the answers stay, and no channel is left with a few of the steps.

Source: Nagel et al. 2019, arXiv 1906.04721 (cross-layer equalisation); Xiao et al. 2022, arXiv 2211.10438
(the share between activations and weights).
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from phiz.errors import ModelError

Floats = NDArray[np.float32]

#: The scaled pixels as a tensor: (p - PIXEL_ZERO) * PIXEL_SCALE, which 8 bits hold without a loss.
PIXELS, PIXEL_SCALE, PIXEL_ZERO = "pixels", 1 / 127.5, 127
#: No channel is enlarged more than this many times: what hardly answers on calibration may on other faces.
MOST = 1000.0
#: Operators whose outputs have the channels of their inputs and scale with them.
_KEEP_CHANNELS = ("LeakyRelu", "Add", "MaxPool", "AveragePool")


def fold_input(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Replace p / 127.5 - 1 by (p - 127) / 127.5, moving the half step between them into the first biases.

    8 bits hold the second without a loss, where the first would be rounded to every other pixel value. At the
    picture's border, where the convolutions pad with zeros, half a step of grey is the difference.
    Raises ModelError where the graph does not begin like this.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    nodes, weights = list(model.graph.node), _weights(model)
    div = next((n for n in nodes if n.op_type == "Div"), None)
    sub = next((n for n in nodes if n.op_type == "Sub" and div and n.input[0] == div.output[0]), None)
    if (
        div is None
        or sub is None
        or (weights.get(div.input[1]), weights.get(sub.input[1])) != (np.float32(127.5), np.float32(1))
    ):
        raise ModelError("expected a graph that begins with pixels / 127.5 - 1, as phiz train exports it")
    source, normal = div.input[0], sub.output[0]
    todo, step = [n for n in nodes if normal in n.input], np.float32(0.5 * PIXEL_SCALE)
    for node in todo:
        if node.op_type == "Conv":
            kernel, bias = node.input[1:]
            weights[bias] = weights[bias] - step * weights[kernel].sum((1, 2, 3))
        elif node.op_type == "AveragePool":
            todo += [n for n in nodes if node.output[0] in n.input]
        else:
            raise ModelError(f"expected convolutions or pools of the pixels, got {node.op_type}")
    for node in nodes:
        node.input[:] = [PIXELS if name == normal else name for name in node.input]
    zero = numpy_helper.from_array(np.float32(PIXEL_ZERO), f"{PIXELS}_zero")
    model.graph.initializer.append(zero)
    first = helper.make_node("Sub", [source, zero.name], [f"{PIXELS}_shifted"])
    second = helper.make_node("Div", [f"{PIXELS}_shifted", div.input[1]], [PIXELS])
    at = nodes.index(div)
    del model.graph.node[:]
    model.graph.node.extend(
        [*nodes[:at], first, second, *(node for node in nodes[at:] if node not in (div, sub))]
    )
    _set_weights(model, weights)
    (unused,) = [one for one in model.graph.initializer if one.name == sub.input[1]]
    if not any(unused.name in node.input for node in model.graph.node):
        model.graph.initializer.remove(unused)
    return model


def equalise(graph: onnx.ModelProto, crops: NDArray[np.uint8], share: float) -> onnx.ModelProto:
    """Return the same function with channels of more equal range, by rescaling weights and biases alone.

    graph: after `fold_input`. crops: (N, S, S, 3) uint8 RGB, to see the channels' ranges on.
    share: how far the channels between a depthwise and a 1x1 convolution are made equal, 0 (not at all) to 1;
    the rest is left to the 1x1 weights, which share one scale over those channels. Between a 1x1 and a
    depthwise convolution, whose weights have a scale per channel on both sides, all of it is evened out.
    """
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    weights, nodes = _weights(model), list(model.graph.node)
    convolutions = [node for node in nodes if node.op_type == "Conv"]
    group = _groups(nodes, weights)
    concatenated = {n.output[0]: list(n.input) for n in nodes if n.op_type == "Concat"}
    # Left alone: the pixels, and the vectors that the fully connected end sees.
    fixed = {group.get(PIXELS, PIXELS)} | {group[n.input[0]] for n in nodes if n.op_type == "Flatten"}
    fixed |= {group[n.output[0]] for n in nodes if n.op_type == "AveragePool"}
    ranges: dict[str, Floats] = {}
    for tensor, largest in _channel_ranges(
        model, [n.output[0] for n in nodes if group.get(n.output[0])], crops
    ):
        if group[tensor] not in fixed:
            ranges[group[tensor]] = np.maximum(ranges.get(group[tensor], np.float32(0)), largest)
    scale: dict[str, Floats] = {}
    for name, largest in ranges.items():
        even = np.maximum(largest / largest.max(), 1 / MOST)
        into = [n for n in convolutions if name in _sources(n.input[0], group, concatenated)]
        depthwise = all(weights[n.input[1]].shape[1] == 1 for n in into)
        scale[name] = even if depthwise else even**share
    for node in convolutions:
        kernel, bias = node.input[1:]
        ours = scale.get(group[node.output[0]])
        if ours is not None:
            weights[kernel] = weights[kernel] / ours[:, None, None, None]
            weights[bias] = weights[bias] / ours
        theirs = [scale.get(name) for name in _sources(node.input[0], group, concatenated)]
        known = [one for one in theirs if one is not None]
        if len(known) == len(theirs):
            channels = np.concatenate(known)
            depthwise = weights[kernel].shape[1] == 1
            weights[kernel] = weights[kernel] * (
                channels[:, None, None, None] if depthwise else channels[:, None, None]
            )
        elif known:
            raise ModelError(f"{node.name}: some of the channels it takes can be rescaled and some cannot")
    _set_weights(model, weights)
    return model


def _groups(nodes: list[onnx.NodeProto], weights: dict[str, Floats]) -> dict[str, str]:
    """Return for each tensor of channels the name of its group: tensors that must be rescaled alike."""
    group: dict[str, str] = {}
    for node in nodes:  # in the order of the graph, inputs before outputs
        if node.op_type == "Conv":
            group[node.output[0]] = node.output[0]
        elif node.op_type in _KEEP_CHANNELS:
            tensors = [name for name in (*node.input, *node.output) if name not in weights]
            old = {group.get(name, name) for name in tensors}
            target = group.get(node.input[0], node.input[0])
            group.update({name: target for name in tensors})
            group.update({name: target for name, now in group.items() if now in old})
    return group


def _sources(tensor: str, group: dict[str, str], concatenated: dict[str, list[str]]) -> list[str]:
    """Return the groups whose channels a convolution takes, in order."""
    return [group.get(name, name) for name in concatenated.get(tensor, [tensor])]


def _channel_ranges(
    model: onnx.ModelProto, tensors: list[str], crops: NDArray[np.uint8]
) -> list[tuple[str, Floats]]:
    """Return the largest absolute value of each channel of each tensor, (C,), over the crops."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_tensor_value_info(t, TensorProto.FLOAT, None) for t in tensors)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        watched.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    largest: list[Floats] = [np.zeros(1, np.float32)] * len(tensors)
    for i in range(0, len(crops), 32):
        found = session.run(tensors, {session.get_inputs()[0].name: crops[i : i + 32]})
        largest = [np.maximum(a, np.abs(b).max((0, 2, 3))) for a, b in zip(largest, found, strict=True)]
    return list(zip(tensors, largest, strict=True))


def _weights(model: onnx.ModelProto) -> dict[str, Floats]:
    return {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}


def _set_weights(model: onnx.ModelProto, weights: dict[str, Floats]) -> None:
    for one in model.graph.initializer:
        if one.name in weights:
            one.CopyFrom(numpy_helper.from_array(np.asarray(weights[one.name]), one.name))
