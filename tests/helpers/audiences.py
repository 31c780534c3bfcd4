"""Made audience databases: people who never were, counted as `phiz watch --audience` counts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from phiz.ages import age_band
from phiz.audience import open_store
from phiz.audience.ledger import Changes
from phiz.audience.totals import (
    EVERYBODY,
    HOUR,
    MINUTE,
    NO_DWELL,
    NOT_SURE,
    Group,
    Key,
    Rows,
    Totals,
    add,
    dwell_bin,
)

DAY_SECONDS = 86400


def make(path: Path, midnight: int, days: int = 1, busy: float = 30.0, **settings: object) -> None:
    """Count people from 9 to 19 o'clock (UTC) on so many days before `midnight`, an instant.

    busy: people of the busiest hour. Few come late in the day and few are old, so some groups are merged; the
    gender of one in nine is not sure.
    """
    chance = random.Random(0)
    rows: Rows = {}
    for day in range(days):
        for hour in range(9, 19):
            start = midnight - (days - day) * DAY_SECONDS + hour * 3600
            rush = max(0.05, 1 - abs(hour - 13) / 5)
            for _ in range(round(busy * rush * chance.uniform(0.6, 1))):
                minute = start + 60 * chance.randrange(60)
                stay = chance.expovariate(1 / 25)
                facing = stay * chance.random()
                age = min(95.0, max(3.0, chance.gauss(35, 16)))
                group = Group(age_band(age), chance.choice(["female", "male"] * 4 + [NOT_SURE]))
                person = Totals(1, round(1000 * stay), round(1000 * facing), dwell_bin(stay))
                add(rows, {Key(minute, MINUTE, EVERYBODY): replace(person, dwell=NO_DWELL)})
                add(rows, {Key(start, HOUR, group): person})
    with open_store(path, **{"zone": "UTC"} | settings) as store:
        store.write(Changes(added=rows, until=midnight, closed=True), now=midnight)
