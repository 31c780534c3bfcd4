from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the fake model needs the onnx package (extra train)")

import fake_model as fake
import onnxruntime

from phiz.errors import ModelError
from phiz.models.card import OutputSpec
from phiz.models.session import load_model
from phiz.types import Estimate


def message_of(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(path)
    return str(caught.value)


def test_run_gives_every_output_by_hand_computed_values(fake_model: Path) -> None:
    crops = np.zeros((2, 64, 64, 3), np.uint8)
    crops[0] = (255, 45, 0)  # mean 100
    crops[1] = (51, 99, 90)  # mean 80
    outputs = load_model(fake_model).run(crops)
    expected = {"age": [25, 20], "age1": [22, 17], "age2": [25, 20], "age3": [28, 23]}
    expected |= {name: [1.0, 0.2] for name in ("female", "female1", "female2", "female3")}
    assert outputs.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(outputs[name], values, rtol=1e-5)


def test_all_faces_go_through_in_one_call(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(fake_model)
    batches = []
    real = model._session

    class Counting:
        def run(self, names: list[str], feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
            batches.append(len(feeds["faces"]))
            return real.run(names, feeds)

    monkeypatch.setattr(model, "_session", Counting())
    model.run(np.zeros((5, 64, 64, 3), np.uint8))
    assert batches == [5]


def test_no_faces_give_empty_outputs(fake_model: Path) -> None:
    model = load_model(fake_model)
    outputs = model.run(np.zeros((0, 64, 64, 3), np.uint8))
    assert {values.shape for values in outputs.values()} == {(0,)}
    assert model.decode(outputs) == []


@pytest.mark.parametrize(
    ("crops", "came"),
    [
        (np.zeros((1, 64, 64, 3), np.float32), "float32 (1, 64, 64, 3)"),
        (np.zeros((64, 64, 3), np.uint8), "uint8 (64, 64, 3)"),
        (np.zeros((1, 3, 64, 64), np.uint8), "uint8 (1, 3, 64, 64)"),
    ],
)
def test_other_crops_are_refused(fake_model: Path, crops: np.ndarray, came: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        load_model(fake_model).run(crops)
    assert str(caught.value) == f"crops must be uint8 (N, 64, 64, 3), not {came}"


def test_decode_names_the_gender_at_one_half(fake_model: Path) -> None:
    model = load_model(fake_model)
    outputs = {
        "age": np.float32([30.5, -0.7, 101.0, 4.0]),
        "female": np.float32([0.5, 0.25, 0.0, 1.0000001]),
    }
    assert model.decode(outputs) == [
        Estimate(30.5, "female", 0.5),
        Estimate(0.0, "male", 0.75),
        Estimate(101.0, "male", 1.0),
        Estimate(4.0, "female", 1.0),
    ]


def test_a_network_of_age_alone_tells_no_gender(tmp_path: Path) -> None:
    outputs = (OutputSpec("age", "years", "age"),)
    model = load_model(fake.write(tmp_path, weights=fake.graph(outputs=("age",)), outputs=outputs))
    answers = model.decode(model.run(np.full((2, 64, 64, 3), 80, np.uint8)))
    assert answers == [Estimate(20.0, None, None)] * 2


def test_decode_refuses_a_value_that_is_no_number(fake_model: Path) -> None:
    outputs = {"age": np.float32([30, np.nan]), "female": np.float32([0.5, 0.5])}
    with pytest.raises(ModelError) as caught:
        load_model(fake_model).decode(outputs)
    assert str(caught.value) == "fake: output 'age' holds a value that is not a finite number"


@pytest.mark.parametrize("damage", ["truncated", "tampered", "emptied"])
def test_damaged_weights_never_reach_the_parser(
    fake_model: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fake_model.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "truncated": whole[:-1],
        "tampered": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
        "emptied": b"",
    }[damage]
    fake_model.write_bytes(damaged)

    def parse(*args: object, **options: object) -> None:
        raise AssertionError("damaged weights were given to ONNX Runtime")

    monkeypatch.setattr(onnxruntime, "InferenceSession", parse)
    import hashlib

    expected, found = (hashlib.sha256(data).hexdigest() for data in (whole, damaged))
    assert message_of(fake_model) == (
        f"{fake_model}: the weights do not match their card: expected sha256 {expected}, got {found} in "
        f"{len(damaged)} bytes; the file is truncated or changed, put the original back or reinstall phiz"
    )


def test_missing_weights(fake_model: Path) -> None:
    fake_model.unlink()
    assert message_of(fake_model) == f"{fake_model}: no such weights; the card beside it needs them"


def test_weights_that_are_a_folder(fake_model: Path) -> None:
    fake_model.unlink()
    fake_model.mkdir()
    assert message_of(fake_model) == f"{fake_model}: cannot read the weights: Is a directory"


def test_a_file_that_is_no_onnx(tmp_path: Path) -> None:
    path = fake.write(tmp_path, weights=b"not a graph")
    assert message_of(path).startswith(f"{path}: ONNX Runtime cannot load the weights: ")


def test_a_graph_of_another_input_size(tmp_path: Path) -> None:
    path = fake.write(tmp_path, weights=fake.graph(size=32))
    assert message_of(path) == (
        f"{path}: the card wants one input tensor(uint8) [N, 64, 64, 3], "
        "the graph has faces tensor(uint8) [N, 32, 32, 3]"
    )


def test_a_graph_that_lacks_an_output_of_the_card(tmp_path: Path) -> None:
    path = fake.write(tmp_path, weights=fake.graph(outputs=("age", "female")))
    assert message_of(path) == (
        f"{path}: the card names outputs age, age1, age2, age3, female, female1, female2, female3, "
        "the graph has age, female"
    )


def test_a_card_that_lacks_the_age(tmp_path: Path) -> None:
    outputs = (OutputSpec("female", "probability", "female"),)
    path = fake.write(tmp_path, weights=fake.graph(outputs=("female",)), outputs=outputs)
    assert message_of(path) == f"{path}: the card must name the output age, it has female"


def test_an_output_that_is_not_one_number_per_face(tmp_path: Path) -> None:
    import onnx

    graph = onnx.load_from_string(fake.graph(outputs=("age", "female")))
    graph.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1  # a batch of one, fixed
    outputs = (OutputSpec("age", "years", "age"), OutputSpec("female", "probability", "female"))
    path = fake.write(tmp_path, weights=graph.SerializeToString(), outputs=outputs)
    assert (
        message_of(path)
        == f"{path}: every output must be tensor(float) [N], the graph has age tensor(float) [1]"
    )


def promising(operator: str, constants: dict[str, np.ndarray]) -> bytes:
    """A graph that promises one age a face and makes it by an operator of "ages", (N), and of constants."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Cast", ["faces"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["ages"], axes=[1, 2, 3], keepdims=0),
        helper.make_node(operator, ["ages", *constants], ["age"]),
    ]
    faces = helper.make_tensor_value_info("faces", TensorProto.UINT8, ["N", 64, 64, 3])
    age = helper.make_tensor_value_info("age", TensorProto.FLOAT, ["N"])
    held = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "promising", [faces], [age], held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString()


@pytest.mark.parametrize(
    ("operator", "constants", "message"),
    [
        (
            "ScatterElements",
            {"place": np.array([7]), "value": np.zeros(1, np.float32)},
            "ONNX Runtime cannot run the network: .*",
        ),
        ("Compress", {"kept": np.array([True])}, r"expected 'age' of shape \(2,\), got \(1,\)"),
    ],
    ids=["fails", "another shape"],
)
def test_a_graph_that_does_not_keep_its_promise(
    tmp_path: Path, operator: str, constants: dict[str, np.ndarray], message: str
) -> None:
    weights = promising(operator, constants)
    path = fake.write(tmp_path, weights=weights, outputs=(OutputSpec("age", "years", "age"),))
    model = load_model(path)
    with pytest.raises(ModelError, match=f"^fake: {message}$"):
        model.run(np.zeros((2, 64, 64, 3), np.uint8))


def test_weights_whose_names_are_no_text(tmp_path: Path) -> None:
    # ONNX Runtime quotes the name in its own error, which Python then cannot read.
    damaged = fake.graph().replace(b"ReduceMean", b"Reduce\xff\xfean")
    path = fake.write(tmp_path, weights=damaged)
    assert message_of(path).startswith(f"{path}: ONNX Runtime cannot load the weights: ")


def test_threads_must_be_positive(fake_model: Path) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1, not 0"):
        load_model(fake_model, threads=0)
