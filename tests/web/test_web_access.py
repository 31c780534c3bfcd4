"""The page by keyboard and screen reader, in both languages, on a phone, light and dark."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from browsing import ANSWERS, CONTRAST, PICTURES, ROOT, SIZES, expect, give, said, screenshot, use_server

FOCUSED = "(({ id, textContent, value }) => id || textContent || value)(document.activeElement)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_looks(open_page: Callable[..., Any], scheme: str, size: str) -> None:
    locale = "en-GB" if scheme == "light" else "ko-KR"
    page = open_page(color_scheme=scheme, viewport=SIZES[size], locale=locale)
    screenshot(page, f"{size}-{scheme}-empty")
    give(page, PICTURES / "group.png", PICTURES / "portrait.png")
    expect(page.locator("#rows tr")).to_have_count(6)
    screenshot(page, f"{size}-{scheme}-pictures")
    contrasts = page.evaluate(CONTRAST)
    assert len(contrasts) > 40
    assert contrasts[0][0] >= 4.5, contrasts[:3]
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    for box in page.locator("#boxes > div > span").all():
        label, frame = box.bounding_box(), page.locator("#frame").bounding_box()
        assert frame["x"] - 3 <= label["x"]
        assert label["x"] + label["width"] <= frame["x"] + frame["width"] + 3


def test_keyboard_alone(open_page: Callable[..., Any]) -> None:
    page = open_page()
    # Told early: the browser takes a moment to hand its file dialogue over.
    page.on("filechooser", lambda chooser: chooser.set_files(PICTURES / "group.png"))
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate(FOCUSED))
    assert order == ["Skip to the results", "English", "한국어", "device", "pick", "camera"]
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#rows tr")).to_have_count(5)
    # The switch by arrow keys, a picture from the film by Space, JSON by Enter.
    page.locator("[name=where][value=device]").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("body")).to_have_attribute("data-engine", "server-ready")
    page.get_by_role("button", name="group.png").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="group.png")).to_be_focused()
    page.locator("#json-details summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#json")).to_be_visible()


def test_what_a_screen_reader_hears(open_page: Callable[..., Any]) -> None:
    page = open_page()
    use_server(page)
    give(page, PICTURES / "portrait.png")
    (face,) = ANSWERS["portrait"]["faces"]
    expect(page.locator("#cards li")).to_have_count(1)
    (told,) = json.loads(page.locator("#json").text_content())[0]["faces"]
    expect(page.locator("#live")).to_have_text(f"Picture portrait.png: 1 face. Face 1: {said(told)}")
    assert told["age"] == pytest.approx(face["age"], abs=0.2)
    expect(page.locator("#live")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_role("img", name="portrait.png")).to_be_visible()
    expect(page.get_by_role("table")).to_contain_text("portrait.png")
    for control in page.locator("button, select, input:not([type=file]), summary").all():
        if control.is_visible():
            assert control.evaluate(
                "(e) => e.getAttribute('aria-label') || (e.labels?.[0] ?? e).textContent.trim()"
            )


def test_language_follows_the_browser_and_the_switch(open_page: Callable[..., Any]) -> None:
    page = open_page(locale="ko-KR")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("#pick")).to_have_text("사진 고르기")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#pick")).to_have_text("Choose pictures")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")


def test_every_text_is_there_in_both_languages() -> None:
    page = ROOT / "src" / "phiz" / "serve" / "page"
    english, korean = (
        (page / "app" / f"{name}.js").read_text(encoding="utf-8") for name in ("english", "korean")
    )
    key = re.compile(r'^  "?([\w.]+)"?:', re.MULTILINE)
    keys = key.findall(english)
    assert keys == key.findall(korean)
    used = set(re.findall(r'data-t(?:-label)?="([\w.]+)"', (page / "index.html").read_text(encoding="utf-8")))
    for script in (page / "app").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        used |= set(re.findall(r'(?:\bsay\(|new Plain\(|key: )"([\w.]+)"', text))
        used |= set(re.findall(r'"((?:error|camera)\.\w+)"', text)) - {"camera.js"}
    assert len(used) > 60
    assert used <= set(keys)
    for english_line, korean_line in zip(_texts(english), _texts(korean), strict=True):
        assert set(re.findall(r"\{\w+\}", english_line)) == set(re.findall(r"\{\w+\}", korean_line))


def test_no_text_holds_words_of_a_program() -> None:
    """What a browser or service says is English and for developers: `detail` goes to the console alone."""
    for name in ("english", "korean"):
        text = (ROOT / "src" / "phiz" / "serve" / "page" / "app" / f"{name}.js").read_text(encoding="utf-8")
        assert len(_texts(text)) > 100
        assert [line for line in _texts(text) if "{detail}" in line or "max_pixels" in line] == []


def _texts(script: str) -> list[str]:
    return re.findall(r'^  "?[\w.]+"?:\s+"(.*)",$', script, re.MULTILINE)
