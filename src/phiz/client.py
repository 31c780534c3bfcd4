"""A client of `phiz serve`, for programs that have phiz but should not do its work themselves.

It needs the standard library alone, so that a small board or a job can use it without another package.
One client keeps one connection and belongs to one thread; threads make one each.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode, urlsplit

from .addresses import public_address
from .errors import PhizError
from .types import Face, Result

#: A picture to send: its encoded bytes, or a file's path.
Source = bytes | bytearray | memoryview | str | os.PathLike[str]


#: What phiz calls a picture without a name in the text of an error.
NAMELESS = "picture bytes"


class ServiceError(PhizError):
    """The service refused a request, or there was none to be reached.

    status, code: of the HTTP answer, None where there was no answer; docs/service.md lists the codes.
    retry_after: seconds after which the service thinks another try worthwhile, None where it says nothing.
    """

    def __init__(
        self,
        message: str,
        status: int | None = None,
        retry_after: float | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.retry_after, self.code = status, retry_after, code


class Client:
    """A connection to a service.

    url: the service's address such as "http://127.0.0.1:8000"; https is understood.
    token: what the service asks of its clients, or None.
    timeout: seconds to wait for the connection and for each answer.
    retries: how many more times to ask a service that says it is busy (429, 503), after the wait it names.
    coverage, min_gender_score, strict: how cautious answers shall be, as for `phiz.Analyzer`.
    Raises ValueError for another kind of address.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        timeout: float = 60.0,
        retries: int = 3,
        coverage: float = 0.9,
        min_gender_score: float = 0.5,
        strict: bool = False,
    ) -> None:
        parts, self._name = urlsplit(url), public_address(url)
        kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        try:
            port, host = parts.port, parts.hostname
        except ValueError:  # it names what it took for the port: a part of a password, perhaps
            port, host = None, None
        if parts.scheme not in kinds or not host:
            raise ValueError(f"expected an address such as http://127.0.0.1:8000, got {self._name!r}")
        self._root, self._retries = parts.path.rstrip("/"), retries
        self._connection = kinds[parts.scheme](host, port, timeout=timeout)
        asked = {"coverage": coverage, "min_gender_score": min_gender_score, "strict": str(strict).lower()}
        self._analyze = f"/v1/analyze?{urlencode(asked)}"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def analyze(self, source: Source, name: str | None = None) -> Result:
        """Return the faces of one picture; `error` is set where the service cannot read it.

        name: what the result calls the picture; by default its path. Raises ServiceError, or OSError where
        the file cannot be read.
        """
        return self.analyze_many([(name, source)])[0]

    def analyze_many(self, sources: Iterable[Source | tuple[str | None, Source]]) -> list[Result]:
        """Return one result per picture, in order, from one request.

        sources: pictures, or (name, picture) pairs. Raises as `analyze`; the service bounds their number.
        """
        named = [source if isinstance(source, tuple) else (None, source) for source in sources]
        pictures = [_named_bytes(name, source) for name, source in named]
        if not pictures:
            return []
        boundary = secrets.token_hex(16)
        body = b"".join(_part(boundary, data) for _, data in pictures) + f"--{boundary}--\r\n".encode()
        answer = self._ask(
            "POST", self._analyze, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        )
        try:
            results = answer["results"]
            return [_result(plain, name) for plain, (name, _) in zip(results, pictures, strict=True)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ServiceError(
                f"{self._name}: expected {len(pictures)} results as phiz serve gives them, got another "
                "answer; check that it is phiz serve of this version that answers there"
            ) from error

    def models(self) -> dict[str, Any]:
        """Return what /v1/models tells: the model and detector in use, bounds, and every model's card."""
        return self._ask("GET", "/v1/models")

    def ready(self) -> bool:
        """Whether the service would take on new pictures now."""
        try:
            self._once("GET", "/readyz", None, {})
        except ServiceError:
            return False
        return True

    def close(self) -> None:
        """End the connection; the next request would open it again."""
        self._connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a request, again where the service is busy, and return the decoded answer."""
        for left in reversed(range(self._retries + 1)):
            try:
                return self._once(method, path, body, headers or {})
            except ServiceError as error:
                if not left or error.retry_after is None:
                    raise
                time.sleep(error.retry_after)
        raise AssertionError("unreachable: the last try returns or raises")

    def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        fresh = self._connection.sock is None
        try:
            self._connection.request(method, self._root + path, body, headers | self._headers)
            response = self._connection.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            # A kept connection may have been closed by the service meanwhile: ask once more on a new one.
            if not fresh and isinstance(error, (ConnectionError, http.client.RemoteDisconnected)):
                return self._once(method, path, body, headers)
            raise ServiceError(f"no answer from {self._name}: {error or type(error).__name__}") from error
        answer = _decoded(data)
        if response.status == 200 or (response.status == 422 and "results" in answer):
            return answer
        wait = response.getheader("Retry-After", "")
        raise ServiceError(
            f"{self._name} answered {response.status}: {answer.get('detail', response.reason)}",
            response.status,
            float(wait) if re.fullmatch("[0-9]{1,6}", wait) else None,
            answer.get("code"),
        )


def _decoded(data: bytes) -> dict[str, Any]:
    """Return an answer's JSON object, empty where it is none (a proxy's own page, for one)."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _named_bytes(name: str | None, source: Source) -> tuple[str | None, bytes]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return name, bytes(source)
    return os.fspath(source) if name is None else name, Path(source).read_bytes()


def _part(boundary: str, data: bytes) -> bytes:
    # The picture's name stays with the client: the service needs none, and quoting rules differ.
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="pictures"; filename=""\r\n\r\n'
    return head.encode() + data + b"\r\n"


def _result(plain: dict[str, Any], name: str | None) -> Result:
    """Turn one result of the service back into what `Result.to_dict` was given."""
    faces = tuple(map(_face, plain["faces"]))
    error = plain["error"]
    plain = {name: value for name, value in plain.items() if name != "code"}
    if error is not None and name is not None:
        error = name + error.removeprefix(NAMELESS)
    return Result(**{**plain, "path": name, "faces": faces, "error": error})


def _face(plain: dict[str, Any]) -> Face:
    interval = plain["age_interval"]
    tuples = {
        "box": tuple(plain["box"]),
        "keypoints": tuple(map(tuple, plain["keypoints"])),
        "age_interval": None if interval is None else tuple(interval),
        "flags": tuple(plain["flags"]),
    }
    return Face(**{**plain, **tuples})
