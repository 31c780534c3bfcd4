"""phiz.client against the real service."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from service import PATIENCE, Gated, live, make_app

import phiz
from phiz import Analyzer
from phiz.client import Client, ServiceError
from phiz.data import ASTRONAUT

PHOTO = ASTRONAUT.read_bytes()
TOKEN = "correct-horse-battery"


@pytest.fixture(scope="module")
def url(analyzer: Analyzer) -> Iterator[str]:
    with live(make_app(analyzer, settings={"token": TOKEN}, max_pictures=3)) as port:
        yield f"http://127.0.0.1:{port}"


def rounded(result: phiz.Result) -> dict[str, object]:
    return result.to_dict()


def test_the_answers_are_those_of_phiz_here(url: str, tmp_path: Path) -> None:
    broken = tmp_path / 'bro"ken é.jpg'
    broken.write_bytes(PHOTO[:3000])
    with Client(url, token=TOKEN) as client:
        by_path = client.analyze(ASTRONAUT)
        assert rounded(by_path) == rounded(phiz.analyze(ASTRONAUT))
        assert isinstance(by_path.faces[0].box, tuple)
        assert isinstance(by_path.faces[0].keypoints[0], tuple)
        assert client.analyze(PHOTO) == phiz.Result(**{**fields(by_path), "path": None})
        assert client.analyze(memoryview(PHOTO), "me").path == "me"
        many = client.analyze_many([ASTRONAUT, broken, ("x", PHOTO)])
        local = [result.error for result in phiz.Analyzer().analyze_many([ASTRONAUT, str(broken)])]
        assert [result.error for result in many] == [*local, None]
        assert [len(result.faces) for result in many] == [1, 0, 1]
        assert client.analyze(broken) == many[1]  # where none can be read the error is a result, too
        assert client.analyze_many([]) == []
        assert client.models()["model"] == "multitask-64"
        assert client.ready()


def fields(result: phiz.Result) -> dict[str, object]:
    return {name: getattr(result, name) for name in result.__dataclass_fields__}


def test_refusals_come_with_their_words(url: str) -> None:
    with Client(url) as client, pytest.raises(ServiceError) as refusal:
        client.models()
    assert (refusal.value.status, refusal.value.code) == (401, "token_required")
    assert str(refusal.value).startswith(f"{url} answered 401: expected the service's token")
    with Client(url, token=TOKEN) as client:
        with pytest.raises(ServiceError, match="answered 413: expected at most 3 pictures in a request"):
            client.analyze_many([PHOTO] * 4)
        with pytest.raises(FileNotFoundError):
            client.analyze("absent.jpg")


def test_a_busy_service_is_asked_again(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    gated = Gated(analyzer)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            gated.gate.set()
            first.join(PATIENCE)

    monkeypatch.setattr("phiz.client.time", SimpleNamespace(sleep=sleep))
    with live(make_app(gated, queue=1, max_pictures=1)) as port:
        url = f"http://127.0.0.1:{port}"
        with Client(url) as one, Client(url, retries=0) as two, Client(url, retries=2) as three:
            first = threading.Thread(target=lambda: one.analyze(PHOTO))
            first.start()
            assert gated.begun.acquire(timeout=PATIENCE)
            with pytest.raises(ServiceError, match="answered 429") as refusal:
                two.analyze(PHOTO)
            assert (refusal.value.status, refusal.value.retry_after) == (429, 1.0)
            assert not two.ready()
            assert len(three.analyze(PHOTO).faces) == 1
    assert waits == [1.0, 1.0]


def test_a_connection_that_the_service_closed_is_opened_again(analyzer: Analyzer) -> None:
    with live(make_app(analyzer)) as port:
        client = Client(f"http://127.0.0.1:{port}")
        assert client.ready()
        client._connection.sock.shutdown(socket.SHUT_RDWR)
        assert len(client.analyze(PHOTO).faces) == 1
        client.close()


def test_no_service_and_no_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ServiceError, match=f"no answer from http://127.0.0.1:{port}: ") as refusal:
        Client(f"http://127.0.0.1:{port}").models()
    assert refusal.value.status is None
    for url in ("127.0.0.1:8000", "ftp://example.org", "http://"):
        with pytest.raises(ValueError, match="expected an address such as"):
            Client(url)


def test_no_password_of_an_address_is_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ServiceError, match=f"no answer from http://127.0.0.1:{port}: ") as refusal:
        Client(f"http://me:secret@127.0.0.1:{port}").models()
    assert "secret" not in str(refusal.value)
    for url in ("ftp://me:secret@example.org", "http://me:secr/et@example.org"):
        with pytest.raises(ValueError, match="expected an address such as") as caught:
            Client(url)
        assert "sec" not in str(caught.value)


def test_it_brings_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; before = set(sys.modules); import phiz.client; "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(new - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["phiz"]
