"""A connection to a provider that another thread can cut, and a reader that never blocks whoever listens.

A provider that thinks is silent for up to a minute. Whoever waits must be able to stop, and stopping must reach the
provider, or it goes on writing what nobody wants. So each call reads in a thread of its own, and cutting shuts the
socket down, which wakes a blocked read (closing it would not). The socket is learned through httpcore's `trace`
extension (https://www.encode.io/httpcore/extensions/#trace).
"""

from __future__ import annotations

import contextvars
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

_T = TypeVar("_T")

#: How often a listener hears that there is nothing new.
SILENCE_S = 0.25
_CONNECTED = frozenset({"connection.connect_tcp.complete", "connection.start_tls.complete"})


@cache
def _tls() -> ssl.SSLContext:
    """Return the process' TLS settings: reading the certificates costs more than a connection."""
    return ssl.create_default_context()


class Line:
    """The HTTP connection of one call."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_cut = False
        self._http: Any = None

    def http_client(self, make: Callable[..., Any], *, timeout_s: float) -> Any:
        """Return an HTTP client for one call.

        Args:
            make: the `DefaultHttpxClient` of the SDK that will use it.
            timeout_s: for each read.
        """
        self._http = make(timeout=timeout_s, verify=_tls(), event_hooks={"request": [self._watch]})
        return self._http

    @property
    def is_connected(self) -> bool:
        """Whether the provider was reached, so that it may have read the question."""
        return bool(self._sockets)

    def close(self) -> None:
        """Give the connection back when everything has been read."""
        if self._http is not None:
            self._http.close()

    def _watch(self, request: Any) -> None:
        request.extensions = {**request.extensions, "trace": self._traced}

    def _traced(self, event: str, info: dict[str, Any]) -> None:
        if event not in _CONNECTED:
            return
        connected = info["return_value"].get_extra_info("socket")
        if connected is not None:
            self._sockets.append(connected)
            if self._is_cut:
                self.cut()

    def cut(self) -> None:
        """End the connection at once, also one that is being read from, or made."""
        self._is_cut = True
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def read_ahead(pieces: Callable[[], Iterator[_T]], line: Line) -> Iterator[_T | None]:
    """Yield what an iterator brings, and None for each quarter of a second in which it brings nothing.

    Closing this cuts the line.

    Args:
        pieces: called in a thread of its own; whatever it raises is raised here.
        line: what the iterator reads from.
    """
    arrived: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()

    def read() -> None:
        try:
            for piece in pieces():
                arrived.put(("piece", piece))
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
            arrived.put(("error", error))
        else:
            arrived.put(("end", None))
        finally:
            line.close()

    reader = threading.Thread(target=contextvars.copy_context().run, args=(read,), name="ai-reader", daemon=True)
    reader.start()
    try:
        while True:
            try:
                kind, value = arrived.get(timeout=SILENCE_S)
            except queue.Empty:
                yield None
                continue
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        line.cut()
