"""How frames pass from one thread to the next: a bounded queue that waits, or that forgets the oldest."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

#: Most seconds between two looks at whether to stop.
GLANCE = 0.1


class Stop:
    """A request to end, for any thread to make; safe in a signal handler, as it holds no lock."""

    def __init__(self) -> None:
        self._wanted = False

    def set(self) -> None:
        """Ask everybody to end."""
        self._wanted = True

    def is_set(self) -> bool:
        """Whether everybody shall end."""
        return self._wanted

    def wait(self, seconds: float) -> None:
        """Wait so long, or until it is time to end."""
        end = time.monotonic() + seconds
        while not self._wanted and (left := end - time.monotonic()) > 0:
            time.sleep(min(GLANCE, left))


class Buffer(Generic[Item]):
    """A queue of at most `size` items between two threads.

    live: where there is no room the oldest item makes some and is counted in `dropped`; otherwise the giver
    waits, so that nothing is lost.
    """

    def __init__(self, size: int, stop: Stop, *, live: bool = False) -> None:
        self._items: deque[Item] = deque()
        self._size, self._stop, self._live = size, stop, live
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: Item) -> bool:
        """Add an item; False, without adding it, where nobody takes it any more."""
        with self._changed:
            while len(self._items) >= self._size and not self._over():
                if self._live:
                    self._items.popleft()
                    self.dropped += 1
                else:
                    self._changed.wait(GLANCE)
            if self._over():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def take(self) -> Item | None:
        """Return the oldest item, waiting for one; None once there will be none any more."""
        with self._changed:
            while not self._items and not self._over():
                self._changed.wait(GLANCE)
            if not self._items:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """End the giving; what is in the queue can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _over(self) -> bool:
        return self._closed or self._stop.is_set()
