"""The 8-bit and 16-bit versions of the shipped graph, made again on crops of the bundled portrait."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra train brings onnx")

from phiz.crop import face_crop  # noqa: E402
from phiz.data import ASTRONAUT  # noqa: E402
from phiz.detect import Detector  # noqa: E402
from phiz.errors import ModelError  # noqa: E402
from phiz.image import load  # noqa: E402
from phiz.models.model_store import find_model  # noqa: E402
from phiz.models.session import load_model  # noqa: E402
from phiz.training import equalise, quantise  # noqa: E402
from phiz.training.crops import Crops  # noqa: E402


@pytest.fixture(scope="module")
def graph() -> onnx.ModelProto:
    return onnx.load(find_model()[1])


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    """The portrait's face, turned, darkened and mirrored: uint8 (24, 64, 64, 3)."""
    model, image = load_model(), load(ASTRONAUT)
    (face,) = Detector().detect(image)
    random = np.random.default_rng(0)
    made = []
    for i in range(24):
        points = np.array(face.keypoints) + random.normal(0, 3, np.shape(face.keypoints))
        crop = face_crop(image, [tuple(p) for p in points], model.size, model.template)
        made.append(((crop * random.uniform(0.5, 1)).astype(np.uint8))[:, :: 1 - 2 * (i % 2)])
    return np.stack(made)


@pytest.fixture(scope="module")
def int8(graph: onnx.ModelProto, crops: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("int8")
    return quantise.write(quantise.quantise(graph, crops), "multitask-64", "multitask-64-int8", {}, folder)


def run(graph: onnx.ModelProto, crops: np.ndarray) -> dict[str, np.ndarray]:
    import onnxruntime

    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"faces": crops}), strict=True))


def test_the_8_bit_file_is_small_and_close(int8: Path, crops: np.ndarray) -> None:
    assert int8.name == "multitask-64-int8.onnx"
    assert int8.stat().st_size < 170_000
    expected, found = load_model().run(crops), load_model(int8).run(crops)
    assert np.abs(found["age"] - expected["age"]).mean() < 1.5
    assert np.abs(found["female"] - expected["female"]).mean() < 0.05
    assert (found["age"] != expected["age"]).any()  # it is another network, not a copy


def test_convolutions_are_in_8_bits_but_for_the_layers_that_stay(int8: Path) -> None:
    made = onnx.load(int8)
    kinds = Counter(node.op_type for node in made.graph.node)
    whole = Counter(node.op_type for node in onnx.load(find_model()[1]).graph.node)
    assert kinds["QLinearConv"] + kinds["Conv"] == whole["Conv"]
    stays = [
        n for n in onnx.load(find_model()[1]).graph.node if n.name.startswith(quantise.Settings().keep_float)
    ]
    assert kinds["Conv"] == sum(node.op_type == "Conv" for node in stays) > 0
    # Pixels go in as they are: nothing turns them into numbers and back.
    assert kinds["Cast"] == 0
    weights = [onnx.numpy_helper.to_array(one) for one in made.graph.initializer]
    largest = [w for w in weights if w.ndim >= 2 and w.size > 4000]
    assert largest
    assert {w.dtype for w in largest} == {np.dtype(np.int8)}
    assert all(np.abs(w.astype(int)).max() <= 64 for w in largest if w.ndim == 4)  # seven bits


def test_the_card_of_the_8_bit_file_is_the_models_own_with_its_hash(int8: Path) -> None:
    card, _ = find_model(int8)
    source, _ = find_model()
    assert card.name == "multitask-64-int8"
    assert card.sha256 != source.sha256
    same = ("input", "crop", "outputs", "branch_weights", "training_data", "license", "recipe")
    assert all(getattr(card, key) == getattr(source, key) for key in same)


def test_pixels_stay_float_where_all_that_takes_them_does(graph: onnx.ModelProto, crops: np.ndarray) -> None:
    how = quantise.Settings(keep_float=("/start1/", "/start2/", "/start8/"))
    made = quantise.quantise(graph, crops[:8], how)
    assert sum(node.op_type == "Cast" for node in made.graph.node) == 1
    found = run(made, crops)
    assert np.abs(found["age"] - load_model().run(crops)["age"]).mean() < 1.5


@pytest.mark.parametrize("method", ["percentile", "entropy"])
def test_every_calibration_works(graph: onnx.ModelProto, crops: np.ndarray, method: str) -> None:
    def answers(how: str) -> np.ndarray:
        settings = quantise.Settings(how, None, (), False, False)
        return run(quantise.quantise(graph, crops[:8], settings), crops)["age"]

    made, expected = answers(method), load_model().run(crops)["age"]
    assert 0 < np.abs(made - expected).mean() < 3
    if method == "percentile":  # it cuts the outermost values off, which all others keep
        assert not np.array_equal(made, answers("minmax"))


def test_16_bit_weights_halve_the_file_and_keep_the_answers(
    graph: onnx.ModelProto, crops: np.ndarray, tmp_path: Path
) -> None:
    path = quantise.write(quantise.half(graph), "multitask-64", "multitask-64-fp16", {}, tmp_path)
    assert path.stat().st_size < 0.55 * find_model()[1].stat().st_size
    expected, found = load_model().run(crops), load_model(path).run(crops)
    np.testing.assert_allclose(found["age"], expected["age"], atol=0.2)
    np.testing.assert_allclose(found["female"], expected["female"], atol=0.01)


