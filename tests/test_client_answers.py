"""What answers at a service's address may be anything: the client says so in its own words."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from phiz.client import Client, ServiceError


@contextmanager
def answering(body: bytes, status: int = 200, **headers: str) -> Iterator[str]:
    """Serve the same answer to everything, on the loopback interface; yields the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>a proxy's page</html>",
        b"{}",
        b"[]",
        b'{"results": null}',
        b'{"results": []}',
        b'{"results": [3]}',
        b'{"results": [{}]}',
        b'{"results": [{"faces": [{"box": 3}], "error": null}]}',
        b'{"results": [{"faces": [], "error": 7, "unknown": 1}]}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_another_answer_than_phizs_is_named(body: bytes) -> None:
    with answering(body) as url, Client(url) as client, pytest.raises(ServiceError) as caught:
        client.analyze(b"picture", "a.jpg")
    assert str(caught.value) == (
        f"{url}: expected 1 results as phiz serve gives them, got another answer; check that it is phiz "
        "serve of this version that answers there"
    )


@pytest.mark.parametrize("wait", ["\u00b2", "9" * 400, "-1", "nan", "Wed, 21 Oct 2026 07:28:00 GMT", ""])
def test_a_wait_that_is_no_number_of_seconds_is_not_waited(wait: str) -> None:
    busy = answering(b"{}", 503, **{"Retry-After": wait})
    with busy as url, Client(url) as client, pytest.raises(ServiceError, match="answered 503") as caught:
        client.analyze(b"picture")
    assert caught.value.retry_after is None
