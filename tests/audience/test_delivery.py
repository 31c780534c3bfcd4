"""Deliveries never wait for their target, send the newest, try again, and say each thing once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from phiz.audience import delivery as module
from phiz.audience.delivery import Delivery, SignalError

PATIENCE = 10.0  # seconds after which a test gives up; never reached where things work


class Scripted:
    """A target that fails while `broken`, and waits for `gate` in each try."""

    name = "mqtt://broker/shop"

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.tries: list[float] = []
        self.broken: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.closed = False

    def send(self, data: bytes) -> None:
        self.tries.append(time.monotonic())
        assert self.gate.wait(PATIENCE)
        if self.broken:
            raise self.broken
        self.sent.append(data)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def target() -> Scripted:
    return Scripted()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.16)
    monkeypatch.setattr(module, "LINGER", 0.5)


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.002)


def test_what_is_given_arrives_and_nothing_is_said(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    delivery.put(b"one")
    wait_until(lambda: target.sent == [b"one"])
    delivery.put(b"two")
    delivery.close()
    assert target.sent == [b"one", b"two"]
    assert target.closed
    assert said == []


def test_a_slow_target_gets_the_newest_and_holds_nothing_up(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    target.gate.clear()
    delivery.put(b"first")
    wait_until(lambda: bool(target.tries))
    begun = time.monotonic()
    for number in range(1000):
        delivery.put(b"%d" % number)
    assert time.monotonic() - begun < 1
    target.gate.set()
    delivery.close()
    assert target.sent == [b"first", b"999"]
    assert said == ["signals to mqtt://broker/shop: 999 of 1001 were not sent"]


def test_an_outage_is_said_once_and_its_end_once(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    target.broken = SignalError("connection refused")
    delivery.put(b"0")
    wait_until(lambda: len(target.tries) >= 2)
    for number in range(1, 6):
        delivery.put(b"%d" % number)
    wait_until(lambda: len(target.tries) >= 4)
    assert said == ["signals to mqtt://broker/shop: connection refused; tried again until it works"]
    target.broken = None
    wait_until(lambda: len(said) == 2)
    assert said[1:] == ["signals to mqtt://broker/shop arrive again; 5 were not sent"]
    assert target.sent == [b"5"]
    target.broken = SignalError("connection refused")
    delivery.put(b"6")
    wait_until(lambda: len(said) == 3)
    assert said[2] == said[0]
    delivery.close()
    assert said[3:] == ["signals to mqtt://broker/shop: 6 of 7 were not sent"]


def test_the_pauses_grow(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    target.broken = SignalError("connection refused")
    delivery.put(b"0")
    wait_until(lambda: len(target.tries) >= 7)
    delivery.close()
    pauses = [later - earlier for earlier, later in zip(target.tries, target.tries[1:], strict=False)][:6]
    for pause, least in zip(pauses, [0.02, 0.04, 0.08, 0.16, 0.16, 0.16], strict=True):
        assert pause >= least


def test_a_target_that_hangs_does_not_hold_up_the_end(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    target.gate.clear()
    delivery.put(b"0")
    wait_until(lambda: bool(target.tries))
    delivery.put(b"1")
    begun = time.monotonic()
    delivery.close()
    assert time.monotonic() - begun < 2
    assert said == ["signals to mqtt://broker/shop: 1 of 2 were not sent"]
    target.gate.set()


def test_what_no_other_try_helps_reaches_the_giver(target: Scripted, said: list[str]) -> None:
    delivery = Delivery(target, said.append)
    target.broken = BrokenPipeError()
    delivery.put(b"0")
    wait_until(lambda: target.closed)
    with pytest.raises(BrokenPipeError):
        delivery.put(b"1")
