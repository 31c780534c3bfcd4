"""What the screen shows: no clock and no sleep, each test plays seconds through the pure step."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from screens import NOON, people

from phiz.audience.signal import Signal
from phiz.signage import Rules, State, step
from phiz.signage.choice import is_lost
from phiz.signage.rules import Content, Range, When

TICK = 0.25
WOMEN, MEN = When(female=Range(0.6)), When(male=Range(0.6))


def content(name: str, when: When | None = None, **more: object) -> Content:
    return Content(name, Path(f"{name}.png"), "picture", when or When(), **more)


def make_rules(*contents: Content, **more: object) -> Rules:
    welcome = content("welcome", fallback=True, least_seconds=0)
    return Rules((welcome, *contents), **{"zone": "UTC", "steady_seconds": 1.5, **more})


STEERED = make_rules(content("women", WOMEN, least_seconds=1), content("men", MEN, least_seconds=1))


class Play:
    """Plays people before a screen, a signal a second, and keeps what was shown."""

    def __init__(self, rules: Rules, seed: int = 0, tick: float = TICK) -> None:
        self.rules, self.seed, self.tick = rules, seed, tick
        self.state, self.ticks, self.shown = State(), 0, []

    def run(self, seconds: float, signal: Signal | None) -> list[str]:
        """What was shown in these seconds, tick by tick; without a signal the camera is gone."""
        begun = len(self.shown)
        for i in range(round(seconds / self.tick)):
            now = self.ticks * self.tick
            clock = NOON + timedelta(seconds=now)
            fresh = signal if i % round(1 / self.tick) == 0 else None
            self.state = step(self.rules, self.state, now, clock, fresh, self.seed)
            self.shown.append(self.state.shown)
            self.ticks += 1
        return self.shown[begun:]


def seconds_until(shown: list[str], name: str) -> float:
    return shown.index(name) * TICK


def test_a_stable_change_is_on_the_screen_within_two_seconds() -> None:
    play = Play(STEERED)
    assert set(play.run(10, people())) == {"welcome"}
    assert seconds_until(play.run(10, people(female=2)), "women") == 1.5
    assert seconds_until(play.run(10, people(male=2)), "men") == 1.5
    assert seconds_until(play.run(10, people()), "welcome") == 1.5


def test_a_passer_by_does_not_flip_the_screen() -> None:
    play = Play(STEERED)
    play.run(10, people(female=1))
    assert set(play.run(1, people(female=1, male=2))) == {"women"}
    assert set(play.run(10, people(female=1))) == {"women"}
    play.run(10, people())
    assert set(play.run(1, people(male=1)) + play.run(10, people())) == {"welcome"}


def test_who_comes_and_goes_every_second_flips_nothing() -> None:
    play = Play(STEERED)
    play.run(10, people(female=1))
    for _ in range(20):
        assert set(play.run(1, people(male=2)) + play.run(1, people(female=2))) == {"women"}


def test_several_others_in_turn_do_not_keep_what_no_longer_fits() -> None:
    """Each content's own fit counts: that a third content alternates with a fourth holds up nobody."""
    old = content("old", When(age=Range(0.6), bands=("60+",)), least_seconds=1)
    play = Play(replace(STEERED, contents=(*STEERED.contents, old)))
    play.run(10, people(female=1))
    for _ in range(3):
        play.run(1, people(male=2))
        play.run(1, people(female=1, male=1, old=2))
    assert play.state.shown == "welcome"


def test_without_a_signal_the_fallback_comes_within_five_seconds() -> None:
    play = Play(STEERED)
    play.run(10, people(female=1))
    gone = play.run(10, None)
    assert seconds_until(gone, "welcome") == 3  # the last signal came a second before that
    assert set(gone[gone.index("welcome") :]) == {"welcome"}
    assert is_lost(STEERED, play.state)
    assert seconds_until(play.run(10, people(female=1)), "women") == 1.5


def test_without_a_camera_even_the_least_seconds_do_not_hold() -> None:
    rules = make_rules(content("women", WOMEN, least_seconds=60, most_seconds=60))
    play = Play(rules)
    play.run(5, people(female=1))
    assert play.run(5, None)[-1] == "welcome"


def test_before_the_first_signal_the_fallback_is_shown() -> None:
    assert step(STEERED, State(), 0.0, NOON).shown == "welcome"


def test_where_nobody_is_sure_the_fallback_is_shown() -> None:
    play = Play(STEERED)
    play.run(10, people(female=2))
    assert play.run(5, people(not_sure=2))[-1] == "welcome"


def test_a_content_has_its_least_seconds() -> None:
    rules = make_rules(content("women", WOMEN, least_seconds=8), content("men", MEN, least_seconds=8))
    play = Play(rules)
    assert play.run(1.75, people(female=1))[-1] == "women"  # since the last tick
    assert seconds_until(play.run(20, people(male=1)), "men") == 8 - TICK


def test_what_was_chosen_for_someone_ends_with_the_visit() -> None:
    rules = make_rules(content("women", WOMEN, least_seconds=60, most_seconds=60))
    play = Play(rules)
    play.run(3, people(female=1))
    assert seconds_until(play.run(5, people()), "welcome") == 1.5


def test_what_just_began_to_fit_comes_before_what_still_fits() -> None:
    rules = make_rules(content("menu", least_seconds=2, most_seconds=60), content("women", WOMEN))
    play = Play(rules)
    assert play.run(20, people())[-1] == "menu"
    assert seconds_until(play.run(5, people(female=1)), "women") == 1.5


