"""The player of a screen in a real Chromium: what it shows, how soon, offline, and after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE, Service, expect, screenshot
from screens import COLOURS, RULES, people, write_screen
from watching import FilmedPeople, Signals

#: Keeps what was shown, and when, in Unix seconds.
DIARY = """() => {
  window.diary = [];
  const note = () => {
    const { shown } = document.body.dataset;
    if (shown && window.diary.at(-1)?.[0] !== shown) window.diary.push([shown, Date.now() / 1000]);
  };
  document.addEventListener("DOMContentLoaded", () => {
    note();
    new MutationObserver(note).observe(document.body, { attributeFilter: ["data-shown"] });
  });
}"""
SIZE = {"width": 960, "height": 540}


@pytest.fixture
def open_player(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open the player of a service, and check at the end that no script failed."""
    contexts, failures = [], []

    def open_one(service: Service, **options: Any) -> Any:
        context = browser.new_context(**{"viewport": SIZE, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.add_init_script(f"({DIARY})()")
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(error))
        page.goto(f"{service.url}signage/")
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not failures


def wait_for(page: Any, name: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-shown", name)


def wait_until_kept(page: Any, count: int) -> None:
    """Wait until the service worker is there and exactly so many contents are in the browser's store."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    wait_for_contents(page, count)


def wait_for_contents(page: Any, count: int) -> None:
    page.wait_for_function(
        "count => caches.open('phiz-signage').then(cache => cache.keys())"
        ".then(keys => keys.filter(({ url }) => url.includes('/content/')).length === count)",
        arg=count,
    )


def diary(page: Any) -> list[tuple[str, float]]:
    return [(name, moment) for name, moment in page.evaluate("window.diary")]


def colour(page: Any) -> tuple[int, int, int]:
    """The colour of the screen's corner."""
    import io

    from PIL import Image

    return Image.open(io.BytesIO(page.screenshot())).convert("RGB").getpixel((5, 5))


def near(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 12 for a, b in zip(one, other, strict=True))


def test_the_screen_follows_groups_and_not_passers_by(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    service = own_service("--signage", str(write_screen(tmp_path, size=(960, 540))))
    page = open_player(service)
    wait_for(page, "welcome")
    wait_until_kept(page, 4)
    page.wait_for_timeout(1000)
    assert near(colour(page), COLOURS["welcome"])
    screenshot(page, "signage-welcome")
    with Signals(service.url) as camera:
        camera.see(people())
        page.wait_for_timeout(2000)
        changes = {}
        for name, group in (("women", people(female=2)), ("men", people(male=2)), ("crowd", people(2, 2))):
            changes[name] = camera.see(group)
            wait_for(page, name)
            page.wait_for_timeout(2000)
            assert near(colour(page), COLOURS[name])
            screenshot(page, f"signage-{name}")
            # Somebody passes by: it could be anybody.
            camera.see(people(male=5) if name == "women" else people(female=5, not_sure=3))
            page.wait_for_timeout(900)
            camera.see(group)
            page.wait_for_timeout(3000)
        pulled = camera.pull()
        wait_for(page, "welcome")
    shown = diary(page)
    assert [name for name, _ in shown] == ["welcome", "women", "men", "crowd", "welcome"]
    moments = dict(shown[1:4])
    delays = {name: moments[name] - changes[name] for name in changes}
    assert max(delays.values()) < 2, delays
    assert shown[-1][1] - pulled < 5


def test_a_filmed_audience_drives_the_screen(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    """From the pixels on: a made film of groups that change, `phiz watch`, the service, the screen."""
    pytest.importorskip("cv2", reason="the extra stream brings phiz watch")
    service = own_service("--signage", str(write_screen(tmp_path)))
    page = open_player(service)
    film = FilmedPeople(service.url)
    try:
        changes = {"women": film.show(1)}
        wait_for(page, "women")  # phiz watch has begun by now
        film.show(0)
        wait_for(page, "welcome")
        page.wait_for_timeout(2500)
        page.evaluate("window.diary.length = 0")
        for name, count in (("women", 1), ("crowd", 3)):
            changes[name] = film.show(count)
            wait_for(page, name)
            page.wait_for_timeout(2500)
            film.show(3 if count == 1 else 0)  # passes by, or steps in between
            page.wait_for_timeout(700)
            film.show(count)
            page.wait_for_timeout(3000)
        pulled = film.pull()
        wait_for(page, "welcome")
    finally:
        film.end()
    shown = diary(page)
    assert [name for name, _ in shown] == ["women", "crowd", "welcome"]
    delays = {name: moment - changes[name] for name, moment in shown[:2]}
    assert max(delays.values()) < 2, delays
    assert shown[2][1] - pulled < 5


def test_it_plays_on_without_the_service_and_after_a_restart(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    rules = RULES + (
        '[[content]]\nname = "menu"\nfile = "menu.html"\nfallback = true\nmost_seconds = 1\n'
        '[[content]]\nname = "film"\nfile = "film.webm"\nfallback = true\nmost_seconds = 1\n'
    )
    rules = rules.replace("fallback = true\n", "fallback = true\nmost_seconds = 1\n", 1)
    write_page(tmp_path / "menu.html")
    write_film(tmp_path / "film.webm")
    service = own_service("--signage", str(write_screen(tmp_path, rules)))
    page = open_player(service)
    for name in ("welcome", "menu", "film", "welcome"):
        wait_for(page, name)
    wait_until_kept(page, 6)
    service.end()
    expect(page.locator("body")).to_have_attribute("data-link", "off")
    for name in ("welcome", "menu", "film", "welcome"):
        wait_for(page, name)
    page.reload()  # as when the browser is started again
    for name in ("welcome", "menu"):
        wait_for(page, name)
    assert page.frame_locator("iframe").locator("h1").text_content() == "Menu of the day"
    screenshot(page, "signage-menu")
    wait_for(page, "film")
    page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
    screenshot(page, "signage-film")
    # The service comes back, and the player finds it by itself.
    port = service.url.rsplit(":", 1)[1].strip("/")
    own_service("--signage", str(tmp_path / "signage.toml"), "--port", port)
    expect(page.locator("body")).to_have_attribute("data-link", "on")


def write_page(path: Path) -> None:
    """A page that tries to reach what it must not, and says what it could."""
    path.write_text(
        """<!doctype html><html lang="en"><title>Menu</title>
        <style>body { background: #fed; font: 6vw sans-serif; text-align: center }</style>
        <h1>Menu of the day</h1><p id="said"></p>
        <script>
          const said = [];
          try { said.push(parent.document.title) } catch { said.push("no parent") }
          try { localStorage.length; said.push("storage") } catch { said.push("no storage") }
          fetch("/v1/signage").then(() => said.push("fetched"), () => said.push("no fetch"))
            .finally(() => { document.getElementById("said").textContent = said.join(", "); });
        </script></html>""",
        encoding="utf-8",
    )


def write_film(path: Path) -> None:
    """A second of a growing bar."""
    av = pytest.importorskip("av", reason="the extra stream writes the made video")
    import numpy as np

    with av.open(str(path), "w") as film:
        stream = film.add_stream("libvpx", rate=12)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for i in range(12):
            pixels = np.full((180, 320, 3), (20, 30, 60), np.uint8)
            pixels[80:100, : 20 + 20 * i] = (250, 200, 60)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        film.mux(stream.encode())


def test_a_page_is_shut_in(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    write_page(tmp_path / "menu.html")
    rules = '[[content]]\nname = "menu"\nfile = "menu.html"\nfallback = true\n'
    page = open_player(own_service("--signage", str(write_screen(tmp_path, rules))))
    wait_for(page, "menu")
    said = page.frame_locator("iframe").locator("#said")
    expect(said).to_have_text("no parent, no storage, no fetch")


def test_what_cannot_be_shown_is_left_out(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    rules = '[[content]]\nname = "broken"\nfile = "broken.mp4"\nfallback = true\n' + RULES
    page = open_player(own_service("--signage", str(write_screen(tmp_path, rules))))
    wait_for(page, "welcome")
    time.sleep(1)
    assert [name for name, _ in diary(page)] == ["welcome"]


def test_what_cannot_be_fetched_now_is_tried_again(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    service = own_service("--signage", str(write_screen(tmp_path)))
    # Without a service worker, past which nothing could be cut.
    page = open_player(service, service_workers="block")
    wait_for(page, "welcome")
    wait_for_contents(page, 4)
    page.evaluate("() => caches.delete('phiz-signage')")
    cut: list[str] = []
    page.route("**/signage/content/*", lambda route: (cut.append(route.request.url), route.abort()))
    page.reload()
    with Signals(service.url) as camera:
        camera.see(people(female=1))
        page.wait_for_timeout(5000)
        assert page.locator("body").get_attribute("data-shown") is None
        assert cut
        page.unroute("**/signage/content/*")
        wait_for(page, "women")


def test_changed_rules_reach_the_screen(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    path = write_screen(tmp_path)
    service = own_service("--signage", str(path))
    page = open_player(service)
    wait_for(page, "welcome")
    wait_until_kept(page, 4)
    service.end()
    path.write_text(
        RULES.replace('"welcome', '"crowd').replace(
            '"crowd"\nfile = "crowd.png"\nleast', '"c"\nfile = "crowd.png"\nleast'
        )
    )
    own_service("--signage", str(path), "--port", service.url.rsplit(":", 1)[1].strip("/"))
    wait_for(page, "crowd")
    wait_until_kept(page, 4)  # what is no content any more is not kept


def test_the_token_is_typed_once(
    own_service: Callable[..., Service], open_player: Callable[..., Any], tmp_path: Path
) -> None:
    token = "a-token-of-the-tests"
    service = own_service("--signage", str(write_screen(tmp_path)), PHIZ_TOKEN=token)
    page = open_player(service)
    field = page.get_by_label("Token of the service")
    expect(field).to_be_visible()
    screenshot(page, "signage-token")
    field.fill("a-wrong-token-of-the-tests")
    field.press("Enter")
    expect(field).to_be_hidden()
    expect(field).to_be_visible()
    field.fill(token)
    field.press("Enter")
    wait_for(page, "welcome")
    page.reload()
    wait_for(page, "welcome")
    expect(field).to_be_hidden()
    with Signals(service.url, token) as camera:
        camera.see(people(female=1))
        wait_for(page, "women")
