"""A real `phiz serve`, a real Chromium with a camera that films a made video, and pages of them."""

from __future__ import annotations

import io
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE, PHOTO, Service, playwright, wait_for_engine
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """One service for every test that leaves it running."""
    running = Service()
    yield running
    running.end()


@pytest.fixture
def own_service() -> Iterator[Callable[..., Service]]:
    """Services that a test starts and may end."""
    started: list[Service] = []

    def start(*options: str, **environment: str) -> Service:
        started.append(Service(*options, **environment))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture(scope="session")
def camera_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six seconds of the bundled photo, wandering in a circle before a plain wall.

    The circle is so small that boxes of any two frames overlap: a busy machine may see few of them.
    """
    path = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    photo = Image.open(PHOTO).resize((420, 420))
    frames = 120
    with path.open("wb") as file:
        for i in range(frames):
            wall = Image.new("RGB", (640, 480), (190, 196, 200))
            turn = 2 * math.pi * i / frames
            wall.paste(photo, (round(110 + 16 * math.cos(turn)), round(40 + 9 * math.sin(turn))))
            encoded = io.BytesIO()
            wall.save(encoded, "JPEG", quality=85)
            file.write(encoded.getvalue())
    return path


@pytest.fixture(scope="session")
def browser(camera_video: Path) -> Iterator[Any]:
    """Chromium, whose camera films camera_video; a page may use it where its context was given leave."""
    if CHROMIUM is None:
        pytest.skip("no chromium on PATH")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={camera_video}",
            ],
        )
        yield running
        running.close()


@pytest.fixture
def open_page(browser: Any, service: Service) -> Iterator[Callable[..., Any]]:
    """Open the page, wait until its engine is ready, and check at the end that no script failed.

    Called with url, ready (False: do not wait), and whatever a Playwright context takes.
    """
    contexts, failures = [], []

    def open_one(url: str = service.url, *, ready: bool = True, **options: Any) -> Any:
        context = browser.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1280, "height": 860}, **options}
        )
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: failures.append(error))
        page.goto(url)
        if ready:
            wait_for_engine(page)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not failures
