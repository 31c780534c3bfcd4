"""Time the page in Chromium as a visitor meets it, print what came of it and write results/speed/page.csv.

    python benchmarks/page.py                                    # about three minutes; needs chromium on PATH
    python benchmarks/page.py --repeats 3 --rounds 1 --seconds 3 --output /tmp/try.csv

Both for "on this device" and "on the server", after the page says that it is ready, with service, browser and
camera on one machine:
  drop    milliseconds from dropping the bundled photo (512x512) to the frame that shows card and table row
  camera  frames answered a second, of a made film of that face (640x480, 60 frames a second, so at most 60)
"""

from __future__ import annotations

import argparse
import base64
import math
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from serve_load import Service

from phiz.data import ASTRONAUT
from phiz.provenance import cells, write_rows

ROOT = Path(__file__).resolve().parents[1]
WHERE = {"device": "on this device", "server": "on the server"}
PATIENCE = 120_000
#: Frames of the film, and how many of them a second: Chromium takes the rate from a Y4M file alone.
FRAMES, RATE = 180, 60
#: Counts what comes back from the worker or over the WebSocket: one message for each frame.
COUNT_ANSWERS = """
window.answered = 0;
const counted = (kind) => class extends kind {
  constructor(...rest) {
    super(...rest);
    this.addEventListener("message", () => window.answered++);
  }
};
window.Worker = counted(window.Worker);
window.WebSocket = counted(window.WebSocket);
"""
#: Drops a file and resolves to the milliseconds until its answer has been drawn.
DROP = """(encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  return new Promise((resolve) => {
    const start = performance.now();
    const there = () => document.querySelector("#cards li") && document.querySelector("#rows tr");
    new MutationObserver((_, observer) => {
      if (!there()) return;
      observer.disconnect();
      // The second callback comes after the frame of the first has been drawn.
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
    }).observe(document.body, { childList: true, subtree: true });
    document.getElementById("stage").dispatchEvent(event);
  });
}"""
#: Resolves to the answers a second over so many seconds.
COUNT = """async (seconds) => {
  const [start, before] = [performance.now(), window.answered];
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  return (1000 * (window.answered - before)) / (performance.now() - start);
}"""


def film(path: Path) -> None:
    """Write the bundled photo as it wanders in a circle before a wall, uncompressed as cameras send it."""
    photo = Image.open(ASTRONAUT).resize((420, 420))
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W640 H480 F%d:1 Ip A1:1 C420jpeg\n" % RATE)
        for i in range(FRAMES):
            wall, turn = Image.new("RGB", (640, 480), (190, 196, 200)), 2 * math.pi * i / FRAMES
            wall.paste(photo, (round(110 + 60 * math.cos(turn)), round(40 + 15 * math.sin(turn))))
            light, *colours = wall.convert("YCbCr").split()
            planes = (light, *(colour.reduce(2) for colour in colours))
            file.write(b"FRAME\n" + b"".join(plane.tobytes() for plane in planes))


def use(page: Page, where: str) -> None:
    """Turn the page's switch and wait until that engine is ready."""
    page.locator(f"[name=where][value={where}]").check(force=True)
    page.wait_for_selector(f"body[data-engine={where}-ready]", state="attached")


def drops(page: Page, repeats: int) -> list[float]:
    """Drop the photo so often, each time on the empty page."""
    photo, taken = base64.b64encode(ASTRONAUT.read_bytes()).decode(), []
    for _ in range(repeats):
        taken.append(page.evaluate(DROP, photo))
        page.locator("#clear").click()
        page.wait_for_selector("#stage[data-state=empty]")
    return taken


def rates(page: Page, rounds: int, seconds: float) -> list[float]:
    """Switch the camera on so often, and count once a face is shown."""
    found = []
    for _ in range(rounds):
        page.locator("#camera").click()
        page.wait_for_selector("#cards li")
        page.evaluate(COUNT, 1)
        found.append(page.evaluate(COUNT, seconds))
        page.locator("#camera").click()
        page.wait_for_selector("#stage[data-state=empty]")
    return found


def row(where: str, measure: str, unit: str, values: list[float]) -> dict[str, Any]:
    """Describe the measurements and print them."""
    low, middle, high = min(values), statistics.median(values), max(values)
    print(f"{where:<15} {measure:<24} {middle:8.1f} {unit} ({low:.1f} to {high:.1f}, first {values[0]:.1f})")
    figures = {"first": values[0], "lowest": low, "median": middle, "highest": high}
    return {
        "where": where,
        "measure": measure,
        "unit": unit,
        **{name: f"{value:.1f}" for name, value in figures.items()},
        "repeats": len(values),
    }


def measure(chromium: str, options: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    """Return the rows, and which browser it was."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, Service() as service, sync_playwright() as driver:
        film(Path(folder) / "film.y4m")
        browser = driver.chromium.launch(
            executable_path=chromium,
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={folder}/film.y4m",
            ],
        )
        for where, name in WHERE.items():
            context = browser.new_context(
                permissions=["camera"], viewport={"width": 1280, "height": 860}, locale="en-GB"
            )
            context.set_default_timeout(PATIENCE)
            context.add_init_script(COUNT_ANSWERS)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{service.port}/")
            use(page, where)
            rows.append(row(name, "drop to answer", "ms", drops(page, options.repeats)))
            shown = rates(page, options.rounds, options.seconds)
            rows.append(row(name, "camera frames answered", "per second", shown))
            context.close()
        version = browser.version
        browser.close()
    return rows, version


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=20, help="drops of the photo, at most 200")
    parser.add_argument("--rounds", type=int, default=5, help="times the camera is switched on, at most 20")
    parser.add_argument("--seconds", type=float, default=10, help="of camera counted each time, at most 60")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "speed" / "page.csv")
    options = parser.parse_args()
    for name, least, most in (("repeats", 1, 200), ("rounds", 1, 20), ("seconds", 1, 60)):
        setattr(options, name, min(max(getattr(options, name), least), most))
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    chromium = next((path for path in found if path), None)
    if chromium is None:
        sys.exit("expected chromium or google-chrome on PATH, found neither; Debian: apt install chromium")
    rows, version = measure(chromium, options)
    setting = {
        "browser": f"Chromium {version}, headless",
        **cells("uvicorn", "fastapi"),
    }
    write_rows(options.output, rows, setting)
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