def test_time_is_shared_by_weight() -> None:
    rules = make_rules(content("a", weight=3), content("b", weight=1), content("c", weight=2))
    shown = Play(rules, tick=1).run(3600, people())
    shares = {name: count / len(shown) for name, count in Counter(shown).items()}
    assert shares == {
        "a": pytest.approx(3 / 6, abs=0.02),
        "b": pytest.approx(1 / 6, abs=0.02),
        "c": pytest.approx(2 / 6, abs=0.02),
        "welcome": pytest.approx(0, abs=0.001),
    }
    lengths = [len(run) for run in runs(shown)[1:-1]]
    assert min(lengths) >= 20
    assert max(lengths) <= 60  # three turns of a


def runs(shown: list[str]) -> list[list[str]]:
    found: list[list[str]] = []
    for name in shown:
        if not found or found[-1][0] != name:
            found.append([])
        found[-1].append(name)
    return found


def test_short_visits_get_different_contents_in_turn() -> None:
    rules = make_rules(content("a", When(people=Range(1))), content("b", When(people=Range(1))))
    play, first = Play(rules), []
    for _ in range(6):
        visit = play.run(10, people(male=1))
        first.append(next(name for name in visit if name != "welcome"))
        play.run(10, people())
    assert first in (["a", "b"] * 3, ["b", "a"] * 3)


def test_nobody_catches_up_on_hours_without_its_audience() -> None:
    rules = make_rules(content("menu"), content("women", WOMEN))
    play = Play(rules, tick=1)
    play.run(7200, people())
    shown = Counter(play.run(400, people(female=1)))
    assert shown["women"] / sum(shown.values()) == pytest.approx(0.5, abs=0.05)


def test_a_video_that_no_player_can_show_is_left_out() -> None:
    play = Play(STEERED)
    play.run(10, people(female=1))
    play.state = replace(play.state, broken=frozenset({"women"}))
    assert set(play.run(10, people(female=1))) == {"welcome"}


def test_the_random_share_is_off_unless_asked_for() -> None:
    play = Play(STEERED, tick=1)
    for _ in range(30):
        play.run(60, people(female=1))
        assert not play.state.random
    assert set(play.shown[2:]) == {"women"}


def test_random_minutes_do_not_depend_on_who_is_there() -> None:
    rules = replace(STEERED, random_share=0.4)

    def play(signal: Signal) -> tuple[list[bool], list[str]]:
        one, random, drawn = Play(rules, seed=7, tick=1), [], []
        for _ in range(300):
            one.run(30, signal)
            random.append(one.state.random)
            drawn += [one.state.shown] if one.state.random else []
            one.run(30, signal)
        return random, drawn

    women, men = play(people(female=1)), play(people(male=1))
    assert women == men
    assert sum(women[0]) / 300 == pytest.approx(0.4, abs=0.08)
    assert Counter(women[1])["men"] / len(women[1]) == pytest.approx(0.5, abs=0.12)
    other = Play(rules, seed=8, tick=1).run(1800, people(female=1))
    assert other != Play(rules, seed=7, tick=1).run(1800, people(female=1))


def test_random_minutes_keep_to_hours_and_to_the_camera() -> None:
    shut = content("shut", When(hours=((NOON.replace(hour=1).time(), NOON.replace(hour=2).time()),)))
    rules = make_rules(content("women", WOMEN), shut, random_share=1.0)
    play = Play(rules)
    assert set(play.run(300, people())[40:]) == {"women"}
    assert play.state.random
    assert play.run(5, None)[-1] == "welcome"
    assert not play.state.random


moments = st.lists(
    st.tuples(
        st.sampled_from(
            [
                None,
                people(),
                people(female=1),
                people(male=2),
                people(female=2, male=1, child=1),
                people(female=1, child=1),
                people(not_sure=2),
                people(male=4, old=3),
            ]
        ),
        st.floats(0.25, 12).map(lambda seconds: round(seconds / TICK) * TICK),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(moments, st.sampled_from([0.0, 0.5]), st.integers(0, 3))
def test_whatever_happens(played: list[tuple[Signal | None, float]], share: float, seed: int) -> None:
    """Something is always on; nothing is cut short but for cause; nothing for people outlasts them."""
    rules = make_rules(
        content("women", WOMEN, least_seconds=6),
        content("men", MEN, least_seconds=3, weight=2),
        content("crowd", When(people=Range(3)), least_seconds=0),
        random_share=share,
    )
    play, random, lost, empty = Play(rules, seed=seed), [], [], []
    for signal, seconds in played:
        for _ in range(round(seconds / TICK)):
            play.run(TICK, signal)
            random.append(play.state.random)
            lost.append(is_lost(rules, play.state))
            counts = play.state.signal
            empty.append(counts is None or counts.people - counts.ages["0-12"] == 0)
    names = rules.by_name
    assert set(play.shown) <= set(names)
    steady = round(rules.steady_seconds / TICK)
    for i, name in enumerate(play.shown):
        if lost[i]:
            assert name == "welcome"
        nobody = all(empty[max(0, i - steady) : i + 1])
        if nobody and not random[i]:
            assert name == "welcome"
    at = 0
    for run in runs(play.shown)[:-1]:
        at += len(run)
        seconds = len(run) * TICK
        cut = seconds < names[run[0]].least_seconds
        assert not cut or lost[at] or empty[at]
