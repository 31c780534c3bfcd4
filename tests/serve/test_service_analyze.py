"""POST /v1/analyze: what is answered to which body, in which words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pictures import bombs, encode, exif, heic, jpeg_with_exif, scene
from service import make_app
from typer.testing import CliRunner

from phiz import Analyzer, image
from phiz.cli import app as command_line
from phiz.data import ASTRONAUT
from phiz.serve.schema import Answer

PHOTO = ASTRONAUT.read_bytes()
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture(scope="module")
def client(analyzer: Analyzer) -> Iterator[TestClient]:
    with TestClient(make_app(analyzer, max_bytes=2_000_000, max_pixels=1_000_000, max_pictures=3)) as client:
        yield client


def jsonl(*paths: Path) -> list[dict[str, object]]:
    """What `phiz analyze --format jsonl` says of the pictures, each under its bare name."""
    done = CliRunner().invoke(command_line, ["analyze", "--format", "jsonl", *map(str, paths)])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line, path in zip(lines, paths, strict=True):
        line["path"] = path.name
        if line["error"]:
            line["error"] = line["error"].replace(str(path), path.name)
    return lines


def test_several_files_get_the_lines_of_the_command_line(client: TestClient, tmp_path: Path) -> None:
    turned = tmp_path / "turned é.jpg"
    turned.write_bytes(jpeg_with_exif(PHOTO, exif(6)))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(PHOTO[:5000])
    paths = [ASTRONAUT, broken, turned]
    answer = client.post("/v1/analyze", files=[("x", (p.name, p.read_bytes())) for p in paths])
    assert answer.status_code == 200
    assert answer.json() == {"results": jsonl(*paths)}
    assert [len(result["faces"]) for result in answer.json()["results"]] == [1, 0, 1]


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "image/x-anything", "application/octet-stream"])
def test_the_body_itself_may_be_the_picture_and_its_content_decides(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/analyze", content=PHOTO, headers={"content-type": kind})
    assert answer.status_code == 200
    assert answer.json() == {"results": [jsonl(ASTRONAUT)[0] | {"path": None}]}


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "HEIC"])
def test_what_phones_and_scanners_send_is_read(client: TestClient, kind: str) -> None:
    if kind not in image.readable():
        pytest.skip(f"{kind} needs more than is installed here")
    pixels = image.load(ASTRONAUT)
    data = heic(pixels) if kind == "HEIC" else encode(pixels, kind)
    answer = client.post("/v1/analyze", files=[("x", (f"photo.{kind.lower()}", data))])
    assert len(answer.json()["results"][0]["faces"]) == 1


def test_a_body_may_come_in_chunks_of_unknown_total(client: TestClient) -> None:
    chunks = (PHOTO[start : start + 7000] for start in range(0, len(PHOTO), 7000))
    answer = client.post("/v1/analyze", content=chunks, headers=JPEG)
    assert "content-length" not in answer.request.headers
    assert len(answer.json()["results"][0]["faces"]) == 1


def test_the_answer_is_as_the_openapi_document_describes_it(client: TestClient) -> None:
    files = [("x", ("a.jpg", PHOTO)), ("x", ("b", b"no picture"))]
    answer = client.post("/v1/analyze", files=files).json()
    Answer.model_validate(answer, strict=True)
    described = client.get("/openapi.json").json()["components"]["schemas"]
    picture = answer["results"][0]
    assert set(described["PictureAnswer"]["properties"]) == set(picture)
    assert set(described["FaceAnswer"]["properties"]) == set(picture["faces"][0])
    Answer.model_validate(described["Answer"]["examples"][0])


def test_names_are_only_names(client: TestClient) -> None:
    name = "../../etc/passwd\t" + "x" * 400
    (result,) = client.post("/v1/analyze", files=[("x", (name, PHOTO))]).json()["results"]
    assert len(result["faces"]) == 1  # of what was sent, not of what the name would lead to
    assert result["path"].startswith("../../etc/passwd")
    assert len(result["path"]) == 255


def test_text_that_names_a_path_or_an_address_is_no_picture(client: TestClient) -> None:
    for text in (str(ASTRONAUT), ASTRONAUT.as_uri(), "http://127.0.0.1/a.jpg"):
        answer = client.post("/v1/analyze", content=text.encode(), headers=JPEG)
        assert answer.status_code == 422
        assert "no picture that phiz knows" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            b"",
            "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC, got an empty file (0 bytes); "
            "copy it again from its source",
        ),
        (PHOTO[:9000], "expected a whole JPEG, got one damaged or cut short; copy it again from its source"),
        (
            b"%PDF-1.7 ...",
            "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC, got PDF; convert it to JPEG or PNG",
        ),
        (
            encode(scene(1200, 900), "PNG"),
            "expected at most 1,000,000 pixels, got 1200x900 (1,080,000); make it smaller",
        ),
    ],
)
def test_a_picture_that_cannot_be_read(client: TestClient, data: bytes, reason: str) -> None:
    answer = client.post("/v1/analyze", content=data, headers=JPEG)
    assert answer.status_code == 422
    error = f"picture bytes: {reason}"
    result = {"path": None, "width": None, "height": None, "faces": [], "error": error}
    assert answer.json() == {"detail": f"none of the pictures could be read: {error}", "results": [result]}


@pytest.mark.parametrize("kind", bombs(16000, 16000))
def test_a_bomb_is_refused_by_what_it_declares(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/analyze", content=bombs(16000, 16000)[kind], headers=JPEG)
    assert answer.status_code == 422
    assert "expected at most 1,000,000 pixels, got 16000x16000" in answer.json()["detail"]


def test_too_many_bytes_as_declared(client: TestClient) -> None:
    answer = client.post("/v1/analyze", content=bytes(2_000_001), headers=JPEG)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected a body of at most 2,000,000 bytes, got 2,000,001; send fewer or smaller pictures"
    }


def test_too_many_bytes_as_they_come(client: TestClient) -> None:
    answer = client.post("/v1/analyze", content=iter([bytes(1_000_000)] * 3), headers=JPEG)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected a body of at most 2,000,000 bytes, got more; send fewer or smaller pictures"
    }


def test_too_many_pictures(client: TestClient) -> None:
    answer = client.post("/v1/analyze", files=[("x", ("a.jpg", PHOTO))] * 4)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected at most 3 pictures in a request, got more; send several requests"
    }


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        (
            {"content-type": "text/plain"},
            "expected Content-Type image/* (the body is one picture) or multipart/form-data "
            "(one or more files), got text/plain",
        ),
        (
            {},
            "expected Content-Type image/* (the body is one picture) or multipart/form-data "
            "(one or more files), got none",
        ),
        (
            {"content-type": "image/jpeg", "content-encoding": "gzip"},
            "expected a body without Content-Encoding, got gzip; send it as it is",
        ),
    ],
)
def test_a_body_of_another_type(client: TestClient, headers: dict[str, str], detail: str) -> None:
    answer = client.post("/v1/analyze", content=PHOTO, headers=headers)
    assert (answer.status_code, answer.json()) == (415, {"detail": detail})


def form(*parts: bytes, end: bytes = b"--edge--\r\n") -> bytes:
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + end


FILE = b'Content-Disposition: form-data; name="x"; filename="a.jpg"\r\n\r\n'


@pytest.mark.parametrize(
    ("boundary", "body", "status", "detail"),
    [
        (
            "",
            b"",
            400,
            "expected a boundary of at most 70 characters in Content-Type: multipart/form-data, got none",
        ),
        (
            "; boundary=edge",
            form(FILE + PHOTO)[:-20],
            400,
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            b"--other\r\n" + FILE,
            400,
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            b"",
            400,
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            form(),
            422,
            "expected at least one picture, got none; send each as a file",
        ),
        (
            "; boundary=edge",
            form(b'Content-Disposition: form-data; name="url"\r\n\r\nhttp://127.0.0.1/a.jpg'),
            422,
            "expected only files, got the form field url; send each picture with a file name",
        ),
    ],
)
def test_a_form_that_is_none(
    client: TestClient, boundary: str, body: bytes, status: int, detail: str
) -> None:
    headers = {"content-type": "multipart/form-data" + boundary}
    answer = client.post("/v1/analyze", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"detail": detail})


def test_a_boundary_that_is_too_long(client: TestClient) -> None:
    headers = {"content-type": f"multipart/form-data; boundary={'x' * 71}"}
    answer = client.post("/v1/analyze", content=form(FILE + PHOTO), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith("in Content-Type: multipart/form-data, got one of 71")


def test_the_bytes_of_a_request_are_forgotten_after_its_answer(client: TestClient) -> None:
    service = client.app.state.service
    for content, headers in ((PHOTO, JPEG), (PHOTO[:99], JPEG), (bytes(2_000_001), JPEG), (b"x", {})):
        client.post("/v1/analyze", content=content, headers=headers)
        assert service.bodies.held == 0
    assert not service.engine._jobs


def test_another_method_and_another_path(client: TestClient) -> None:
    assert client.get("/v1/analyze").status_code == 405
    assert client.post("/v1/other").status_code in (404, 405)
    assert client.get("/v1/other").status_code == 404
