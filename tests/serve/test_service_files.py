"""The page's files and the weights: types, caching, and nothing but what is meant for browsers."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from service import make_app
from starlette.websockets import WebSocketDisconnect

from phiz import Analyzer
from phiz.models.model_store import list_cards
from phiz.serve import app as application
from phiz.serve.page import Page

WASM = b"\0asm" * 1000


@pytest.fixture(scope="module")
def client(analyzer: Analyzer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("site") / "page"
    (folder / "app").mkdir(parents=True)
    (folder.parent / "secret.txt").write_text("not for browsers")
    (folder / "index.html").write_text("<!doctype html><title>made page</title>")
    for name in ("app/main.js", "style.css", "module.mjs", "data.json", "icon.svg", "LICENSE"):
        (folder / name).write_text("made")
    (folder / "big.wasm.gz").write_bytes(gzip.compress(WASM))
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "PAGE", folder)
        patch.setattr(application, "Page", lambda: Page(folder))
        yield TestClient(make_app(analyzer))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app/main.js", "text/javascript; charset=utf-8"),
        ("/module.mjs", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/data.json", "application/json"),
        ("/icon.svg", "image/svg+xml"),
        ("/LICENSE", "text/plain; charset=utf-8"),
        ("/big.wasm", "application/wasm"),
        ("/models/multitask-64.onnx", "application/octet-stream"),
        ("/models/multitask-64.json", "application/json"),
        ("/models/LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_types_and_caching(client: TestClient, path: str, kind: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_packed_file_is_sent_packed_to_whom_can_unpack_it(client: TestClient) -> None:
    packed = client.get("/big.wasm")
    assert packed.content == WASM
    assert packed.headers["content-encoding"] == "gzip"
    plain = client.get("/big.wasm", headers={"accept-encoding": "identity"})
    assert plain.content == WASM
    assert "content-encoding" not in plain.headers
    assert plain.headers["content-type"] == packed.headers["content-type"] == "application/wasm"


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/app/..%2f..%2fsecret.txt",
        "/link.txt",
        "/models/../card.py",
        "/models/..%2fcard.py",
        "/models/%2e%2e%2fcard.py",
        "/absent",
        "/models/absent.onnx",
        "/models/",
        "/%00",
        "/app",
    ],
)
def test_nothing_else_is_given_out(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"not for browsers" not in answer.content


#: Paths that file systems refuse each in its own way: names too long, NUL, no Unicode, far too deep.
ODD_PARTS = st.sampled_from(["/", "..", ".", "\0", "é", "\udcff", "\ud800", "a" * 249, "a" * 256, "b" * 5000])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@given(parts=st.lists(ODD_PARTS | st.text(max_size=3), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_path_is_a_file_or_not_found(client: TestClient, method: str, parts: list[str]) -> None:
    for prefix in ("/", "/models/"):
        path = quote((prefix + "".join(parts)).encode("utf-8", "surrogatepass"), safe="/")
        assert client.request(method, f"http://testserver{path}").status_code in (200, 404, 405)


def test_the_weights_are_those_of_their_cards(client: TestClient) -> None:
    for card in list_cards():
        weights = client.get(f"/models/{card.name}.onnx").content
        assert hashlib.sha256(weights).hexdigest() == card.sha256
    assert len(client.get("/models/yunet.onnx").content) > 100_000


def test_a_service_without_a_page_says_not_found(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "PAGE", Path("/absent"))
    client = TestClient(make_app(analyzer))
    assert client.get("/").status_code == 404
    assert client.get("/healthz").json() == {"status": "ok"}


def test_other_methods_and_websockets_of_the_page(client: TestClient) -> None:
    assert client.head("/").status_code == 200
    refused = client.post("/")
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/elsewhere"):
        pass


def test_models_tells_what_answers(client: TestClient) -> None:
    told = client.get("/v1/models").json()
    names = [told[what] for what in ("model", "gender_model", "detector")]
    assert names == ["multitask-64", "multitask-64", "yunet"]
    assert [card["name"] for card in told["models"]] == [card.name for card in list_cards()]
    assert told["limits"]["max_pictures"] == 16
