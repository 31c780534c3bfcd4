"""phiz reads a face and says age and gender, offline."""

from ._version import __version__

__all__ = ["__version__"]
