"""Evaluation protocols: which pictures train and which test, as data.

A protocol file (TOML) names a data set and how it is divided; `folds` turns it and the data set's
records into folds. Every division follows from the file and the records alone, whatever order the
records come in: chance is the SHA-256 of "seed:name", and scikit-learn's splitters do the rest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..ages import age_band
from ..datasets.record import FaceRecord
from ..datasets.splits import SplitRow, read_split
from ..errors import DataError, RecipeError
from ..toml_file import read_toml
from .fold_files import ENCODING, Fold, load_folds, save_folds
from .groups import SHOWN, TITLES

__all__ = [
    "GROUPINGS",
    "KINDS",
    "Fold",
    "Protocol",
    "clusters",
    "divide",
    "folds",
    "load_folds",
    "load_protocol",
    "save_folds",
]

#: Each kind of protocol, with the keys that it needs and those that it may have.
KINDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "leave-one-person-out": (frozenset(), frozenset()),
    "k-fold": (frozenset({"folds", "grouping"}), frozenset({"seed", "split"})),
    "fixed": (frozenset({"split", "part"}), frozenset()),
    "random-repeats": (frozenset({"train", "test", "repeats"}), frozenset({"seed"})),
    "cross-dataset": (frozenset({"trained_on"}), frozenset({"split"})),
}
#: What stays on one side in k-fold: a person, the copies of a photo, or nothing (a plain random split).
GROUPINGS = ("subject", "near-duplicate", "none")
#: Value of split for the partition that the data set itself publishes.
OFFICIAL = "official"

#: The smallest value of each key that holds a number.
_LEAST = {"folds": 2, "seed": 0, "train": 1, "test": 1, "repeats": 1}
_EVERY = frozenset({"name", "about", "dataset", "kind"})


@dataclass(frozen=True, slots=True)
class Protocol:
    """One protocol file; a setting that its kind does not have keeps its empty value.

    about: one sentence. dataset: a key of datasets.registry.DATA_SETS. kind: one of KINDS.
    folds, grouping, seed: of k-fold; grouping is one of GROUPINGS.
    split: split file with columns file, part, cluster, or None where the data set's official
    partition counts. part: the part that tests; the part called train trains.
    train, test, repeats: of random-repeats, numbers of pictures and of draws.
    trained_on: of cross-dataset, what the model was trained on, as a statement.
    conflicts: list of contradicting labels; figures are also given without them.
    metrics: those that the protocol's paper uses and `phiz evaluate` prints, keys of groups.TITLES; the
    figures of every other metric are kept all the same.
    """

    name: str
    about: str
    dataset: str
    kind: str
    path: Path
    folds: int = 0
    grouping: str = ""
    seed: int = 0
    split: Path | None = None
    part: str = ""
    train: int = 0
    test: int = 0
    repeats: int = 0
    trained_on: str = ""
    conflicts: Path | None = None
    metrics: tuple[str, ...] = SHOWN


def load_protocol(path: Path | str) -> Protocol:
    """Read a protocol file; paths in it are relative to its folder.

    Raises: RecipeError where the file is missing, is no TOML, or has an unknown key, a missing key
    or an unfit value.
    """
    path = Path(path)
    table = read_toml(path, "protocol")
    _check(path, table)
    for key in ("split", "conflicts"):
        if key in table:
            table[key] = None if (key, table[key]) == ("split", OFFICIAL) else path.parent / table[key]
    if "metrics" in table:
        table["metrics"] = tuple(table["metrics"])
    return Protocol(**table, path=path)


def _check(path: Path, table: Mapping[str, Any]) -> None:
    if (kind := table.get("kind")) not in KINDS:
        raise RecipeError(f"{path}: kind: expected one of {', '.join(KINDS)}; got {kind!r}")
    needed, known = (
        _EVERY | KINDS[kind][0],
        _EVERY | KINDS[kind][0] | KINDS[kind][1] | {"conflicts", "metrics"},
    )
    if missing := sorted(needed - table.keys()):
        raise RecipeError(f"{path}: missing key {missing[0]!r}; a {kind} protocol needs it")
    if unknown := sorted(table.keys() - known):
        takes = ", ".join(sorted(known))
        raise RecipeError(f"{path}: unknown key {unknown[0]!r}; a {kind} protocol takes {takes}")
    for key, value in table.items():
        if key in _LEAST:
            if type(value) is not int or value < _LEAST[key]:
                raise RecipeError(
                    f"{path}: {key}: expected a whole number from {_LEAST[key]} on; got {value!r}"
                )
        elif key == "metrics":
            if not isinstance(value, list) or not value or any(name not in TITLES for name in value):
                raise RecipeError(f"{path}: metrics: expected a list of {', '.join(TITLES)}; got {value!r}")
        elif type(value) is not str or not value:
            raise RecipeError(f"{path}: {key}: expected a text in quotes; got {value!r}")
    if kind == "k-fold" and table["grouping"] not in GROUPINGS:
        got = table["grouping"]
        raise RecipeError(f"{path}: grouping: expected one of {', '.join(GROUPINGS)}; got {got!r}")
    if table.get("grouping") == "near-duplicate" and table.get("split", OFFICIAL) == OFFICIAL:
        raise RecipeError(f"{path}: split: near-duplicate folds need a split file for its clusters; name it")
    from ..datasets.registry import DATA_SETS

    if table["dataset"] not in DATA_SETS:
        got = table["dataset"]
        raise RecipeError(f"{path}: dataset: expected one of {', '.join(DATA_SETS)}; got {got!r}")


def folds(protocol: Protocol, records: Sequence[FaceRecord], folder: Path | None = None) -> list[Fold]:
    """Divide a data set's records after a protocol; k-fold and the like need the extra `eval`.

    folder: the data set's folder, from which keys are taken (record.key); without it a picture's key is
    its plain file name. Where the protocol names a split file, the pictures that it lists take part, and
    all of them must be there.
    Raises: DataError where the records lack what the protocol needs.
    """
    found = _keyed(protocol, records, folder)
    if protocol.kind == "leave-one-person-out":
        made = _leave_one_person_out(protocol, found)
    elif protocol.kind == "k-fold":
        made = _k_fold(protocol, found)
    elif protocol.kind == "random-repeats":
        made = _random_repeats(protocol, found)
    elif protocol.kind == "fixed":
        made = [_fixed(protocol, found)]
    else:
        made = [Fold("all", (), tuple(sorted(found)))]
    if empty := [fold.name for fold in made if not fold.test]:
        raise DataError(
            f"{protocol.path}: expected pictures to test in fold {empty[0]!r}, the data set has none"
        )
    return made


def divide(protocol: Protocol, root: Path) -> list[Fold]:
    """Read a protocol's data set, in its usual folder under root, and return the folds. Raises DataError."""
    from ..datasets import registry

    return folds(
        protocol, registry.read(protocol.dataset, root), root / registry.named(protocol.dataset).folder
    )


