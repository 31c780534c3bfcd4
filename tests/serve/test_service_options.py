"""How sure answers are, through the service, its stream and the client: the words of `phiz.Analyzer`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from service import live, make_app
from starlette.websockets import WebSocketDisconnect

from phiz import Analyzer
from phiz.client import Client
from phiz.data import ASTRONAUT
from phiz.serve.schema import Answer

PHOTO = ASTRONAUT.read_bytes()
JPEG = {"content-type": "image/jpeg"}
ASKED: list[dict[str, Any]] = [
    {},
    {"coverage": 0.5},
    {"min_gender_score": 0.97},
    {"strict": True},
    {"coverage": 0.5, "min_gender_score": 0.8, "strict": True},
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose tables flag the portrait as small, so that every option shows."""
    fake = pytest.importorskip("fake_model", reason="the onnx package (extra train) builds the fake model")
    tables = fake.certainty()
    tables.flags["small"] = fake.Flag("size", least=1000.0)
    return Path(fake.write(tmp_path_factory.mktemp("sure"), certainty=tables))


@pytest.fixture(scope="module")
def client(model: Path) -> Iterator[TestClient]:
    with TestClient(make_app(Analyzer(model))) as client:
        yield client


def expected(model: Path, asked: dict[str, Any]) -> dict[str, Any]:
    return Analyzer(model, **asked).analyze(PHOTO).to_dict()


@pytest.mark.parametrize("asked", ASKED)
def test_a_request_is_answered_as_sure_as_its_query_asks(
    client: TestClient, model: Path, asked: dict[str, Any]
) -> None:
    answer = client.post("/v1/analyze", params=asked, content=PHOTO, headers=JPEG)
    assert answer.json() == {"results": [expected(model, asked)]}
    Answer.model_validate_json(answer.content, strict=True)


def test_the_options_do_what_they_say(model: Path) -> None:
    plain, half, careful, strict, _ = (expected(model, asked)["faces"][0] for asked in ASKED)
    assert (
        plain["age_interval"][0]
        < half["age_interval"][0]
        < half["age_interval"][1]
        < plain["age_interval"][1]
    )
    assert (plain["gender"], careful["gender"], careful["gender_score"]) == (
        "female",
        None,
        plain["gender_score"],
    )
    assert [strict[name] for name in ("age", "age_interval", "gender", "gender_score")] == [None] * 4
    assert strict["flags"] == plain["flags"] == ["small"]


@pytest.mark.parametrize("asked", ASKED[::2])
def test_a_stream_is_answered_as_its_query_asks(
    client: TestClient, model: Path, asked: dict[str, Any]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    with client.websocket_connect(f"/v1/stream?{query}") as stream:
        stream.send_bytes(PHOTO)
        assert stream.receive_json() == expected(model, asked)


def test_the_client_asks_for_the_same(model: Path) -> None:
    with live(make_app(Analyzer(model))) as port:
        for asked in ASKED:
            with Client(f"http://127.0.0.1:{port}", **asked) as client:
                result = client.analyze(PHOTO)
            assert result.to_dict() == expected(model, asked)
            face = result.faces[0]
            assert isinstance(face.flags, tuple)
            assert face.age_interval is None or isinstance(face.age_interval, tuple)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("coverage=0.7", "fake: expected a coverage of 0.5, 0.9, got 0.7"),
        ("coverage=1", "coverage: expected a number such as 0.9, got '1'"),
        ("coverage=nan", "coverage: expected a number such as 0.9, got 'nan'"),
        ("coverage=", "coverage: expected a number such as 0.9, got ''"),
        ("min_gender_score=0.4", "min_gender_score: expected a number from 0.5 to 1, got '0.4'"),
        ("strict=perhaps", "strict: expected true or false, got 'perhaps'"),
    ],
)
def test_an_option_that_is_none_is_refused(client: TestClient, query: str, words: str) -> None:
    answer = client.post(f"/v1/analyze?{query}", content=PHOTO, headers=JPEG)
    assert (answer.status_code, answer.json()) == (422, {"detail": words, "code": "bad_option"})
    with client.websocket_connect(f"/v1/stream?{query}") as stream, pytest.raises(WebSocketDisconnect) as end:
        stream.receive_json()
    assert (end.value.code, end.value.reason) == (1008, words)


def test_the_openapi_document_describes_the_options(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]["/v1/analyze"]["post"]["parameters"]
    assert {one["name"]: one["schema"]["default"] for one in described} == {
        "coverage": 0.9,
        "min_gender_score": 0.5,
        "strict": False,
    }
    assert all(one["in"] == "query" and one["description"] and not one.get("required") for one in described)
