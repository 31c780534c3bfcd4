"""What the screen shows next: a pure function of rules, counts, time, its own last state and a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..audience.signal import Signal
from .fit import adults, fitting
from .rules import Content, Rules

#: Length of what is random or not as a whole, in seconds: the minutes in which audiences are counted.
SLOT = 60


@dataclass(frozen=True, slots=True)
class State:
    """What a screen shows and what it has to know for its next step: names and times, nobody.

    shown: name of the content on the screen, "" before the first. random: drawn, whoever is there.
    since: when it appeared. turn: when its turn began, which comes again where nothing else fits.
    signal, heard: the newest counts, and when they came. now: the last step. Times in seconds of one clock.
    settled: contents that count as fitting. turning: since when others than these fit, by name.
    joined: when a content was settled. passes: seconds shown by weight: who has least is next.
    broken: contents that a player could not show.
    """

    shown: str = ""
    random: bool = False
    since: float = -math.inf
    turn: float = -math.inf
    now: float = 0.0
    signal: Signal | None = None
    heard: float = -math.inf
    settled: frozenset[str] = frozenset()
    turning: Mapping[str, float] = field(default_factory=dict)
    joined: Mapping[str, float] = field(default_factory=dict)
    passes: Mapping[str, float] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()


def step(
    rules: Rules, state: State, now: float, clock: datetime, signal: Signal | None = None, seed: int = 0
) -> State:
    """Return the state after taking in a signal, or after time alone.

    now: seconds of a clock that never goes back. clock: the same moment with its time zone.
    signal: counts that came since the last step, or None. seed: of the minutes that are random.
    """
    if signal is not None:
        state = replace(state, signal=signal, heard=now)
    state = _settle(rules, _charge(rules, state, now), clock)
    lost = is_lost(rules, state)
    drawn = None if lost else _drawn(rules, clock, seed, state.broken)
    if drawn is not None:
        candidates = [drawn]
    else:
        candidates = [one for one in rules.contents if one.name in state.settled - state.broken]
        candidates = candidates or fallbacks(rules, clock, state.broken)
    current = rules.by_name.get(state.shown)
    if current is None or current.name in state.broken:
        held = False
    else:
        held = now - state.since < current.least_seconds and not lost and not _left(state, current, rules)
    if held or not candidates:
        return state
    chosen = _next(state, current, candidates)
    # What is on the screen in a minute that is random is random from the minute's begin, were it the same.
    return _show(state, chosen, drawn is not None)


def is_lost(rules: Rules, state: State) -> bool:
    """Whether the camera is gone: there was no signal for too long, or none yet."""
    return state.now - state.heard >= rules.lost_seconds


def _charge(rules: Rules, state: State, now: float) -> State:
    """Put the time since the last step on the account of what was shown."""
    current = rules.by_name.get(state.shown)
    if current is None:
        return replace(state, now=now)
    spent = state.passes.get(current.name, 0.0) + max(0.0, now - state.now) / current.weight
    return replace(state, now=now, passes={**state.passes, current.name: spent})


def _settle(rules: Rules, state: State, clock: datetime) -> State:
    """Let contents count as fitting, or no longer so, that have been it for long enough."""
    if is_lost(rules, state):
        return replace(state, settled=frozenset(), turning={})
    fit = fitting(rules, state.signal, clock)
    turning = {name: state.turning.get(name, state.now) for name in fit ^ state.settled}
    ripe = {name for name, since in turning.items() if state.now - since >= rules.steady_seconds}
    settled = state.settled ^ ripe
    joiners = ripe & settled
    return replace(
        state,
        settled=settled,
        turning={name: since for name, since in turning.items() if name not in ripe},
        joined={**state.joined, **dict.fromkeys(joiners, state.now)},
        passes={**state.passes, **_entry(rules, state, joiners)},
    )


def _entry(rules: Rules, state: State, joiners: Iterable[str]) -> dict[str, float]:
    """Return the accounts of contents that begin to fit: nobody catches up on hours without its audience.

    They begin no lower than those who stayed; where nobody stayed, no lower than a turn below the highest.
    """

    def account(name: str) -> float:
        return state.passes.get(name, 0.0)

    contents = rules.by_name
    stayed = [account(name) for name in state.settled]
    if stayed:
        return {name: max(account(name), min(stayed)) for name in joiners}
    highest = max(map(account, joiners), default=0.0)
    turns = {name: contents[name].most_seconds / contents[name].weight for name in joiners}
    return {name: max(account(name), highest - turn) for name, turn in turns.items()}


def _drawn(rules: Rules, clock: datetime, seed: int, broken: frozenset[str]) -> Content | None:
    """Return the content of a minute in which who is there does not matter; None in any other minute."""
    if not rules.random_share:
        return None
    draw = random.Random(f"{seed} {int(clock.timestamp() // SLOT)}")
    if draw.random() >= rules.random_share:
        return None
    local = rules.calendar.local(clock.timestamp())
    contents = [one for one in rules.contents if not one.fallback and one.when.open(local)]
    contents = [one for one in contents if one.name not in broken]
    return draw.choices(contents, [one.weight for one in contents])[0] if contents else None


def fallbacks(rules: Rules, clock: datetime, broken: frozenset[str] = frozenset()) -> list[Content]:
    """Return what is shown where nothing else fits."""
    local = rules.calendar.local(clock.timestamp())
    return [one for one in rules.contents if one.fallback and one.when.open(local) and one.name not in broken]


def _left(state: State, current: Content, rules: Rules) -> bool:
    """Whether those for whom the content was chosen have gone: it is not held longer than their visit."""
    nobody = state.signal is None or adults(state.signal, rules.steer_from_age) == 0
    return current.steered and not state.random and nobody and current.name not in state.settled


def _next(state: State, current: Content | None, candidates: list[Content]) -> Content:
    """Return whose turn it is: what has just begun to fit, then what is on, then what was shown least."""
    new = [one for one in candidates if state.joined.get(one.name, -math.inf) > state.turn and one != current]
    if current in candidates:
        assert current is not None
        over = state.now - state.turn >= current.most_seconds
        if not over and not new:
            return current
    return min(new or candidates, key=lambda one: state.passes.get(one.name, 0.0))


def _show(state: State, chosen: Content, drawn: bool) -> State:
    if chosen.name != state.shown:
        return replace(state, shown=chosen.name, random=drawn, since=state.now, turn=state.now)
    again = state.now - state.turn >= chosen.most_seconds
    return replace(state, random=drawn, turn=state.now if again else state.turn)
