"""Bodies that nobody thought of: whatever comes, the answer is one of those described, never a 5xx."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import audiences
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pictures import encode, scene
from service import make_app

from phiz import Analyzer
from phiz.serve.schema import Answer, Refusal

PICTURES = [encode(scene(), kind) for kind in ("JPEG", "PNG", "WEBP", "BMP", "GIF")]
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def client(analyzer: Analyzer) -> Iterator[TestClient]:
    with TestClient(make_app(analyzer, max_bytes=200_000, max_pixels=1_000_000, max_pictures=3)) as client:
        yield client


def check(client: TestClient, body: bytes, kind: str) -> None:
    answer = client.post("/v1/analyze", content=body, headers={"content-type": kind})
    assert answer.status_code in (200, 400, 413, 415, 422)
    (Answer if answer.status_code == 200 else Refusal).model_validate(answer.json())
    assert client.app.state.service.bodies.held == 0


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A small picture, cut short, with bytes changed, or with others put in."""
    data = bytearray(draw(st.sampled_from(PICTURES)))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data) - 1))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(data[: draw(st.integers(1, len(data)))] if draw(st.booleans()) else data)


KINDS = st.sampled_from(
    ["image/jpeg", "application/octet-stream", "image/", "text/html", "multipart/form-data"]
)


@QUICK
@given(body=st.binary(max_size=300) | damaged(), kind=KINDS | st.text('abz/;= -"', max_size=12))
def test_any_body_of_any_type(client: TestClient, body: bytes, kind: str) -> None:
    check(client, body, kind.strip() or "x")


TOKENS = st.sampled_from(
    [
        *(b"--b", b"--b--", b"\r\n", b"\r\n\r\n", b"--", b"\0", b": ", *PICTURES[:2]),
        *(b"Content-Disposition: form-data; ", b'name="x"; ', b'filename="a"', b"filename*=utf-8''%ff"),
    ]
)


@QUICK
@given(body=st.lists(TOKENS | st.binary(max_size=5), max_size=25).map(b"".join))
def test_any_form(client: TestClient, body: bytes) -> None:
    check(client, body, "multipart/form-data; boundary=b")


@QUICK
@given(
    names=st.lists(
        st.binary(max_size=20).map(lambda name: name.replace(b"\r", b"").replace(b"\n", b"")), max_size=4
    ),
    data=damaged(),
)
def test_any_file_name(client: TestClient, names: list[bytes], data: bytes) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="x"; filename="%s"\r\n\r\n'
    parts = b"".join(head % name + data + b"\r\n" for name in names)
    check(client, parts + b"--b--\r\n", "multipart/form-data; boundary=b")


@pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed")
def test_the_service_keeps_to_its_openapi_document(analyzer: Analyzer, tmp_path: Path) -> None:
    import schemathesis
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    audiences.make(tmp_path / "audience.db", int(time.time()) // 86400 * 86400)
    app = make_app(analyzer, settings={"audience": str(tmp_path / "audience.db")}, max_pixels=1_000_000)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)

    @settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=st.one_of([operation.ok().as_strategy() for operation in schema.get_all_operations()]))
    def every_operation(case: schemathesis.Case) -> None:
        # Random bytes fit "binary" and are no picture all the same; OpenAPI has no words for that.
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    every_operation()
