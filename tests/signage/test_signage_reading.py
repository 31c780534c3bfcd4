"""signage.toml: what is right is read, and every mistake is told at once with its line."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest
from screens import RULES, write_screen

from phiz.signage import SignageError, load_rules
from phiz.signage.rules import Range

FALLBACK = '[[content]]\nname = "welcome"\nfile = "welcome.png"\nfallback = true\n'


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    rules = load_rules(write_screen(tmp_path))
    assert [content.name for content in rules.contents] == ["welcome", "women", "men", "crowd"]
    welcome, women, _, crowd = rules.contents
    assert (welcome.kind, welcome.fallback, welcome.least_seconds, welcome.most_seconds) == (
        "picture",
        True,
        0,
        20,
    )
    assert (women.weight, women.when.female, women.steered) == (1, Range(0.6), True)
    assert crowd.when.people == Range(3)
    assert (rules.steer_from_age, rules.random_share, rules.zone) == (13, 0, "UTC")


def test_every_setting_is_read(tmp_path: Path) -> None:
    text = FALLBACK + (
        "[screen]\nsteady_seconds = 0.5\nlost_seconds = 9\nfade_seconds = 0\nsteer_from_age = 20\n"
        "random_share = 0.25\n"
        '[[content]]\nname = "b"\nfile = "women.png"\nweight = 2.5\nleast_seconds = 30\n'
        'when.hours = ["09:00-17:30", "22:00-02:00"]\nwhen.weekdays = ["sat", "sun"]\n'
        'when.age = { bands = ["20-39", "60+"], least = 0.2, most = 0.8 }\nwhen.facing.most = 0.5\n'
    )
    rules = load_rules(write_screen(tmp_path, text))
    assert (rules.steady_seconds, rules.lost_seconds, rules.fade_seconds) == (0.5, 9, 0)
    assert (rules.steer_from_age, rules.random_share) == (20, 0.25)
    content = rules.by_name["b"]
    assert (content.weight, content.least_seconds, content.most_seconds) == (2.5, 30, 30)
    assert content.when.hours == ((time(9), time(17, 30)), (time(22), time(2)))
    assert content.when.weekdays == (5, 6)
    assert (content.when.age, content.when.bands) == (Range(0.2, 0.8), ("20-39", "60+"))
    assert content.when.facing == Range(None, 0.5)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("colour = 1", "content.colour: unknown key"),
        ("wieght = 1", "content.wieght: unknown key; did you mean weight?"),
        ("weight = 0", "content.weight: expected a number from 0.01 to 1000, got 0"),
        ("weight = true", "content.weight: expected a number"),
        ("weight = nan", "content.weight: expected a number"),
        ("least_seconds = 21\nmost_seconds = 20", "least_seconds: expected at most most_seconds, 20, got 21"),
        ("fallback = 1", "content.fallback: expected true or false, got 1"),
        ("when.female.least = 50", "expected a number from 0 to 1, got 50; write 0.5 for 50%"),
        ("when.female.leats = 0.5", "content.when.female.leats: unknown key; did you mean least?"),
        ("when.female = {}", "content.when.female: expected least, most or both, got neither"),
        ("when.female = 0.5", "content.when.female: expected a table such as { least = 0.5 }, got 0.5"),
        ("when.people = { least = 3, most = 2 }", "expected at most 2, which is most, got 3"),
        ("when.age.least = 0.5", "content.when.age.bands: expected some of 0-12, 13-19"),
        ('when.age = { bands = ["30s"], least = 1 }', "content.when.age.bands: expected some of"),
        ('when.age = { bands = ["0-12"], least = 1 }', "0-12 is under steer_from_age, 13"),
        ('when.hours = ["9:00-10:00"]', "expected times such as \"09:00-17:30\", got '9:00-10:00'"),
        ('when.hours = ["09:00-09:00"]', 'expected times such as "09:00-17:30"'),
        ('when.hours = "09:00-10:00"', "content.when.hours: expected a list of texts"),
        ('when.weekdays = ["Monday"]', "expected some of mon, tue, wed, thu, fri, sat, sun, got 'Monday'"),
        (
            "fallback = true\nwhen.people.least = 1",
            "content.fallback: expected no condition about who is there",
        ),
        ("when.stay_seconds.least = 9\nwhen.female.least = 1", "may address a single person"),
        (
            "when.stay_seconds.least = 9\nwhen.female.least = 1\nwhen.people.least = 1",
            "may address a single person",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, says: str) -> None:
    path = write_screen(tmp_path, f'{FALLBACK}\n[[content]]\nname = "b"\nfile = "women.png"\n{line}\n')
    with pytest.raises(SignageError) as caught:
        load_rules(path)
    told = str(caught.value)
    assert says in told
    assert told.startswith(f"{path}, line 9: ")
    assert "\n" not in told


def test_all_mistakes_are_told_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    text = '[screen]\nfade = 1\n[[content]]\nfile = "nothing.png"\n'
    text += 'when.age = { bands = [\n  "x",\n], least = 2 }\n'
    path = write_screen(tmp_path, text)
    with pytest.raises(SignageError) as caught:
        load_rules(path)
    lines = [line.removeprefix(f"{path}, line ").partition(":")[0] for line in str(caught.value).splitlines()]
    assert lines == ["1", "2", "3", "4", "5", "5"]


@pytest.mark.parametrize("hours", ["", 'when.hours = ["09:00-17:00"]\n', 'when.weekdays = ["sat"]\n'])
def test_a_fallback_at_all_hours_is_needed(tmp_path: Path, hours: str) -> None:
    path = write_screen(tmp_path, FALLBACK + hours if hours else FALLBACK.replace("fallback = true", ""))
    with pytest.raises(
        SignageError, match=r"line 1: expected a \[\[content\]\] with fallback = true at all hours"
    ):
        load_rules(path)


def test_stay_and_looks_of_two_and_more_are_not_of_one_person(tmp_path: Path) -> None:
    more = "when.stay_seconds.least = 9\nwhen.female.least = 1\nwhen.people.least = 2\n"
    load_rules(write_screen(tmp_path, f'{FALLBACK}[[content]]\nname = "b"\nfile = "women.png"\n{more}'))


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("../outside.png", "expected a file in the folder of the rules or below"),
        ("/etc/hostname.png", "expected a file in the folder of the rules or below"),
        ("link.png", "expected a file in the folder of the rules or below"),
        ("absent.png", "expected a file, got nothing of that name"),
        ("folder.html", "expected a file, got nothing of that name"),
        ("signage.toml", "expected a name that ends in .avif"),
        ("https://example.org/a.png", "expected a file beside the rules, got an address"),
    ],
)
def test_only_files_of_the_rules_folder_are_contents(tmp_path: Path, file: str, says: str) -> None:
    folder = tmp_path / "screen"
    folder.mkdir()
    (folder / "folder.html").mkdir()
    (tmp_path / "outside.png").write_bytes(b"")
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    path = write_screen(folder, f'{FALLBACK}[[content]]\nname = "b"\nfile = "{file}"\n')
    with pytest.raises(SignageError, match=r"line 7: content\.file: ") as caught:
        load_rules(path)
    assert says in str(caught.value)


def test_names_are_given_once(tmp_path: Path) -> None:
    path = write_screen(tmp_path, RULES.replace('name = "men"', 'name = "women"'))
    with pytest.raises(
        SignageError, match=r"line 11: content\.name: expected names that differ, got 'women' twice"
    ):
        load_rules(path)


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SignageError, match=r"not a TOML file: .*line 2"):
        load_rules(write_screen(tmp_path, "[screen]\nsteady = \n"))
    with pytest.raises(SignageError, match=r"cannot read the rules of the screen: No such file"):
        load_rules(tmp_path / "absent.toml")