def clusters(protocol: Protocol, records: Sequence[FaceRecord], folder: Path | None = None) -> dict[str, str]:
    """Return each picture's cluster, the unit of the bootstrap, by its key.

    It is the person, else the split file's cluster, else the picture itself. folder as in `folds`.
    """
    found = _keyed(protocol, records, folder)
    copies = {row.file: str(row.cluster) for row in _rows(protocol)}
    return {key: record.subject or copies.get(key, key) for key, record in found.items()}


def _keyed(protocol: Protocol, records: Sequence[FaceRecord], folder: Path | None) -> dict[str, FaceRecord]:
    """Return the records that take part, by key."""
    from ..datasets import registry

    found: dict[str, FaceRecord] = {}
    for record in records:
        key = record.path.name if folder is None else registry.key(record, folder)
        if key in found:
            hint = "; give the data set's folder, which tells them apart" if folder is None else ""
            raise DataError(f"{record.path}: expected each picture's name once, got {key!r} twice{hint}")
        found[key] = record
    if not protocol.split:
        return found
    listed = [row.file for row in _rows(protocol)]
    if missing := sorted(set(listed) - found.keys()):
        raise DataError(
            f"{protocol.split}: expected all {len(listed)} listed pictures, {len(missing)} are missing, the "
            f"first is {missing[0]!r}; check that the data set is the one that the split was made from"
        )
    return {key: found[key] for key in listed}


def _rows(protocol: Protocol) -> list[SplitRow]:
    return read_split(protocol.split) if protocol.split else []


def _leave_one_person_out(protocol: Protocol, found: Mapping[str, FaceRecord]) -> list[Fold]:
    from sklearn.model_selection import LeaveOneGroupOut

    keys = sorted(found)
    people = [_person(protocol, found[key]) for key in keys]
    parts = LeaveOneGroupOut().split(keys, groups=people)
    return [_fold(people[test[0]], keys, train, test) for train, test in parts]


