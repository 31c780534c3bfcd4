"""What a model is, told from made figures and of the models that ship."""

import json
from dataclasses import replace
from pathlib import Path

import fake_model as fake
import pytest
from typer.testing import CliRunner

from phiz.cli import app
from phiz.models import about
from phiz.models.card import ModelCard, TrainingData
from phiz.models.model_store import list_cards

COMMAND = {"command": "phiz evaluate fake", "commit": "0123456789abcdef"}
GROUPS = [
    {
        "kind": "all",
        "group": "all",
        "pictures": 1200,
        "mae": [5.0, 4.5, 5.5],
        "gender_accuracy": [0.9, 0.85, 0.95],
    },
    {
        "kind": "age band",
        "group": "60+",
        "pictures": 40,
        "mae": [9.25, 8, 10],
        "gender_accuracy": [0.8, 0.7, 0.9],
    },
    {
        "kind": "gender",
        "group": "male",
        "pictures": 50,
        "mae": [4, 3, 5],
        "gender_accuracy": [0.75, 0.6, 0.8],
    },
]


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A shipped model's card, with measured figures beside it."""
    made = replace(
        fake.card(b"weights"), training_data=(TrainingData("Faces", "research"), TrainingData("Mine", "free"))
    )
    monkeypatch.setattr(about, "WEIGHTS", tmp_path)
    monkeypatch.setattr(about, "MEASURED", tmp_path / "measured")
    made.save(tmp_path / "fake.json")
    found = {
        "evaluations": [
            {"protocol": "a-test", "sha256": made.sha256, **COMMAND, "groups": GROUPS},
            {"protocol": "b", "sha256": "f" * 64, **COMMAND, "groups": [{**GROUPS[0], "pictures": 7}]},
        ],
        "robustness": [
            {
                **{"protocol": "a-validation", "pictures": 500, "sha256": made.sha256, **COMMAND},
                "rows": [{"kind": "darkness", "strength": 3, "setting": "-3", "error": [7, 6, 8]}],
            }
        ],
        "certainty": [
            {
                "domain": "fgnet",
                "looks": looks,
                "measures": {"coverage 0.9": [share, 1002], "width 0.9, years": [21.5, 1002]},
            }
            for looks, share in (("as they are", 0.884), ("spoilt", 0.9))
        ]
        + [
            {
                "domain": "fiw",
                "looks": "as they are",
                "measures": {"gender right": [0.84, 572], "calibration error": [0.031, 572]},
            }
        ],
    }
    (tmp_path / "measured").mkdir()
    (tmp_path / "measured" / "fake.json").write_text(json.dumps(found))
    return made


def test_everything_is_told_from_card_and_figures(card: ModelCard) -> None:
    text = about.plain(about.about(card))
    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert titles == [
        "fake",
        *(
            "INTENDED USE",
            "LIMITS",
            "FIGURES BY GROUP",
            "OTHER PICTURES",
            "INTERVAL COVERAGE",
            "GENDER'S PROBABILITY",
            "ROBUSTNESS",
        ),
        *("DATA AND TERMS", "MAKING IT AGAIN"),
    ]
    for line in (
        "Worst age MAE of a-test: age band 60+, 9.25 [8.00, 10.00] years.",
        "Worst gender of a-test: gender male, 75.0% [60.0, 80.0].",
        "  a-test        pictures  age MAE, years      gender",
        "  age band 60+  40        9.25 [8.00, 10.00]  80.0% [70.0, 90.0]",
        "(commit 0123456789ab); of weights ffffffffffff, since replaced",
        "                 number  90%: inside  years",
        "  fgnet          1,002   88.4%        21.5",
        "  fgnet, spoilt  1,002   90.0%        21.5",
        "  fiw  572     84.0%  3.1%",
        "  darkness, -3         7.00 [6.00, 8.00]",
        "  Faces        research",
        "phiz train recipes/none --data DIR, in a checkout of commit none.",
    ):
        assert line in text


def test_markdown_has_the_same_cells(card: ModelCard) -> None:
    text = about.markdown(about.about(card))
    assert text.startswith("## fake\n")
    assert "| age band 60+ | 40 | 9.25 [8.00, 10.00] | 80.0% [70.0, 90.0] |" in text
    assert "| Mine | free |" in text


def test_other_weights_of_the_same_name_have_no_figures(card: ModelCard) -> None:
    own = replace(card, sha256="a" * 64)
    assert about.measured(own) == {"evaluations": [], "robustness": [], "certainty": [], "attributes": None}
    assert "FIGURES" not in about.plain(about.about(own))


def test_a_table_that_is_too_wide_goes_on_below() -> None:
    section = about.Section("t", (), (("name", "terms"), ("Faces", "some words " * 12)))
    lines = about.plain([section], 60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[2].startswith("  Faces  some words")
    assert lines[3].startswith(" " * 9 + "words")


@pytest.mark.parametrize("name", [card.name for card in list_cards()])
def test_shipped_models_are_told_within_a_terminal(name: str) -> None:
    done = CliRunner().invoke(app, ["models", "show", name])
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 100
    assert "DATA AND TERMS" in done.output
    assert "FIGURES" in done.output


def test_show_as_json_is_card_and_figures() -> None:
    told = json.loads(CliRunner().invoke(app, ["models", "show", "multitask-64", "--format", "json"]).output)
    assert told["card"]["name"] == "multitask-64"
    assert told["measured"]["evaluations"][0]["groups"][0]["kind"] == "all"


def test_the_list_fits_a_terminal_and_says_the_terms_once() -> None:
    text = CliRunner().invoke(app, ["models"]).output
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("non-commercial research") == 1
    assert text.count("  research only  ") == len(list_cards())


def test_an_unknown_model_is_refused() -> None:
    done = CliRunner().invoke(app, ["models", "show", "nobody"])
    assert done.exit_code == 2
    assert "no model is called 'nobody'" in done.output
