"""One self-contained HTML page out of sections: style and plots inside, no script, no outside request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from .groups import TITLES, Figure
from .plot_tables import Table
from .plots import COLOURS
from .report_files import cell

#: The metrics of a page's tables, in order, after those of the protocol's own.
METRICS = ("mae", "bias", "cs5", "gender_accuracy", "gender_balanced_accuracy")


def page(title: str, lead: str, sections: Iterable[str]) -> str:
    """Return the document; lead and sections are HTML, title is text."""
    light = "".join(f"--{name}:{colour};" for name, (_, colour, _) in COLOURS.items())
    dark = "".join(f"--{name}:{colour};" for name, (_, _, colour) in COLOURS.items())
    style = _STYLE.replace("/*light*/", light).replace("/*dark*/", dark)
    return (
        (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
            f"<header>\n<h1>{escape(title)}</h1>\n{lead}\n</header>\n"
            + "\n".join(sections)
            + "\n</main>\n</body>\n</html>\n"
        )
        .encode("utf-8", "replace")
        .decode()
    )


def section(title: str, *content: str, note: str = "") -> str:
    """Return a section of HTML content under a heading; note is HTML under it."""
    below = f'<p class="note">{note}</p>' if note else ""
    return f"<section>\n<h2>{escape(title)}</h2>\n{below}\n" + "\n".join(content) + "\n</section>"


def tiles(items: Iterable[tuple[str, str, str, str]]) -> str:
    """Return headline figures as tiles of (name, figure, its unit, what stands below it), all text."""
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><div class="name">{escape(name)}</div>'
            f'<div class="figure">{escape(figure)}<small>{escape(unit)}</small></div>'
            f'<div class="below">{escape(below)}</div></div>'
            for name, figure, unit, below in items
        )
        + "</div>"
    )


def plot(svg: str, title: str, caption: str, csv: str) -> str:
    """Return a plot with its title, caption and the name of the CSV that holds its numbers."""
    return (
        f"<figure><h3>{escape(title)}</h3>{svg}<figcaption>{escape(caption)} "
        f'<span class="csv">{escape(csv)}</span></figcaption></figure>'
    )


def grid(figures: Iterable[str]) -> str:
    """Return figures two abreast, one on narrow screens."""
    return '<div class="grid">' + "\n".join(figures) + "</div>"


def figures_table(
    rows: Sequence[Figure],
    metrics: Sequence[str] = METRICS,
    *,
    worst: Mapping[tuple[str, str], tuple[str, str]] | None = None,
) -> str:
    """Return groups by metrics, each with its 95% interval.

    metrics: keys of groups.TITLES, in order. worst: for (metric, kind), the (kind, group) to mark.
    """
    shown = [(name, *TITLES[name]) for name in metrics if any(r.metric == name for r in rows)]
    by_group: dict[tuple[str, str], dict[str, Figure]] = {}
    for row in rows:
        by_group.setdefault((row.kind, row.group), {})[row.metric] = row
    head = "".join(f"<th>{escape(title)}</th>" for _, title, _ in shown)
    lines, before = [], ""
    for (kind, group), found in by_group.items():
        n = max(figure.n for figure in found.values())
        cells = ""
        for name, _, scale in shown:
            marked = ' class="worst"' if (worst or {}).get((name, kind)) == (kind, group) else ""
            cells += f"<td{marked}>{_figure(found.get(name), scale)}</td>"
        if kind != before:
            lines.append(f'<tr class="kind"><th colspan="{len(shown) + 2}">{escape(kind)}</th></tr>')
            before = kind
        lines.append(f"<tr><th>{escape(group)}</th><td>{n:,}</td>{cells}</tr>")
    return (
        f'<div class="wide"><table><thead><tr><th></th><th>pictures</th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def table(found: Table, titles: Mapping[str, str] | None = None, text: Collection[str] = ()) -> str:
    """Return a table as it is; shares and years to two decimals, None as a dash.

    titles: what stands over a column instead of its name. text: columns to read as text, not as numbers.
    """
    marks = [' class="text"' if name in text else "" for name in found.columns]
    titled = [(titles or {}).get(name, name) for name in found.columns]
    head = "".join(f"<th{mark}>{escape(name)}</th>" for name, mark in zip(titled, marks, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{mark}>{escape(plain(value))}</td>" for value, mark in zip(row, marks, strict=True))
        + "</tr>"
        for row in found.rows
    )
    inside = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f'<div class="wide"><table>{inside}</table></div>'


def details(summary: str, content: str) -> str:
    """Return content that opens on a click."""
    return f"<details><summary>{escape(summary)}</summary>{content}</details>"


def facts(values: Mapping[str, Any]) -> str:
    """Return provenance as a list of names and values; what is nested is written name by name."""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{_fact(value)}</dd>" for name, value in values.items())
    return f"<dl>{lines}</dl>"


def plain(value: Any) -> str:
    """Return a value as text."""
    if value is None or value == "":
        return "-"
    return (
        f"{value:.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def _fact(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{escape(str(k))}: {_fact(v)}" for k, v in value.items())
    text = "unknown" if value is None else "yes" if value is True else "no" if value is False else str(value)
    return escape(text)


def _figure(figure: Figure | None, scale: float) -> str:
    text = escape(cell(figure, scale))
    value, bracket, interval = text.partition(" [")
    if figure is None or figure.value is None:
        return f'<span class="none">{text}</span>'
    return f'{value} <span class="interval">[{interval}</span>' if bracket else value


_STYLE = """
:root{color-scheme:light dark;/*light*/--ground:#f5f7f9;--card:#fff;--mark:#fdecdf}
@media (prefers-color-scheme:dark){:root{/*dark*/--ground:#12161c;--card:#1a2029;--mark:#46301f}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main{max-width:1120px;margin:0 auto;padding:40px 24px 64px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 .35em;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:1.25rem;margin:0 0 .5em}
h3{font-size:1rem;margin:0 0 .6em}
header p{margin:.2em 0;color:var(--muted);max-width:75ch}
section{margin-top:44px}
.note{color:var(--muted);max-width:80ch;margin:0 0 1em}
.note strong,header strong{color:var(--ink)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:14px;margin-top:28px}
.tile,figure,.wide,details{background:var(--card);border:1px solid var(--rule);border-radius:12px}
.tile{padding:16px 18px}
.tile .name,.tile .below{color:var(--muted);font-size:.86rem}
.tile .figure{font-size:1.85rem;line-height:1.25;font-weight:650;white-space:nowrap;
font-variant-numeric:tabular-nums}
.figure small{font-size:.55em;font-weight:500;color:var(--muted)}
.grid{display:grid;align-items:start;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));gap:20px}
figure{margin:0;padding:18px 18px 14px;min-width:0}
figure svg{display:block;width:100%;height:auto}
svg text{font-family:inherit!important}
figcaption{color:var(--muted);font-size:.86rem;margin-top:8px}
.csv{font-family:ui-monospace,monospace;font-size:.95em;white-space:nowrap}
.csv::before{content:"Numbers: "}
.wide{overflow-x:auto}
.wide+.wide{margin-top:16px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:7px 14px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}
tbody tr:last-child>*{border-bottom:0}
th:first-child,td:first-child{text-align:left}
thead th{color:var(--muted);font-weight:600}
tbody th{font-weight:500}
.text{text-align:left}td.text{white-space:normal}
.kind th{text-transform:capitalize;color:var(--muted);font-size:.82rem;font-weight:650;padding-top:16px}
.interval,.none{color:var(--muted);font-size:.92em}
.worst{background:var(--mark);font-weight:600}
details{padding:12px 18px;margin-top:12px}
details .wide{border:0;margin-top:10px;max-height:460px;overflow:auto}
summary{cursor:pointer;font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:6px 20px;margin:12px 0 4px;font-size:.9rem}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 18px;overflow-x:auto;
font:.86rem/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.warning{background:var(--mark);border-radius:12px;padding:14px 18px}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(150px,1fr));gap:16px}
.pictures img{width:100%;height:150px;object-fit:contain;border-radius:8px;background:var(--rule)}
@media (max-width:620px){main{padding:24px 14px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}}
@media print{body{background:#fff}figure,table,.tile{break-inside:avoid}}
"""
