"""The limit of watching: `python -m pulsequill.benchmarks.bare_socket PORT` sends what is posted to it to all sockets.

Its sockets are those of `pulsequill.web_sockets`, so that what is compared is the way of a frame to them.
"""

from __future__ import annotations

import sys
from typing import Any

import uvicorn

from pulsequill.web_sockets import ImpatientSocket

_sends: set[Any] = set()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Greet each socket, and answer a POST when its body has gone to all of them."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "{}"})
        _sends.add(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass
        _sends.discard(send)
        return
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part["body"], part.get("more_body", False)
    text = body.decode()
    for socket in [*_sends]:
        await socket({"type": "websocket.send", "text": text})
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


if __name__ == "__main__":
    uvicorn.run(application, port=int(sys.argv[1]), ws=ImpatientSocket, lifespan="off", log_level="warning",
                access_log=False)  # fmt: skip
