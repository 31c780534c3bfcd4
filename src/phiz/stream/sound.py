"""The sound of a video, copied into another one as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

import av
from av.container import OutputContainer

from .frame import Say
from .video import SILENCE, address


class Sound:
    """The first sound track of a video, packet by packet, neither decoded nor made anew.

    place: a path or URL; None for no sound. to: the file that gets it, before its first packet. say: is told
    where there is sound that cannot be copied.
    """

    def __init__(self, place: str | None, to: OutputContainer, say: Say) -> None:
        self._to, self._say = to, say
        self._packets = iter(()) if place is None else self._read(place)
        self._next = next(self._packets, None)

    def copy(self, until: float) -> None:
        """Add the sound up to a time in seconds, 0 being the beginning of the pictures."""
        try:
            while self._next is not None and self._next[0] <= until:
                self._to.mux(self._next[1])
                self._next = next(self._packets, None)
        except av.FFmpegError as error:
            self._end(self._next[0] if self._next else until, error)
            self._next = None

    def _read(self, place: str) -> Iterator[tuple[float, av.Packet[av.AudioStream]]]:
        """Yield packets that belong to the other file, each with its time."""
        now = 0.0
        try:
            with av.open(address(place), timeout=SILENCE) as file:
                track, pictures = file.streams.best("audio"), file.streams.best("video")
                if not isinstance(track, av.AudioStream) or not track.time_base:
                    return
                kind = self._to.format.name
                if not holds(kind, track):
                    codec = track.codec_context.codec.canonical_name
                    self._say(f"the sound is left out: {kind} cannot hold {codec}; most often .mkv can")
                    return
                copy = self._to.add_stream_from_template(track)
                begin = pictures.start_time * pictures.time_base if pictures and pictures.start_time else 0
                shift = round(begin / track.time_base)
                for packet in file.demux(track):
                    if packet.pts is None or packet.dts is None or packet.pts < shift:
                        continue  # the end, or sound before the first picture
                    packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                    packet.stream = copy
                    now = float(packet.pts * track.time_base)
                    yield now, packet
        except av.FFmpegError as error:
            self._end(now, error)

    def _end(self, seconds: float, error: av.FFmpegError) -> None:
        self._say(f"the sound ends at {seconds:.1f} s: it cannot be copied any further ({error.strerror})")


def holds(kind: str, track: av.AudioStream) -> bool:
    """Whether a format can hold a track, as the head of a file that is thrown away shows.

    AVI is said to hold none: what it does with times lets many kinds break off or run away.
    """
    if kind == "avi":
        return False
    with suppress(av.FFmpegError, ValueError), av.open(io.BytesIO(), "w", format=kind) as trial:
        trial.add_stream_from_template(track)
        trial.start_encoding()
        return True
    return False
