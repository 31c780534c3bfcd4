"""Where the time goes: the ONNX calls among all that is done, and the operators within them."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import onnxruntime

from ..detect import load_card

#: Name of the detector's network by the hash of its weights; every other one is the analysing network.
NETWORKS = {load_card().sha256: "detector"}


class Watched:
    """The sessions that were opened while watching, and the seconds that each has worked."""

    def __init__(self) -> None:
        self.sessions: list[Any] = []

    @property
    def seconds(self) -> float:
        """Seconds in all calls of all sessions so far."""
        return float(sum(session.seconds for session in self.sessions))


@contextmanager
def watch_sessions(profiles: Path | None = None) -> Iterator[Watched]:
    """Time every call of the ONNX Runtime sessions that are opened within; they stay watched afterwards.

    profiles: a folder for ONNX Runtime's own profile of each session; None for none.
    """
    watched = Watched()
    plain = onnxruntime.InferenceSession

    class Session(plain):  # type: ignore[misc, valid-type]
        def __init__(self, weights: Any, options: Any, **more: Any) -> None:
            if profiles is not None:
                options.enable_profiling = True
                options.profile_file_prefix = str(profiles / f"session{len(watched.sessions)}")
            super().__init__(weights, options, **more)
            self.seconds = 0.0
            self.name = NETWORKS.get(hashlib.sha256(weights).hexdigest(), "network")
            watched.sessions.append(self)

        def run(self, *arguments: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return super().run(*arguments, **more)
            finally:
                self.seconds += time.perf_counter() - start

    onnxruntime.InferenceSession = Session
    try:
        yield watched
    finally:
        onnxruntime.InferenceSession = plain


def operators(analyze: Any, image: Any, repeats: int) -> dict[str, Counter[str]]:
    """Return for each network the microseconds of each operator in `repeats` pictures.

    analyze: a function that makes an Analyzer. image: what it is to analyse.
    """
    with TemporaryDirectory(prefix="phiz-profile-") as folder:
        with watch_sessions(Path(folder)) as watched:
            analyzer = analyze()
        for _ in range(repeats):
            analyzer.analyze(image)
        return {session.name: _by_operator(Path(session.end_profiling())) for session in watched.sessions}


def _by_operator(profile: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for event in json.loads(profile.read_text(encoding="utf-8")):
        if event.get("cat") == "Node" and str(event.get("name", "")).endswith("_kernel_time"):
            found[event["args"]["op_name"]] += int(event["dur"])
    return found
