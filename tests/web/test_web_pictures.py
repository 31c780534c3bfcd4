"""Pictures on the page: dropped, pasted and picked, here and on the server, and what goes wrong."""

from __future__ import annotations

import base64
import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import (
    ANSWERS,
    CERTAINTY,
    CONTRAST,
    PHOTO,
    PICTURES,
    Service,
    expect,
    give,
    said,
    screenshot,
    use_server,
    wait_for_engine,
)
from fixture_tool import fixture_tool
from PIL import Image

from phiz.cli.output import CSV_COLUMNS
from phiz.models.model_store import WEIGHTS


def results(page: Any) -> Any:
    return json.loads(page.locator("#json").text_content())


def test_two_pictures_at_once(open_page: Callable[..., Any]) -> None:
    page = open_page()
    give(page, PICTURES / "group.png", PICTURES / "portrait.png")
    expect(page.locator("#rows tr")).to_have_count(6)
    expect(page.locator("#cards li")).to_have_count(5)
    expect(page.locator("#boxes > div")).to_have_count(5)
    expect(page.locator("#status")).to_have_text(re.compile(r"5 faces in [\d.]+ s, on this device"))
    # Boxes lie over the faces: in shares of the picture as shown.
    group = ANSWERS["group"]
    shown = page.locator("#picture").bounding_box()
    for i, face in enumerate(group["faces"]):
        box = page.locator("#boxes > div").nth(i).bounding_box()
        x, y, width, _ = face["box"]
        assert box["x"] == pytest.approx(shown["x"] + x / group["width"] * shown["width"], abs=1.5)
        assert box["y"] == pytest.approx(shown["y"] + y / group["height"] * shown["height"], abs=1.5)
        assert box["width"] == pytest.approx(width / group["width"] * shown["width"], abs=1.5)
        card = page.locator("#cards li").nth(i)
        found = results(page)[0]["faces"][i]
        expect(card.locator(".hidden")).to_have_text(f"Face {i + 1}: {said(found)}")
        assert said(found).startswith(card.locator(".age b").text_content())
    first, second = results(page)
    assert [first["path"], second["path"]] == ["group.png", "portrait.png"]
    for found, expected in ((first, group), (second, ANSWERS["portrait"])):
        ages = [face["age"] for face in expected["faces"]]
        assert [face["age"] for face in found["faces"]] == pytest.approx(ages, abs=0.2 + 1e-9)
    # The other picture from the film, then none at all.
    page.get_by_role("button", name="portrait.png").click()
    expect(page.locator("#cards li")).to_have_count(1)
    page.get_by_role("button", name="Remove all").click()
    expect(page.locator("#stage")).to_have_attribute("data-state", "empty")
    expect(page.locator("#data")).to_be_hidden()
    expect(page.locator("#pick")).to_be_focused()


def test_a_large_picture_is_read_in_parts(open_page: Callable[..., Any], tmp_path: Path) -> None:
    """Larger than a part on the device: looked at more coarsely, and still what Python says of it."""
    expected = ANSWERS["enlarged"]
    pixels = fixture_tool().enlarged(np.asarray(Image.open(PICTURES / "portrait.png")), expected["times"])
    Image.fromarray(pixels).save(tmp_path / "large.png")
    page = open_page()
    give(page, tmp_path / "large.png")
    expect(page.locator("#cards li")).to_have_count(1)
    (found,) = results(page)
    assert (found["width"], found["height"]) == (expected["width"], expected["height"])
    assert found["faces"][0]["box"] == pytest.approx(expected["faces"][0]["box"], abs=0.3)
    assert found["faces"][0]["age"] == pytest.approx(expected["faces"][0]["age"], abs=0.2 + 1e-9)


def test_server_and_device_agree(open_page: Callable[..., Any]) -> None:
    page = open_page()
    use_server(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url.rsplit("/", 1)[1]))
    give(page, PICTURES / "group.png")
    expect(page.locator("#rows tr")).to_have_count(5)
    assert "analyze" in sent
    expect(page.locator("#note")).to_contain_text("Pictures go to 127.0.0.1")
    assert results(page)[0]["faces"] == ANSWERS["group"]["faces"]


