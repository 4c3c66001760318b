"""A small keep-alive HTTP/1.1 load generator, cheap enough not to be what is measured."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class LoadResult:
    """Requests per second and the latencies in seconds of one load run."""

    rate: float
    latencies: list[float]
    statuses: dict[int, int]

    def percentile(self, share: float) -> float:
        """Return the latency in seconds that `share` (0 to 1) of the requests stayed under (nearest rank)."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


class _Connection(asyncio.Protocol):
    """Sends its requests one after another and counts whole answers by their Content-Length."""

    def __init__(self, requests: Sequence[bytes], done: asyncio.Future[None], result: LoadResult) -> None:
        self.requests = iter(requests)
        self.done = done
        self.result = result
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send_next()

    def _send_next(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        mark = head.find(b"content-length:")
        length = int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        status = int(head[9:12])
        self.buffer = b""
        self.result.latencies.append(time.perf_counter() - self.sent_at)
        self.result.statuses[status] = self.result.statuses.get(status, 0) + 1
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))


async def _load(port: int, requests: Sequence[bytes], connections: int) -> LoadResult:
    loop = asyncio.get_running_loop()
    result = LoadResult(0.0, [], {})
    waiting = []
    started = time.perf_counter()
    for number in range(connections):
        done = loop.create_future()
        share = requests[number::connections]
        await loop.create_connection(lambda s=share, d=done: _Connection(s, d, result), "127.0.0.1", port)  # type: ignore[misc]
        waiting.append(done)
    await asyncio.gather(*waiting)
    result.rate = len(requests) / (time.perf_counter() - started)
    return result


def load(port: int, requests: Sequence[bytes], *, connections: int) -> LoadResult:
    """Send raw requests over keep-alive connections and wait for every answer.

    Args:
        port: on 127.0.0.1.
        requests: complete HTTP/1.1 requests without a body; answers must carry Content-Length.
        connections: how many run side by side.

    Raises:
        ConnectionError: the server closed a connection before it had answered.
    """
    return asyncio.run(_load(port, requests, connections))
