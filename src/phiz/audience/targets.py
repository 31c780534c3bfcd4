"""Where signals go: an MQTT broker, an HTTP server, a WebSocket, or lines on standard output."""

from __future__ import annotations

import base64
import http.client
import os
import re
import secrets
import ssl
import time
from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from ..addresses import has_bare_secret, public_address
from ..errors import PhizError
from ..image import display_name
from .delivery import SignalError, Target

#: Seconds that a target has to answer.
PATIENCE = 5.0
#: Topic of a broker's URL that names none.
TOPIC = "phiz/signals"
#: Seconds without a word after which an MQTT broker may take the connection as lost.
KEEP_ALIVE = 60
_PORTS = {"mqtt": 1883, "mqtts": 8883, "http": 80, "https": 443, "ws": 80, "wss": 443}


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A target's URL in parts; name is fit for messages: no user, no password, no path of a web hook."""

    name: str
    scheme: str
    host: str
    port: int
    path: str
    user: str | None
    password: str | None

    @property
    def secure(self) -> bool:
        """Whether what is sent is encrypted."""
        return self.scheme in ("mqtts", "https", "wss")

    def authorization(self, token: str | None) -> dict[str, str]:
        """Return the HTTP header that shows the URL's user and password, else the token, if there is any."""
        if self.user is not None:
            pair = f"{self.user}:{self.password or ''}".encode()
            return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
        return {"Authorization": f"Bearer {token}"} if token else {}


