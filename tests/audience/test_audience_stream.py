"""From the frames of a stream to the counts: who is counted as whom, and how long everybody stayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from made_tracks import MEN, MIDNIGHT, WOMEN
from scenes import scene
from stream_fakes import FakeSource

from phiz.audience import Counter
from phiz.audience.ledger import Changes
from phiz.audience.store import Settings
from phiz.audience.totals import HOUR, Group, Rows, Totals, add
from phiz.cli.watching import Counting
from phiz.stream.buffer import Stop
from phiz.stream.frame import Frame, StreamError
from phiz.stream.watch import watch
from phiz.types import Face

#: Who stands before each scene's camera, in the same places: pairs, since groups of one are not told.
SCENES = {"women": scene(1), "men": scene(2), "nobody": scene(3)}


def look(image: np.ndarray) -> list[Face]:
    who = next(name for name, picture in SCENES.items() if np.array_equal(picture, image))
    gender = {"women": "female", "men": "male"}.get(who, "")
    places = [(20.0, 60.0), (200.0, 60.0)] if gender else []
    parts = ((15, 20), (45, 20), (30, 40), (20, 60), (40, 60))
    return [
        Face((x, y, 60.0, 80.0), 0.9, tuple((x + a, y + b) for a, b in parts), 30.0, gender, 0.9)
        for x, y in places
    ]


class Film(FakeSource):
    """Scenes by name at the given seconds; may fail after the last."""

    rate = 4.0

    def __init__(self, shots: Sequence[tuple[float, str]], error: Exception | None = None) -> None:
        super().__init__([SCENES[name] for _, name in shots], error=error)
        self._times = [time for time, _ in shots]

    def frames(self, stop: Stop) -> Iterator[Frame]:
        for frame in super().frames(stop):
            yield Frame(frame.index, self._times[frame.index], frame.image)


class Sums:
    """In place of a Store."""

    name = "sums"
    settings = Settings(k=2, groups_per=HOUR, zone="UTC")

    def __init__(self) -> None:
        self.rows: Rows = {}

    def write(self, changes: Changes) -> None:
        add(self.rows, changes.added)
        add(self.rows, changes.moved)


def shot(name: str, start: float, stop: float, step: float = 0.25) -> list[tuple[float, str]]:
    return [(float(time), name) for time in np.arange(start, stop, step)]


def count(film: Film, every: int = 1) -> dict[Group, Totals]:
    """Watch a film and return the totals of each group that was seen."""
    sums = Sums()
    with Counter(sums, began=MIDNIGHT) as counter:  # type: ignore[arg-type]
        watch(film, look, [Counting(counter)], every=every, at_end=counter.leave)
    totals: dict[Group, Totals] = {}
    for key, row in sums.rows.items():
        if key.group in (WOMEN, MEN):
            totals[key.group] = totals.get(key.group, Totals()) + row
    return totals


@pytest.mark.parametrize("every", [1, 3])
def test_men_and_then_women_after_a_cut_are_different_people(every: int) -> None:
    totals = count(Film(shot("men", 0, 10) + shot("women", 10, 40)), every)
    assert {group: (row.people, row.dwell) for group, row in totals.items()} == {
        MEN: (2, (0, 2, 0, 0, 0, 0)),
        WOMEN: (2, (0, 0, 2, 0, 0, 0)),
    }


@pytest.mark.parametrize("pause", [3.0, 60.0, 3600.0])
def test_people_with_a_pause_between_them_are_different_people(pause: float) -> None:
    """The recording has no frame of the pause, so that no look ever showed an empty room."""
    totals = count(Film(shot("women", 0, 10) + shot("women", 10 + pause, 20 + pause)))
    assert totals[WOMEN].people == 4
    assert totals[WOMEN].dwell == (0, 4, 0, 0, 0, 0)
    assert totals[WOMEN].presence == 4 * 9750


@pytest.mark.parametrize(("seconds", "place"), [(4.0, 0), (12.0, 1), (100.0, 4)])
def test_who_is_in_view_when_the_film_ends_has_a_dwell_time(seconds: float, place: int) -> None:
    totals = count(Film(shot("nobody", 0, 5) + shot("women", 5, 5.3 + seconds)))
    assert totals[WOMEN].people == 2
    assert totals[WOMEN].dwell == tuple(2 * (place == i) for i in range(6))


def test_who_leaves_between_two_looks_has_a_dwell_time() -> None:
    totals = count(Film(shot("women", 0, 10) + [(time, "women") for time in (70.0, 71.0)]), every=39)
    assert totals[WOMEN].people == 2
    assert totals[WOMEN].dwell == (0, 2, 0, 0, 0, 0)


def test_a_film_that_breaks_off_still_counts_how_long_everybody_stayed() -> None:
    sums, film = Sums(), Film(shot("women", 0, 20), error=StreamError("came to grief"))
    counter = Counter(sums, began=MIDNIGHT)  # type: ignore[arg-type]
    with pytest.raises(StreamError, match="came to grief"):
        watch(film, look, [Counting(counter)], at_end=counter.leave)
    counter.close()
    assert [row.dwell for key, row in sums.rows.items() if key.group == WOMEN] == [(0, 0, 2, 0, 0, 0)]
