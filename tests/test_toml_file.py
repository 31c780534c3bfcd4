"""What is no TOML, and what a TOML file can hold that no setting can: one error, whoever reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from phiz.errors import RecipeError
from phiz.evaluation.protocols import load_protocol
from phiz.toml_file import line_of, read_toml


def readers() -> list[Callable[[Path], object]]:
    pytest.importorskip("torch", reason="the extra train reads recipes")
    from phiz.training.attribute_recipe import is_attribute_recipe, load_attribute_recipe
    from phiz.training.recipe import load_recipe

    return [load_protocol, load_recipe, load_attribute_recipe, is_attribute_recipe]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"name = \n", "Invalid value"),
        (b'name = "\xff"\n', "'utf-8' codec can't decode byte 0xff"),
        (b"name = " + b"[" * 100_000, "recursion"),
        (b"name = " + b"{a=" * 100_000, "recursion"),
        (b"seed = " + b"9" * 5000, "digits"),
        (b"day = 2024-13-45\n", "Expected"),
    ],
    ids=["no value", "no UTF-8", "too deep a list", "too deep a table", "too long a number", "no date"],
)
def test_what_is_no_toml_is_one_error_whoever_reads_it(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(content)
    for read in readers():
        with pytest.raises(RecipeError, match=r"a\.toml: not a TOML file: ") as caught:
            read(path)
        assert reason in str(caught.value)


def test_a_file_that_is_not_there_is_named_by_what_it_was_to_be(tmp_path: Path) -> None:
    with pytest.raises(RecipeError) as caught:
        read_toml(tmp_path / "a.toml", "protocol")
    missing = f"{tmp_path / 'a.toml'}: cannot read the protocol: No such file or directory"
    assert str(caught.value) == f"{missing}; phiz recipes FOLDER writes those that ship with phiz"


@pytest.mark.parametrize("number", ["nan", "-inf", "1e400", "9" * 400])
@pytest.mark.parametrize("place", ["learning_rate = {}", "age = [0.5, {}, 0.25]", "chip = [0, 0, {}]"])
def test_a_number_that_no_float_holds_is_refused(tmp_path: Path, place: str, number: str) -> None:
    pytest.importorskip("torch", reason="the extra train reads recipes")
    from phiz.training.recipe import load_recipe

    recipe = Path(__file__).parents[1] / "recipes" / "multitask-utkface-small.toml"
    lines = recipe.read_text(encoding="utf-8").splitlines()
    key = place.partition(" ")[0]
    kept = [line for line in lines if line.partition(" ")[0] != key]
    section = {"learning_rate": "[optimisation]", "age": "[decision]", "chip": "[crop]"}[key]
    if section not in kept:
        kept.append(section)
    kept.insert(kept.index(section) + 1, place.format(number))
    path = tmp_path / "a.toml"
    path.write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(RecipeError, match="finite number"):
        load_recipe(path)


LINES = '''# a
[screen]
x = 1

[[content]]
name = "a"
list = [
  1,
  2,
]
when.a.least = 1
[[content]]
name = "b"
text = """
[[content]]
name = "c"
"""
[content.when]
b = {least = 1}
z = 3'''


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ((), 1),
        (("screen",), 2),
        (("screen", "x"), 3),
        (("content", 0), 5),
        (("content", 0, "list"), 7),
        (("content", 0, "when", "a"), 11),
        (("content", 1), 12),
        (("content", 1, "text"), 14),
        (("content", 1, "when"), 18),
        (("content", 1, "when", "b", "least"), 19),
        (("content", 1, "when", "z"), 20),
    ],
)
def test_the_line_of_a_value(keys: tuple[str | int, ...], line: int) -> None:
    assert line_of(LINES, keys) == line
