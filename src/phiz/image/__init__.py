"""Reading a picture from anywhere into one form: RGB, uint8, upright, within bounds.

`source` takes bytes, files, arrays and PIL images; `formats` tells what bytes are and opens them; `jpeg`
saves those without an end; `pixels` turns an opened picture into an array; `bounds` refuses what is too
large; `names` makes names printable; `inputs` finds the pictures in folders, patterns and standard input.
"""

from .bounds import ALLOW_MORE, MAX_BYTES, MAX_PIXELS
from .formats import missing_formats, readable, suffixes
from .names import display_name
from .source import Picture, Source, load, read

__all__ = [
    "ALLOW_MORE",
    "MAX_BYTES",
    "MAX_PIXELS",
    "Picture",
    "Source",
    "display_name",
    "load",
    "missing_formats",
    "read",
    "readable",
    "suffixes",
]
