"""What the parts of a large run are known by: anything that its answers depend on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

run = pytest.importorskip("phiz.scale.analysis", reason="the extra scale brings Ray")

from phiz.detect import load_card  # noqa: E402
from phiz.models.card import ModelCard  # noqa: E402
from phiz.models.certainty import Certainty  # noqa: E402
from phiz.models.model_store import find_model  # noqa: E402

Patch = pytest.MonkeyPatch
DETECTOR = load_card()


def with_other_tables(model: str) -> tuple[ModelCard, Path]:
    card, path = find_model(model)
    tables = Certainty({}, {}, {}, highest=0.6, covered={}, flags={})
    return replace(card, certainty=tables), path


CHANGES: dict[str, Callable[[Patch], None]] = {
    "weights of the detector": lambda p: p.setattr(
        run, "load_card", lambda: replace(DETECTOR, sha256="0" * 64)
    ),
    "a threshold of the detector": lambda p: p.setattr(
        run, "load_card", lambda: replace(DETECTOR, score=0.9)
    ),
    "the crop": lambda p: p.setattr(run, "CROP_VERSION", -1),
    "phiz": lambda p: p.setattr(run, "__version__", "next"),
    "how sure it is": lambda p: p.setattr(run, "find_model", with_other_tables),
    "who answers gender": lambda p: p.setattr(run, "gender_model", lambda card: "attributes-112"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_other_answers_are_other_parts(change: str, monkeypatch: Patch) -> None:
    settings = run.Settings("age-accurate")
    before = settings.identity()
    CHANGES[change](monkeypatch)
    assert settings.identity() != before


def test_threads_do_not_matter_and_everything_else_does() -> None:
    settings = run.Settings("multitask-64")
    assert replace(settings, threads=2).identity() == settings.identity()
    others = [
        replace(settings, model="age-accurate"),
        replace(settings, min_face=9),
        replace(settings, cropped=True),
        replace(settings, coverage=0.5),
        replace(settings, min_gender_score=0.9),
        replace(settings, strict=True),
    ]
    for other in others:
        assert other.identity() != settings.identity()
