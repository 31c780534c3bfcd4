"""phiz reads a face and says age and gender, offline."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

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
]


def analyze(source: Source, *, name: str | None = None, **options: Any) -> Result:
    """Return the faces of one picture with age and gender.

    source: a path, encoded bytes, or RGB uint8 (height, width, 3).
    options: those of Analyzer; the networks are loaded once for each set of options.
    Raises ImageError where the picture cannot be read, ModelError where a model cannot be loaded.
    """
    return _analyzer(**options).analyze(source, name=name)


@lru_cache(maxsize=4)
def _analyzer(**options: Any) -> Analyzer:
    from .analyzer import Analyzer

    return Analyzer(**options)


def __getattr__(name: str) -> Any:
    # Analyzer brings numpy, Pillow and ONNX Runtime; whoever only asks for the version need not wait.
    if name == "Analyzer":
        from .analyzer import Analyzer

        return Analyzer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
