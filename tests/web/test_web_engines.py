"""Switching between device and server, and what the page says that comes from the service."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from browsing import (
    ANSWERS,
    PICTURES,
    ROOT,
    SIZES,
    Service,
    expect,
    give,
    screenshot,
    use_server,
    wait_for_engine,
)

HELD = """() => {
  const decode = window.createImageBitmap.bind(window);
  const held = [];
  window.createImageBitmap = (...rest) =>
    new Promise((resolve) => held.push(resolve)).then(() => decode(...rest));
  window.release = () => {
    window.createImageBitmap = decode;
    held.forEach((resolve) => resolve());
    return held.length;
  };
}"""


def use_device(page: Any) -> None:
    page.get_by_text("On this device").click()
    wait_for_engine(page)


def test_switched_while_the_browser_decodes(open_page: Callable[..., Any]) -> None:
    """The old engine has not even been asked yet; both pictures are answered by the new one."""
    page = open_page()
    page.evaluate(HELD)
    give(page, PICTURES / "portrait.png", PICTURES / "group.png")
    expect(page.locator("#status")).to_contain_text("Looking at portrait.png")
    use_server(page)
    assert page.evaluate("release()") == 1
    expect(page.locator("#rows tr")).to_have_count(6)
    expect(page.locator("#rows td:last-child").first).to_have_text("on the server, multitask-64")


def test_camera_switched_while_the_browser_takes_a_frame(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["camera"])
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#cards li")).to_have_count(1)
    page.evaluate(HELD)
    page.wait_for_timeout(300)
    use_server(page)
    assert page.evaluate("release()") == 1
    rate = page.locator("#status").text_content()
    expect(page.locator("#status")).not_to_have_text(rate or "")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("held", ["**/v1/analyze", "**/v1/models"])
def test_switched_while_the_server_says_nothing(open_page: Callable[..., Any], held: str) -> None:
    page = open_page()
    if "analyze" in held:
        use_server(page)
    asked: list[Any] = []
    page.route(held, lambda route: asked.append(route))  # and never answered
    if "models" in held:
        page.get_by_text("On the server").click()
    give(page, PICTURES / "portrait.png", PICTURES / "group.png")
    page.wait_for_timeout(300)
    assert len(asked) == 1
    use_device(page)
    expect(page.locator("#rows tr")).to_have_count(6)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_an_answer_for_a_picture_that_the_browser_cannot_show(open_page: Callable[..., Any]) -> None:
    """What goes wrong while one picture is shown does not keep the next ones from their turn."""
    page = open_page()
    use_server(page)
    answer = {**ANSWERS["portrait"], "path": "x", "error": None}
    first = {"done": False}

    def answer_first(route: Any) -> None:
        if first["done"]:
            route.continue_()
        else:
            first["done"] = True
            route.fulfill(json={"results": [answer]})

    page.route("**/v1/analyze", answer_first)
    page.set_input_files(
        "#files",
        [
            {"name": "odd.heic", "mimeType": "image/heic", "buffer": b"\0\0\0\x18ftypheic"},
            {
                "name": "portrait.png",
                "mimeType": "image/png",
                "buffer": (PICTURES / "portrait.png").read_bytes(),
            },
        ],
    )
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#cards li")).to_have_count(1)
    expect(page.locator("#cards canvas")).to_be_hidden()


def test_old_answers_are_marked_and_asked_anew(open_page: Callable[..., Any]) -> None:
    page = open_page()
    give(page, PICTURES / "portrait.png", PICTURES / "group.png")
    expect(page.locator("#rows tr")).to_have_count(6)
    again = page.get_by_role("button", name="Analyse again")
    expect(again).to_be_hidden()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url.rsplit("/", 1)[1]))
    use_server(page)
    expect(page.locator("#status")).to_contain_text("answered before the switch")
    expect(page.get_by_role("button", name="portrait.png: 1 face, on this device")).to_be_visible()
    assert set(page.locator("#rows td:last-child").all_text_contents()) == {"on this device, multitask-64"}
    screenshot(page, "earlier-answers")
    page.set_viewport_size(SIZES["phone"])
    screenshot(page, "earlier-answers-phone")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"]["width"]
    assert "analyze" not in sent  # nothing that was analysed on the device is sent unasked
    again.click()
    expect(page.locator("#rows td:last-child", has_text="on the server")).to_have_count(6)
    expect(again).to_be_hidden()
    expect(page.locator("#status")).not_to_contain_text("before the switch")
    assert sent.count("analyze") == 2


def figures(name: str) -> dict[str, float]:
    card = json.loads((ROOT / "src" / "phiz" / "models" / "weights" / f"{name}.json").read_text())
    steps = [step for step in card["figures"]["validation"].values() if "age_mae" in step]
    found: dict[str, float] = steps[-1]
    return found


def test_foot_tells_of_the_network_that_answers(
    open_page: Callable[..., Any], own_service: Callable[..., Service]
) -> None:
    page = open_page(own_service("--model", "accurate").url)
    small, accurate = figures("multitask-64"), figures("age-accurate")
    assert f"{small['age_mae']:.1f}" != f"{accurate['age_mae']:.1f}"
    foot = page.locator("#accuracy")
    expect(foot).to_contain_text(f"Age by multitask-64: {small['age_mae']:.1f} years")
    use_server(page)
    expect(foot).to_contain_text(f"Age by age-accurate: {accurate['age_mae']:.1f} years")
    right = round(100 * accurate["gender_accuracy"])
    expect(foot).to_contain_text(f"Gender by age-accurate: right in {right}%")
    (link,) = page.locator("#about a").all()
    with page.context.expect_page() as opened:
        link.click()
    expect(opened.value.locator("body")).to_contain_text("INTENDED USE")
    assert opened.value.url.endswith("/about/age-accurate.txt")
    page.get_by_role("button", name="한국어").click()
    expect(foot).to_contain_text("age-accurate의 나이")
    give(page, PICTURES / "portrait.png")
    expect(page.locator("#rows td:last-child")).to_have_text("서버에서, age-accurate")
    use_device_in_korean(page)
    expect(foot).to_contain_text("multitask-64의 나이")


def use_device_in_korean(page: Any) -> None:
    page.get_by_text("이 기기에서", exact=True).first.click()
    wait_for_engine(page)


#: What a service answers to a picture, and the beginning of what the page says, in Korean.
REFUSALS = [
    ("too_many_pixels", 422, "사진이 서버가 읽는 한도인 25백만 픽셀보다 큽니다."),
    ("too_many_bytes", 413, "파일이 서버가 받는 한도인 32MB보다 큽니다."),
    ("body_too_large", 413, "파일이 서버가 받는 한도인 32MB보다 큽니다."),
    ("damaged_picture", 422, "사진이 손상되었거나 잘렸습니다."),
    ("unknown_format", 422, "사진이 아니라 동영상이나 녹음 파일입니다."),
    ("unknown_depth", 422, "채널당 32비트인 사진은 읽지 못합니다."),
    ("body_timeout", 408, "사진이 너무 느리게 전송되었습니다."),
    ("busy", 429, "서버가 바쁩니다."),
    ("answer_timeout", 503, "서버가 바쁩니다."),
    ("ending", 503, "서버가 종료되는 중입니다."),
    ("foreign_origin", 403, "서버가 이 주소에서 온 사진을 받지 않습니다."),
    ("failed", 500, "서버에 오류가 났습니다."),
    ("a_code_of_later", 422, "서버가 받지 않았습니다."),
    (None, 500, "서버에 오류가 났습니다."),
    (None, 422, "서버가 받지 않았습니다."),
]


def test_a_refusal_of_the_service_is_said_in_the_language_of_the_page(open_page: Callable[..., Any]) -> None:
    page = open_page(locale="ko-KR")
    page.get_by_text("서버에서", exact=True).first.click()
    wait_for_engine(page, "server")
    refusals = iter(REFUSALS)

    def refuse(route: Any) -> None:
        code, status, _ = next(refusals)
        words = {"detail": "expected something, got another thing; make it smaller or raise max_pixels"}
        route.fulfill(status=status, json=words if code is None else {**words, "code": code})

    page.route("**/v1/analyze", refuse)
    clip = {"mimeType": "video/mp4", "buffer": b"\0\0\0\x10ftypisom\0\0\0\0" + bytes(100)}
    page.set_input_files("#files", [{"name": f"{i}.mp4", **clip} for i in range(len(REFUSALS))])
    expect(page.locator("#rows tr")).to_have_count(len(REFUSALS))
    page.locator("#errors summary").click()
    screenshot(page, "refusals-korean")
    for i, (_, _, words) in enumerate(REFUSALS):
        line = page.locator("#errors li").nth(i).text_content() or ""
        assert line.startswith(f"{i}.mp4: {words}"), line
        assert not re.search(r"[A-Za-z]{3,}", line.replace(".mp4", "").replace("JPEG", "")), line
