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
from phiz.errors import ImageError
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
            line["code"] = "damaged_picture"
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
    response = client.post("/v1/analyze", files=files)
    Answer.model_validate_json(response.content, strict=True)
    answer = response.json()
    described = client.get("/openapi.json").json()["components"]["schemas"]
    picture, broken = answer["results"]
    assert set(described["PictureAnswer"]["properties"]) == set(picture) | {"code"} == set(broken)
    assert set(described["FaceAnswer"]["properties"]) == set(picture["faces"][0])
    Answer.model_validate(described["Answer"]["examples"][0])


def test_names_are_only_names(client: TestClient) -> None:
    name = "../../etc/passwd\t" + "x" * 400
    (result,) = client.post("/v1/analyze", files=[("x", (name, PHOTO))]).json()["results"]
    assert len(result["faces"]) == 1  # of what was sent, not of what the name would lead to
    assert result["path"].startswith("passwd")
    assert len(result["path"]) == 255


@pytest.mark.parametrize(
    ("sent", "path"),
    [
        ("../../x", "x"),
        ("/etc/x.jpg", "x.jpg"),
        (r"..\..\x.jpg", "x.jpg"),
        (r"C:\Users\somebody\x.jpg", "x.jpg"),
        (r"\\server\share/x.jpg", "x.jpg"),
        ("a/", None),
        ("a/..", None),
        (".", None),
        ("...", "..."),
        ("", None),
    ],
)
def test_a_name_comes_back_without_its_folders(client: TestClient, sent: str, path: str | None) -> None:
    head = f'Content-Disposition: form-data; name="x"; filename="{sent}"\r\n\r\n'.encode()
    headers = {"content-type": "multipart/form-data; boundary=edge"}
    answer = client.post("/v1/analyze", content=form(head + PHOTO, head + b"none"), headers=headers)
    read, unread = answer.json()["results"]
    assert (read["path"], unread["path"]) == (path, path)
    assert unread["error"].startswith(f"{path or 'picture bytes'}: expected")


def test_text_that_names_a_path_or_an_address_is_no_picture(client: TestClient) -> None:
    for text in (str(ASTRONAUT), ASTRONAUT.as_uri(), "http://127.0.0.1/a.jpg"):
        answer = client.post("/v1/analyze", content=text.encode(), headers=JPEG)
        assert answer.status_code == 422
        assert "no picture that phiz knows" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "code", "reason"),
    [
        (
            b"",
            "empty_file",
            "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC, got an empty file (0 bytes); "
            "copy it again from its source",
        ),
        (
            PHOTO[:9000],
            "damaged_picture",
            "expected a whole JPEG, got one damaged or cut short; copy it again from its source",
        ),
        (
            b"%PDF-1.7 ...",
            "unknown_format",
            "expected JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC, got PDF; convert it to JPEG or PNG",
        ),
        (
            encode(scene(1200, 900), "PNG"),
            "too_many_pixels",
            "expected at most 1,000,000 pixels, got 1200x900 (1,080,000); make it smaller",
        ),
    ],
)
def test_a_picture_that_cannot_be_read(client: TestClient, data: bytes, code: str, reason: str) -> None:
    answer = client.post("/v1/analyze", content=data, headers=JPEG)
    assert answer.status_code == 422
    error = f"picture bytes: {reason}"
    result = {"path": None, "width": None, "height": None, "faces": [], "error": error, "code": code}
    words = f"none of the pictures could be read: {error}"
    assert answer.json() == {"detail": words, "code": code, "results": [result]}


@pytest.mark.parametrize("kind", bombs(16000, 16000))
def test_a_bomb_is_refused_by_what_it_declares(client: TestClient, kind: str) -> None:
    answer = client.post("/v1/analyze", content=bombs(16000, 16000)[kind], headers=JPEG)
    assert answer.status_code == 422
    assert "expected at most 1,000,000 pixels, got 16000x16000" in answer.json()["detail"]


