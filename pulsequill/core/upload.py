"""Taking a request's body in before a thread is spent on it.

The WSGI bridge gives each request a thread. A slow upload would hold one for as long as it lasts, and a client that
leaves in the middle looks to WSGI like the end of its file. So the whole body is received first, in memory or on
disk; Django only ever sees complete ones.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, MutableMapping
from typing import IO, Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]

IN_MEMORY_BYTES = 1024 * 1024
READ_BYTES = 256 * 1024


class ClientLeft(Exception):
    """The client closed the connection before its body was complete: there is nobody to answer."""


class Refused(Exception):
    """The body is not taken; carries the HTTP status and the sentence to answer with."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail


async def receive_body(scope: Scope, receive: Receive, *, max_bytes: int, idle_s: float) -> IO[bytes]:
    """Receive a whole request body into a file that starts in memory and moves to disk when it grows.

    Args:
        scope: the ASGI scope, for its Content-Length.
        receive: the ASGI receive callable.
        max_bytes: largest body that is taken.
        idle_s: longest wait for the next piece.

    Raises:
        ClientLeft: the connection was closed first.
        Refused: too large (413), or nothing came for `idle_s` seconds (408).
    """
    declared = dict(scope["headers"]).get(b"content-length", b"0")
    too_large = Refused(413, "too_large", f"The request is larger than {max_bytes // (1024 * 1024)} MB.")
    if declared.isdigit() and int(declared) > max_bytes:
        raise too_large
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
    size, has_more = 0, True
    try:
        while has_more:
            message = await asyncio.wait_for(receive(), idle_s)
            if message["type"] == "http.disconnect":
                raise ClientLeft
            piece = message.get("body", b"")
            size += len(piece)
            if size > max_bytes:
                raise too_large
            body.write(piece)
            has_more = message.get("more_body", False)
    except TimeoutError as error:
        body.close()
        raise Refused(408, "too_slow", f"Nothing arrived for {idle_s:g} seconds.") from error
    except BaseException:
        body.close()
        raise
    body.seek(0)
    return body


def replay(body: IO[bytes]) -> Receive:
    """Return a receive callable that hands out a body that was received before."""

    async def receive() -> Message:
        piece = body.read(READ_BYTES)
        return {"type": "http.request", "body": piece, "more_body": len(piece) == READ_BYTES}

    return receive


async def refuse(refusal: Refused, send: Send) -> None:
    """Answer a refusal as `application/problem+json` and close the connection, for the rest of the body is not read."""
    problem = json.dumps(
        {
            "type": "about:blank",
            "title": "Request refused",
            "status": refusal.status,
            "code": refusal.code,
            "detail": refusal.detail,
        }
    ).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(problem)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": problem})
