"""How large a picture may be, and the words for one that is not what it should be."""

from __future__ import annotations

from phiz.errors import ImageError

#: Largest width x height read by default. Decoding takes up to about 8 bytes a pixel at its peak, so 0.6 GB.
MAX_PIXELS = 80_000_000
#: Largest encoded picture read by default, in bytes (an uncompressed BMP of MAX_PIXELS fits).
MAX_BYTES = 250_000_000

#: How a message goes on for whoever may move the limit.
ALLOW_MORE = " or allow more with max_pixels (phiz analyze: --max-pixels)"


def check_size(size: tuple[int, int], max_pixels: int, name: str) -> None:
    """Raise ImageError unless a picture of (width, height) has a pixel and at most `max_pixels`."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(
            f"{name}: expected at least 1x1 pixels, got {width}x{height}; check its source", "damaged_picture"
        )
    if width * height > max_pixels:
        raise ImageError(
            f"{name}: expected at most {max_pixels:,} pixels, got {width}x{height} ({width * height:,}); "
            f"make it smaller{ALLOW_MORE}",
            "too_many_pixels",
        )


def check_bytes(size: int, max_bytes: int, name: str) -> None:
    """Raise ImageError where an encoded picture has more than `max_bytes`."""
    if size > max_bytes:
        raise ImageError(
            f"{name}: expected at most {max_bytes:,} bytes, got {size:,}; make it smaller", "too_many_bytes"
        )


def damaged(kind: str, name: str) -> ImageError:
    """Return the error of a picture of a known kind that cannot be decoded."""
    return ImageError(
        f"{name}: expected a whole {kind}, got one damaged or cut short; copy it again from its source",
        "damaged_picture",
    )
