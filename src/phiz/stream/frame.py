"""One frame of a stream, what every source of frames offers, and how streams fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import PhizError
from .buffer import Stop

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
    """What a source had to put up with: damaged frames, and how often a camera vanished."""

    damaged: int = 0
    lost: int = 0


class Source(Protocol):
    """Anything that yields frames.

    name: what messages call it. live: whether it goes on by itself, so that frames not taken in time are
    dropped. rate: frames a second, as far as known, for an annotated video.
    """

    name: str
    live: bool
    rate: float
    troubles: Troubles

    def frames(self, stop: Stop) -> Iterator[Frame]:
        """Yield frames until the end, or until `stop` is set. Raises StreamError where none can be had."""
        ...
