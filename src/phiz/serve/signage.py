"""The screen of a service: which content the players show, and the reports of what they showed."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from .._version import __version__
from ..audience.signal import Signal
from ..errors import PhizError
from ..signage.choice import State, step
from ..signage.exposure import Exposure, Exposures
from ..signage.rules import Content, Rules
from .access import SUBPROTOCOL
from .stream import RESTART, TOO_BIG, TRY_LATER, UNSUPPORTED

logger = logging.getLogger("phiz.serve")

#: How often time alone may change what is shown.
TICK = 0.2
#: How often players are told what to show where nothing changes, so that they see that the service is there.
TELL = 3.0
#: A player that has not said for so long what it shows shows nothing.
REPORT_SECONDS = 10.0
#: Largest report of a player in characters.
REPORT_LENGTH = 500
#: Most players at the same time; they all show the same.
PLAYERS = 8
#: How much of a content's file goes into its address.
_HEAD = 1 << 20


class Signage:
    """A screen: signals come in by `take`, the players are told, listeners hear what they showed.

    files: where each content lies, by the last part of its address, which changes with the file.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._listeners: list[Callable[[Exposure], None]] = []
        self._state, self._seed = State(), secrets.randbits(32)
        self._changed, self._ending = anyio.Event(), False
        self._players: set[_Player] = set()
        self._random: dict[str, bool] = {}
        self._exposures = Exposures()
        self._send, self._due = anyio.create_memory_object_stream[Exposure](10_000)
        keys = {content.name: _key(content) for content in rules.contents}
        self.files: Mapping[str, Path] = {keys[one.name]: one.file for one in rules.contents}
        self.playlist: Mapping[str, Any] = {
            "version": __version__,
            "fade_seconds": rules.fade_seconds,
            "contents": [
                {
                    "name": one.name,
                    "kind": one.kind,
                    "path": f"content/{keys[one.name]}",
                    "seconds": one.most_seconds,
                    "fallback": one.fallback,
                }
                for one in rules.contents
            ],
        }

    def listen(self, on_shown: Callable[[Exposure], None]) -> None:
        """Let a part of the service be told of every Exposure once it ended, or its minute.

        It is called in a thread of its own, in order, and may take its time; its PhizError is logged.
        """
        self._listeners.append(on_shown)

    def take(self, signal: Signal) -> None:
        """Take in the newest counts of who is there."""
        self._step(signal)

    async def run(self) -> None:
        """Let time change what is shown, and hand out exposures, until the end and the last of them."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._hand_out)
            while not self._ending:
                self._step()
                await anyio.sleep(TICK)

    async def serve(self, socket: WebSocket) -> None:
        """Tell a player what to show and take in what it does show, until it leaves or the service ends."""
        offered = socket.scope.get("subprotocols", [])
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        if len(self._players) >= PLAYERS:
            await socket.close(TRY_LATER, f"all {PLAYERS} places for players are taken; try again later")
            return
        player = _Player(socket)
        self._players.add(player)
        self._step()
        try:
            async with anyio.create_task_group() as both:
                both.start_soon(self._tell, socket)
                await self._listen(player)
                both.cancel_scope.cancel()
        finally:
            self._players.discard(player)

    async def end(self) -> None:
        """Close every player's connection and note what it showed last."""
        self._ending = True
        for player in list(self._players):
            with suppress(RuntimeError, WebSocketDisconnect):  # it closed itself meanwhile
                await player.socket.close(RESTART, "the service is ending")
        self._players.clear()
        self._observe()
        self._send.close()

    def _step(self, signal: Signal | None = None) -> None:
        clock = datetime.now().astimezone()
        before, self._state = (
            self._state,
            step(self._rules, self._state, time.monotonic(), clock, signal, self._seed),
        )
        self._random[self._state.shown] = self._state.random
        if self._state.shown != before.shown:
            self._changed.set()
            self._changed = anyio.Event()
        self._observe()

    def _observe(self) -> None:
        """Note what is on the screens now."""
        recent = time.monotonic() - REPORT_SECONDS
        names = {player.showing for player in self._players if player.reported > recent and player.showing}
        # A player shows for a moment what it showed before; that stays as random as it was.
        on = {name: self._random.get(name, False) for name in names}
        for exposure in self._exposures.update(datetime.now().astimezone(), on):
            # Nobody took any for hours, or it is the end.
            with suppress(anyio.WouldBlock, anyio.ClosedResourceError):
                self._send.send_nowait(exposure)

    async def _tell(self, socket: WebSocket) -> None:
        with suppress(RuntimeError, WebSocketDisconnect):  # closed; the one who reads knows it too
            while True:
                changed = self._changed
                await socket.send_text(json.dumps({"show": self._state.shown}))
                with anyio.move_on_after(TELL):
                    await changed.wait()

    async def _listen(self, player: _Player) -> None:
        while (message := await player.socket.receive())["type"] != "websocket.disconnect":
            text = message.get("text")
            if text is not None and len(text) > REPORT_LENGTH:
                await player.socket.close(TOO_BIG, f"expected at most {REPORT_LENGTH} characters a report")
                return
            report = _report(text, self._rules)
            if report is None:
                words = 'expected {"showing": NAME}, {"showing": null} or {"failed": NAME}'
                await player.socket.close(UNSUPPORTED, words)
                return
            ((what, name),) = report.items()
            if what == "failed" and name not in self._state.broken:
                logger.warning(
                    "signage: a player cannot show %s; it is left out until the service restarts", name
                )
                self._state = replace(self._state, broken=self._state.broken | {name})
                self._step()
            elif what == "showing":
                player.showing, player.reported = name, time.monotonic()
                self._observe()

    async def _hand_out(self) -> None:
        async for exposure in self._due:
            for on_shown in self._listeners:
                try:
                    await anyio.to_thread.run_sync(on_shown, exposure)
                except PhizError as error:
                    logger.error("signage: what was shown is not counted: %s", error)


class _Player:
    """A connection, and what it says it shows: a name, or None where it shows nothing."""

    def __init__(self, socket: WebSocket) -> None:
        self.socket = socket
        self.showing: str | None = None
        self.reported = 0.0


def _report(text: str | None, rules: Rules) -> dict[str, Any] | None:
    """Return a player's report; None where it is none."""
    try:
        report = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    if not isinstance(report, dict) or len(report) != 1:
        return None
    what, name = next(iter(report.items()))
    known = isinstance(name, str) and name in rules.by_name
    fits = known or (name is None and what == "showing")
    return report if fits and what in ("showing", "failed") else None


def _key(content: Content) -> str:
    """Return a content's address: it changes with the file, so that a player may keep what it has."""
    state = content.file.stat()
    with content.file.open("rb") as file:
        head = file.read(_HEAD)
    identity = f"{content.name} {state.st_size} {state.st_mtime_ns} ".encode() + head
    return hashlib.sha256(identity).hexdigest()[:24] + content.file.suffix.lower()