def test_8_bit_weights_shrink_the_file_to_a_third_and_keep_the_answers(
    graph: onnx.ModelProto, crops: np.ndarray, tmp_path: Path
) -> None:
    path = quantise.write(
        quantise.byte_weights(graph), "multitask-64", "multitask-64-int8-weights", {}, tmp_path
    )
    assert path.stat().st_size < 0.4 * find_model()[1].stat().st_size
    expected, found = load_model().run(crops), load_model(path).run(crops)
    np.testing.assert_allclose(found["age"], expected["age"], atol=2)
    np.testing.assert_allclose(found["female"], expected["female"], atol=0.1)
    changed = np.abs(found["age"] - expected["age"])
    assert 0 < changed.mean() < 0.7


def test_8_bit_weights_are_within_half_a_step_of_each_row(graph: onnx.ModelProto) -> None:
    made = quantise.byte_weights(graph)
    values = {w.name: onnx.numpy_helper.to_array(w) for w in made.graph.initializer}
    wide = {
        node.output[0]: values[node.input[0]]
        for node in made.graph.node
        if node.op_type == "Cast" and node.input[0] in values
    }
    muls = [node for node in made.graph.node if node.op_type == "Mul" and node.input[0] in wide]
    # In the order in which the float graph holds them.
    floats = [onnx.numpy_helper.to_array(w) for w in graph.graph.initializer]
    floats = [v for v in floats if v.dtype == np.float32 and v.size >= quantise.SMALL and v.ndim > 1]
    assert len(muls) == len(floats) > 20
    for node, expected in zip(muls, floats, strict=True):
        scale = values[node.input[1]]
        assert np.abs(wide[node.input[0]] * scale - expected).max() <= scale.max() / 2 + 1e-7
        assert np.abs(wide[node.input[0]]).max() == 127


def test_folding_the_input_changes_the_border_alone(
    graph: onnx.ModelProto, crops: np.ndarray, tmp_path: Path
) -> None:
    folded = quantise.prepare(graph, tmp_path / "a.onnx")
    found, expected = run(folded, crops), load_model().run(crops)
    np.testing.assert_allclose(found["age"], expected["age"], atol=0.1)
    # What a QuantizeLinear makes of the scaled pixels is every pixel value itself.
    pixels = np.arange(256)
    scaled = (pixels - equalise.PIXEL_ZERO) * np.float32(equalise.PIXEL_SCALE)
    found = np.rint(scaled / np.float32(equalise.PIXEL_SCALE)) + equalise.PIXEL_ZERO
    np.testing.assert_array_equal(found, pixels)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_equalisation_keeps_the_function_and_evens_the_channels(
    graph: onnx.ModelProto, crops: np.ndarray, tmp_path: Path, share: float
) -> None:
    folded = quantise.prepare(graph, tmp_path / "a.onnx")
    even = equalise.equalise(folded, crops, share)
    expected, found = run(folded, crops), run(even, crops)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-4, err_msg=name)
    # Between a 1x1 and a depthwise convolution every channel gets the same range.
    tensor = "/start8/pointwise/conv/Conv_output_0"
    before, after = (dict(equalise._channel_ranges(m, [tensor], crops))[tensor] for m in (folded, even))
    assert before.min() < 0.8 * before.max()
    np.testing.assert_allclose(after, before.max(), rtol=1e-3)


def test_the_pages_tries_are_those_of_results() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "experiments" / "quantisation.md").read_text(encoding="utf-8")
    with (root / "results" / "networks" / "quantisation.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        figures = (f"{float(row['age_mae']):.3f}", f"{100 * float(row['gender_accuracy']):.2f}%")
        change = (row["age_change_mean"], row["age_change_p99"])
        cells = (row["variant"], f"{int(row['bytes']):,}", *figures, *change)
        assert f"| {' | '.join(cells)} |" in page


def test_another_graph_is_refused(fake_model: Path, crops: np.ndarray) -> None:
    with pytest.raises(ModelError, match=r"expected a graph that begins with pixels / 127\.5 - 1"):
        quantise.quantise(onnx.load(fake_model), crops)


def test_calibration_crops_are_the_middle_of_the_caches() -> None:
    pixels = np.arange(40 * 96 * 96 * 3, dtype=np.uint32).reshape(40, 96, 96, 3).astype(np.uint8)
    blank = np.zeros(40, np.float32)
    nothing = np.full((40, 3), np.nan, np.float32)
    train = Crops(pixels, blank, blank, blank.astype(np.str_), nothing, nothing[:, :2])
    few = quantise.calibration_crops(train, 64, count=10)
    assert few.shape == (10, 64, 64, 3)
    middles = pixels[:, 16:80, 16:80]
    assert all(any((one == middle).all() for middle in middles) for one in few)
    np.testing.assert_array_equal(few, quantise.calibration_crops(train, 64, count=10))
    with pytest.raises(ValueError, match="expected crops 48 pixels wide, got 96"):
        quantise.canonical(pixels, 32)


def test_measure_is_the_error_on_known_labels(crops: np.ndarray) -> None:
    wide = np.zeros((4, 96, 96, 3), np.uint8)
    wide[:, 16:80, 16:80] = crops[:4]
    answers = load_model().run(crops[:4])
    age = answers["age"] + np.float32([1, -2, 3, 0])
    female = (answers["female"] >= 0.5).astype(np.float32)
    age[3], female[0], female[1] = np.nan, np.nan, 1 - female[1]
    nothing = np.full((4, 3), np.nan, np.float32)
    faces = Crops(wide, age, female, np.array(["a"] * 4), nothing, nothing[:, :2])
    found = quantise.measure("multitask-64", faces)
    assert found == {"age_mae": 2.0, "gender_accuracy": pytest.approx(2 / 3, abs=1e-4)}
