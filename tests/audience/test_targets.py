"""Signals reach brokers, web servers, WebSockets and standard output; messages show no password."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("paho.mqtt.client", reason="the extra signal brings paho-mqtt")
pytest.importorskip("websockets.sync.server", reason="the extra signal brings websockets")
from brokers import MOSQUITTO, Mosquitto, SmallBroker, free_port, wait_until, web_server
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from websockets.sync.server import serve

from phiz.audience import delivery as delivery_module
from phiz.audience.delivery import Delivery, SignalError
from phiz.audience.targets import open_target, parse
from phiz.errors import PhizError

SECRET = "pa55-word"


@pytest.fixture
def broker() -> Iterator[SmallBroker]:
    found = SmallBroker()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "user", "password", "name"),
    [
        ("mqtt://broker", "broker", 1883, "phiz/signals", None, None, "mqtt://broker"),
        ("mqtts://b.example:8884/a/b", "b.example", 8884, "a/b", None, None, "mqtts://b.example:8884/a/b"),
        ("mqtt://me:p%40%2F@[::1]/t", "::1", 1883, "t", "me", "p@/", "mqtt://[::1]/t"),
        (
            "https://h.example/hook/T0K3N?a=1",
            "h.example",
            443,
            "/hook/T0K3N?a=1",
            None,
            None,
            "https://h.example",
        ),
        ("http://me:pw@h:8080", "h", 8080, "/", "me", "pw", "http://h:8080"),
        ("WS://h/v1/signals", "h", 80, "/v1/signals", None, None, "ws://h"),
        ("wss://h/v1/signals", "h", 443, "/v1/signals", None, None, "wss://h"),
    ],
)
def test_urls(
    url: str, host: str, port: int, path: str, user: str | None, password: str | None, name: str
) -> None:
    found = parse(url)
    assert (found.host, found.port, found.path) == (host, port, path)
    assert (found.user, found.password, found.name) == (user, password, name)
    assert found.secure == url.startswith(("mqtts", "https", "wss"))
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            f"ftp://me:{SECRET}@h/x",
            "ftp://h/x: expected - or a URL that begins with one of mqtt://, mqtts://",
        ),
        ("shop.jsonl", "shop.jsonl: expected - or a URL"),
        ("mqtt:/h", "expected - or a URL"),
        (f"mqtt://me:{SECRET}@x@h/t", "expected @ as %40 and / as %2F in a password"),
        (f"mqtt://me:{SECRET}/x@h/t", "expected @ as %40 and / as %2F in a password"),
        (f"https://me:1?{SECRET}@h/t", "expected @ as %40"),
        (f"https://me:{SECRET}#x@h/t", "another form"),
        (f"https://me:{SECRET}@h:port/t", "another form"),
        (f"https://me:{SECRET}@/t", "another form"),
        (f"mqtt://me:{SECRET}@h/shop/+", "expected a topic without"),
        (f"mqtt://me:{SECRET}@h/shop?qos=2", "expected a topic without"),
    ],
)
def test_urls_that_are_none_are_refused_without_their_secrets(url: str, message: str) -> None:
    with pytest.raises(PhizError, match=re.escape(message)) as error:
        open_target(url)
    assert SECRET not in str(error.value)


def test_a_token_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(PhizError, match="letters, digits and signs"):
        open_target("https://h", "two words")


def test_a_broker_gets_each_signal_under_the_topic(broker: SmallBroker) -> None:
    target = open_target(f"mqtt://127.0.0.1:{broker.port}/shop/window")
    for data in (b"one", b"two"):
        target.send(data)
    target.close()
    assert broker.published == [("shop/window", b"one"), ("shop/window", b"two")]
    assert broker.received.count(b"MQTT") == 1  # one connection


def test_a_broker_is_shown_user_and_password(broker: SmallBroker) -> None:
    target = open_target(f"mqtt://me:{SECRET}@127.0.0.1:{broker.port}")
    target.send(b"one")
    target.close()
    assert b"\0\2me" + len(SECRET).to_bytes(2, "big") + SECRET.encode() in broker.received


def test_a_broker_that_does_not_let_one_in_says_why(broker: SmallBroker) -> None:
    broker.answer = 5
    target = open_target(f"mqtt://me:{SECRET}@127.0.0.1:{broker.port}")
    with pytest.raises(SignalError, match=r"^not authorized$"):
        target.send(b"one")


@pytest.mark.parametrize("scheme", ["mqtt", "mqtts", "http", "https", "ws", "wss"])
def test_nobody_there(scheme: str) -> None:
    target = open_target(f"{scheme}://me:{SECRET}@127.0.0.1:{free_port()}/x")
    with pytest.raises(SignalError, match=r"^connection refused$"):
        target.send(b"one")


@pytest.mark.parametrize("scheme", ["mqtt", "http", "ws"])
def test_somebody_who_never_answers(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr("phiz.audience.targets.PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = open_target(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x")
        with pytest.raises(SignalError, match=r"^no answer within 0 s$"):
            target.send(b"one")


def test_a_web_server_gets_each_signal_as_the_body_of_a_post() -> None:
    with web_server() as server:
        address = f"127.0.0.1:{server.server_address[1]}/hook?shop=1"
        for url, token in ((f"http://{address}", "to-ken"), (f"http://me:p%40@{address}", "to-ken")):
            target = open_target(url, token)
            target.send(b'{"people": 1}')
            target.close()
        heard: list[Any] = server.requests  # type: ignore[attr-defined]
    assert [(path, body) for path, _, body in heard] == [("/hook?shop=1", b'{"people": 1}')] * 2
    assert [headers["Content-Type"] for _, headers, _ in heard] == ["application/json"] * 2
    assert [headers["Authorization"] for _, headers, _ in heard] == ["Bearer to-ken", "Basic bWU6cEA="]


def test_a_web_server_that_refuses() -> None:
    with web_server() as server:
        server.status = 401  # type: ignore[attr-defined]
        target = open_target(f"http://127.0.0.1:{server.server_address[1]}/")
        with pytest.raises(SignalError, match=r"^the server answered 401$"):
            target.send(b"one")
        target.close()


def test_a_web_server_that_was_started_again_is_no_outage() -> None:
    with web_server() as server:
        port = server.server_address[1]
        target = open_target(f"http://127.0.0.1:{port}/")
        target.send(b"one")
        target._connection.sock.shutdown(2)  # type: ignore[attr-defined]  # as an idle one that was closed
        target.send(b"two")
        target.close()
        assert [body for _, _, body in server.requests] == [b"one", b"two"]  # type: ignore[attr-defined]


def test_a_websocket_gets_each_signal_as_text_whatever_it_says_itself() -> None:
    got: list[Any] = []
    shown: list[str | None] = []

    def answer(socket: Any) -> None:
        shown.append(socket.request.headers.get("authorization"))
        for message in socket:
            got.append(message)
            for _ in range(40):
                socket.send("chatter")

    with serve(answer, "127.0.0.1", 0) as server:
        port = server.socket.getsockname()[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        target = open_target(f"ws://127.0.0.1:{port}/x", "to-ken")
        for number in range(20):
            target.send(b"%d" % number)
        wait_until(lambda: len(got) == 20)
        target.close()
        server.shutdown()
        thread.join()
    assert got == [str(number) for number in range(20)]
    assert shown == ["Bearer to-ken"]


def test_lines_of_standard_output_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    out, into = os.pipe()
    monkeypatch.setattr("os.dup", lambda _: into)
    target = open_target("-")
    target.send(b"one")
    target._torn = True  # type: ignore[attr-defined]  # as after a disk that was full
    target.send(b"two")
    target.close()
    with os.fdopen(out, "rb") as read:
        assert read.read() == b"one\n\ntwo\n"


@pytest.mark.skipif(MOSQUITTO is None, reason="mosquitto is not installed: apt-get install mosquitto")
def test_mosquitto_gets_signals_is_killed_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "LONGEST_PAUSE", 0.5)
    said: list[str] = []
    broker = Mosquitto(tmp_path)
    broker.start()
    sending = Delivery(open_target(f"mqtt://127.0.0.1:{broker.port}/shop"), said.append)
    try:
        with subscribed(broker.port) as heard:
            sending.put(b"before")
            wait_until(lambda: heard == [b"before"])
        broker.kill()
        sending.put(b"lost")
        wait_until(lambda: len(said) == 1)
        sending.put(b"lost too")
        sending.put(b"newest")
        broker.start()
        with subscribed(broker.port) as heard:
            wait_until(lambda: len(said) == 2)
            sending.put(b"after")
            wait_until(lambda: b"after" in heard)
    finally:
        sending.close()
        broker.kill()
    name = f"mqtt://127.0.0.1:{broker.port}/shop"
    assert said[0] == f"signals to {name}: connection refused; tried again until it works"
    assert said[1] == f"signals to {name} arrive again; 2 were not sent"


class subscribed:
    """What a topic of a broker says, as bytes."""

    def __init__(self, port: int) -> None:
        self._heard: list[bytes] = []
        self._ready = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = lambda client, data, message: self._heard.append(message.payload)
        self._client.on_connect = lambda client, *_: client.subscribe("shop", qos=1)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def __enter__(self) -> list[bytes]:
        assert self._ready.wait(10)
        return self._heard

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
