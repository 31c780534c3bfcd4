"""Write the figures that `phiz models show` tells: python tools/model_figures.py [--check].

An installed phiz has no results/, so the few figures that a user asks for travel in the package, in
src/phiz/models/measured/. docs/models.md and the texts that the page's foot links to are made of them and the
cards. Run after a model was measured anew.
"""

from __future__ import annotations

import csv
import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from pages import RESULTS, fill_blocks, result, update

from phiz.models.about import MEASURED, about, markdown, plain
from phiz.models.card import ModelCard
from phiz.models.model_store import list_cards

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "models.md"
TEXTS = ROOT / "src" / "phiz" / "serve" / "page" / "about"
#: Protocols in the order told. Of the first one measured every group is told, of the others all pictures.
PROTOCOLS = ("utkface-test", "fgnet-cross-dataset", "fiw-test", "celeba-validation")
KINDS = ("all", "age band", "gender", "group")
METRICS = ("mae", "cs5", "gender_accuracy")
#: What is told of robustness: means, and of phiz's own kinds the third and the fifth strength.
GROUPS = ("noise", "blur", "weather", "digital", "all of these")
MEANS = ("as it is", *(f"mean of {group}" for group in GROUPS))
OWN = ("darkness", "resolution", "JPEG quality", "rotation", "shift", "scale")
STEADY = ("mirror", "two pixels aside")
MEASURES = ("error", "right", "flipped", "covered")


def rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def made_by(path: Path) -> dict[str, Any]:
    facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    weights = facts["model"]["sha256"] if isinstance(facts.get("model"), dict) else ""
    return {"command": facts["command"], "commit": facts["commit"], "sha256": weights}


def numbers(row: dict[str, str]) -> list[float]:
    return [float(row[key]) for key in ("value", "low", "high")]


def evaluations(name: str) -> list[dict[str, Any]]:
    """Return the figures of each protocol that the model was measured under."""
    found: list[dict[str, Any]] = []
    for protocol in PROTOCOLS:
        path = result(f"{name}_{protocol}")
        groups: dict[tuple[str, str], dict[str, Any]] = {}
        for row in rows(path):
            kind, group = row["group_kind"], row["group_value"]
            if kind not in KINDS or row["metric"] not in METRICS or not row["value"]:
                continue
            if (kind == "all" and group != "all") or (kind != "all" and found):
                continue
            started = {"kind": kind, "group": group, "pictures": int(row["n"])}
            into = groups.setdefault((kind, group), started)
            into[row["metric"]] = numbers(row)
        if groups:
            found.append({"protocol": protocol, **made_by(path), "groups": list(groups.values())})
    return found


def attributes(name: str) -> dict[str, Any] | None:
    """Return the mean figures of a model of attributes, of the data that it was not trained on."""
    path = result(f"{name}_celeba-test")
    told = {row["metric"]: numbers(row) for row in rows(path) if row["attribute"] == "mean"}
    return {"protocol": "celeba-test", **made_by(path), "means": told} if told else None


def robustness(name: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted((RESULTS / "robustness").glob(f"{name}_*.csv")):
        table: dict[tuple[str, int], dict[str, Any]] = {}
        for row in rows(path):
            place = row["kind"], int(row["strength"])
            started = {"kind": row["kind"], "strength": place[1], "setting": row["setting"]}
            into = table.setdefault(place, started)
            if row["measure"] in MEASURES:
                into[row["measure"]] = numbers(row)
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        wanted = [(kind, 0) for kind in (*MEANS, *STEADY)] + [(kind, i) for kind in OWN for i in (3, 5)]
        found.append(
            {
                "protocol": facts["protocol"]["name"],
                "pictures": facts["pictures"] - facts["faces not found"],
                **made_by(path),
                "rows": [table[place] for place in wanted if place in table],
            }
        )
    return found


def certainty(name: str) -> list[dict[str, Any]]:
    """Return how sure it says it is, by domain and looks, fitted on the other domains alone."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows(result(f"certainty_{name}")):
        if row["fitted"] == "other domains" and not row["band"]:
            place = row["domain"], row["looks"]
            entry = found.setdefault(place, {"domain": place[0], "looks": place[1], "measures": {}})
            entry["measures"][row["measure"]] = [float(row["value"]), int(row["n"])]
    return list(found.values())


def figures(card: ModelCard) -> dict[str, Any]:
    found: dict[str, Any] = {
        "evaluations": evaluations(card.name),
        "robustness": robustness(card.name),
        "certainty": certainty(card.name),
    }
    if told := attributes(card.name):
        found["attributes"] = told
    return found


def main() -> int:
    stale = 0
    for card in list_cards():
        text = json.dumps(figures(card), ensure_ascii=False)
        stale += update(MEASURED / f"{card.name}.json", _lines(text))
    blocks = {card.name: partial(_shown, card) for card in list_cards()}
    stale += update(PAGE, fill_blocks(PAGE, PAGE.read_text(encoding="utf-8"), blocks))
    for card in list_cards():
        stale += update(TEXTS / f"{card.name}.txt", plain(about(card)) + "\n")
    names = json.dumps([card.name for card in list_cards()])
    head = "// The models that have a text here; made by tools/model_figures.py.\n\n"
    stale += update(TEXTS / "names.js", f"{head}export const NAMES = {names};\n")
    return int(stale > 0)


def _shown(card: ModelCard) -> str:
    return markdown(about(card))


def _lines(text: str) -> str:
    """Break compact JSON into a line per group, so that a change of one shows as one."""
    return text.replace('{"kind"', '\n{"kind"').replace('{"domain"', '\n{"domain"') + "\n"


if __name__ == "__main__":
    sys.exit(main())
