"""The WebSocket for camera frames: one answer a frame, in order, whatever the frame is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from pictures import encode, scene
from service import PATIENCE, Gated, make_app
from starlette.websockets import WebSocketDisconnect

from phiz import Analyzer
from phiz.data import ASTRONAUT
from phiz.serve import stream as module

PHOTO = ASTRONAUT.read_bytes()


def test_every_frame_has_its_answer_in_order(analyzer: Analyzer) -> None:
    sizes = [(40 + n, 30) for n in range(5)]
    with TestClient(make_app(analyzer)) as client, client.websocket_connect("/v1/stream") as stream:
        for width, height in sizes:
            stream.send_bytes(encode(scene(width, height), "PNG"))
        stream.send_bytes(b"no picture")
        stream.send_bytes(PHOTO)
        answers = [stream.receive_json() for _ in range(7)]
        posted = client.post("/v1/analyze", content=PHOTO, headers={"content-type": "image/jpeg"}).json()
    assert [(answer["width"], answer["height"]) for answer in answers[:5]] == sizes
    assert answers[5]["error"].startswith("picture bytes: expected JPEG, PNG")
    assert answers[5]["code"] == "unknown_format"
    assert answers[6] == posted["results"][0]


def test_text_ends_the_stream(analyzer: Analyzer) -> None:
    with TestClient(make_app(analyzer)) as client, client.websocket_connect("/v1/stream") as stream:
        stream.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as end:
            stream.receive_json()
    assert (end.value.code, end.value.reason) == (
        1003,
        "expected each frame as one binary message, got text",
    )


def test_a_frame_that_is_too_large_ends_the_stream(analyzer: Analyzer) -> None:
    app = make_app(analyzer, max_frame_bytes=1000)
    with TestClient(app) as client, client.websocket_connect("/v1/stream") as stream:
        stream.send_bytes(bytes(1001))
        with pytest.raises(WebSocketDisconnect) as end:
            stream.receive_json()
    assert (end.value.code, end.value.reason) == (1009, "expected at most 1,000 bytes a frame")


def test_one_stream_too_many_is_told_so_and_a_free_place_is_given_again(analyzer: Analyzer) -> None:
    with TestClient(make_app(analyzer, streams=1)) as client:
        with client.websocket_connect("/v1/stream") as first:
            first.send_bytes(PHOTO)
            first.receive_json()
            with client.websocket_connect("/v1/stream") as second, pytest.raises(WebSocketDisconnect) as end:
                second.receive_json()
            assert (end.value.code, end.value.reason) == (1013, "all 1 streams are taken; try again later")
        with client.websocket_connect("/v1/stream") as third:
            third.send_bytes(PHOTO)
            assert len(third.receive_json()["faces"]) == 1


def test_an_idle_stream_ends(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    with (
        TestClient(make_app(analyzer)) as client,
        client.websocket_connect("/v1/stream") as stream,
        pytest.raises(WebSocketDisconnect) as end,
    ):
        stream.receive_json()
    assert (end.value.code, end.value.reason) == (1001, "no frame for 0.05 seconds")


def test_a_frame_without_a_free_place_is_answered_and_not_dropped(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    app = make_app(gated, queue=1, max_pictures=1)
    with TestClient(app) as client, ThreadPoolExecutor(1) as pool:
        post = pool.submit(client.post, "/v1/analyze", content=PHOTO, headers={"content-type": "image/jpeg"})
        assert gated.begun.acquire(timeout=PATIENCE)
        with client.websocket_connect("/v1/stream") as stream:
            stream.send_bytes(PHOTO)
            busy = stream.receive_json()
            gated.gate.set()
            assert post.result().status_code == 200
            stream.send_bytes(PHOTO)
            assert len(stream.receive_json()["faces"]) == 1
    assert busy == {
        "path": None,
        "width": None,
        "height": None,
        "faces": [],
        "error": "expected a free place in the queue, got all 1 taken; try again in 1 seconds",
        "code": "busy",
    }


def test_a_frame_without_an_answer_in_time_is_told_so(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    with TestClient(make_app(gated, answer_seconds=0.05)) as client:
        with client.websocket_connect("/v1/stream") as stream:
            stream.send_bytes(PHOTO)
            told = stream.receive_json()
            assert told["error"] == "expected an answer within 0.05 seconds, got none; try a later frame"
            assert told["code"] == "answer_timeout"
        gated.gate.set()


def test_the_end_of_the_service_waits_for_the_frame_it_is_at(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    with TestClient(make_app(gated)) as client:
        service = client.app.state.service
        with client.websocket_connect("/v1/stream") as idle, client.websocket_connect("/v1/stream") as stream:
            stream.send_bytes(PHOTO)
            assert gated.begun.acquire(timeout=PATIENCE)
            end = client.portal.start_task_soon(service.end)
            with pytest.raises(WebSocketDisconnect) as closed:
                idle.receive_json()
            assert (closed.value.code, closed.value.reason) == (1012, "the service is ending")
            assert not end.done()
            assert client.get("/readyz").json() == {"detail": "ending", "code": "ending"}
            gated.gate.set()
            assert len(stream.receive_json()["faces"]) == 1
            with pytest.raises(WebSocketDisconnect) as closed:
                stream.receive_json()
            assert closed.value.code == 1012
            end.result(PATIENCE)
