"""`phiz annotate review` in a real browser: label, undo, reload, kill, resume; nothing is lost."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from browsing import PATIENCE, expect

pytest.importorskip("torch", reason="the extra train brings PyTorch")

from made_annotation import make_annotation

pytestmark = pytest.mark.browser


class Command:
    """`phiz annotate review` as its own process."""

    def __init__(self, recipe: Path, data: Path, output: Path, port: int = 0) -> None:
        command = [sys.executable, "-m", "phiz", "annotate", "review", str(recipe), "--data", str(data)]
        self.process = subprocess.Popen(
            [*command, "--output", str(output), "--port", str(port)],
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        ready, _, _ = select.select([self.process.stderr], [], [], PATIENCE / 1000)
        first = self.process.stderr.readline().decode() if ready else ""
        found = re.search(r"(\d+) pictures to decide: open (http://127\.0\.0\.1:(\d+)/)", first)
        assert found, f"phiz annotate review did not start: {first!r}"
        self.pictures, self.url, self.port = int(found[1]), found[2], int(found[3])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def at(page: Any, number: int | str) -> None:
    expect(page.locator("body")).to_have_attribute("data-number", str(number))


def test_label_undo_reload_kill_resume(browser, tmp_path):
    recipe = make_annotation(tmp_path, faces=5)
    output = tmp_path / "out"
    output.mkdir()
    rows = "".join(f"face{i}.jpg,0.3,0.8\n" for i in range(5))
    (output / "answers.csv").write_text("file,test_resnet,test_efficientnet\n" + rows)
    command = Command(recipe, tmp_path / "data", output)
    try:
        assert command.pictures == 5
        context = browser.new_context()
        context.set_default_timeout(PATIENCE)
        page, asked, failures = context.new_page(), [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: failures.append(error))
        page.goto(command.url)
        at(page, 0)
        expect(page.locator("#said")).to_have_text("Female, say the networks: 30%, 80%")
        assert page.evaluate("document.getElementById('picture').decode().then(() => true)")
        page.keyboard.press("f")
        at(page, 1)
        page.click("[data-decision=male]")
        at(page, 2)
        page.keyboard.press("s")
        at(page, 3)
        page.keyboard.press("u")
        at(page, 2)
        page.reload()
        at(page, 2)
        expect(page.locator("#where")).to_have_text("2 of 5 decided, 3 left")
        page.keyboard.press("m")
        at(page, 3)

        command.kill()
        page.keyboard.press("f")
        expect(page.locator("#problem")).to_contain_text("Not kept")
        at(page, 3)
        command = Command(recipe, tmp_path / "data", output, command.port)
        page.goto(command.url)
        at(page, 3)
        expect(page.locator("#where")).to_have_text("3 of 5 decided, 2 left")
        for number in (4, "done"):
            page.keyboard.press("f")
            at(page, number)
        expect(page.locator("#where")).to_contain_text("All 5 decided, 0 of them skipped")
        page.keyboard.press("u")
        at(page, 4)
        page.keyboard.press("s")
        at(page, "done")
        assert not failures
        assert {url.split("/")[2] for url in asked if url.startswith("http")} == {f"127.0.0.1:{command.port}"}
        context.close()
    finally:
        command.kill()
    lines = (output / "reviewed.jsonl").read_text().splitlines()
    kept = [f"{row['file']},{row['decision']}" for row in map(json.loads, lines)]
    assert kept == [
        *("face0.jpg,female", "face1.jpg,male", "face2.jpg,skip", "face2.jpg,undo", "face2.jpg,male"),
        *("face3.jpg,female", "face4.jpg,female", "face4.jpg,undo", "face4.jpg,skip"),
    ]
