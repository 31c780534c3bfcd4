"""The service on a real socket: slow senders, lies, the end of the process, memory and disk."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from service import PATIENCE, Gated, Process, grey_picture, live, make_app, request, talk, wait_until
from typer.testing import CliRunner
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from phiz import Analyzer
from phiz.cli import app as command_line
from phiz.data import ASTRONAUT
from phiz.serve import app as application
from phiz.serve import server
from phiz.serve.page import Page

PHOTO = ASTRONAUT.read_bytes()
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    """One process for the tests that leave it as it was."""
    with Process("--max-bytes", "2000000", "--body-seconds", "0.5", "--connections", "40") as process:
        yield process


def alive(process: Process) -> bool:
    return talk(process.port, request(PHOTO)).startswith(OK)


def test_a_picture_over_a_real_connection(process: Process) -> None:
    head, _, body = talk(process.port, request(PHOTO)).partition(b"\r\n\r\n")
    assert head.startswith(OK)
    assert b"server:" not in head.lower()
    assert len(json.loads(body)["results"][0]["faces"]) == 1


def test_a_body_that_does_not_come_in_time(process: Process) -> None:
    answer = talk(process.port, request(PHOTO[:1000], length=len(PHOTO)))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(
        b'{"detail":"expected the whole body within 0.5 seconds, got 1,000 bytes; '
        b'send a smaller picture or use a faster line","code":"body_timeout"}'
    )


def test_a_body_that_drips_is_not_waited_for_either(process: Process) -> None:
    with socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE) as line:
        line.sendall(request(b"", length=len(PHOTO)))
        line.settimeout(0.05)
        answer, end = b"", time.monotonic() + PATIENCE
        while not answer and time.monotonic() < end:
            line.sendall(PHOTO[:1])
            try:
                answer = line.recv(65536)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408 ")


def test_a_length_above_what_comes_before_the_client_leaves(process: Process) -> None:
    assert talk(process.port, request(PHOTO, length=len(PHOTO) + 1), end=True) in (b"",)
    assert alive(process)


def test_a_length_below_what_comes(process: Process) -> None:
    data = request(PHOTO, length=100).replace(b"Connection: close\r\n", b"")
    answers = talk(process.port, data)
    assert answers.startswith(b"HTTP/1.1 422 ")  # the first 100 bytes are no whole picture
    assert b"HTTP/1.1 400 " in answers  # and what follows is no request
    assert alive(process)


def test_a_declared_length_is_refused_before_its_bytes_are_sent(process: Process) -> None:
    answer = talk(
        process.port, request(b"", "Content-Type: image/jpeg", "Expect: 100-continue", length=10**12)
    )
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_a_client_that_sends_too_much_can_still_read_why(process: Process) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=PATIENCE)
    connection.request("POST", "/v1/analyze", bytes(8_000_000), {"Content-Type": "image/jpeg"})
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["detail"][:25]) == (413, "expected a body of at mos")
    connection.request("POST", "/v1/analyze", PHOTO, {"Content-Type": "image/jpeg"})
    with connection.getresponse() as answer:
        assert answer.status == 200  # on the same connection
    connection.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00" + bytes(200),
        b"POST /v1/analyze HTTP/1.1\r\nContent-Length: -5\r\nHost: localhost\r\n\r\n",
        b"POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000,
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: y z\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(process: Process, data: bytes) -> None:
    assert talk(process.port, data).startswith(b"HTTP/1.1 400 ")
    assert alive(process)


def test_paths_that_climb_lead_nowhere(process: Process) -> None:
    for path in ("/../app.py", "/models/../session.py", "/models/%2e%2e/session.py", "//etc/passwd"):
        answer = talk(
            process.port, f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.startswith(b"HTTP/1.1 404 "), path


def test_what_is_too_long_is_not_found_and_fills_no_log() -> None:
    long = "x" * 15_000
    lines = (
        f"GET /{long}",
        f"GET /models/{long}",
        f"GET /{'é' * 2000}",
        f"GET /{'x' * 253}",
        f"{long} /healthz",
    )
    with Process() as process:
        answers = [
            talk(process.port, f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            for line in lines
        ]
        process.terminate()
        process.wait()
        log = process.log.decode().splitlines()
    statuses = [answer[9:12] for answer in answers]
    assert statuses == [b"404", b"404", b"400", b"404", b"405"]  # é is no character of a request line
    assert len(log) <= len(lines)
    assert max(map(len, log)) < 500


def test_more_connections_than_allowed_are_turned_away(process: Process) -> None:
    lines = [socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE) for _ in range(45)]
    try:
        wait_until(lambda: talk(process.port, request(PHOTO)).startswith(b"HTTP/1.1 503 "))
    finally:
        for line in lines:
            line.close()
    wait_until(lambda: alive(process))


def test_frames_over_a_real_websocket(process: Process) -> None:
    with connect(f"ws://127.0.0.1:{process.port}/v1/stream", compression=None) as stream:
        for _ in range(3):
            stream.send(PHOTO)
            assert len(json.loads(stream.recv(PATIENCE))["faces"]) == 1
        # Closed with 1009, which is lost where the connection breaks while the rest is being sent.
        with suppress(ConnectionClosedError):
            stream.send(bytes(5_000_000))
        with pytest.raises(ConnectionClosedError, match=r"1009|no close frame received"):
            stream.recv(PATIENCE)
    assert alive(process)


def test_headers_that_never_end(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.3)
    with live(make_app(analyzer)) as port:
        assert talk(port, b"") == b""
        assert talk(port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") == b""
        done = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        assert talk(port, done + b"GET /heal").startswith(OK)  # the second request never ends
        with connect(f"ws://127.0.0.1:{port}/v1/stream") as stream:  # no longer HTTP: lives on
            time.sleep(0.6)
            stream.send(PHOTO)
            assert len(json.loads(stream.recv(PATIENCE))["faces"]) == 1


def test_an_idle_connection(analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE_SECONDS", 0.2)
    monkeypatch.setattr(server, "HEADER_SECONDS", 1000)
    with live(make_app(analyzer)) as port:
        answer = talk(
            port, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )  # returns once the service closes
        assert answer.startswith(OK)
        assert b"connection: close" not in answer.lower()


def test_a_client_that_never_reads(
    analyzer: Analyzer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(server, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(application, "PAGE", tmp_path)
    monkeypatch.setattr(application, "Page", lambda: Page(tmp_path))
    (tmp_path / "index.html").touch()
    with (tmp_path / "big.bin").open("wb") as file:
        file.truncate(64_000_000)
    app = make_app(analyzer)
    with live(app) as port, socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(b"GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ended = app.state.service.metrics.requests.labels("other", "200")._value
        wait_until(lambda: ended.get() == 1)


def test_under_load_some_are_refused_with_a_wait_and_nobody_is_forgotten(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    with live(make_app(gated, queue=4, max_pictures=4)) as port, ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(talk, port, request(PHOTO)) for _ in range(20)]
        wait_until(lambda: sum(answer.done() for answer in answers) == 16)
        gated.gate.set()
        texts = [answer.result() for answer in answers]
    refused = [text for text in texts if text.startswith(b"HTTP/1.1 429 ")]
    assert len(refused) == 16
    for text in refused:
        assert re.search(rb"\r\nretry-after: [1-9]\d*\r\n", text)
        assert text.endswith(
            b'{"detail":"expected a free place in the queue, got all 4 taken; try again in 1 seconds",'
            b'"code":"busy"}'
        )
    assert sum(text.startswith(OK) for text in texts) == 4


def test_bodies_together_have_a_bound_too(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    app = make_app(gated, max_bytes=100_000, held_bytes=150_000)
    with live(app) as port, ThreadPoolExecutor(1) as pool:
        first = pool.submit(talk, port, request(PHOTO))
        assert gated.begun.acquire(timeout=PATIENCE)
        answer = talk(port, request(bytes(99_000)))
        gated.gate.set()
        assert first.result().startswith(OK)
    assert len(PHOTO) + 99_000 > 150_000 >= len(PHOTO)
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"expected room for the body, got all 150,000 bytes taken; try again in 1 seconds" in answer


def test_an_answer_that_takes_too_long(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    with live(make_app(gated, answer_seconds=0.2)) as port:
        answer = talk(port, request(PHOTO))
        gated.gate.set()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in answer
    assert answer.endswith(
        b'{"detail":"expected an answer within 0.2 seconds, got none; '
        b'send fewer pictures or try again later","code":"answer_timeout"}'
    )


def test_readiness_follows_the_queue(analyzer: Analyzer) -> None:
    gated = Gated(analyzer)
    app = make_app(gated, queue=1, max_pictures=1)
    with TestClient(app) as client, ThreadPoolExecutor(1) as pool:
        assert client.get("/readyz").json() == {"status": "ok"}
        post = pool.submit(client.post, "/v1/analyze", content=PHOTO, headers={"content-type": "image/jpeg"})
        assert gated.begun.acquire(timeout=PATIENCE)
        busy = client.get("/readyz")
        assert (busy.status_code, busy.json()) == (503, {"detail": "busy", "code": "busy"})
        assert client.get("/healthz").status_code == 200
        gated.gate.set()
        assert post.result().status_code == 200


def test_sigterm_finishes_what_was_accepted() -> None:
    with (
        Process("--workers", "1") as process,
        ThreadPoolExecutor(4) as pool,
        connect(f"ws://127.0.0.1:{process.port}/v1/stream") as stream,
    ):
        pictures = [grey_picture(side) for side in (2400, 400, 400)]
        answers = [pool.submit(talk, process.port, request(pictures[0]))]
        wait_until(lambda: queued(process.port) == 1)  # the only worker is at it for a while
        answers += [pool.submit(talk, process.port, request(picture)) for picture in pictures[1:]]
        stream.send(grey_picture(401))
        # One more is still sending when the signal comes.
        slow = socket.create_connection(("127.0.0.1", process.port), timeout=PATIENCE)
        slow.sendall(request(PHOTO)[:5000])
        wait_until(lambda: queued(process.port) == 4)
        process.terminate()
        wait_until(lambda: refuses(process.port))
        slow.sendall(request(PHOTO)[5000:])
        assert slow.recv(65536).startswith(OK)
        slow.close()
        for answer in answers:
            assert answer.result().startswith(OK)
        assert json.loads(stream.recv(PATIENCE))["width"] == 401
        with pytest.raises(ConnectionClosedError, match=r"1012.*the service is ending"):
            stream.recv(PATIENCE)
        assert process.wait() in (0, -15)  # done in good order, then by the signal itself


def queued(port: int) -> float:
    metrics = talk(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").decode()
    return float(re.search(r"^phiz_queue_pictures (\S+)$", metrics, re.MULTILINE)[1])


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False


def test_no_log_says_anything_of_a_picture() -> None:
    name = "holiday-in-rome.jpg"
    form = (
        f'--e\r\nContent-Disposition: form-data; name="x"; filename="{name}"\r\n\r\n'.encode()
        + PHOTO
        + b"\r\n--e--\r\n"
    )
    kind = "Content-Type: multipart/form-data; boundary=e"
    with Process() as process:
        assert name.encode() in talk(process.port, request(form, kind))
        talk(process.port, request(form[:-8], kind))
        talk(process.port, request(b"XYZZY", kind))
        talk(process.port, request(PHOTO[:3000]))
        talk(
            process.port,
            b"GET /healthz?picture=XYZZY HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        )
        talk(process.port, b"XYZZY no request\r\n\r\n")
        with connect(f"ws://127.0.0.1:{process.port}/v1/stream?picture=XYZZY") as stream:
            stream.send(PHOTO[:3000])
            stream.recv(PATIENCE)
        process.terminate()
        process.wait()
        log = process.log.decode()
    assert log.count("POST /v1/analyze") == 4
    assert "GET /healthz 200" in log
    assert name not in log
    assert "XYZZY" not in log
    assert "Traceback" not in log
    for line in log.splitlines():
        assert line.isascii()
        assert len(line) < 200


#: Runs in a process of its own, because an audit hook cannot be taken away again. It notes every file opened
#: for writing and every temporary file, first for Starlette's own parser (the hook must see that one), then
#: for the service.
NO_DISK = """
import os, sys, tempfile, types
from fastapi.testclient import TestClient
from phiz.cli import app as command_line
from phiz.data import ASTRONAUT
from phiz.serve.app import create_app
from phiz.serve.settings import Settings
from phiz import Analyzer

