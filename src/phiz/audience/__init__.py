"""How many people, for how long, how attentive, by age band and gender: totals of groups, never of a person.

`Counter` takes the tracks of a stream, `open_store` a database; docs/audience.md says what is kept and why.
Needs no more than the base package; PostgreSQL needs the extra `postgres`.
"""

from .counter import Counter
from .database import StoreError
from .store import Store, open_store

__all__ = ["Counter", "Store", "StoreError", "open_store"]
