"""What the page's tests share: a running service, plain files on a port, waiting, screenshots."""

from __future__ import annotations

import functools
import http.server
import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from phiz.types import Face
from phiz.words import NOT_SURE, age_words, gender_words, sure_words

playwright = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser (extra dev)")
expect = playwright.expect

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "web" / "test" / "fixture"
PHOTO = ROOT / "src" / "phiz" / "data" / "astronaut.jpg"
#: What Python says of the pictures; test_web_fixture.py tells when it is stale.
FIXTURE = json.loads((PICTURES / "fixture.json").read_text(encoding="utf-8"))
ANSWERS = FIXTURE["answers"]
#: Made tables of a card's `certainty`.
CERTAINTY = FIXTURE["certainty"]["tables"]
#: Milliseconds after which a test gives up; never reached where things work, however busy the machine.
PATIENCE = 120_000
SIZES = {"phone": {"width": 360, "height": 740}, "desktop": {"width": 1280, "height": 860}}
#: Contrast of each visible text with what lies behind it (WCAG 2.2, success criterion 1.4.3), worst first.
CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (colour) => {
    const [x, y, z] = colour.map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.8) return colour;
    }
    throw new Error("nothing is behind " + element.outerHTML);
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const words = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!words || !element.checkVisibility() || element.closest("noscript, option")) continue;
    const a = light(parse(getComputedStyle(element).color));
    const b = light(behind(element));
    found.push([(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.textContent.trim().slice(0, 40)]);
  }
  return found.sort((one, other) => one[0] - other[0]);
}"""

expect.set_options(timeout=PATIENCE)


class Service:
    """`phiz serve` as its own process on a free port."""

    def __init__(self, *options: str, **environment: str) -> None:
        command = [sys.executable, "-m", "phiz", "serve", "--port", "0", *options]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1", **environment}
        )
        assert self.process.stderr is not None
        ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE / 1000)
        first = self.process.stderr.readline().decode() if ready else ""
        assert "http://" in first, f"phiz serve did not start: {first!r}"
        self.url = f"http://{first.split('http://')[1].split()[0]}/"
        # Read on, or a full pipe would stop the service.
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def end(self) -> None:
        """Stop it as a power cut would."""
        self.process.kill()
        self.process.wait()


def said(face: dict[str, Any]) -> str:
    """Return what the page says of a face in one sentence, by Python's own words."""
    interval = face["age_interval"] and tuple(face["age_interval"])
    answer = (face["age"], face["gender"], face["gender_score"])
    made = Face(tuple(face["box"]), face["score"], (), *answer, age_interval=interval)
    age, gender = age_words(made), gender_words(made)
    sure = [] if gender == NOT_SURE else [f"{sure_words(made.gender_score)} certain"]
    return ", ".join([age if interval else f"{age} years", gender, *sure, *face["flags"]])


@contextmanager
def static_files(folder: Path) -> Iterator[str]:
    """Hand out a folder's files on a free port, as any plain web server does; yields the address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=os.fspath(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def wait_for_engine(page: Any, where: str = "device") -> None:
    """Wait until pictures are analysed as fast as they come."""
    expect(page.locator("body")).to_have_attribute("data-engine", f"{where}-ready")


def screenshot(page: Any, name: str) -> None:
    """Keep a screenshot, where a folder for them is named."""
    if folder := os.environ.get("PHIZ_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def give(page: Any, *paths: Path) -> None:
    """Pick picture files."""
    page.set_input_files("#files", list(paths))


def use_server(page: Any) -> None:
    """Turn the switch to the server."""
    page.get_by_text("On the server").click()
    wait_for_engine(page, "server")
