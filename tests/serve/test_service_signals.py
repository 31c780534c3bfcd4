"""The WebSocket for signals: what one sends every other gets, the newest first, and nothing but signals."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import datetime, timezone
from typing import Any

import pytest
from fastapi.testclient import TestClient
from service import PATIENCE, live, make_app
from starlette.websockets import WebSocketDisconnect
from websockets.sync.client import connect

from phiz import Analyzer
from phiz.audience.delivery import Delivery, SignalError
from phiz.audience.signal import AGE_KEYS, Signal
from phiz.audience.targets import open_target
from phiz.data import ASTRONAUT
from phiz.serve.settings import Limits
from phiz.serve.signals import Signals

TOKEN = "a-token-of-the-tests"


def signal(people: int = 0) -> Signal:
    ages = dict.fromkeys(AGE_KEYS, 0) | {"20-39": people}
    at = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)
    counts = {"people": people, "facing": people, "female": people, "male": 0, "not_sure": 0}
    return Signal(at=at, ages=ages, longest_seconds=1.5 * people, **counts)


def text(people: int = 0) -> str:
    return json.dumps(signal(people).to_dict())


def test_what_one_sends_all_others_get(analyzer: Analyzer) -> None:
    app = make_app(analyzer)
    heard: list[Signal] = []
    app.state.service.signals.listen(heard.append)
    with (
        TestClient(app) as client,
        client.websocket_connect("/v1/signals") as one,
        client.websocket_connect("/v1/signals") as other,
        client.websocket_connect("/v1/signals") as watch,
    ):
        for people in range(3):
            watch.send_text(text(people))
            assert one.receive_json() == other.receive_json() == signal(people).to_dict()
        one.send_text(text(9))
        assert watch.receive_json()["people"] == 9
    assert heard == [signal(0), signal(1), signal(2), signal(9)]
    assert app.state.service.signals.latest == signal(9)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("hello", 1003),
        ("[]", 1003),
        ("[" * 1999, 1003),
        (text().replace("facing", "face"), 1003),
        (text().replace("2026", "2026" * 1000), 1009),
        (b"{}", 1003),
    ],
)
def test_what_is_no_signal_ends_the_connection_and_reaches_nobody(
    analyzer: Analyzer, message: str | bytes, code: int
) -> None:
    app = make_app(analyzer)
    with TestClient(app) as client, client.websocket_connect("/v1/signals") as one:
        with client.websocket_connect("/v1/signals") as other:
            other.send_bytes(message) if isinstance(message, bytes) else other.send_text(message)
            with pytest.raises(WebSocketDisconnect) as end:
                other.receive_json()
        assert end.value.code == code
        with client.websocket_connect("/v1/signals") as other:
            other.send_text(text(4))
            assert one.receive_json()["people"] == 4


def test_one_connection_too_many_is_told_so(analyzer: Analyzer) -> None:
    with TestClient(make_app(analyzer, streams=1)) as client, client.websocket_connect("/v1/signals"):
        with client.websocket_connect("/v1/signals") as second, pytest.raises(WebSocketDisconnect) as end:
            second.receive_json()
        assert (end.value.code, end.value.reason) == (1013, "all 1 places are taken; try again later")


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, False),
        ({"authorization": f"Bearer {TOKEN}"}, True),
        ({"sec-websocket-protocol": f"phiz.v1, phiz.token.{TOKEN}"}, True),
        ({"authorization": f"Bearer {TOKEN}", "origin": "https://evil.example"}, False),
    ],
)
def test_who_may_join(analyzer: Analyzer, headers: dict[str, str], allowed: bool) -> None:
    with TestClient(make_app(analyzer, settings={"token": TOKEN})) as client:
        if allowed:
            with client.websocket_connect("/v1/signals", headers=headers) as socket:
                socket.send_text(text())
        else:
            with (
                pytest.raises(WebSocketDisconnect) as end,
                client.websocket_connect("/v1/signals", headers=headers),
            ):
                pass
            assert end.value.code == 1008


def test_a_slow_client_gets_the_newest_and_holds_nobody_up() -> None:
    class Slow:
        """A WebSocket whose client takes nothing until `gate` is set."""

        def __init__(self) -> None:
            self.scope: dict[str, Any] = {}
            self.gate, self.over = asyncio.Event(), asyncio.Event()
            self.got: list[int] = []

        async def accept(self, _: str | None) -> None: ...

        async def send_text(self, data: str) -> None:
            await self.gate.wait()
            self.got.append(json.loads(data)["people"])

        async def receive(self) -> dict[str, str]:
            await self.over.wait()
            return {"type": "websocket.disconnect"}

    class Sending(Slow):
        async def receive(self) -> dict[str, str]:
            await asyncio.sleep(0)
            self.sent = getattr(self, "sent", 0) + 1
            kind = "receive" if self.sent <= 50 else "disconnect"
            return {"type": f"websocket.{kind}", "text": text(self.sent)}

    async def run() -> list[int]:
        signals, slow = Signals(Limits()), Slow()
        task = asyncio.create_task(signals.serve(slow))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await asyncio.wait_for(signals.serve(Sending()), PATIENCE)  # type: ignore[arg-type]
        slow.gate.set()
        while 50 not in slow.got:
            await asyncio.sleep(0)
        slow.over.set()
        await task
        return slow.got

    got = asyncio.run(run())
    assert got[-1] == 50
    assert len(got) <= 2


def test_phiz_watch_feeds_a_real_service_that_ends_in_good_order(analyzer: Analyzer) -> None:
    said: list[str] = []
    with live(make_app(analyzer, settings={"token": TOKEN})) as port:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        with connect(f"ws://127.0.0.1:{port}/v1/signals", additional_headers=headers) as screen:
            sending = Delivery(open_target(f"ws://127.0.0.1:{port}/v1/signals", TOKEN), said.append)
            sending.put(text(1).encode())
            assert json.loads(screen.recv(PATIENCE)) == signal(1).to_dict()
            with pytest.raises(SignalError, match="the server answered 403"):
                open_target(f"ws://127.0.0.1:{port}/v1/signals", "another-token").send(b"{}")
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "phiz", "watch", "-", "--no-window"),
                    *("--signal", f"ws://127.0.0.1:{port}/v1/signals"),
                ],
                input=ASTRONAUT.read_bytes(),
                capture_output=True,
                timeout=120,
                check=False,
                env=os.environ | {"PHIZ_SIGNAL_TOKEN": TOKEN},
            )
            assert done.returncode == 0, done.stderr
            assert json.loads(screen.recv(PATIENCE))["people"] == 1
    sending.put(text(2).encode())
    sending.close()
    assert said[0].startswith(f"signals to ws://127.0.0.1:{port}: ")
