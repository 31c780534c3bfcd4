"""What a real service refuses, in the words of the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from browsing import ROOT, Service, expect, screenshot, use_server
from PIL import Image

from phiz.serve.refusal import Code


def test_every_code_of_the_service_has_words_of_the_page() -> None:
    script = (ROOT / "src" / "phiz" / "serve" / "page" / "app" / "refusals.js").read_text(encoding="utf-8")
    known = set(re.findall(r"^  (\w+): \"error\.", script, re.MULTILINE)) | {"unknown_format"}
    #: What the page itself would have done wrong; the generic sentences are for these.
    of_programs = {
        "body_type",
        "body_encoding",
        "damaged_form",
        "form_field",
        "no_pictures",
        "too_many_pictures",
    }
    of_programs |= {
        "not_found",
        "wrong_method",
        "no_audience",
        "bad_time",
        "time_span",
        "audience_unavailable",
    }
    of_programs |= {"out_of_memory", "unreadable"}
    assert {code.value for code in Code} - known == of_programs


def test_a_refusal_by_a_real_service(
    open_page: Callable[..., Any], own_service: Callable[..., Service]
) -> None:
    page = open_page(own_service("--max-pixels", "1000000", "--max-bytes", "2000000").url)
    use_server(page)
    files = {
        "large.png": encoded(np.zeros((1100, 1000, 3), np.uint8), "PNG"),
        "long.png": bytes(2_000_001),
        "words.txt": b"no picture at all",
        "clip.mp4": b"\0\0\0\x10ftypisom\0\0\0\0",
        "cut.png": encoded(np.zeros((100, 100, 3), np.uint8), "PNG")[:60],
    }
    page.set_input_files(
        "#files",
        [{"name": name, "mimeType": "text/plain", "buffer": content} for name, content in files.items()],
    )
    expect(page.locator("#errors li")).to_have_count(len(files))
    page.locator("#errors summary").click()
    screenshot(page, "refusals")
    words = [
        "large.png: the picture has more than 1 million pixels, the most that the server reads.",
        "long.png: the file is larger than 1.9 MB, the most that the server takes.",
        "words.txt: this is not a picture that the browser can read.",
        "clip.mp4: this is a video or sound recording, not a picture.",
        "cut.png: the picture is damaged or cut short.",
    ]
    for i, line in enumerate(words):
        expect(page.locator("#errors li").nth(i)).to_contain_text(line)


def encoded(pixels: Any, kind: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
