from pathlib import Path

import pytest

from phiz.errors import ModelError
from phiz.models import model_store


def test_a_model_is_found_by_either_of_its_files(fake_model: Path) -> None:
    by_weights = model_store.find_model(fake_model)
    assert by_weights == model_store.find_model(str(fake_model.with_suffix(".json")))
    assert by_weights[0].name == "fake"
    assert by_weights[1] == fake_model


def test_a_shipped_model_is_found_by_name(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent)
    assert model_store.find_model("fake") == model_store.find_model(fake_model)
    assert [card.name for card in model_store.list_cards()] == ["fake"]


def test_an_unknown_name_lists_the_known_ones(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent)
    with pytest.raises(ModelError) as caught:
        model_store.find_model("fakee")
    assert str(caught.value) == (
        "no model is called 'fakee'; known: fake; "
        "or give the path of a .onnx file with its .json card beside it"
    )


def test_a_name_cannot_leave_the_folder(fake_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake_model.parent / "inner").mkdir()
    monkeypatch.setattr(model_store, "WEIGHTS", fake_model.parent / "inner")
    with pytest.raises(ModelError, match=r"no model is called '\.\./fake'; known: none;"):
        model_store.find_model("../fake")


def test_every_shipped_card_lies_beside_weights_that_match_it() -> None:
    from phiz.models.attribute_model import load_attributes
    from phiz.models.session import load_model

    cards = model_store.list_cards()
    assert {model_store.DEFAULT_MODEL, *model_store.ALIASES.values()} <= {card.name for card in cards}
    for card in cards:
        load = load_attributes if card.attributes else load_model
        assert load(card.name).card == card
