"""phiz reads a face and says age and gender, offline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

# Newer builds of ONNX Runtime report to their maker over the network unless this is set before they are
# loaded, and the thread that does so keeps a forked process from ending. phiz is offline.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

from ._version import __version__
from .errors import ImageError, ModelError, PhizError
from .types import Detection, Face, Result

if TYPE_CHECKING:
    from .analyzer import Analyzer
    from .image import Source

__all__ = [
    "Analyzer",
    "Detection",
    "Face",
    "ImageError",
    "ModelError",
    "PhizError",
    "Result",
    "__version__",
    "analyze",
    "analyze_many",
]


def analyze(source: Source, *, name: str | None = None, **options: Any) -> Result:
    """Return the faces of one picture with age and gender.

    source: a path, encoded bytes, an open file, a PIL image, or RGB uint8 (height, width, 3).
    options: those of Analyzer; the networks are loaded once for each set of options.
    Raises ImageError where the picture cannot be read, ModelError where a model cannot be loaded.
    """
    return _analyzer(options).analyze(source, name=name)


def analyze_many(sources: Iterable[Source], *, fail_fast: bool = False, **options: Any) -> Iterator[Result]:
    """Yield one result per picture, in input order; see `Analyzer.analyze_many` and `analyze`."""
    return _analyzer(options).analyze_many(sources, fail_fast=fail_fast)


#: The analyzers of the latest sets of options; older ones go.
_KEPT = 4
_analyzers: dict[str, Analyzer] = {}
_lock = threading.Lock()


def _analyzer(options: dict[str, Any]) -> Analyzer:
    from .analyzer import Analyzer

    key = repr(sorted(options.items()))
    with _lock:  # of several threads that come first, one loads the networks
        analyzer = _analyzers.pop(key, None) or Analyzer(**options)
        _analyzers[key] = analyzer
        while len(_analyzers) > _KEPT:
            del _analyzers[next(iter(_analyzers))]
    return analyzer


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    # Another thread may hold the lock at that moment, and no thread but the forking one comes along.
    os.register_at_fork(after_in_child=_renew_lock)


def __getattr__(name: str) -> Any:
    # Analyzer brings numpy, Pillow and ONNX Runtime; whoever only asks for the version need not wait.
    if name == "Analyzer":
        from .analyzer import Analyzer

        return Analyzer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
