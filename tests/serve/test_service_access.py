"""Tokens, origins and the headers of every answer."""

from __future__ import annotations

import time
from pathlib import Path

import audiences
import pytest
from fastapi.testclient import TestClient
from service import make_app
from starlette.websockets import WebSocketDisconnect

from phiz import Analyzer
from phiz.data import ASTRONAUT
from phiz.serve.access import SECURITY_HEADERS, token_matches
from phiz.serve.settings import Limits, ServeError, Settings

PHOTO = ASTRONAUT.read_bytes()
JPEG = {"content-type": "image/jpeg"}
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def guarded(analyzer: Analyzer) -> TestClient:
    return TestClient(make_app(analyzer, settings={"token": TOKEN}))


@pytest.mark.parametrize(
    "value",
    [None, "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer", "Bearer é"],
)
def test_without_the_token_there_is_no_answer(guarded: TestClient, value: str | None) -> None:
    headers = {} if value is None else {"authorization": value.encode()}
    for method, path in (("POST", "/v1/analyze"), ("GET", "/v1/models"), ("GET", "/metrics")):
        answer = guarded.request(method, path, headers=headers)
        assert answer.status_code == 401
        words = "expected the service's token: Authorization: Bearer TOKEN"
        assert answer.json() == {"detail": words, "code": "token_required"}
        assert answer.headers["www-authenticate"] == "Bearer"


def test_with_the_token_there_is(guarded: TestClient) -> None:
    headers = {"authorization": f"bearer {TOKEN}"}
    assert guarded.post("/v1/analyze", content=PHOTO, headers=headers | JPEG).status_code == 200
    assert guarded.get("/v1/models", headers=headers).status_code == 200
    assert guarded.get("/metrics", headers=headers).status_code == 200


def test_state_files_and_documentation_need_no_token(guarded: TestClient) -> None:
    for path in ("/healthz", "/readyz", "/openapi.json", "/models/yunet.onnx"):
        assert guarded.get(path).status_code == 200


def test_the_document_names_the_token_only_where_there_is_one(
    guarded: TestClient, analyzer: Analyzer
) -> None:
    def security(client: TestClient) -> object:
        return client.get("/openapi.json").json()["paths"]["/v1/analyze"]["post"].get("security")

    assert security(guarded) == [{"HTTPBearer": []}]
    assert security(TestClient(make_app(analyzer))) is None


def test_a_stream_takes_the_token_as_header_or_as_subprotocol(guarded: TestClient) -> None:
    for headers, protocols in (
        ({"authorization": f"Bearer {TOKEN}"}, []),
        ({}, ["phiz.v1", f"phiz.token.{TOKEN}"]),
    ):
        with guarded.websocket_connect("/v1/stream", protocols, headers=headers) as stream:
            assert stream.accepted_subprotocol == ("phiz.v1" if protocols else None)
            stream.send_bytes(PHOTO)
            assert len(stream.receive_json()["faces"]) == 1


@pytest.mark.parametrize("protocols", [[], ["phiz.v1"], ["phiz.v1", "phiz.token.wrong"]])
def test_a_stream_without_the_token_is_refused(guarded: TestClient, protocols: list[str]) -> None:
    with pytest.raises(WebSocketDisconnect) as refusal, guarded.websocket_connect("/v1/stream", protocols):
        pass
    assert refusal.value.code == 1008


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        (TOKEN, True),
        ("", False),
        (TOKEN[:-1], False),
        (TOKEN + "a", False),
        (TOKEN.swapcase(), False),
        (TOKEN + "\0", False),
        ("é\ud800", False),  # what a header's bytes may turn into
    ],
)
def test_the_whole_token_and_no_other_matches(given: str, matches: bool) -> None:
    assert token_matches(TOKEN, given) is matches
    assert token_matches(None, given)


