"""phiz signage check, try and notice, as a user types them."""

from __future__ import annotations

from pathlib import Path

import pytest
from screens import write_screen
from typer.testing import CliRunner

from phiz.cli import app
from phiz.signage import load_rules
from phiz.signage.notice import TEXTS, notice


def run(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["signage", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


def test_check_lists_what_is_shown_when(tmp_path: Path) -> None:
    status, said, _ = run("check", write_screen(tmp_path))
    assert status == 0
    lines = said.splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["welcome", "women", "men", "crowd"]
    assert lines[1].endswith("nothing else fits")
    assert lines[2].endswith("female at least 60%")
    assert "people under 13 do not steer; 0% of the minutes are random" in lines[5]


def test_check_tells_a_mistake_and_its_line(tmp_path: Path) -> None:
    path = write_screen(tmp_path)
    path.write_text(path.read_text() + "least = 3\n")
    status, said, wrong = run("check", path)
    assert (status, said) == (2, "")
    assert wrong.startswith(f"phiz: {path}, line 27: content.least: unknown key")


@pytest.mark.parametrize(
    ("people", "shown"),
    [
        ("female 25", "shown 100% of the time: women (it fits)"),
        ("female 25, male 30", "shown 100% of the time: welcome (a fallback: nothing else fits)"),
        ("male 25, male 30 away, unsure 9", "welcome"),  # one of the men may be the child
        (
            "male 25, male 30, male unsure",
            "shown 50% of the time: men (it fits)\nshown 50% of the time: crowd",
        ),
        ("unsure unsure, unsure", "welcome"),
        ("", "welcome"),
    ],
)
def test_try_says_what_would_be_shown(tmp_path: Path, people: str, shown: str) -> None:
    status, said, _ = run("try", write_screen(tmp_path), "--people", people)
    assert status == 0
    assert shown in said


def test_try_says_why_others_are_not_shown(tmp_path: Path) -> None:
    path = write_screen(tmp_path)
    path.write_text(path.read_text() + 'when.hours = ["11:00-14:00"]\n')
    _, said, _ = run("try", path, "--people", "female 25, male 30", "--at", "2026-11-26T18:00")
    assert "not shown: women (female: 50%, wanted at least 60%)" in said
    assert "not shown: crowd (not shown on thu at 18:00; people: 2, wanted at least 3)" in said
    _, said, _ = run("try", path, "--camera-gone")
    assert said.startswith("shown 100% of the time: welcome")
    assert "not shown: men (the camera is gone)" in said


def test_try_refuses_what_is_no_person(tmp_path: Path) -> None:
    status, _, wrong = run("try", write_screen(tmp_path), "--people", "woman 25")
    assert status == 2
    assert wrong == "phiz: --people: expected persons such as \"female 25, male 30\", got 'woman 25'\n"


def test_the_notice_says_what_the_rules_do(tmp_path: Path) -> None:
    path = write_screen(tmp_path)
    status, said, _ = run("notice", path, "--contact", "the desk")
    assert status == 0
    english, korean = said.strip().split("\n\n")
    assert english == notice(load_rules(path), "en", "the desk")
    assert korean == notice(load_rules(path), "ko", "the desk")
    assert "looks younger than 13" in english
    assert "13세 미만" in korean
    assert "by chance" not in english
    path.write_text(path.read_text().replace("[screen]", "[screen]\nrandom_share = 0.1\nsteer_from_age = 0"))
    _, said, _ = run("notice", path, "--language", "en")
    assert "by chance" in said
    assert "younger" not in said
    assert "Ask: ____" in said


def test_the_notice_of_a_screen_without_steering_does_not_speak_of_it(tmp_path: Path) -> None:
    rules = '[[content]]\nname = "a"\nfile = "welcome.png"\nfallback = true\n'
    text = notice(load_rules(write_screen(tmp_path, rules)), "en")
    assert "choose what it shows" not in text
    assert "younger" not in text


def test_both_languages_say_the_same() -> None:
    assert TEXTS["en"].keys() == TEXTS["ko"].keys()
