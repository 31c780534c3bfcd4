"""Which execution provider runs a network, and what is said where it is not the one asked for."""

from __future__ import annotations

import logging
from pathlib import Path

import onnxruntime
import pytest

from phiz.analyzer import Analyzer
from phiz.errors import ModelError
from phiz.models import runtime
from phiz.models.model_store import find_model
from phiz.models.session import load_model

GPU = "CUDAExecutionProvider"
TRT = "TensorrtExecutionProvider"


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    runtime._warn_once.cache_clear()
    runtime._broken.clear()
    caplog.set_level(logging.WARNING, "phiz")
    return caplog


@pytest.mark.parametrize(
    ("provider", "available", "chosen"),
    [
        ("cpu", [GPU, runtime.CPU], [runtime.CPU]),
        ("cuda", [TRT, GPU, runtime.CPU], [GPU, runtime.CPU]),
        ("tensorrt", [TRT, GPU, runtime.CPU], [TRT, GPU, runtime.CPU]),
        ("tensorrt", [GPU, runtime.CPU], [GPU, runtime.CPU]),
        ("coreml", ["AzureExecutionProvider", runtime.CPU], [runtime.CPU]),
        ("xnnpack", ["XnnpackExecutionProvider"], ["XnnpackExecutionProvider"]),
    ],
)
def test_the_best_that_is_there_is_chosen(provider: str, available: list[str], chosen: list[str]) -> None:
    assert runtime.choose_providers(provider, available) == chosen


def test_an_unknown_provider_is_refused_with_the_names_that_are_known() -> None:
    with pytest.raises(ModelError) as caught:
        load_model(provider="gpu")
    assert str(caught.value) == (
        "unknown execution provider 'gpu'; there are cpu, cuda, tensorrt, openvino, coreml, xnnpack"
    )


def test_a_missing_provider_is_said_once_and_the_cpu_works(
    warned: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["AzureExecutionProvider", runtime.CPU]
    )
    for _ in range(2):
        model = load_model(provider="openvino")
    assert model._session.get_providers() == [runtime.CPU]
    assert [record.getMessage() for record in warned.records] == [
        f"phiz: openvino was asked for; this ONNX Runtime {onnxruntime.__version__} has cpu; "
        "using cpu instead: it needs onnxruntime-openvino"
    ]


def test_a_provider_that_cannot_start_is_told_from_one_that_is_missing() -> None:
    message = runtime.fallback_message("tensorrt", GPU, [TRT, GPU, runtime.CPU])
    assert message == (
        f"phiz: tensorrt was asked for; this ONNX Runtime {onnxruntime.__version__} has tensorrt, cuda, cpu; "
        "using cuda instead: it is built in but could not start (a missing driver or library)"
    )


def test_the_cpu_says_nothing(warned: pytest.LogCaptureFixture) -> None:
    load_model(provider="cpu")
    assert not warned.records


@pytest.mark.parametrize(
    ("name", "option"),
    [("XnnpackExecutionProvider", "intra_op_num_threads"), ("OpenVINOExecutionProvider", "num_of_threads")],
)
def test_threads_reach_providers_with_threads_of_their_own(
    name: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Session:
        def __init__(self, weights: bytes, options: object, providers: list[object], **_: object) -> None:
            asked.extend(providers)

        def get_providers(self) -> list[str]:
            return [name, runtime.CPU]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [name, runtime.CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    short = next(key for key, (known, _, _) in runtime.PROVIDERS.items() if known == name)
    runtime.open_session(b"", threads=3, provider=short)
    assert asked == [(name, {option: "3"}), runtime.CPU]


def test_threads_reach_onnx_runtime() -> None:
    _, path = find_model()
    session = runtime.open_session(Path(path).read_bytes(), threads=2)
    assert session._own.get_session_options().intra_op_num_threads == 2


def test_an_analyzer_runs_all_of_its_networks_on_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every InferenceSession of phiz is opened here, also the detector's."""
    asked = []
    real = onnxruntime.InferenceSession

    class Session(real):  # type: ignore[misc,valid-type]
        def __init__(self, weights: bytes, options: object, providers: list[str], **_: object) -> None:
            asked.append(providers)
            super().__init__(weights, options, providers=[runtime.CPU])

        def get_providers(self) -> list[str]:
            return asked[-1]

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [GPU, runtime.CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    Analyzer(provider="cuda")
    assert asked == [[GPU, runtime.CPU]] * 2
    asked.clear()
    Analyzer(provider="tensorrt")
    assert asked == [[GPU, runtime.CPU]] * 2


def test_an_analyzer_refuses_an_unknown_provider() -> None:
    with pytest.raises(ModelError, match="unknown execution provider 'gpu'"):
        Analyzer(provider="gpu")


def test_a_provider_that_does_not_start_is_tried_once_and_nothing_is_printed(
    warned: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As with onnxruntime-gpu on a machine without NVIDIA's libraries."""
    tried = []
    real = onnxruntime.InferenceSession

    class Session(real):  # type: ignore[misc,valid-type]
        def __init__(self, weights: bytes, options: object, providers: list[str], **more: object) -> None:
            tried.append(providers)
            if TRT in providers:
                raise RuntimeError("Please install TensorRT libraries")
            super().__init__(weights, options, providers=[runtime.CPU], **more)

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [TRT, GPU, runtime.CPU])
    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    Analyzer(provider="tensorrt")
    assert tried == [[TRT, GPU, runtime.CPU], [GPU, runtime.CPU], [runtime.CPU]]
    assert warned.messages == [
        f"phiz: tensorrt was asked for; this ONNX Runtime {onnxruntime.__version__} has tensorrt, cuda, cpu; "
        "using cpu instead: it is built in but could not start (a missing driver or library)"
    ]
    assert capfd.readouterr() == ("", "")


def test_weights_that_no_provider_can_load_are_not_blamed_on_the_provider(
    warned: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exception, match="protobuf parsing failed"):
        runtime.open_session(b"no network")
    assert not runtime._broken
    assert not warned.records
    assert capfd.readouterr().out == ""
