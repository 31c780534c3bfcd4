"""Cells of contents and groups together: neither they nor what they leave is about fewer than k."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from made_tracks import MEN, MIDNIGHT, OTHERS, WOMEN

from phiz.audience.calendar import Calendar
from phiz.audience.cells import tellable_cells
from phiz.audience.effect import Effect, Effects
from phiz.audience.merging import merge
from phiz.audience.totals import HOUR, MIXED_CONTENT, NOTHING, Group, Key, Rows, Shown, Totals, add

COFFEE, TEA, CAKE = Shown("coffee"), Shown("tea"), Shown("cake")
OLD = Group("60+", "male")
Counts = dict[tuple[Shown, Group], int]


def told(counts: Counts, k: int = 5) -> dict[tuple[Shown, Group], int]:
    """Return the people of each cell that is told of an hour with so many people; none where it is nobody."""
    cells: Effects = {}
    groups: Rows = {}
    contents: Effects = {}
    for (content, group), people in counts.items():
        effect = Effect(people, people, 1000 * people, 500 * people)
        add(cells, {Key(MIDNIGHT, HOUR, content._replace(age=group.age, gender=group.gender)): effect})
        add(groups, {Key(MIDNIGHT, HOUR, group): Totals(people, 1000 * people, 500 * people)})
        add(contents, {Key(MIDNIGHT, HOUR, content): effect + Effect(shown=60_000)})
    utc = Calendar("UTC")
    found: dict[tuple[Shown, Group], int] = {}
    for key, effect in tellable_cells(cells, merge(groups, k, utc), merge(contents, k, utc), k).items():
        assert isinstance(key.group, Shown)
        found[key.group._replace(age="all", gender="all"), Group(key.group.age, key.group.gender)] = (
            effect.people
        )
    return found


def test_cells_with_enough_people_are_told() -> None:
    counts = {(COFFEE, WOMEN): 7, (COFFEE, MEN): 5, (TEA, WOMEN): 6, (TEA, MEN): 9}
    assert told(counts) == counts


def test_a_content_is_told_whole_or_not_and_leaves_no_few_of_a_group() -> None:
    # Of coffee's men there are too few; tea alone would leave them, less all men.
    assert told({(COFFEE, WOMEN): 7, (COFFEE, MEN): 4, (TEA, WOMEN): 6, (TEA, MEN): 9}) == {}
    # Coffee and tea would leave the three women of cake; tea alone leaves 15 and 5.
    counts = {(COFFEE, WOMEN): 12, (TEA, WOMEN): 6, (TEA, MEN): 9, (CAKE, WOMEN): 3, (CAKE, MEN): 5}
    assert told(counts) == {(TEA, WOMEN): 6, (TEA, MEN): 9}


def test_a_cell_with_nobody_is_told_beside_the_others() -> None:
    counts = {(COFFEE, WOMEN): 12, (TEA, WOMEN): 6, (TEA, MEN): 9}
    assert told(counts) == counts | {(COFFEE, MEN): 0}


def test_small_groups_and_contents_are_cells_of_the_merged_ones() -> None:
    counts = {(COFFEE, WOMEN): 8, (COFFEE, MEN): 3, (COFFEE, OLD): 2, (TEA, WOMEN): 6, (TEA, MEN): 5}
    assert told(counts) == {(COFFEE, WOMEN): 8, (COFFEE, OTHERS): 5, (TEA, WOMEN): 6, (TEA, OTHERS): 5}


def test_time_without_a_content_is_not_split() -> None:
    assert told({(NOTHING, WOMEN): 8, (NOTHING, MEN): 8}) == {}


def test_cells_that_do_not_add_up_to_what_is_told_now_are_not_told() -> None:
    effect = Effect(6, 6, 6000, 3000)
    cell = {Key(MIDNIGHT, HOUR, COFFEE._replace(age="20-39", gender="female")): effect + effect}
    group = {Key(MIDNIGHT, HOUR, WOMEN): Totals(20, 20_000, 10_000)}
    # Six of them were told before.
    content = {Key(MIDNIGHT, HOUR, COFFEE): effect}
    assert tellable_cells(cell, group, content, 5) == {}
    assert tellable_cells(cell, {}, {}, 5) == {}


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=12, max_size=12),
    st.integers(2, 6),
)
def test_no_difference_of_cells_and_margins_is_about_fewer_than_k(people: list[int], k: int) -> None:
    places = list(product((COFFEE, TEA, CAKE, NOTHING), (WOMEN, MEN, OLD)))
    counts = {place: count for place, count in zip(places, people, strict=True) if count}
    utc = Calendar("UTC")
    found = told(counts, k)
    groups = merge(_margin(counts, 1), k, utc)
    contents = merge(_margin(counts, 0), k, utc)
    for content in {content for content, _ in found}:
        cells = [count for (one, _), count in found.items() if one == content]
        assert all(count == 0 or count >= k for count in cells)
        assert sum(cells) == contents[Key(MIDNIGHT, HOUR, content)].people
        assert content not in (NOTHING, MIXED_CONTENT)
    for group in {group for _, group in found}:
        left = groups[Key(MIDNIGHT, HOUR, group)].people
        left -= sum(count for (_, one), count in found.items() if one == group)
        assert left == 0 or left >= k


def _margin(counts: Counts, place: int) -> Rows:
    rows: Rows = {}
    for cell, people in counts.items():
        add(rows, {Key(MIDNIGHT, HOUR, cell[place]): Totals(people, 1000 * people)})
    return rows
