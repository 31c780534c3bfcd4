"""The camera on the page: a made video of a wandering face."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from browsing import PHOTO, expect, screenshot, use_server, wait_for_engine

from phiz import Analyzer


def watch(page: Any, frames: int) -> list[dict[str, Any]]:
    """Record where box and card stand after each of so many changes of the box."""
    seen: list[dict[str, Any]] = page.evaluate(
        """(frames) => new Promise((resolve) => {
          const seen = [];
          const boxes = document.getElementById("boxes");
          new MutationObserver((_, observer) => {
            const card = document.querySelector("#cards li");
            seen.push({
              count: boxes.children.length,
              left: boxes.firstChild?.style.left,
              face: card?.dataset.face,
              age: card?.querySelector(".age").textContent.match(/\\d+(?=\\D*$)/)[0], // of "about 35"
            });
            if (seen.length < frames) return;
            observer.disconnect();
            resolve(seen);
          }).observe(boxes.firstChild, { attributes: true, attributeFilter: ["style"] });
        })""",
        frames,
    )
    return seen


@pytest.mark.parametrize("where", ["device", "server"])
def test_camera(open_page: Callable[..., Any], where: str) -> None:
    page = open_page(permissions=["camera"])
    if where == "server":
        use_server(page)
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#cards li")).to_have_count(1)
    expect(page.locator("#status")).to_contain_text("1 face, ")
    seen = watch(page, 30)
    assert {moment["count"] for moment in seen} == {1}
    assert len({moment["face"] for moment in seen}) == 1  # one card, not a new one with each frame
    assert len({moment["left"] for moment in seen}) > 10  # it follows the face
    expected = Analyzer().analyze(PHOTO).faces[0].age
    assert all(abs(int(moment["age"]) - expected) < 6 for moment in seen)
    ages = [int(moment["age"]) for moment in seen[10:]]
    assert max(ages) - min(ages) <= 3
    screenshot(page, f"camera-{where}")
    # Keep one picture; the camera goes off and the picture is analysed like any other.
    page.get_by_role("button", name="Keep this picture").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.locator("#stage")).to_have_attribute("data-state", "picture")
    expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
    assert json.loads(page.locator("#json").text_content())[0]["path"].startswith("camera ")
    assert page.evaluate("document.getElementById('video').srcObject") is None


def test_switch_while_the_camera_runs_and_stop(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#cards li")).to_have_count(1)
    use_server(page)
    watch(page, 3)
    page.get_by_text("On this device").click()
    wait_for_engine(page)
    watch(page, 3)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.locator("#stage")).to_have_attribute("data-state", "empty")
    expect(page.locator("#cards li")).to_have_count(0)


def test_mirrored_boxes_lie_over_the_face(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#cards li")).to_have_count(1)
    watch(page, 20)
    # The face wanders left of the middle of the film by at most 16 of 640 pixels, so right of it in a mirror.
    frame, box = (page.locator(what).bounding_box() for what in ("#frame", "#boxes > div"))
    middle = (box["x"] + box["width"] / 2 - frame["x"]) / frame["width"]
    film = (110 + 224 / 512 * 420) / 640
    assert middle == pytest.approx(1 - film, abs=16 / 640 + 0.04)


def test_no_leave_for_the_camera(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_contain_text("The browser may not use the camera.")
    expect(page.locator("#stage")).to_have_attribute("data-state", "empty")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotFoundError", "No camera was found."),
        ("NotReadableError", "The camera is in use by another program."),
        ("TypeError", "The camera could not be started. Close other programs"),
    ],
)
def test_camera_that_does_not_open(open_page: Callable[..., Any], name: str, words: str) -> None:
    page = open_page()
    page.evaluate(
        """(name) => {
          navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(Object.assign(new Error("made up"), { name }));
        }""",
        name,
    )
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_camera_that_is_unplugged(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#cards li")).to_have_count(1)
    page.evaluate("document.getElementById('video').srcObject.getTracks()[0].stop()")
    expect(page.get_by_role("alert")).to_contain_text("The camera was disconnected.")
    screenshot(page, "camera-unplugged")
    expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