def test_a_picture_whose_faces_cannot_be_cut_is_one_that_cannot_be_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*_: object) -> None:
        raise ImageError("picture bytes: expected memory for 9x9 pixels, got too little; make it smaller")

    monkeypatch.setattr(client.app.state.service.analyzer, "locate", no_memory, raising=True)
    answer = client.post("/v1/analyze", content=PHOTO, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 422
    assert answer.json()["results"][0]["error"].startswith("picture bytes: expected memory for 9x9 pixels")


def test_too_many_bytes_as_declared(client: TestClient) -> None:
    answer = client.post("/v1/analyze", content=bytes(2_000_001), headers=JPEG)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected a body of at most 2,000,000 bytes, got 2,000,001; send fewer or smaller pictures",
        "code": "body_too_large",
    }


def test_too_many_bytes_as_they_come(client: TestClient) -> None:
    answer = client.post("/v1/analyze", content=iter([bytes(1_000_000)] * 3), headers=JPEG)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected a body of at most 2,000,000 bytes, got more; send fewer or smaller pictures",
        "code": "body_too_large",
    }


def test_too_many_pictures(client: TestClient) -> None:
    answer = client.post("/v1/analyze", files=[("x", ("a.jpg", PHOTO))] * 4)
    assert answer.status_code == 413
    assert answer.json() == {
        "detail": "expected at most 3 pictures in a request, got more; send several requests",
        "code": "too_many_pictures",
    }


@pytest.mark.parametrize(
    ("headers", "code", "detail"),
    [
        (
            {"content-type": "text/plain"},
            "body_type",
            "expected Content-Type image/* (the body is one picture) or multipart/form-data "
            "(one or more files), got text/plain",
        ),
        (
            {},
            "body_type",
            "expected Content-Type image/* (the body is one picture) or multipart/form-data "
            "(one or more files), got none",
        ),
        (
            {"content-type": "image/jpeg", "content-encoding": "gzip"},
            "body_encoding",
            "expected a body without Content-Encoding, got gzip; send it as it is",
        ),
    ],
)
def test_a_body_of_another_type(client: TestClient, headers: dict[str, str], code: str, detail: str) -> None:
    answer = client.post("/v1/analyze", content=PHOTO, headers=headers)
    assert (answer.status_code, answer.json()) == (415, {"detail": detail, "code": code})


def form(*parts: bytes, end: bytes = b"--edge--\r\n") -> bytes:
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + end


FILE = b'Content-Disposition: form-data; name="x"; filename="a.jpg"\r\n\r\n'