def parse(url: str) -> Address:
    """Return the parts of a target's URL. Raises PhizError without its secrets."""
    name = display_name(public_address(url))
    scheme = url.partition("://")[0].lower()
    if scheme not in _PORTS or "://" not in url:
        known = ", ".join(f"{scheme}://" for scheme in _PORTS)
        raise PhizError(f"--signal {name}: expected - or a URL that begins with one of {known}")
    if has_bare_secret(url) or "@" in url.partition("?")[2]:
        raise PhizError(
            f"--signal {name}: expected @ as %40 and / as %2F in a password, got them as they are"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or _PORTS[scheme]
    except ValueError:
        host, port = None, 0
    if not host or "#" in url:
        raise PhizError(
            f"--signal {name}: expected {scheme}://[USER:PASSWORD@]HOST[:PORT]/..., got another form"
        )
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    if scheme.startswith("mqtt"):
        path = unquote(path.strip("/")) or TOPIC
        if set(path) & set("+#?\0"):
            raise PhizError(f"--signal {name}: expected a topic without + # and ?, got one with")
    else:
        name, path = f"{scheme}://{host}" + (f":{parts.port}" if parts.port else ""), path or "/"
    user = None if parts.username is None else unquote(parts.username)
    password = None if parts.password is None else unquote(parts.password)
    return Address(name, scheme, host, port, path, user, password)


def open_target(url: str, token: str | None = None) -> Target:
    """Return the target of a URL, not connected yet; "-" is standard output.

    token: is shown to HTTP servers and WebSockets whose URL has no user.
    Raises PhizError for a URL that is none, or where the extra `signal` is missing.
    """
    if url == "-":
        return Lines()
    if token is not None and not re.fullmatch("[!-~]+", token):
        raise PhizError("--signal-token-file: expected letters, digits and signs of ASCII alone, got others")
    address = parse(url)
    try:
        if address.scheme.startswith("mqtt"):
            return Mqtt(address)
        return Post(address, token) if address.scheme.startswith("http") else WebSocket(address, token)
    except ModuleNotFoundError as error:
        raise PhizError(
            f'--signal {address.scheme}:// needs {error.name}: pip install "phiz[signal]"'
        ) from error


class _Kept(ABC):
    """A connection that is kept; where it was lost meanwhile it is made anew before anybody is told."""

    def __init__(self, address: Address) -> None:
        self.name, self._address = address.name, address
        self._connection: Any = None

    def send(self, data: bytes) -> None:
        """Send one signal. Raises SignalError."""
        if self._connection is not None:
            try:
                return self._push(data)
            except SignalError:
                self.close()
        try:
            self._connection = self._connect()
            self._push(data)
        except SignalError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._end(connection)

    @abstractmethod
    def _connect(self) -> Any:
        """Return a new connection. Raises SignalError."""

    @abstractmethod
    def _push(self, data: bytes) -> None:
        """Send over the connection. Raises SignalError."""

    def _end(self, connection: Any) -> None:
        connection.close()


class Mqtt(_Kept):
    """A topic of an MQTT 3.1.1 broker; each signal is sent once the broker has confirmed it (QoS 1)."""

    def __init__(self, address: Address) -> None:
        from paho.mqtt import client, enums

        super().__init__(address)
        self._mqtt, self._version = client, enums.CallbackAPIVersion.VERSION2

    def _connect(self) -> Any:
        client = self._mqtt.Client(self._version, f"phiz-{secrets.token_hex(8)}")
        client.connect_timeout = PATIENCE
        if self._address.user is not None:
            client.username_pw_set(self._address.user, self._address.password)
        if self._address.secure:
            client.tls_set_context(ssl.create_default_context())
        answers: list[Any] = []
        client.on_connect = lambda client, data, flags, reason, properties: answers.append(reason)
        try:
            client.connect(self._address.host, self._address.port, KEEP_ALIVE)
        except (OSError, ValueError) as error:
            raise SignalError(_reason(error)) from error
        self._loop(client, lambda: bool(answers))
        if answers[0].is_failure:
            raise SignalError(str(answers[0]).lower())
        return client

    def _push(self, data: bytes) -> None:
        sent = self._connection.publish(self._address.path, data, qos=1)
        if sent.rc != self._mqtt.MQTT_ERR_SUCCESS:
            raise SignalError(self._mqtt.error_string(sent.rc))
        self._loop(self._connection, sent.is_published)

    def _loop(self, client: Any, done: Any) -> None:
        """Read and write what there is until something is done."""
        end = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > end:
                raise SignalError(f"no answer within {PATIENCE:.0f} s")
            state = client.loop(0.1)
            if state != self._mqtt.MQTT_ERR_SUCCESS and not done():
                raise SignalError(self._mqtt.error_string(state))

    def _end(self, connection: Any) -> None:
        connection.disconnect()
        connection.loop(0.0)


class Post(_Kept):
    """A URL that gets each signal in the body of a POST."""

    def __init__(self, address: Address, token: str | None) -> None:
        super().__init__(address)
        self._headers = {"Content-Type": "application/json"} | address.authorization(token)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._address.secure else http.client.HTTPConnection
        return kind(self._address.host, self._address.port, timeout=PATIENCE)

    def _push(self, data: bytes) -> None:
        try:
            self._connection.request("POST", self._address.path, data, self._headers)
            answer = self._connection.getresponse()
            rest = answer.read(1 << 16)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SignalError(_reason(error)) from error
        if len(rest) == 1 << 16 or answer.will_close:
            self._connection.close()
        if answer.status >= 300:
            raise SignalError(f"the server answered {answer.status}")


class WebSocket(_Kept):
    """A WebSocket that gets each signal as a text message."""

    def __init__(self, address: Address, token: str | None) -> None:
        from websockets import exceptions
        from websockets.sync import client

        super().__init__(address)
        self._client, self._exceptions = client, exceptions
        self._headers = address.authorization(token)
        self._closing = ExitStack()

    def _connect(self) -> Any:
        at = self._address
        host = f"[{at.host}]" if ":" in at.host else at.host
        try:
            connecting = self._client.connect(
                f"{at.scheme}://{host}:{at.port}{at.path}",
                additional_headers=self._headers,
                open_timeout=PATIENCE,
                close_timeout=1.0,
                proxy=None,
            )
            return self._closing.enter_context(connecting)
        except self._exceptions.InvalidStatus as error:
            raise SignalError(f"the server answered {error.response.status_code}") from error
        except (OSError, self._exceptions.WebSocketException) as error:
            raise SignalError(_reason(error)) from error

    def _push(self, data: bytes) -> None:
        try:
            while True:  # what came meanwhile: unread, it would keep the library from answering pings
                try:
                    self._connection.recv(0)
                except TimeoutError:
                    break
            self._connection.send(data.decode())
        except (OSError, self._exceptions.WebSocketException) as error:
            raise SignalError(_reason(error)) from error

    def _end(self, connection: Any) -> None:
        self._closing.close()


class Lines:
    """JSON lines on standard output."""

    name = "standard output"

    def __init__(self) -> None:
        self._file = os.fdopen(os.dup(1), "wb", 0)
        self._torn = False  # part of a line was written

    def send(self, data: bytes) -> None:
        """Write a line. Raises SignalError, or BrokenPipeError where the reader is gone."""
        rest = memoryview(b"\n" * self._torn + data + b"\n")
        try:
            while rest:
                written = self._file.write(rest)
                self._torn, rest = True, rest[written:]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SignalError(_reason(error)) from error
        self._torn = False

    def close(self) -> None:
        """Close it."""
        self._file.close()


def _reason(error: Exception) -> str:
    """Return why something failed in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE:.0f} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "the connection was lost"