noted, writing = [], os.O_WRONLY | os.O_RDWR | os.O_CREAT
def hook(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & writing:
        noted.append(arguments)
    elif event.startswith(("tempfile.", "os.mkdir", "os.rename", "os.link", "os.symlink")):
        noted.append((event, arguments))

with TestClient(create_app(Analyzer(), Settings(hosts=("testserver",)))) as client:
    photo = ASTRONAUT.read_bytes() + bytes(3_000_000)  # a JPEG may have anything behind its end
    files = [("x", ("a.jpg", photo)), ("x", ("b.jpg", photo))]
    sys.addaudithook(hook)
    control = tempfile.SpooledTemporaryFile(max_size=1 << 20)
    control.write(photo)
    print("control", len(noted) > 0)
    noted.clear()
    answer = client.post("/v1/analyze", files=files)
    raw = client.post("/v1/analyze", content=photo, headers={"content-type": "image/jpeg"})
    with client.websocket_connect("/v1/stream") as stream:
        stream.send_bytes(photo)
        frame = stream.receive_json()
    results = answer.json()["results"] + raw.json()["results"] + [frame]
    print("faces", [len(result["faces"]) for result in results])
    print("written", noted)
"""


def test_a_rebound_name_reaches_no_real_service_and_the_options_let_names_in() -> None:
    def status(port: int, host: str, path: str = "/healthz") -> bytes:
        lines = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        return talk(port, lines.encode())[9:12]

    with Process("--allow-host", "faces.example") as process:
        hosts = ("127.0.0.1", f"localhost:{process.port}", "faces.example:80", "evil.example", "10.0.0.1")
        assert [status(process.port, host) for host in hosts] == [b"200", b"200", b"200", b"400", b"400"]
        upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        asks = f"GET /v1/stream HTTP/1.1\r\nHost: evil.example\r\n{upgrade}{key}\r\n"
        assert talk(process.port, asks.encode(), end=True)[9:12] == b"403"
        bare = b"GET /healthz HTTP/1.0\r\n\r\n"  # a client from before there was a Host
        assert talk(process.port, bare)[9:12] == b"400"
        process.terminate()
        process.wait()
        assert b"caution" not in process.log


@pytest.mark.parametrize(
    ("host", "options", "said"),
    [
        ("0.0.0.0", (), True),
        ("::", (), True),
        ("0.0.0.0", ("--token-file",), False),
        ("127.0.0.1", (), False),
        ("localhost", (), False),
        ("::1", (), False),
    ],
)
def test_a_service_for_others_without_a_token_says_so(
    host: str, options: tuple[str, ...], said: bool, tmp_path: Path
) -> None:
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    (tmp_path / "token").write_text("x" * 20)
    given = [option for name in options for option in (name, str(tmp_path / "token"))]
    with Process("--host", host, *given) as process:
        process.terminate()
        process.wait()
        assert (process.log.decode().strip() == f"phiz: {server.NO_TOKEN}") == said


def test_nothing_is_written_to_disk() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", NO_DISK], capture_output=True, text=True)
    assert done.stdout.splitlines() == ["control True", "faces [1, 1, 1, 1]", "written []"], done.stderr


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    def message(*options: str) -> str:
        done = CliRunner().invoke(command_line, ["serve", *options])
        assert done.exit_code == 2
        return done.output

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        text = f"phiz: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another\n"
        assert message("--port", port) == text
    assert "no model is called 'nobody'" in message("--port", "0", "--model", "nobody")
    (tmp_path / "token").write_text("short")
    assert "at least 16 characters" in message("--token-file", str(tmp_path / "token"))
    assert "expected an origin such as" in message("--allow-origin", "*")
    assert "so the largest request could never be taken on" in message("--queue", "4")
