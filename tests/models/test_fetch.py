"""Fetching large weights from a file and from a server that breaks off, resumes, refuses or lies."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from phiz.cli import app
from phiz.errors import ModelError
from phiz.models import fetch, model_store
from phiz.models.card import ModelCard
from phiz.models.session import load_model


class Server(HTTPServer):
    """Serves `data`; closes the connection after `most` bytes of an answer; notes the ranges asked for.

    length: what it says of the answer's length instead of the truth.
    """

    def __init__(
        self, data: bytes, most: int | None = None, resumes: bool = True, length: str | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.length = length
        self.data, self.most, self.resumes, self.asked = data, most, resumes, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/weights.onnx"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.resumes else 0
        if start >= len(self.server.data):
            self.send_error(416)
            return
        rest = self.server.data[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", self.server.length or str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.most])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve():
    servers = []

    def start(*args, **options) -> Server:
        servers.append(Server(*args, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def card(fake_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelCard:
    """A known card whose weights are not shipped."""
    known = tmp_path / "known"
    known.mkdir()
    monkeypatch.setattr(model_store, "WEIGHTS", known)
    monkeypatch.setenv("PHIZ_MODELS", str(tmp_path / "fetched"))
    card = dataclasses.replace(
        ModelCard.load(fake_model.with_suffix(".json")), url="http://127.0.0.1:9/x.onnx"
    )
    card.save(known / "fake.json")
    return card


def left(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "fetched").glob("*"))


def test_before_fetching_the_error_says_what_to_do(card: ModelCard) -> None:
    with pytest.raises(ModelError) as caught:
        load_model("fake")
    assert str(caught.value) == (
        "the weights of fake are too large to ship and not on this machine yet: run `phiz fetch fake` once "
        "where there is a network, or `phiz fetch fake --source FILE` with a copy of http://127.0.0.1:9/x.onnx"
    )


def test_from_a_file(card: ModelCard, fake_model: Path) -> None:
    path = fetch.fetch(card, str(fake_model))
    assert path.read_bytes() == fake_model.read_bytes()
    assert load_model("fake").card == card


def test_from_a_server_that_breaks_off_twice(card, fake_model, serve, tmp_path) -> None:
    data = fake_model.read_bytes()
    server = serve(data, most=len(data) // 2 - 1)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"the connection broke off|IncompleteRead"):
            fetch.fetch(card, server.url)
        assert left(tmp_path) == [f"fake-{card.sha256[:12]}.part"]  # never under the name that is looked for
    assert fetch.fetch(card, server.url).read_bytes() == data
    half = len(data) // 2 - 1
    assert server.asked == [None, f"bytes={half}-", f"bytes={2 * half}-"]
    assert left(tmp_path) == [f"fake-{card.sha256[:12]}.onnx"]


@pytest.mark.parametrize("length", ["\u00b2", "-1", "many", "1,000"])
def test_a_length_that_is_no_number_is_not_counted_on(card, fake_model, serve, length) -> None:
    data = fake_model.read_bytes()
    assert fetch.fetch(card, serve(data, length=length).url).read_bytes() == data


def test_a_server_that_does_not_resume_sends_all_again(card, fake_model, serve) -> None:
    data = fake_model.read_bytes()
    part = model_store.fetched_path(card).with_suffix(".part")
    part.parent.mkdir()
    part.write_bytes(b"something else")
    assert fetch.fetch(card, serve(data, resumes=False).url).read_bytes() == data


def test_a_download_that_was_whole_but_not_renamed(card, fake_model, serve) -> None:
    data = fake_model.read_bytes()
    part = model_store.fetched_path(card).with_suffix(".part")
    part.parent.mkdir()
    part.write_bytes(data)
    assert fetch.fetch(card, serve(data).url).read_bytes() == data


def test_other_weights_are_refused_and_not_kept(card, serve, tmp_path) -> None:
    server = serve(b"not the weights")
    found = hashlib.sha256(b"not the weights").hexdigest()
    with pytest.raises(ModelError) as caught:
        fetch.fetch(card, server.url)
    assert str(caught.value) == (
        f"{server.url}: expected the weights of fake, sha256 {card.sha256}; got {found} in 15 bytes; "
        "nothing was kept; ask the source for this version of phiz"
    )
    assert left(tmp_path) == []


@pytest.mark.parametrize("address", ["http://me:secret@127.0.0.1:9/x", "http://me:secr/et@127.0.0.1:9/x"])
def test_no_password_of_an_address_is_shown(card: ModelCard, address: str) -> None:
    with pytest.raises(ModelError, match=r"^cannot fetch fake from http://127\.0\.0\.1:9/x: ") as caught:
        fetch.fetch(card, address)
    assert "secr" not in str(caught.value)


def test_without_a_network(card: ModelCard) -> None:
    with pytest.raises(ModelError) as caught:
        fetch.fetch(card)  # the card's URL: nobody listens there
    message = str(caught.value)
    assert message.startswith("cannot fetch fake from http://127.0.0.1:9/x.onnx: ")
    assert message.endswith("or copy the file over and run `phiz fetch fake --source FILE`")


def test_what_is_there_is_not_fetched_again(card, fake_model, serve) -> None:
    fetch.fetch(card, str(fake_model))
    server = serve(b"never asked")
    fetch.fetch(card, server.url)
    assert server.asked == []


def test_damaged_weights_are_replaced(card, fake_model) -> None:
    path = fetch.fetch(card, str(fake_model))
    path.write_bytes(b"damaged")
    with pytest.raises(ModelError, match="the weights do not match their card"):
        load_model("fake")
    fetch.fetch(card, str(fake_model))
    load_model("fake")


def test_the_command(card: ModelCard, fake_model: Path) -> None:
    done = CliRunner().invoke(app, ["fetch", "fake", "--source", str(fake_model)])
    assert done.exit_code == 0, done.output
    assert str(model_store.fetched_path(card)) in done.output


def test_a_card_of_before_has_no_url(fake_model: Path, tmp_path: Path) -> None:
    old = json.loads(fake_model.with_suffix(".json").read_text())
    old.pop("url", None)
    assert ModelCard.from_dict(old).url == ""