@pytest.mark.parametrize(
    ("boundary", "body", "status", "code", "detail"),
    [
        (
            "",
            b"",
            400,
            "damaged_form",
            "expected a boundary of at most 70 characters in Content-Type: multipart/form-data, got none",
        ),
        (
            "; boundary=edge",
            form(FILE + PHOTO)[:-20],
            400,
            "damaged_form",
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            b"--other\r\n" + FILE,
            400,
            "damaged_form",
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            b"",
            400,
            "damaged_form",
            "expected a well-formed multipart/form-data body, got one that is damaged or cut short",
        ),
        (
            "; boundary=edge",
            form(),
            422,
            "no_pictures",
            "expected at least one picture, got none; send each as a file",
        ),
        (
            "; boundary=edge",
            form(b'Content-Disposition: form-data; name="url"\r\n\r\nhttp://127.0.0.1/a.jpg'),
            422,
            "form_field",
            "expected only files, got the form field url; send each picture with a file name",
        ),
    ],
)
def test_a_form_that_is_none(
    client: TestClient, boundary: str, body: bytes, status: int, code: str, detail: str
) -> None:
    headers = {"content-type": "multipart/form-data" + boundary}
    answer = client.post("/v1/analyze", content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (status, {"detail": detail, "code": code})


def test_a_boundary_that_is_too_long(client: TestClient) -> None:
    headers = {"content-type": f"multipart/form-data; boundary={'x' * 71}"}
    answer = client.post("/v1/analyze", content=form(FILE + PHOTO), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith("in Content-Type: multipart/form-data, got one of 71")


@pytest.mark.parametrize(
    "headers",
    [
        [b"X: " + b"x" * 5_000],
        [b"x" * 5_000 + b": x"],
        [b"X: " + b"x" * 2_000] * 3,
        [b'Content-Disposition: form-data; filename="a"' + b"; a=b" * 100_000],
        [b"X: x"] * 10_000,
    ],
    ids=["one long value", "one long name", "three together", "many parameters", "many"],
)
@pytest.mark.parametrize("step", [999, 65_536])
def test_headers_of_a_part_have_a_bound(client: TestClient, headers: list[bytes], step: int) -> None:
    body = form(b"".join(header + b"\r\n" for header in headers) + FILE + PHOTO)
    kind = {"content-type": "multipart/form-data; boundary=edge"}
    chunks = (body[start : start + step] for start in range(0, len(body), step))
    answer = client.post("/v1/analyze", content=chunks, headers=kind)
    assert (answer.status_code, answer.json()["code"]) == (400, "damaged_form")


def test_headers_that_browsers_send_are_well_within_the_bound(client: TestClient) -> None:
    name = "".join(f"%{byte:02X}" for byte in ("é" * 127).encode()) + ".jpg"
    head = (
        f'Content-Disposition: form-data; name="pictures"; filename="{name}"\r\nContent-Type: image/jpeg\r\n'
    )
    kind = {"content-type": "multipart/form-data; boundary=edge"}
    more = b"Content-Length: 12345\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    assert (
        client.post("/v1/analyze", content=form(head.encode() + more + PHOTO), headers=kind).status_code
        == 200
    )


def test_the_bytes_of_a_request_are_forgotten_after_its_answer(client: TestClient) -> None:
    service = client.app.state.service
    for content, headers in ((PHOTO, JPEG), (PHOTO[:99], JPEG), (bytes(2_000_001), JPEG), (b"x", {})):
        client.post("/v1/analyze", content=content, headers=headers)
        assert service.bodies.held == 0
    assert not service.engine._jobs


def test_another_method_and_another_path(client: TestClient) -> None:
    for method, path, status, code in (
        ("GET", "/v1/analyze", 405, "wrong_method"),
        ("POST", "/v1/other", 405, "wrong_method"),
        ("GET", "/v1/other", 404, "not_found"),
        ("GET", "/models/other", 404, "not_found"),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_picture_that_is_larger_than_a_body_may_be_is_refused_as_a_frame(analyzer: Analyzer) -> None:
    client = TestClient(make_app(analyzer, max_bytes=1000))
    with client.websocket_connect("/v1/stream") as stream:
        stream.send_bytes(PHOTO)
        assert stream.receive_json()["code"] == "too_many_bytes"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ImageError("a: no memory", "out_of_memory"), "out_of_memory"),
        (ImageError("a: who knows"), "unreadable"),
        (ImageError("a: of another version", "a_code_to_come"), "unreadable"),
    ],
)
def test_every_error_of_a_picture_has_a_code(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: ImageError, code: str
) -> None:
    def read(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Analyzer, "read", read)
    answer = client.post("/v1/analyze", content=PHOTO, headers=JPEG).json()
    assert (answer["code"], answer["results"][0]["code"]) == (code, code)


def test_no_message_tells_a_visitor_of_the_insides(client: TestClient) -> None:
    """A visitor can make a picture smaller, but not set the arguments of a function."""
    pictures = [b"", PHOTO[:9000], b"%PDF", encode(scene(1200, 900), "PNG"), *bombs(16000, 16000).values()]
    for data in pictures:
        error = client.post("/v1/analyze", content=data, headers=JPEG).json()["results"][0]["error"]
        assert "max_" not in error
        assert "--" not in error
