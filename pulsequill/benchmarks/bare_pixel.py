"""The limit of the tracking benchmark: an ASGI application that does nothing but answer with the pixel."""

from __future__ import annotations

from typing import Any

PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
HEADERS = [
    (b"content-type", b"image/gif"),
    (b"content-length", str(len(PIXEL)).encode()),
    (b"cache-control", b"no-store"),
]


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every HTTP request with a one-pixel GIF."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PIXEL})
