"""Keep-alive connections under SendGrid's SDK, which by itself opens a new one for each call.

The SDK knows address and headers; `PooledClient` sends over a connection of the pool. Nothing is ever sent twice: a
request that fails on a connection that had been idle may have arrived all the same. So idle connections are looked at
before they are used, and connecting is a step of its own, whose errors prove that nothing has left.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

from python_http_client.client import Client, Response

#: Seconds after which an idle connection is not used any more: well before servers hang up by themselves.
IDLE_S = 20.0


class NotConnected(Exception):
    """No connection could be made, for the reason in `__cause__`; nothing has left."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, with the methods by which the SDK reads it."""

    status: int
    headers: Message
    body: bytes

    def getcode(self) -> int:
        """Return the HTTP status."""
        return self.status

    def info(self) -> Message:
        """Return the headers."""
        return self.headers

    def read(self) -> bytes:
        """Return the body."""
        return self.body


class _TimedSocket:
    """A socket with one deadline for a whole exchange: a server that dribbles holds nobody up."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.deadline = 0.0
        self.idle_since = 0.0

    def hurry(self) -> None:
        """Allow the next operation what is left of the time; raises TimeoutError when nothing is."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the exchange is up")
        self._sock.settimeout(left)

    def sendall(self, data: bytes) -> None:
        """Send; for `http.client`."""
        self.hurry()
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return a reader; for `http.client`."""
        return io.BufferedReader(_TimedReader(self, self._sock.makefile("rb", buffering=0)))

    def is_usable(self) -> bool:
        """Return whether an idle connection is still worth using: fresh enough, and the server has not hung up."""
        if time.monotonic() - self.idle_since > IDLE_S:
            return False
        self._sock.settimeout(0)
        try:
            self._sock.recv(1)  # an end, or an answer to nothing: both mean that it is over
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close; for `http.client`."""
        self._sock.close()


class _TimedReader(io.RawIOBase):
    def __init__(self, timed: _TimedSocket, raw: io.RawIOBase) -> None:
        self._timed = timed
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._timed.hurry()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


@dataclass(frozen=True, slots=True)
class _Line:
    """An open connection and the socket below it."""

    connection: http.client.HTTPConnection
    socket: _TimedSocket


class ConnectionPool:
    """Open connections to one host, used by many threads."""

    def __init__(self, base_url: str, *, timeout_s: float) -> None:
        """Take in where to connect to; nothing is connected yet."""
        self._parts = urlsplit(base_url)
        self._timeout_s = timeout_s
        self._tls = ssl.create_default_context() if self._parts.scheme == "https" else None
        self._idle: deque[_Line] = deque()

    def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request, once, and return its complete answer.

        Raises:
            NotConnected: nothing has left.
            OSError, http.client.HTTPException: the request may have arrived.
        """
        line = self._take()
        line.socket.deadline = time.monotonic() + self._timeout_s
        try:
            line.connection.request("POST", urlsplit(url).path, body, headers)
            response = line.connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            line.connection.close()
            raise
        if line.connection.sock is not None:  # `http.client` has closed it when the server wished so
            line.socket.idle_since = time.monotonic()
            self._idle.append(line)
        return answer

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().connection.close()

    def _take(self) -> _Line:
        while True:
            try:
                line = self._idle.pop()
            except IndexError:
                return self._connect()
            if line.socket.is_usable():
                return line
            line.connection.close()

    def _connect(self) -> _Line:
        host, port = self._parts.hostname or "", self._parts.port
        connection = (
            http.client.HTTPSConnection(host, port, timeout=self._timeout_s, context=self._tls)
            if self._tls is not None
            else http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        )
        connection.auto_open = 0  # a lost connection must fail, not be replaced in silence
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotConnected from error
        timed = _TimedSocket(connection.sock)
        connection.sock = timed  # it has what `http.client` uses
        return _Line(connection, timed)


class PooledClient(Client):
    """The SDK's client, sending through a pool. It raises nothing for a status: the caller reads it."""

    def __init__(self, *, pool: ConnectionPool, **options: Any) -> None:
        super().__init__(**options)
        self._pool = pool

    def _build_client(self, name: str | None = None) -> PooledClient:
        return PooledClient(
            pool=self._pool,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            append_slash=self.append_slash,
            timeout=self.timeout,
        )

    def post(self, request_body: dict[str, Any]) -> Response:
        """Send a body as JSON; in place of the SDK's verb, which makes a `urllib` opener for each call."""
        headers = {**self.request_headers, "Content-Type": "application/json"}
        return Response(self._pool.post(self._build_url(None), headers=headers, body=json.dumps(request_body).encode()))
