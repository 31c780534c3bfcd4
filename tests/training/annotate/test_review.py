"""The review's server: decisions through HTTP, this machine alone, no path of a client on the disk."""

from __future__ import annotations

import http.client
import io
import json
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the extra train brings PyTorch")

from phiz.training.annotate.answers import Answer
from phiz.training.annotate.journal import Journal
from phiz.training.annotate.review import LOOPBACK, MOST_BYTES, PAGE, Review

FILES = ("one.jpg", "two.jpg", "gone.jpg")


@pytest.fixture
def review(tmp_path):
    for number, name in enumerate(FILES[:2]):
        Image.fromarray(np.full((900, 700, 3), 60 * number, np.uint8)).save(tmp_path / name)
    journal = Journal(tmp_path / "reviewed.jsonl", FILES)
    answers = [Answer(name, (0.256, 0.9)) for name in FILES]
    server = Review(journal, answers, {name: tmp_path / name for name in FILES})
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(review: Review, method: str, path: str, value: object = None, **headers: str):
    connection = http.client.HTTPConnection(LOOPBACK, review.server_port, timeout=30)
    body = None if value is None else json.dumps(value)
    sent = {"Content-Type": "application/json"} if body else {}
    connection.request(method, path, body, sent | {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, json.loads(content) if answer.headers["Content-Type"] == "application/json" else content


def test_deciding_and_taking_back(review):
    _, state = ask(review, "GET", "/state")
    assert state == {"total": 3, "decided": 0, "skipped": 0, "number": 0, "female": [0.26, 0.9]}
    _, state = ask(review, "POST", "/decide", {"number": 0, "decision": "female"})
    _, state = ask(review, "POST", "/decide", {"number": 1, "decision": "skip"})
    assert (state["decided"], state["skipped"], state["number"]) == (2, 1, 2)
    _, state = ask(review, "POST", "/undo", {})
    assert (state["decided"], state["number"]) == (1, 1)
    assert review.journal.decided == {"one.jpg": "female"}


def test_a_stale_window_is_told_where_the_work_is(review):
    ask(review, "POST", "/decide", {"number": 0, "decision": "male"})
    answer, state = ask(review, "POST", "/decide", {"number": 0, "decision": "female"})
    assert (answer.status, state["number"]) == (409, 1)
    assert review.journal.decided == {"one.jpg": "male"}


def test_a_picture_is_sent_by_number_and_not_too_large(review):
    answer, content = ask(review, "GET", "/picture/1")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert max(Image.open(io.BytesIO(content)).size) == 640
    for path in (
        "/picture/3",
        "/picture/-1",
        "/picture/two.jpg",
        "/picture/../reviewed.jsonl",
        "/picture/",
        "/x",
    ):
        answer, said = ask(review, "GET", path)
        assert answer.status == 404, path
        assert "expected" in said["error"]
    answer, said = ask(review, "GET", "/picture/2")  # listed, but not there
    assert answer.status == 404
    assert "gone.jpg" in said["error"]


@pytest.mark.parametrize(
    ("method", "path", "value", "headers"),
    [
        ("GET", "/state", None, {"Host": "evil.example"}),
        ("GET", "/picture/0", None, {"Host": "evil.example:80"}),
        ("POST", "/decide", {"number": 0, "decision": "male"}, {"Origin": "https://evil.example"}),
        ("POST", "/undo", {}, {"Origin": "null"}),
    ],
)
def test_pages_of_other_sites_are_refused(review, method, path, value, headers):
    answer, said = ask(review, method, path, value, **headers)
    assert answer.status == 403
    assert said == {"error": f"expected the page at {review.url}"}
    assert review.journal.decided == {}


@pytest.mark.parametrize(
    ("value", "headers", "status"),
    [
        ({"number": 0, "decision": "boy"}, {}, 400),
        ({"number": 9, "decision": "male"}, {}, 400),
        ({"number": True, "decision": "male"}, {}, 400),
        ({"decision": "male"}, {}, 400),
        ([1], {}, 400),
        ({"number": 0, "decision": "male"}, {"Content_Type": "text/plain"}, 400),
        ({"number": 0, "decision": "x" * MOST_BYTES}, {}, 413),
    ],
)
def test_what_is_no_decision_is_named_and_keeps_nothing(review, value, headers, status):
    answer, said = ask(review, "POST", "/decide", value, **headers)
    assert answer.status == status
    assert "expected" in said["error"]
    assert review.journal.decided == {}


def test_a_disk_that_takes_nothing_is_said(review):
    review.journal._path = Path("/nowhere/at/all.csv")
    answer, said = ask(review, "POST", "/decide", {"number": 0, "decision": "male"})
    assert answer.status == 500
    assert "could not keep the decision" in said["error"]
    assert review.state()["number"] == 0


def test_only_this_machine_is_listened_on(review):
    assert review.server_address[0] == "127.0.0.1"
    assert review.url.startswith("http://127.0.0.1:")


def test_the_page_asks_for_nothing_outside_and_may_not(review):
    for path in ("/", "/review.js", "/review.css"):
        answer, content = ask(review, "GET", path)
        assert answer.status == 200
        assert not re.search(rb"https?://|//[a-z]+\.", content), path
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert {file.name for file in PAGE.iterdir()} == {"review.html", "review.js", "review.css"}