def _k_fold(protocol: Protocol, found: Mapping[str, FaceRecord]) -> list[Fold]:
    from sklearn.model_selection import KFold, StratifiedGroupKFold

    keys = _shuffled(found, protocol.seed)
    if protocol.grouping == "subject":
        unit = {key: _person(protocol, found[key]) for key in keys}
    elif protocol.grouping == "near-duplicate":
        unit = {row.file: str(row.cluster) for row in _rows(protocol)}
    else:
        unit = {key: key for key in keys}
    # Numbered in shuffled order: that is what decides between units that the splitter takes for equal.
    number: dict[str, int] = {}
    groups = [number.setdefault(unit[key], len(number)) for key in keys]
    if len(number) < protocol.folds:
        raise DataError(
            f"{protocol.path}: expected at least {protocol.folds} separate pictures or people for "
            f"{protocol.folds} folds; the data set has {len(number)}"
        )
    if protocol.grouping == "none":
        parts = KFold(protocol.folds).split(keys)
    else:
        strata = _strata([found[key] for key in keys], protocol.folds)
        parts = StratifiedGroupKFold(protocol.folds).split(keys, strata, groups)
    return [_fold(str(i), keys, train, test) for i, (train, test) in enumerate(parts, 1)]


def _strata(records: Sequence[FaceRecord], smallest: int) -> list[str]:
    """Return age band and gender of each; those of fewer records than folds count as the commonest."""
    names = [f"{'' if r.age is None else age_band(r.age)} {r.gender or ''}" for r in records]
    counts = Counter(names)
    commonest = max(counts, key=lambda name: (counts[name], name))
    return [name if counts[name] >= smallest else commonest for name in names]


def _random_repeats(protocol: Protocol, found: Mapping[str, FaceRecord]) -> list[Fold]:
    """Draw the training pictures once, then each test part anew from all others."""
    from sklearn.model_selection import ShuffleSplit

    wanted = protocol.train + protocol.test
    if len(found) < wanted:
        raise DataError(
            f"{protocol.path}: expected at least {wanted} pictures, {protocol.train} to train and "
            f"{protocol.test} to test; the data set has {len(found)}"
        )
    keys = _shuffled(found, protocol.seed)
    train, others = tuple(sorted(keys[: protocol.train])), keys[protocol.train :]
    if len(others) == protocol.test:  # every draw is the same; ShuffleSplit wants something left over
        draws = [range(len(others))] * protocol.repeats
    else:
        splitter = ShuffleSplit(protocol.repeats, test_size=protocol.test, random_state=protocol.seed)
        draws = [test for _, test in splitter.split(others)]
    return [Fold(str(i), train, tuple(sorted(others[j] for j in draw))) for i, draw in enumerate(draws, 1)]


def _fixed(protocol: Protocol, found: Mapping[str, FaceRecord]) -> Fold:
    if protocol.split:
        part = {row.file: row.part for row in _rows(protocol)}
    else:
        part = {key: record.part or "no official part" for key, record in found.items()}
    if protocol.part not in part.values():
        raise DataError(
            f"{protocol.split or protocol.path}: expected a part called {protocol.part!r}; "
            f"got {', '.join(sorted(set(part.values()))) or 'no pictures'}"
        )
    train = () if protocol.part == "train" else (key for key in sorted(found) if part[key] == "train")
    return Fold(
        protocol.part, tuple(train), tuple(key for key in sorted(found) if part[key] == protocol.part)
    )


def _person(protocol: Protocol, record: FaceRecord) -> str:
    if record.subject is None:
        raise DataError(f"{protocol.path}: expected to know every picture's person; {record.path} has none")
    return record.subject


def _shuffled(keys: Iterable[str], seed: int) -> list[str]:
    """Return keys in the order of the SHA-256 of "seed:key", which no library version can change."""
    return sorted(keys, key=lambda key: (hashlib.sha256(f"{seed}:{key}".encode(*ENCODING)).digest(), key))


def _fold(name: str, keys: Sequence[str], train: Iterable[int], test: Iterable[int]) -> Fold:
    return Fold(name, tuple(sorted(keys[i] for i in train)), tuple(sorted(keys[i] for i in test)))
