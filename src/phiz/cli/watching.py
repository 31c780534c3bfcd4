"""What `phiz watch` makes of answers beside files: a progress line, counts, signals, a table of people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tqdm import tqdm

from ..words import age_words, gender_words, sure_words

if TYPE_CHECKING:
    from ..audience import Counter
    from ..stream.stream_output import Shown
    from ..stream.track import Track

#: Of the table of people.
ROW = "{:>6}  {:>9}  {:>9}  {:<18}  {:<15}  {}\n"


class Progress:
    """A line on standard error, where that is a terminal: frames, frames a second, people, time left.

    length: seconds that the stream lasts, as far as known.
    """

    def __init__(self, length: float | None) -> None:
        shape = "{percentage:3.0f}%: {desc}, {remaining} left" if length else "{desc}"
        self._length = length or 0.0
        self._bar = tqdm(total=length, desc="no frame yet", bar_format=shape, disable=None, leave=False)
        self._begun, self._frames, self._people = time.monotonic(), 0, 0

    def write(self, shown: Shown) -> None:
        """Take in one frame."""
        self._frames += 1
        self._people = max([self._people, *(track.id for track in shown.tracks)])
        rate = self._frames / max(time.monotonic() - self._begun, 1e-6)
        text = f"{some(self._frames, 'frame', 'frames')}, {rate:.1f} a second, "
        text += some(self._people, "person", "people")
        self._bar.set_description_str(text, refresh=self._frames == 1)  # of a short film too something shows
        self._bar.update(min(shown.frame.time, self._length) - self._bar.n if self._length else 1)

    def close(self) -> None:
        """Show where it came to, then take the line away."""
        self._bar.refresh()
        self._bar.close()


class Counting:
    """Gives the tracks to an audience counter."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter

    def write(self, shown: Shown) -> None:
        """Count an analysed frame's faces, and those who have left."""
        if shown.looked:
            self._counter.update(shown.tracks, shown.frame.time, shown.ended)
        else:
            self._counter.leave(shown.ended)

    def close(self) -> None:
        """Nothing: the counter closes itself."""


class Signals:
    """Says how many people are in view, once a second at most, to everything in `send`.

    begun: when second 0 of the stream was.
    """

    def __init__(self, send: Sequence[Callable[[bytes], None]], begun: datetime) -> None:
        from ..audience.signal import Pace

        self._send, self._begun, self._pace = send, begun, Pace()

    def write(self, shown: Shown) -> None:
        """Take in one frame."""
        from ..audience.signal import signal_of

        time = shown.frame.time
        signal = signal_of(shown.tracks, time, self._begun + timedelta(seconds=time))
        if self._pace.due(signal, time):
            data = json.dumps(signal.to_dict(), allow_nan=False).encode()
            for send in self._send:
                send(data)

    def close(self) -> None:
        """Nothing: what sends closes itself."""


class People:
    """Keeps who was seen, for a table; a recording has an end, so that this stays small."""

    def __init__(self) -> None:
        self._tracks: list[Track] = []

    def write(self, shown: Shown) -> None:
        """Keep who has left."""
        self.leave(shown.ended)

    def leave(self, ended: Iterable[Track]) -> None:
        """Keep tracks that ended."""
        self._tracks += ended

    def close(self) -> None:
        """Nothing: the table is made when the stream is over."""

    def table(self) -> str:
        """Return one line a person, in the order of their coming."""
        lines = [ROW.format("person", "from", "to", "age", "gender", "sure")]
        for track in sorted(self._tracks, key=lambda track: track.id):
            face = track.face
            sure = sure_words(face.gender_score)
            if face.age is None:  # strict: no look told anything, and the last one's flags say why
                sure += f" ({', '.join(face.flags)})"
            place = clock(track.first), clock(track.last)
            lines.append(ROW.format(track.id, *place, age_words(face), gender_words(face), sure))
        return "".join(lines)


def clock(seconds: float) -> str:
    """Return a time of a stream as hours, minutes and seconds: 0:00:03.2."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{rest:04.1f}"


def some(count: int, one: str, more: str) -> str:
    """Return a count and the word for what was counted."""
    return f"{count} {one if count == 1 else more}"
