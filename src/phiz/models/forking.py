"""Sessions of ONNX Runtime that outlive a fork: multiprocessing's, and that of servers which load first."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from weakref import WeakSet

import onnxruntime


class Session:
    """A network that runs in whatever process calls it, also in one forked from the process that opened it.

    open_here: opens the network with ONNX Runtime. Threads do not come along into a forked process: a call
    would wait for them for ever, and so would the end of the session. So such a process opens its own at its
    first call, and lets the one that it inherited be.
    """

    def __init__(self, open_here: Callable[[], onnxruntime.InferenceSession]) -> None:
        self._open_here = open_here
        self._own: onnxruntime.InferenceSession | None = open_here()
        _sessions.add(self)

    def _session(self) -> onnxruntime.InferenceSession:
        own = self._own
        if (
            own is None
        ):  # two threads may both come here; the second session replaces the first, and is as good
            own = self._own = self._open_here()
        return own

    def run(self, outputs: Sequence[str] | None, inputs: Mapping[str, Any]) -> list[Any]:
        """Return the named outputs, or all; see `onnxruntime.InferenceSession.run`."""
        return self._session().run(outputs, inputs)  # type: ignore[no-any-return]

    def get_inputs(self) -> list[Any]:
        """Return name, shape and type of every input."""
        return self._session().get_inputs()  # type: ignore[no-any-return]

    def get_outputs(self) -> list[Any]:
        """Return name, shape and type of every output."""
        return self._session().get_outputs()  # type: ignore[no-any-return]

    def get_providers(self) -> list[str]:
        """Return ONNX Runtime's names of the execution providers in use, best first."""
        return self._session().get_providers()  # type: ignore[no-any-return]


_sessions: WeakSet[Session] = WeakSet()


def _leave_inherited() -> None:
    for session in list(_sessions):
        if session._own is not None:
            # One reference more than Python knows of: not even the end of the process may destroy it.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(session._own))
            session._own = None


if hasattr(os, "register_at_fork"):  # not on Windows, where nothing forks
    os.register_at_fork(after_in_child=_leave_inherited)
