"""On-device mode: nothing leaves the browser after loading, and plain files are enough."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browsing import PICTURES, ROOT, Service, expect, give, static_files


def is_network(address: str) -> bool:
    """Whether a request goes anywhere; blob: and data: stay in the browser."""
    return not address.startswith(("blob:", "data:"))


def test_no_request_after_loading(open_page: Callable[..., Any], own_service: Callable[..., Service]) -> None:
    running = own_service()
    page = open_page(running.url, permissions=["camera", "clipboard-read", "clipboard-write"])
    # From here on nothing answers: no service, no network, and every request is refused and written down.
    running.end()
    page.context.set_offline(True)
    asked: list[str] = []

    def note(request: Any) -> None:
        if is_network(request.url):
            asked.append(request.url)

    page.context.on("request", note)
    page.on("websocket", lambda socket: asked.append(socket.url))
    page.context.route(is_network, lambda route: route.abort())

    give(page, PICTURES / "group.png", PICTURES / "portrait.png")
    expect(page.locator("#rows tr")).to_have_count(6)
    page.get_by_role("button", name="Copy as JSON").click()
    page.get_by_role("button", name="한국어").click()
    page.get_by_role("button", name="카메라 사용").click()
    expect(page.locator("#status")).to_contain_text("얼굴 1개")
    page.get_by_role("button", name="이 장면 보관").click()
    expect(page.locator("#rows tr")).to_have_count(7)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert asked == []
    # The ear is not deaf: a request that somebody does make is written down.
    page.evaluate("fetch('healthz').catch(() => {})")
    expect(page.locator("body")).to_be_visible()
    assert [address.rsplit("/", 1)[1] for address in asked] == ["healthz"]


def test_page_forbids_other_hosts(open_page: Callable[..., Any], tmp_path: Path) -> None:
    """Plain files come without the service's headers; the page's own policy still keeps pictures in."""
    write_static(tmp_path / "site")
    with static_files(tmp_path / "site") as url:
        page = open_page(url)
        refused = page.evaluate(
            """() => new Promise((resolve) => {
              const told = (event) => resolve(event.effectiveDirective);
              document.addEventListener("securitypolicyviolation", told);
              fetch("https://example.org/").catch(() => {});
            })"""
        )
        assert refused == "connect-src"


def write_static(folder: Path) -> None:
    subprocess.run([sys.executable, str(ROOT / "tools" / "static_page.py"), str(folder)], check=True)


def test_plain_files_are_enough(open_page: Callable[..., Any], tmp_path: Path) -> None:
    site = tmp_path / "below" / "some" / "folder"
    write_static(site)
    with static_files(tmp_path / "below") as url:
        page = open_page(url + "some/folder/")
        expect(page.locator("#note")).to_contain_text("There is no phiz server behind this page")
        expect(page.locator("[name=where][value=server]")).to_be_disabled()
        give(page, PICTURES / "portrait.png")
        expect(page.locator("#cards li")).to_have_count(1)


def test_missing_weights_are_named(open_page: Callable[..., Any], tmp_path: Path) -> None:
    write_static(tmp_path / "site")
    (tmp_path / "site" / "models" / "yunet.onnx").unlink()
    with static_files(tmp_path / "site") as url:
        page = open_page(url, ready=False)
        expect(page.get_by_role("alert")).to_contain_text("On-device mode needs models/yunet.onnx")
        expect(page.locator("body")).to_have_attribute("data-engine", "device-failed")


def test_static_page_keeps_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = [sys.executable, str(ROOT / "tools" / "static_page.py"), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr == f"{tmp_path}: expected a new or empty folder, it holds files; name another\n"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_browser_without_what_it_takes(open_page: Callable[..., Any], service: Service) -> None:
    page = open_page(ready=False, url="about:blank")
    worker = ROOT / "src" / "phiz" / "serve" / "page" / "app" / "worker.js"
    old = "delete self.DecompressionStream;\n"
    page.context.route(
        "**/app/worker.js",
        lambda route: route.fulfill(
            body=worker.read_text().replace("let analyzer;", old + "let analyzer;"),
            content_type="text/javascript",
            headers={"cross-origin-embedder-policy": "require-corp"},
        ),
    )
    page.goto(service.url)
    expect(page.get_by_role("alert")).to_contain_text(
        "too old for on-device mode (it lacks DecompressionStream)"
    )
