"""A screen that suits who stands before it: rules, what fits now, and the notice beside the screen.

Counts of now come in (`phiz.audience.signal.Signal`), the name of a content goes out. It needs the standard
library alone and keeps nothing of anybody; docs/signage.md says how it is used.
"""

from .choice import State, step
from .reading import load_rules
from .rules import Rules, SignageError

__all__ = ["Rules", "SignageError", "State", "load_rules", "step"]
