"""Draw the figure of docs/certainty.md: how an answer is told as it gets less sure. No face is in it.

    python tools/certainty_figure.py

The ages are an example's, drawn by hand; the bands of the gender are those of phiz.words.
"""

from __future__ import annotations

from pathlib import Path

from phiz.words import PROBABLE, SURE

FIGURE = Path(__file__).resolve().parent.parent / "docs" / "certainty.svg"
#: What is seen; the interval and the age in years; the gender and its score; a flag.
LOOKS = (
    ("close, sharp, facing the camera", 30, 35, 41, "female", 0.97, ""),
    ("a bit away, turned a little", 27, 35, 45, "female", 0.81, ""),
    ("20 pixels wide, moving", 19, 34, 52, "female", 0.61, "small, blurred"),
)
WIDTH, ROW, LEFT, SCALE = 720, 62, 250, 5.0


def main() -> None:
    """Write the figure."""
    parts = []
    for number, (look, low, age, high, gender, score, flags) in enumerate(LOOKS):
        y = 50 + number * ROW
        said = gender if score >= SURE else f"probably {gender}" if score >= PROBABLE else "not sure"
        x0, x, x1 = (LEFT + SCALE * years for years in (low, age, high))
        parts += [
            f'<text x="12" y="{y - 4}">{look}</text>',
            f'<text x="12" y="{y + 13}" class="soft">{flags and "flags: " + flags}</text>',
            f'<line x1="{x0}" y1="{y}" x2="{x1}" y2="{y}" class="range"/>',
            f'<circle cx="{x}" cy="{y}" r="5"/>',
            f'<text x="{x1 + 12}" y="{y - 4}">{low} to {high}, about {age}</text>',
            f'<text x="{x1 + 12}" y="{y + 13}" class="soft">{said}</text>',
        ]
    bottom = 50 + len(LOOKS) * ROW
    for years in range(0, 61, 10):
        x = LEFT + SCALE * years
        parts.append(f'<text x="{x}" y="{bottom}" class="soft" text-anchor="middle">{years}</text>')
    parts.append(f'<text x="{LEFT + SCALE * 64}" y="{bottom}" class="soft">years</text>')
    style = (
        "text{font:14px sans-serif;fill:#1d2530}.soft{fill:#5b6675;font-size:12px}"
        ".range{stroke:#0072b2;stroke-width:7;stroke-linecap:round;opacity:.45}circle{fill:#0072b2}"
    )
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 14}" role="img">'
    title = "<title>The same face seen well and badly: a wider range, no gender told</title>"
    back = f'<rect width="{WIDTH}" height="{bottom + 14}" fill="#fff"/>'
    FIGURE.write_text("\n".join([head, title, f"<style>{style}</style>", back, *parts, "</svg>", ""]))


if __name__ == "__main__":
    main()
