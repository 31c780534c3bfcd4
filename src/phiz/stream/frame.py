"""One frame of a stream, what every source of frames offers, and how streams fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..addresses import public_address
from ..errors import PhizError
from ..image import display_name
from .buffer import Stop

#: Rate of a stream that does not tell its own, and the highest one that is believed, in frames a second.
RATE, MAX_RATE = 25.0, 240.0
#: Tells the user something that happens while a stream runs.
Say = Callable[[str], None]


class StreamError(PhizError):
    """A stream ended early: its source or an output failed for good."""

    exit_status = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a stream.

    index: its place in the source, from 0; frames that were dropped or damaged leave gaps.
    time: seconds since the stream began, always larger than the frame before's.
    image: uint8, height x width x 3, RGB.
    """

    index: int
    time: float
    image: NDArray[np.uint8]


@dataclass
class Troubles:
    """What a source had to put up with.

    damaged: frames that could not be decoded. missing: seconds by which a file ends before the length in its
    header. lost: how often a camera vanished.
    """

    damaged: int = 0
    missing: float = 0.0
    lost: int = 0


class Source(Protocol):
    """Anything that yields frames.

    name: what messages call it. live: whether it goes on by itself, so that frames not taken in time are
    dropped. rate: frames a second, as far as known. length: seconds that it lasts, as far as known.
    sound: the file or URL that an annotated video takes its sound from.
    """

    name: str
    live: bool
    rate: float
    length: float | None
    sound: str | None
    troubles: Troubles

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield frames until the end, or until `stop` is set. Raises StreamError where none can be had."""
        ...


def believed(rate: float) -> float:
    """Return the frames a second that a source tells, RATE where it tells none that can be."""
    return rate if 0 < rate <= MAX_RATE else RATE


def plain(name: str) -> str:
    """Return the name of a file, device or stream as it is. Raises StreamError where it is none in UTF-8.

    Python keeps other bytes as lone surrogates; OpenCV ends the whole program on these.
    """
    shown = display_name(public_address(name))
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise StreamError(
            f"expected a name in UTF-8, got {shown}: rename it, or name a link to it"
        ) from error
    if "\0" in name:
        raise StreamError(f"expected a name, got {shown}, which has a zero byte in it")
    return name
