"""The one picture that ships with phiz, for demos and tests; see README.md beside it for its terms."""

from __future__ import annotations

from pathlib import Path

#: NASA's portrait of the astronaut Eileen Collins, 512x512 JPEG, one frontal face.
ASTRONAUT = Path(__file__).parent / "astronaut.jpg"
