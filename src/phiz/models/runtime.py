"""The one place that opens ONNX Runtime sessions: threads, execution provider, and what to fall back to."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime
from numpy.typing import NDArray

from ..errors import ModelError
from .forking import Session

onnxruntime.disable_telemetry_events()  # the rest of it, where a program loaded ONNX Runtime before phiz
CPU = "CPUExecutionProvider"
#: What --provider takes: ONNX Runtime's own name, what it falls back to, and the package that brings it.
PROVIDERS: dict[str, tuple[str, tuple[str, ...], str]] = {
    "cpu": (CPU, (), "onnxruntime"),
    "cuda": ("CUDAExecutionProvider", (CPU,), "onnxruntime-gpu"),
    "tensorrt": ("TensorrtExecutionProvider", ("CUDAExecutionProvider", CPU), "onnxruntime-gpu and tensorrt"),
    "openvino": ("OpenVINOExecutionProvider", (CPU,), "onnxruntime-openvino"),
    "coreml": ("CoreMLExecutionProvider", (CPU,), "onnxruntime on macOS"),
    "xnnpack": ("XnnpackExecutionProvider", (CPU,), "an onnxruntime built with --use_xnnpack"),
}


def session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return the ONNX Runtime options of every network in phiz: `threads` workers that sleep when idle."""
    if threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Spinning workers burn a core between pictures, which a small board cannot spare.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # errors only
    return options


def read_weights(path: Path, sha256: str) -> bytes:
    """Read weights and compare their hash before anything parses them. Raises ModelError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such weights; the card beside it needs them") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot read the weights: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ModelError(
            f"{path}: the weights do not match their card: expected sha256 {sha256}, got {found} in "
            f"{len(data)} bytes; the file is truncated or changed, put the original back or reinstall phiz"
        )
    return data


def open_session(weights: bytes, *, threads: int = 1, provider: str = "cpu") -> Session:
    """Open a network with the named execution provider, or with the next best one and a warning that says so.

    weights: the bytes of an ONNX file. threads: CPU threads inside one call. provider: a key of PROVIDERS.
    The warning goes to the log "phiz", once for each thing that is missing. Raises ModelError on an unknown
    provider, and whatever ONNX Runtime raises on weights that it cannot load.
    """
    available = onnxruntime.get_available_providers()
    wanted = choose_providers(provider, available)
    session = Session(lambda: _start(weights, [name for name in wanted if name not in _broken], threads))
    used = session.get_providers()[0]
    if used != PROVIDERS[provider][0]:
        _warn_once(fallback_message(provider, used, available))
    return session


def ask(
    session: onnxruntime.InferenceSession,
    shapes: Mapping[str, tuple[int, ...]],
    inputs: dict[str, NDArray[Any]],
    name: str,
) -> dict[str, NDArray[Any]]:
    """Run a network whose weights may be anybody's and return its outputs by name.

    shapes: of every output; a graph can promise one and not keep it. name: of the model, for errors.
    Raises ModelError where it fails or an output has another shape.
    """
    try:
        values = session.run(list(shapes), inputs)
    except Exception as error:  # ONNX Runtime's errors have no common base class
        raise ModelError(f"{name}: ONNX Runtime cannot run the network: {error}") from error
    for (output, shape), value in zip(shapes.items(), values, strict=True):
        if value.shape != shape:
            raise ModelError(f"{name}: expected {output!r} of shape {shape}, got {value.shape}")
    return dict(zip(shapes, values, strict=True))


#: Providers that are built in and did not start, for want of a driver or a library. They are not tried again
#: in this process: ONNX Runtime writes some lines about it to standard error each time.
_broken: set[str] = set()


def _start(weights: bytes, names: list[str], threads: int) -> onnxruntime.InferenceSession:
    """Open a session on the first of the providers that starts."""
    for place, name in enumerate(names):
        providers = [_with_options(each, threads) for each in names[place:]]
        try:
            # ONNX Runtime's own fallback would print to standard output, among the answers.
            session = onnxruntime.InferenceSession(
                weights, session_options(threads), providers=providers, enable_fallback=0
            )
        except Exception:  # TensorRT raises where CUDA leaves itself out
            if name == names[-1]:
                raise
            continue
        _broken.update(set(names) - set(session.get_providers()))
        return session
    raise AssertionError("no provider to try")


def check_provider(provider: str) -> None:
    """Raise ModelError unless `provider` is a key of PROVIDERS."""
    if provider not in PROVIDERS:
        raise ModelError(f"unknown execution provider {provider!r}; there are {', '.join(PROVIDERS)}")


def choose_providers(provider: str, available: list[str]) -> list[str]:
    """Return ONNX Runtime's names of the provider and its fallbacks, best first, as far as it has them.

    Raises ModelError on an unknown name.
    """
    check_provider(provider)
    first, fallbacks, _ = PROVIDERS[provider]
    return [name for name in (first, *fallbacks) if name in available] or [CPU]


def fallback_message(provider: str, used: str, available: list[str]) -> str:
    """Say what was asked for, what this ONNX Runtime has, what is used instead, and what would bring it."""
    name, _, package = PROVIDERS[provider]
    names = {ort: short for short, (ort, _, _) in PROVIDERS.items()}
    has = ", ".join(names[known] for known in available if known in names)
    reason = (
        "it is built in but could not start (a missing driver or library)"
        if name in available
        else f"it needs {package}"
    )
    return (
        f"phiz: {provider} was asked for; this ONNX Runtime {onnxruntime.__version__} has {has}; "
        f"using {names.get(used, used)} instead: {reason}"
    )


def _with_options(name: str, threads: int) -> Any:
    """Return a provider with its own thread count, where it does not use ONNX Runtime's threads."""
    if name == "XnnpackExecutionProvider":
        return name, {"intra_op_num_threads": str(threads)}
    if name == "OpenVINOExecutionProvider":
        return name, {"num_of_threads": str(threads)}
    return name


@cache  # an Analyzer opens three sessions, and one line says it
def _warn_once(message: str) -> None:
    logging.getLogger("phiz").warning(message)