def test_a_token_is_never_compared_by_equality_which_ends_at_the_first_difference() -> None:
    class Watched:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared by equality")

        __hash__ = None  # type: ignore[assignment]

    class Bytes(Watched, bytes):
        pass

    class Text(Watched, str):
        def encode(self, *how: str) -> bytes:  # type: ignore[override]
            return Bytes(super().encode(*how))

    with pytest.raises(AssertionError, match="by equality"):
        bool(Text(TOKEN) == TOKEN)
    assert token_matches(Text(TOKEN), TOKEN)
    assert not token_matches(Text(TOKEN), TOKEN[:-1] + "~")
    assert not token_matches(TOKEN, Text("x" * len(TOKEN)))


@pytest.mark.parametrize("token", ["short", "x" * 20 + " ", "x" * 20 + "/", "ü" * 20])
def test_a_token_that_is_easy_to_guess_or_hard_to_send_is_refused(token: str) -> None:
    with pytest.raises(ServeError, match="at least 16 characters") as error:
        Settings(token=token)
    assert token not in str(error.value)


def test_a_token_is_in_no_text_of_the_settings() -> None:
    assert TOKEN not in repr(Settings(token=TOKEN))


@pytest.mark.parametrize("origin", ["example.org", "https://example.org/", "*", "null", "https://a b"])
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    with pytest.raises(ServeError, match="expected an origin such as"):
        Settings(allow_origins=(origin,))


def test_bounds_that_exclude_each_other_are_refused() -> None:
    for wrong in ({"queue": 0}, {"max_pictures": 65}, {"max_bytes": 1 << 40}, {"body_seconds": -1.0}):
        with pytest.raises(ServeError):
            Limits(**wrong)
    with pytest.raises(ServeError, match="at least one worker"):
        Settings(workers=0)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://testserver:81", "null"])
def test_pages_of_other_origins_are_refused(analyzer: Analyzer, origin: str) -> None:
    client = TestClient(make_app(analyzer))
    answer = client.post("/v1/analyze", files=[("x", ("a.jpg", PHOTO))], headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.json() == {
        "detail": "expected a page of this service, got one of another origin; see --allow-origin",
        "code": "foreign_origin",
    }
    assert "access-control-allow-origin" not in answer.headers
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/v1/stream", headers={"origin": origin}),
    ):
        pass


@pytest.mark.parametrize(
    "origin", ["http://[", "http://[::1", "x", "http://", "://testserver", "\u00e9".encode()]
)
def test_an_origin_that_is_none_is_refused_too(analyzer: Analyzer, origin: str | bytes) -> None:
    client = TestClient(make_app(analyzer))
    answer = client.post("/v1/analyze", content=PHOTO, headers={"origin": origin} | JPEG)
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")


#: What browsers send after a name was let lead to 127.0.0.1, and other hosts that are not the service's.
STRANGERS = [
    *("evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.evil.example", "localhostt"),
    *("10.0.0.1", "[2001:db8::1]:8000", "0.0.0.0", "[::]", "2130706433", "127.1", "xn--localhost"),
    *("", ":8000", "[::1", "::1]", "[localhost]", "localhost:80@evil.example", "evil.example, localhost"),
    *("user@localhost", "localhost/", "localhost:8000x"),
]


