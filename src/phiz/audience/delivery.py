"""Signals on their way to a target: in a thread of their own, the newest first, whatever the target does."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from ..errors import PhizError

#: Seconds before the first try after one that failed; doubled with each that fails too, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
#: Seconds for which a target may hold up the end.
LINGER = 2.0


class SignalError(PhizError):
    """A signal could not be sent. The message says why in a few words, without the target's name."""


class Target(Protocol):
    """Something that takes signals; name is fit for messages: no password."""

    name: str

    def send(self, data: bytes) -> None:
        """Send one signal, connecting where need be. Raises SignalError where another try may help."""

    def close(self) -> None:
        """Give the connection back."""


class Delivery:
    """Sends what it is given to a target, which may be slow, gone or coming back.

    One signal waits at most, the newest. What fails is tried again after growing pauses. say: is told once
    that a target fails, once that it works again, and at the end how many signals it did not get.
    """

    def __init__(self, target: Target, say: Callable[[str], None]) -> None:
        self._target, self._say = target, say
        self._changed = threading.Condition()
        self._waiting: bytes | None = None
        self._closing = False
        self._given = self._lost = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="phiz-signal", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Take a signal; never waits. Raises what ended the delivery, such as BrokenPipeError."""
        with self._changed:
            if self._failure is not None:
                raise self._failure
            self._given += 1
            self._lost += self._waiting is not None
            self._waiting = data
            self._changed.notify()

    def close(self) -> None:
        """Let what waits be sent, for LINGER seconds at most, and say what was not sent in all."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(LINGER)
        with self._changed:
            lost = self._lost + (self._waiting is not None)
            if lost:
                self._say(f"signals to {self._target.name}: {lost} of {self._given} were not sent")

    def _run(self) -> None:
        try:
            self._send_all()
        except BaseException as error:
            with self._changed:
                self._failure = error
        finally:
            self._target.close()

    def _send_all(self) -> None:
        pause, lost_before = 0.0, 0
        while (data := self._take()) is not None:
            try:
                self._target.send(data)
            except SignalError as error:
                with self._changed:
                    self._put_back(data)
                    closing = self._closing
                if closing:
                    return
                if not pause:
                    lost_before = self._lost
                    self._say(f"signals to {self._target.name}: {error}; tried again until it works")
                pause = min(2 * pause, LONGEST_PAUSE) or FIRST_PAUSE
                self._rest(pause)
            else:
                if pause:
                    missed = self._lost - lost_before
                    self._say(f"signals to {self._target.name} arrive again; {missed} were not sent")
                pause = 0.0

    def _take(self) -> bytes | None:
        """Return the signal that waits, once there is one; None once there will be none any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None or self._closing)
            data, self._waiting = self._waiting, None
            return data

    def _put_back(self, data: bytes) -> None:
        if self._waiting is None:
            self._waiting = data
        else:
            self._lost += 1

    def _rest(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)
