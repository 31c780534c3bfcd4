import json
from pathlib import Path

import pytest

pytest.importorskip("onnx", reason="the fake model needs the onnx package (extra train)")

import fake_model

from phiz.errors import ModelError
from phiz.models.card import ModelCard

GOOD = json.loads(json.dumps(fake_model.card(b"weights").to_dict()))


def changed(**changes: object) -> dict[str, object]:
    return {**GOOD, **changes}


def without(key: str) -> dict[str, object]:
    return {name: value for name, value in GOOD.items() if name != key}


def test_a_card_survives_writing_and_reading(tmp_path: Path) -> None:
    card = fake_model.card(b"weights")
    card.save(tmp_path / "a.json")
    assert ModelCard.load(tmp_path / "a.json") == card
    assert ModelCard.from_dict(card.to_dict() | {"outputs": GOOD["outputs"]} | GOOD) == card


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "x.json: the card must be an object, not []"),
        (without("recipe"), "x.json: the card lacks recipe"),
        (changed(mood="good"), f"x.json: the card has unknown mood; known: {', '.join(GOOD)}"),
        (changed(parameters="99K"), 'x.json: parameters must be a whole number, not "99K"'),
        (changed(parameters=True), "x.json: parameters must be a whole number, not true"),
        (changed(parameters=1.5), "x.json: parameters must be a whole number, not 1.5"),
        (changed(name=None), "x.json: name must be text, not null"),
        (changed(figures=[]), "x.json: figures must be an object, not []"),
        (changed(outputs={}), "x.json: outputs must be a list, not {}"),
        (changed(outputs=[{"name": "age", "unit": "years"}]), "x.json: outputs[0] lacks meaning"),
        (changed(labels={"gender": ["female", 1]}), "x.json: labels.gender[1] must be text, not 1"),
        (
            changed(input={**GOOD["input"], "size": "64"}),
            'x.json: input.size must be a whole number, not "64"',
        ),
        (changed(input={**GOOD["input"], "size": 0}), "x.json: input.size must be at least 1, not 0"),
        (changed(input={**GOOD["input"], "color": "BGR"}), "x.json: input.color must be 'RGB', not 'BGR'"),
        (
            changed(input={**GOOD["input"], "layout": "NCHW"}),
            "x.json: input.layout must be 'NHWC', not 'NCHW'",
        ),
        (changed(sha256="abc"), "x.json: sha256 must be 64 lower-case hexadecimal digits, not 'abc'"),
        (changed(outputs=GOOD["outputs"][:1] * 2), "x.json: outputs name the same output twice: age, age"),
        (
            changed(branch_weights={"age": [0.5, 0.4, 0.2], "gender": [1, 0, 0]}),
            "x.json: branch_weights.age must be at least 0 and sum to 1, not [0.5, 0.4, 0.2]",
        ),
        (
            changed(branch_weights={"age": [1.5, -0.5]}),
            "x.json: branch_weights.age must be at least 0 and sum to 1, not [1.5, -0.5]",
        ),
        (
            changed(crop={**fake_model.TEMPLATE, "left_mouth": [0.5]}),
            "x.json: crop template: left_mouth must be 2 finite numbers, got [0.5]",
        ),
    ],
)
def test_a_bad_card_says_what_is_wrong(data: object, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        ModelCard.from_dict(data, "x.json")
    assert str(caught.value) == message


def test_a_bad_card_is_not_written(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ModelError, match="sha256 must be 64"):
        replace(fake_model.card(b"weights"), sha256="no").save(tmp_path / "a.json")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_card(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ModelError) as caught:
        ModelCard.load(path)
    assert str(caught.value) == (
        f"{path}: no such card; weights need their card beside them under the same name"
    )


def test_a_card_that_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        ModelCard.load(tmp_path)
    assert str(caught.value) == f"{tmp_path}: cannot read the card: Is a directory"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "Expecting value: line 1 column 1 (char 0)"),
        (b'{"name": ', "Expecting value: line 1 column 10 (char 9)"),
        # What Python takes for JSON and other programs do not, or what it cannot write again.
        (b'{"figures": {"mae": NaN}}', "Out of range float values are not JSON compliant"),
        (b'{"figures": {"mae": -1e400}}', "Out of range float values are not JSON compliant"),
        (b'{"parameters": ' + b"9" * 400 + b"}", "a number of 400 digits"),
        (b'{"name": "\\ud800"}', "'utf-8' codec can't encode character '\\ud800'"),
        (b"[" * 100_000, "maximum recursion depth exceeded"),
    ],
)
def test_a_card_that_is_not_json(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        ModelCard.load(path)
    assert str(caught.value).startswith(f"{path}: the card is not valid JSON: {reason}")


def test_a_card_that_is_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b'{"name": "\xff"}')
    with pytest.raises(ModelError, match="the card is not valid JSON: 'utf-8' codec can't decode byte 0xff"):
        ModelCard.load(path)