@pytest.mark.parametrize("host", STRANGERS)
def test_a_host_that_is_not_the_services_is_refused(analyzer: Analyzer, tmp_path: Path, host: str) -> None:
    audiences.make(tmp_path / "audience.db", int(time.time()) // 86400 * 86400)
    client = TestClient(make_app(analyzer, settings={"hosts": (), "audience": str(tmp_path / "audience.db")}))
    headers = {"host": host, "origin": f"http://{host}"}  # after rebinding the page is of the same origin
    for path in ("/", "/v1/audience", "/v1/models", "/metrics", "/healthz", "/absent"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 400, path
        assert answer.json()["code"] == "unknown_host"
        assert answer.json()["detail"].endswith("whoever runs it can add one with --allow-host")
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.post("/v1/analyze", content=PHOTO, headers=headers | JPEG).status_code == 400
    asks = {"access-control-request-method": "POST"}
    assert client.options("/v1/analyze", headers=headers | asks).status_code == 400
    with pytest.raises(WebSocketDisconnect) as end, client.websocket_connect("/v1/stream", headers=headers):
        pass
    assert end.value.code == 1008


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        ((), "localhost"),
        ((), "LOCALHOST:8000"),
        ((), "127.0.0.1:8000"),
        ((), "127.0.0.2"),
        ((), "[::1]:8000"),
        ((), "[0:0:0:0:0:0:0:1]"),
        (("faces.example",), "Faces.Example:443"),
        (("10.0.0.1",), "10.0.0.1:8000"),
        (("2001:db8::1",), "[2001:DB8:0::1]:8000"),
        (("[2001:db8::1]",), "[2001:db8::1]"),
        (("0.0.0.0",), "192.168.1.7:8000"),
        (("::",), "[fe80::1]:8000"),
        (("::",), "192.168.1.7"),
    ],
)
def test_the_services_own_hosts_are_answered(analyzer: Analyzer, hosts: tuple[str, ...], host: str) -> None:
    client = TestClient(make_app(analyzer, settings={"hosts": hosts}))
    headers = {"host": host, "origin": f"http://{host}"}
    assert client.get("/healthz", headers=headers).status_code == 200
    assert client.post("/v1/analyze", content=PHOTO, headers=headers | JPEG).status_code == 200
    with client.websocket_connect("/v1/stream", headers=headers):
        pass


@pytest.mark.parametrize("listening", ["0.0.0.0", "::"])
def test_every_address_means_no_name(analyzer: Analyzer, listening: str) -> None:
    client = TestClient(make_app(analyzer, settings={"hosts": (listening,)}))
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.parametrize("host", ["", "*", "https://example.org", "a b", "[::1"])
def test_an_allowed_host_is_a_name_or_an_address(host: str) -> None:
    with pytest.raises(ServeError, match=r"^--host, --allow-host: expected a name or address such as"):
        Settings(hosts=(host,))


def test_the_services_own_page_and_allowed_origins_may_use_it(analyzer: Analyzer) -> None:
    friend = "https://friend.example"
    client = TestClient(make_app(analyzer, settings={"allow_origins": (friend,)}))
    for origin in ("http://testserver", "https://testserver", friend):
        answer = client.post("/v1/analyze", content=PHOTO, headers={"origin": origin} | JPEG)
        assert answer.status_code == 200
        assert answer.headers.get("access-control-allow-origin") == (friend if origin == friend else None)
        with client.websocket_connect("/v1/stream", headers={"origin": origin}):
            pass
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert client.options("/v1/analyze", headers={"origin": friend} | asks).status_code == 200
    assert client.options("/v1/analyze", headers={"origin": "https://evil.example"} | asks).status_code == 400


def test_every_answer_has_the_security_headers(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    client = TestClient(make_app(analyzer), raise_server_exceptions=False)
    answers = [client.get(path) for path in ("/healthz", "/metrics", "/absent", "/models/multitask-64.onnx")]
    answers.append(client.post("/v1/analyze", content=PHOTO, headers=JPEG))
    answers.append(client.post("/v1/analyze"))
    monkeypatch.setattr(client.app.state.service.engine, "analyze", lambda _: 1 / 0)
    answers.append(client.post("/v1/analyze", content=PHOTO, headers=JPEG))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 200, 200, 415, 500]
    words = "the service failed on this request; its log says why"
    assert answers[-1].json() == {"detail": words, "code": "failed"}
    for answer in answers:
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert answers[4].headers["cache-control"] == "no-store"


def test_the_policy_lets_the_page_run_wasm_and_nothing_from_elsewhere() -> None:
    policy = dict(part.split(" ", 1) for part in SECURITY_HEADERS["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
    assert policy["frame-ancestors"] == "'none'"
    assert not any("http" in value or "*" in value or "unsafe-inline" in value for value in policy.values())
