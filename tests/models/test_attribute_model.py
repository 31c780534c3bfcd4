"""Models of attributes: weights against card, answers by hand, and which attributes are shown."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("onnx", reason="the fake model needs the onnx package (extra train)")

import fake_attributes as fake

from phiz import Analyzer
from phiz.crop import CropTemplate, face_crop
from phiz.data import ASTRONAUT
from phiz.errors import ModelError
from phiz.image import load
from phiz.models.attribute_model import choose, load_attributes
from phiz.models.card import ModelCard


@pytest.fixture
def made(tmp_path):
    return fake.write(tmp_path)


def test_run_gives_hand_computed_probabilities(made):
    model = load_attributes(made)
    crops = np.zeros((2, 112, 112, 3), np.uint8)
    crops[0], crops[1] = (255, 51, 0), (0, 0, 102)
    np.testing.assert_allclose(model.run(crops), [[1, 0.2, 0], [0, 0, 0.4]], atol=1e-6)
    assert model.names == ("Eyeglasses", "Smiling", "Chubby")
    assert model.run(crops[:0]).shape == (0, 3)
    with pytest.raises(
        ValueError, match=r"crops must be uint8 \(N, 112, 112, 3\), not uint8 \(2, 64, 64, 3\)"
    ):
        model.run(np.zeros((2, 64, 64, 3), np.uint8))


def test_present_is_what_reaches_its_threshold(made):
    model = load_attributes(made)
    assert model.present({"Eyeglasses": 0.4, "Smiling": 0.98, "Chubby": 0.02}) == ["Eyeglasses", "Chubby"]


def test_an_answer_that_is_no_number_is_an_error(made, monkeypatch):
    model = load_attributes(made)

    class Broken:
        def run(self, *_):
            return [np.full((1, 3), np.nan, np.float32)]

    monkeypatch.setattr(model, "_session", Broken())
    with pytest.raises(ModelError, match="output 'attributes' holds a value that is no finite number"):
        model.run(np.zeros((1, 112, 112, 3), np.uint8))


@pytest.mark.parametrize(
    ("weights", "changes", "message"),
    [
        (fake.graph(size=64), {}, r"the card wants faces uint8 \(N, 112, 112, 3\) and attributes \(N, 3\)"),
        (fake.graph(output="answers"), {}, "the graph has .*'answers'"),
        (None, {"attributes": {"Smiling": fake.SPECS["Smiling"]}}, r"attributes \(N, 1\), the graph has"),
        (None, {"attributes": {}}, "expected a model of attributes, its card names none"),
        (None, {"sha256": "0" * 64}, "the weights do not match their card"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, weights, changes, message):
    with pytest.raises(ModelError, match=message):
        load_attributes(fake.write(tmp_path, weights=weights, **changes))


def test_subjective_attributes_have_to_be_named(made):
    card = load_attributes(made).card
    assert choose(card, "default") == ("Eyeglasses",)
    assert choose(card, "all") == ("Eyeglasses", "Smiling")
    assert choose(card, "chubby,Eyeglasses") == ("Eyeglasses", "Chubby")
    assert choose(card, ["Smiling"]) == ("Smiling",)
    with pytest.raises(
        ModelError, match="no attribute is called 'Old'; give default, all, or names among Eye"
    ):
        choose(card, "Smiling,Old")


def test_the_card_keeps_attributes(made):
    plain = json.loads(made.with_suffix(".json").read_text())
    card = ModelCard.from_dict(plain)
    assert card.attributes == fake.SPECS
    assert list(card.attributes) == list(fake.SPECS)
    assert ModelCard.from_dict({k: v for k, v in plain.items() if k != "attributes"}).attributes == {}
    for key, value, message in (
        ("threshold", 2, "attributes.Smiling.threshold must be from 0 to 1, not 2.0"),
        ("threshold", True, "attributes.Smiling.threshold must be a number, not true"),
        ("default", 1, "attributes.Smiling.default must be true or false, not 1"),
    ):
        wrong = {"Smiling": plain["attributes"]["Smiling"] | {key: value}}
        with pytest.raises(ModelError, match=message):
            ModelCard.from_dict(plain | {"attributes": wrong})


def test_the_analyzer_tells_what_was_asked_for(made, fake_model):
    analyzer = Analyzer(fake_model, attributes="all", attribute_model=made)
    assert analyzer.attribute_thresholds == {"Eyeglasses": 0.4, "Smiling": 0.99}
    (face,) = analyzer.analyze(ASTRONAUT).faces
    crop = face_crop(load(ASTRONAUT), face.keypoints, 112, CropTemplate.from_dict(fake.TEMPLATE))
    means = crop.reshape(-1, 3).mean(0) / 255
    assert face.attributes == pytest.approx({"Eyeglasses": means[0], "Smiling": means[1]}, abs=1e-5)
    assert face.to_dict()["attributes"] == {k: round(v, 4) for k, v in face.attributes.items()}
    assert len({face, dataclasses.replace(face), dataclasses.replace(face, score=0.5)}) == 2  # a set of faces


def test_a_cropped_chip_has_attributes_too(made, fake_model):
    grey = np.full((80, 80, 3), 102, np.uint8)
    analyzer = Analyzer(fake_model, attributes=["Chubby"], attribute_model=made, cropped=True)
    (face,) = analyzer.analyze(grey).faces
    assert face.attributes == pytest.approx({"Chubby": 0.4}, abs=1e-3)


def test_without_being_asked_nothing_is_told(fake_model):
    analyzer = Analyzer(fake_model)
    assert analyzer.attribute_thresholds == {}
    (face,) = analyzer.analyze(ASTRONAUT).faces
    assert face.attributes is None
    assert "attributes" not in face.to_dict()


def test_a_picture_without_a_face_has_nothing_to_tell(made, fake_model):
    analyzer = Analyzer(fake_model, attributes="default", attribute_model=made)
    assert analyzer.analyze(np.zeros((64, 64, 3), np.uint8)).faces == ()
