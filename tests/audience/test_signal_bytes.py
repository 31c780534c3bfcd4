"""What goes over the wire: a connection, a topic and counts, every byte of it accounted for."""

from __future__ import annotations

import json
import re
import struct
from datetime import datetime, timezone

import numpy as np
import pytest

pytest.importorskip("paho.mqtt.client", reason="the extra signal brings paho-mqtt")
from brokers import SmallBroker, wait_until
from made_tracks import MadeTrack

from phiz.audience.delivery import Delivery
from phiz.audience.signal import Signal
from phiz.audience.targets import open_target
from phiz.cli.watching import Signals
from phiz.stream.frame import Frame
from phiz.stream.stream_output import Shown
from phiz.types import Face

#: What a track knows of a person; none of it may be found in the bytes, in any common form.
BOX = (211.25, 133.5, 87.75, 91.125)
POINT = (233.375, 158.625)
SCORE, GENDER_SCORE, FACING = 0.8712890625, 0.93359375, 0.7841796875
FIRST_ID = 7_467_941
AGE = 31.421875
COLOUR = (201, 77, 143)
BEGUN = datetime(2026, 11, 22, 9, 30, tzinfo=timezone.utc)


def shown(second: float) -> Shown:
    """Two people, one of whom stays while the other changes."""
    face = Face(BOX, SCORE, (POINT,) * 5, AGE, "female", GENDER_SCORE)
    picture = np.full((48, 64, 3), COLOUR, np.uint8)
    tracks = [MadeTrack(FIRST_ID, face, 0.0, second, FACING)]
    if int(second) % 2:
        tracks.append(MadeTrack(FIRST_ID + int(second), face, second, second, FACING))
    return Shown(Frame(int(10 * second), second, picture), True, tracks, [], 0)


def test_every_byte_to_a_broker_belongs_to_a_signal() -> None:
    said: list[str] = []
    broker = SmallBroker()
    delivery = Delivery(open_target(f"mqtt://127.0.0.1:{broker.port}/shop"), said.append)
    output = Signals([delivery.put], BEGUN)
    for tenth in range(60):
        before = len(broker.published)
        output.write(shown(tenth / 10))
        if tenth % 10 == 0:  # the newest would win where the broker is slow
            wait_until(lambda count=before: len(broker.published) > count)
    output.close()
    delivery.close()
    assert said == []
    broker.close()

    assert [topic for topic, _ in broker.published] == ["shop"] * 6
    signals = [Signal.from_dict(json.loads(payload)) for _, payload in broker.published]
    assert [(signal.people, signal.female, signal.facing) for signal in signals] == [(1, 1, 1), (2, 2, 2)] * 3
    assert [signal.longest_seconds for signal in signals] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    data = bytes(broker.received)
    for value in (*BOX, *POINT, SCORE, GENDER_SCORE, FACING, AGE):
        for form in ("<f", ">f", "<d", ">d"):
            assert struct.pack(form, value) not in data
        assert str(value).encode() not in data
        assert str(round(value, 1)).encode() not in data
    for track in range(FIRST_ID, FIRST_ID + 6):
        assert str(track).encode() not in data
        assert struct.pack(">i", track)[1:] not in data
    assert bytes(COLOUR) not in data
    assert b"\xff\xd8\xff" not in data  # a JPEG
    assert b"PNG" not in data

    for _, payload in broker.published:
        data = data.replace(payload, b"", 1)
        assert len(payload) < 300
    connect = rb"\x10.\x00\x04MQTT\x04\x02\x00\x3c\x00\x15phiz-[0-9a-f]{16}"
    publish = rb"(\x32.{1,2}\x00\x04shop..)"  # with the number of the message
    assert re.fullmatch(connect + publish + rb"{6}\xe0\x00", data, re.DOTALL)
