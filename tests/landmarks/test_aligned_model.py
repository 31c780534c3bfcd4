"""A model whose card names a landmark finder is analysed with it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from phiz import image
from phiz.analyzer import Analyzer
from phiz.crop import face_crop
from phiz.data import ASTRONAUT
from phiz.errors import ModelError
from phiz.landmarks import keypoints, load_landmarker
from phiz.models.card import ModelCard


def with_aligner(model: Path, aligner: str) -> Path:
    card = model.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), "aligner": aligner}))
    return model


def test_a_card_without_one_means_the_detector(fake_model: Path) -> None:
    card = json.loads(fake_model.with_suffix(".json").read_text())
    card.pop("aligner", None)
    assert ModelCard.from_dict(card).aligner == "detector"


def test_analysis_cuts_by_the_landmarks_that_the_card_names(fake_model: Path) -> None:
    picture = image.load(ASTRONAUT)
    by_detector = Analyzer(fake_model).locate(picture)
    located = Analyzer(with_aligner(fake_model, "mesh")).locate(picture)
    assert located.detections == by_detector.detections
    points = keypoints(picture, located.detections[0], load_landmarker("mesh"))
    template = Analyzer(fake_model)._model.template
    np.testing.assert_array_equal(
        located.crops[0], face_crop(picture, points, located.crops.shape[1], template)
    )
    assert (located.crops != by_detector.crops).any()


def test_a_card_with_an_unknown_one_is_a_model_error(fake_model: Path) -> None:
    with pytest.raises(ModelError, match="unknown landmark finder 'landmarks'; there are mesh, fan"):
        Analyzer(with_aligner(fake_model, "landmarks"))
