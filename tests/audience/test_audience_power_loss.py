"""A counting process that is killed loses the running minute and no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from children import environment
from made_tracks import MIDNIGHT, total

from phiz.audience import open_store
from phiz.audience.totals import HOUR, OTHERS

#: Two people come in every minute; each whole minute is announced once it is written.
COUNTING = """
import sys, time
from itertools import count
from made_tracks import MIDNIGHT, MadeTrack, face
from phiz.audience import Counter, open_store
time.time = lambda: MIDNIGHT + 86400.0
with open_store({path!r}, zone="UTC", k=2) as store:
    counter = Counter(store, began=MIDNIGHT)
    for second in count(60 * int(sys.argv[1]) + 5, 5):
        if second % 60 == 0:
            counter.update([], second)
            print(second // 60, flush=True)
        else:
            counter.update([MadeTrack(second // 60 * 2 + i, face(), second, second) for i in (0, 1)], second)
"""


def run_until_killed(path: Path, first: int, minutes: int, delay: float) -> int:
    """Count from minute `first` on, kill the process soon after so many minutes; return the last it told."""
    code = COUNTING.format(path=str(path))
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(first)], stdout=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    announced = [int(process.stdout.readline()) for _ in range(minutes)]
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
    announced += [int(line) for line in process.stdout.read().splitlines()]
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    return announced[-1]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills a process as only POSIX can")
def test_killed_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: MIDNIGHT + 86400.0)
    path = tmp_path / "audience.db"
    minutes = first = 0
    for attempt in range(5):
        last = run_until_killed(path, first, 3 + 5 * attempt, 0.0021 * attempt)
        with open_store(path, create=False) as store:
            rows = store.rows(unfinished=True)
            by_group, by_time = total(rows), total(rows, by_time=True)
            assert by_group == by_time, "a minute was written in part"
            written = by_group.people // 2 - minutes
            # A minute may be in the database before it could be announced, and never the other way round.
            assert written - (last - first) in (0, 1)
            assert by_group.presence == 2 * 50_000 * (minutes + written)
            assert all(totals.people >= 2 for key, totals in rows.items() if key.group != OTHERS)
        minutes += written
        first = last + 2
    assert not [key for key in rows if key.period == HOUR and rows[key].people < 2]