def test_paste(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (encoded) => {
          const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
          const blob = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }""",
        base64.b64encode((PICTURES / "portrait.png").read_bytes()).decode(),
    )
    page.keyboard.press("Control+V")
    expect(page.locator("#cards li")).to_have_count(1)
    assert results(page)[0]["faces"][0]["gender"] == "female"


def drop(page: Any, *, files: dict[str, bytes] | None = None, text: str | None = None) -> None:
    encoded = {name: base64.b64encode(content).decode() for name, content in (files or {}).items()}
    page.evaluate(
        """([files, text]) => {
          const data = new DataTransfer();
          for (const [name, encoded] of Object.entries(files)) {
            const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
            data.items.add(new File([bytes], name));
          }
          if (text) data.setData("text/uri-list", text);
          const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
          document.getElementById("stage").dispatchEvent(event);
        }""",
        [encoded, text],
    )


def test_drop(open_page: Callable[..., Any]) -> None:
    page = open_page()
    drop(page, files={"photo.jpg": PHOTO.read_bytes()})
    expect(page.locator("#cards li")).to_have_count(1)
    assert results(page)[0]["path"] == "photo.jpg"
    drop(page, text="https://example.org/photo.jpg")
    expect(page.get_by_role("alert")).to_contain_text("There was no picture in it")


def test_copies(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    give(page, PICTURES / "portrait.png")
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("button", name="Copy as JSON").click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert json.loads(page.evaluate("navigator.clipboard.readText()")) == results(page)
    page.get_by_role("button", name="Copy the table").click()
    lines = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert lines[0].split("\t")[:3] == ["Picture", "Face", "Age"]
    assert lines[1].split("\t")[:2] == ["portrait.png", "1"]


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_how_sure_it_is(open_page: Callable[..., Any], service: Service, locale: str) -> None:
    """With made tables there are ranges, and what makes a face hard to read; 320 pixels hold it."""
    page = open_page("about:blank", ready=False, locale=locale, viewport={"width": 320, "height": 700})
    card = json.loads((WEIGHTS / "multitask-64.json").read_text(encoding="utf-8"))
    page.route(
        "**/models/multitask-64.json", lambda route: route.fulfill(json={**card, "certainty": CERTAINTY})
    )
    page.goto(service.url)
    wait_for_engine(page)
    give(page, PICTURES / "group.png")
    expect(page.locator("#cards li")).to_have_count(5)
    (result,) = results(page)
    for i, face in enumerate(result["faces"]):
        low, high = face["age_interval"]
        assert low < face["age"] < high
        words = page.locator("#cards li").nth(i).locator(".age, .gender, .flags").all_text_contents()
        label = page.locator("#boxes span").nth(i).text_content()
        if locale == "en-GB":
            expect(page.locator("#cards li .hidden").nth(i)).to_have_text(f"Face {i + 1}: {said(face)}")
            assert label == said(face).partition(", ")[0]
        else:
            assert re.fullmatch(r"\d+~\d+세약 \d+세", words[0])
            assert re.fullmatch(r"\d+~\d+세", label)
    flagged = [face["flags"] for face in result["faces"]]
    assert "cut off" in flagged[2]
    expect(page.locator("#cards li .flags").nth(2)).to_contain_text(
        "cut off" if locale == "en-GB" else "잘림"
    )
    assert page.locator("html").evaluate("(e) => e.scrollWidth") <= 320
    screenshot(page, f"sure-{locale}")


def test_files_are_what_phiz_analyze_writes(open_page: Callable[..., Any]) -> None:
    page = open_page()
    give(page, PICTURES / "portrait.png")
    expect(page.locator("#rows tr")).to_have_count(1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    assert saved.value.suggested_filename == "faces.csv"
    (line,) = csv.DictReader(Path(saved.value.path()).read_text(encoding="utf-8-sig").splitlines())
    assert tuple(line) == CSV_COLUMNS
    (face,) = results(page)[0]["faces"]
    assert (line["path"], line["face"], line["gender"]) == ("portrait.png", "1", face["gender"])
    assert float(line["age"]) == face["age"]
    assert float(line["quality_yaw"]) == face["quality"]["yaw"]
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as JSON").click()
    assert json.loads(Path(saved.value.path()).read_text(encoding="utf-8")) == results(page)


def boxed(brand: bytes, *others: bytes) -> bytes:
    """The first box of a file of the family of MP4: its size, major brand, version, compatible brands."""
    body = b"ftyp" + brand + b"\0\0\0\0" + b"".join(others)
    return (len(body) + 4).to_bytes(4, "big") + body + b"\0\0\0\x08free"


BROKEN = {
    "empty.png": (b"", "the file is empty. Copy it again from its source."),
    "cut.jpg": (
        PHOTO.read_bytes()[:300],
        "the picture is damaged or cut short. Copy it again from its source.",
    ),
    "words.png": (
        b"no picture at all",
        "this is not a picture that the browser can read. JPEG, PNG, WebP, BMP and GIF work.",
    ),
    "phone.heic": (
        boxed(b"heic", b"mif1", b"heic"),
        "this is a HEIC file, which cannot be read here. Save it as JPEG first.",
    ),
    "clip.mp4": (
        boxed(b"isom", b"iso2", b"avc1", b"mp41"),
        "this is a video or sound recording, not a picture. Take a still picture of it first.",
    ),
    "paper.pdf": (b"%PDF-1.7\n", "this is a PDF file, which cannot be read here. Save it as JPEG first."),
}
ONE_WORSE = {name: f"{name}: {words}" for name, (_, words) in BROKEN.items()}


def drop_broken(page: Any) -> None:
    """Drop every broken file with one that is not, in the middle."""
    contents = {name: content for name, (content, _) in BROKEN.items()}
    first = dict(list(contents.items())[:3])
    drop(page, files={**first, "good.jpg": PHOTO.read_bytes(), **contents})


def test_wrong_files_share_one_list(open_page: Callable[..., Any]) -> None:
    page = open_page()
    drop_broken(page)
    alert = page.get_by_role("alert")
    expect(alert.locator("summary")).to_have_text(f"{len(BROKEN)} pictures could not be read")
    expect(alert).to_have_count(1)
    expect(alert.locator("li").first).to_be_hidden()
    screenshot(page, "errors")
    alert.locator("summary").click()
    expect(alert.locator("li")).to_have_text(list(ONE_WORSE.values()))
    expect(alert.locator("li").first).to_be_visible()
    screenshot(page, "errors-open")
    assert page.evaluate(CONTRAST)[0][0] >= 4.5
    page.get_by_role("button", name="한국어").click()
    expect(alert.locator("summary")).to_have_text(f"사진 {len(BROKEN)}장을 읽지 못했습니다")
    expect(alert.locator("li").first).to_contain_text("빈 파일입니다")
    expect(alert.locator("li").first).to_be_visible()
    alert.get_by_role("button", name="닫기").click()
    expect(alert).to_have_count(0)
    expect(page.locator("#pick")).to_be_focused()
    # The next attempt begins with an empty list, and one file is told without a list.
    drop(page, files={"again.png": b""})
    expect(alert.locator("p")).to_have_text("again.png: 빈 파일입니다. 원본에서 다시 복사하세요.")
    expect(alert.locator("details")).to_be_hidden()


def test_a_picture_that_failed_is_not_left_out(open_page: Callable[..., Any]) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    drop_broken(page)
    give(page, PICTURES / "edges.png")
    expect(page.locator("#rows tr")).to_have_count(len(BROKEN) + 2)
    rows = {row.locator("th").text_content(): row for row in page.locator("#rows tr").all()}
    told = {entry["path"]: entry for entry in results(page)}
    assert list(rows) == list(told) == [*list(BROKEN)[:3], "good.jpg", *list(BROKEN)[3:], "edges.png"]
    for name, (_, words) in BROKEN.items():
        expect(rows[name]).to_contain_text(words)
        assert told[name] == {"path": name, "width": None, "height": None, "faces": [], "error": words}
        thumb = page.get_by_role("button", name=f"{name}: not read")
        expect(thumb).to_have_text(f"{name}!")
        expect(thumb.locator("b")).to_be_visible()
        thumb.click()
        expect(page.locator("#status")).to_have_text(f"{name}: {words}")
    # A picture without a face has its row too, and the copied table as many cells in every line.
    expect(rows["edges.png"]).to_contain_text("No face found")
    assert (told["edges.png"]["faces"], told["edges.png"]["error"]) == ([], None)
    page.get_by_role("button", name="Copy the table").click()
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert len(lines) == len(BROKEN) + 3
    assert {len(line.split("\t")) for line in lines} == {
        page.locator("thead th[data-t^=column]:not(#audience *)").count()
    }


def test_server_that_dies(open_page: Callable[..., Any], own_service: Callable[..., Service]) -> None:
    running = own_service()
    page = open_page(running.url)
    use_server(page)
    running.end()
    give(page, PICTURES / "portrait.png")
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")


def test_token(open_page: Callable[..., Any], own_service: Callable[..., Service]) -> None:
    running = own_service(PHIZ_TOKEN="a-token-of-the-tests")
    page = open_page(running.url)
    page.get_by_text("On the server").click()
    expect(page.get_by_role("alert")).to_contain_text("The server asks for an access token.")
    give(page, PICTURES / "portrait.png")
    screenshot(page, "token")
    page.get_by_label("Access token of the server").fill("a-token-of-the-tests")
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#token-form")).to_be_hidden()
