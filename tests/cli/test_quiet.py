"""What the libraries below have to say of a picture does not reach a user's terminal."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import encode, scene
from PIL import Image


@pytest.fixture
def noisy(tmp_path: Path) -> list[Path]:
    """Pictures of which Pillow warns, and of which it logs an error."""
    tiff = encode(Image.fromarray(scene()), "TIFF", compression="tiff_lzw")
    samples = tiff.index(struct.pack("<HHI", 277, 3, 1))  # SamplesPerPixel, one short
    made = {"cut.tif": tiff[:-30], "nine.tif": tiff[: samples + 8] + b"\x09" + tiff[samples + 9 :]}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in made]


def test_a_command_says_its_own_line_and_nothing_else(noisy: list[Path]) -> None:
    command = [sys.executable, "-W", "always", "-m", "phiz", "analyze", "--format", "jsonl", *map(str, noisy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (done.stderr, done.returncode) == ("phiz: 2 of 2 pictures could not be read\n", 1)
