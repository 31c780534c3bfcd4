"""Which cells of a table of contents and groups can be told beside its two margins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .effect import Effect, Effects
from .merging import is_time
from .totals import MIXED_CONTENT, NOTHING, OTHERS, Group, Key, Rows, Shown, Totals

Table = dict[Shown, dict[Group, Effect]]


def tellable_cells(cells: Mapping[Key, Effect], groups: Rows, contents: Effects, k: int) -> Effects:
    """Return the cells, by content and group, that can be told beside both margins of their unit.

    cells: of units, as they were counted. groups, contents: what is told of the same units, merged; rows by
    time among them are passed over.
    A content's cells are told all or none: each is about k people or more, or about nobody. What the cells
    that are told leave of a group is about k people or more, or about nobody. So no cell less another, and no
    margin less its cells, is about fewer. Cells that do not add up to the margins are not told: a part of
    the unit was told before.
    """
    told: Effects = {}
    for start, period in {(key.start, key.period) for key in cells}:
        unit = {
            key.group: effect for key, effect in cells.items() if (key.start, key.period) == (start, period)
        }
        of_groups = {
            key.group: totals
            for key, totals in groups.items()
            if (key.start, key.period) == (start, period)
            and isinstance(key.group, Group)
            and not is_time(key)
        }
        of_contents = {
            key.group: effect
            for key, effect in contents.items()
            if (key.start, key.period) == (start, period) and isinstance(key.group, Shown)
        }
        table = _merged(unit, of_groups, of_contents)
        if _fits(table, of_groups, of_contents):
            for content in _chosen(table, of_groups, k):
                for group in of_groups:
                    cell = table[content].get(group, Effect())
                    row = Key(start, period, content._replace(age=group.age, gender=group.gender))
                    told[row] = cell + Effect(shown=of_contents[content].shown)
    return told


def _merged(
    unit: Mapping[Group | Shown, Effect], groups: Mapping[Group, Totals], contents: Mapping[Shown, Effect]
) -> Table:
    """Return the table with its lines and columns merged as the margins are."""
    table: Table = defaultdict(dict)
    for shown, effect in unit.items():
        assert isinstance(shown, Shown)
        group, content = Group(shown.age, shown.gender), Shown(shown.content, shown.random)
        group = group if group in groups else OTHERS
        content = content if content in contents else MIXED_CONTENT
        table[content][group] = table[content].get(group, Effect()) + effect
    return table


def _fits(table: Table, groups: Mapping[Group, Totals], contents: Mapping[Shown, Effect]) -> bool:
    """Whether the table's sums are its margins."""
    columns = {content: _sum(cells.values()) for content, cells in table.items()}
    lines = {group: _sum(cells.get(group, Effect()) for cells in table.values()) for group in groups}
    return (
        columns.keys() <= contents.keys()
        and {group for cells in table.values() for group in cells} <= groups.keys()
        and all(_people(columns.get(content, Effect())) == _people(contents[content]) for content in contents)
        and all(_people(lines[group]) == _people(groups[group]) for group in groups)
    )


def _chosen(table: Table, groups: Mapping[Group, Totals], k: int) -> list[Shown]:
    """Return the contents whose cells are told."""

    def small(people: int, nobody: bool) -> bool:
        return people < k and not nobody

    chosen = [
        content
        for content, cells in table.items()
        if content not in (NOTHING, MIXED_CONTENT)
        and not any(small(cell.people, cell.nobody) for cell in cells.values())
    ]
    chosen.sort(key=lambda content: _sum(table[content].values()).people)
    while chosen:
        for group, totals in groups.items():
            told = _sum(table[content].get(group, Effect()) for content in chosen)
            if small(totals.people - told.people, _people(told) == _people(totals)):
                break
        else:
            return chosen
        # The smallest content that has this group; one has, or the whole group would be left.
        chosen.remove(next(content for content in chosen if not table[content].get(group, Effect()).nobody))
    return chosen


def _sum(effects: Iterable[Effect]) -> Effect:
    return sum(effects, Effect())


def _people(sums: Effect | Totals) -> tuple[int, int, int]:
    return sums.people, sums.presence, sums.attention
