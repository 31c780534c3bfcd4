"""Fetching weights that are too large to ship: checked by their hash, resumed, never half there."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, InvalidURL
from pathlib import Path
from typing import BinaryIO

from ..addresses import public_address
from ..errors import ModelError
from .card import ModelCard
from .model_store import fetched_path

BLOCK = 1 << 18
TIMEOUT = 30.0

#: Called with the bytes so far and the bytes in all, None where unknown.
Progress = Callable[[int, "int | None"], None]


def fetch(card: ModelCard, source: str | None = None, progress: Progress = lambda done, total: None) -> Path:
    """Bring a card's weights to where `find_model` looks for them and return that path.

    source: a file's path or an http(s) URL; the card's own URL by default. A download that broke off goes on
    where it stopped. Weights that are there already and match the card are kept.
    Raises ModelError where the source cannot be reached or holds something else; nothing is kept of that.
    """
    path = fetched_path(card)
    if path.exists() and _sha256(path) == card.sha256:
        return path
    source = source or card.url
    if not source:
        raise ModelError(f"{card.name}: expected a file or URL to fetch from (--source); the card names none")
    part, shown = path.with_suffix(".part"), public_address(source)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if source.startswith(("http://", "https://")):
            _download(source, part, progress)
        else:
            shutil.copyfile(Path(source), part)
        found = _sha256(part)
        if found != card.sha256:
            size = part.stat().st_size
            part.unlink()
            raise ModelError(
                f"{shown}: expected the weights of {card.name}, sha256 {card.sha256}; got {found} in "
                f"{size:,} bytes; nothing was kept; ask the source for this version of phiz"
            )
        os.replace(part, path)
    except (OSError, HTTPException) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        if isinstance(error, InvalidURL):  # which would name a password as the port
            reason = "no address that can be read; leave user and password out"
        raise ModelError(
            f"cannot fetch {card.name} from {shown}: {reason}; run the same command again to go on where it "
            f"stopped, or copy the file over and run `phiz fetch {card.name} --source FILE`"
        ) from error
    return path


def _download(url: str, part: Path, progress: Progress) -> None:
    """Append what is missing to `part`, or begin again where the server does not resume."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # nothing after what is here: the hash tells whether it is whole
            return
        raise
    with answer:
        resumed = have > 0 and answer.status == 206
        rest = answer.headers.get("Content-Length")
        start = have if resumed else 0
        total = start + int(rest) if re.fullmatch("[0-9]{1,18}", rest or "") else None
        with part.open("ab" if resumed else "wb") as file:
            done = _pour(answer, file, start, total, progress)
    if total is not None and done < total:
        raise OSError(f"the connection broke off after {done:,} of {total:,} bytes")


def _pour(source: BinaryIO, file: BinaryIO, done: int, total: int | None, progress: Progress) -> int:
    while block := source.read(BLOCK):
        file.write(block)
        done += len(block)
        progress(done, total)
    file.flush()
    os.fsync(file.fileno())
    return done


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
