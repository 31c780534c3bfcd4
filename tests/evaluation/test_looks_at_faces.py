from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the extra eval brings SciPy")

from phiz.data import ASTRONAUT
from phiz.datasets.record import FaceRecord
from phiz.evaluation.looks_at_faces import Looks, look, spoil


def test_each_face_is_seen_as_it_is_and_spoilt(fake_model: Path, tmp_path: Path) -> None:
    records = {key: FaceRecord(ASTRONAUT, age=31.0, gender="female") for key in ("a", "b")}
    found = look(records, {"a": "1", "b": "2"}, str(fake_model), "made", cropped=False, workers=1)
    assert found.spoilt.tolist()[:1] == [False]
    assert set(found.cluster.tolist()) == {"1", "2"}
    assert (found.true_age == 31).all()
    assert (found.true_female == 1).all()
    assert 60 < found.signal("size")[0] < 200
    assert np.isinf(found.signal("age_std")).all()
    found.save(tmp_path / "some" / "looks.npz")
    again = Looks.load(tmp_path / "some" / "looks.npz")
    assert np.array_equal(again.signals, found.signals)


def test_what_spoils_a_look_follows_from_its_key() -> None:
    patch = np.random.default_rng(0).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    one, same, other = spoil(patch, "a"), spoil(patch, "a"), spoil(patch, "b")
    assert np.array_equal(one, same)
    assert one.shape != other.shape or not np.array_equal(one, other)
