"""Many sockets in one process that watch a campaign: `python -m pulsequill.benchmarks.watchers`.

Speaks RFC 6455 with a reader of its own, which looks at the head of each frame only, so that watching costs less than
what is watched. It offers compression, as browsers do. Prints one JSON object when the time is up; "watching" goes to
stderr once all sockets are open.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import re
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

OPENING_S = 60
_AT = re.compile(rb'"at":"([^"]+)"')
_OPENS = re.compile(rb'"any_opens":(\d+)')
_SEQ = re.compile(rb'"seq":(\d+)')


@dataclass
class Seen:
    """What all sockets of this process have seen.

    `delays` are seconds from a frame's `at` to its receipt; `counts` pairs of (time of receipt, opened so far).
    """

    opened: int = 0
    closed: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    delays: list[float] = field(default_factory=list)
    counts: list[tuple[float, int]] = field(default_factory=list)


async def _open(url: str, authorization: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=1 << 20)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nAuthorization: {authorization}\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n".encode()
    )
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101"):
        raise ConnectionError(head.split(b"\r\n", 1)[0].decode("latin-1"))
    return reader, writer


async def _read_frame(reader: asyncio.StreamReader, inflate: Callable[[bytes], bytes]) -> tuple[int, bytes]:
    """Return opcode and payload of the next frame; a server's frames are not masked (RFC 6455, 5.1).

    The compressed ones (RFC 7692, 7.2.2) end with four bytes that the server leaves out.
    """
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        length = int.from_bytes(await reader.readexactly(2), "big")
    elif length == 127:
        length = int.from_bytes(await reader.readexactly(8), "big")
    payload = await reader.readexactly(length)
    return first & 0x0F, inflate(payload + b"\0\0\xff\xff") if first & 0x40 else payload


async def _watch(url: str, authorization: str, seen: Seen, ready: asyncio.Event) -> None:
    last = None
    reader, writer = await _open(url, authorization)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS).decompress
    try:
        while True:
            opcode, payload = await _read_frame(reader, inflate)
            now = time.time()
            if opcode == 8:
                seen.closed[str(int.from_bytes(payload[:2], "big"))] += 1
                return
            if opcode == 9:  # answer a ping, masked with zeros
                writer.write(bytes([0x8A, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
                continue
            head = payload[:4000]
            if b'"type":"ping"' in head or b'"type": "ping"' in head:
                continue
            seq = int(found[1]) if (found := _SEQ.search(head)) else 0
            if last is None:
                seen.opened += 1
                if not ready.is_set():
                    await ready.wait()
            else:
                seen.gaps += seq != last + 1
                if moment := _AT.search(head):
                    seen.delays.append(now - datetime.fromisoformat(moment[1].decode()).timestamp())
            last = seq
            if opens := _OPENS.search(payload):
                seen.counts.append((now, int(opens[1])))
    except (asyncio.IncompleteReadError, ConnectionError):
        seen.closed["lost"] += 1
    finally:
        writer.close()


async def watch(url: str, authorization: str, *, sockets: int, seconds: float) -> Seen:
    """Open sockets, wait until each has its snapshot, and read frames for so long.

    Raises:
        ConnectionError: a socket was refused.
        TimeoutError: not all had a snapshot in time.
    """
    seen, ready = Seen(), asyncio.Event()
    tasks = []
    for _ in range(sockets):
        tasks.append(asyncio.create_task(_watch(url, authorization, seen, ready)))
        await asyncio.sleep(0.002)  # not all in one instant: browsers do not either
    async with asyncio.timeout(OPENING_S):
        while seen.opened < sockets:
            for task in tasks:
                if task.done():
                    task.result()
                    raise ConnectionError(f"closed before the first frame: {dict(seen.closed)}")
            await asyncio.sleep(0.05)
    ready.set()
    sys.stderr.write("watching\n")
    sys.stderr.flush()
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks, return_exceptions=True)
    return seen


def percentile(values: list[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values stay under (nearest rank); 0 when there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def main() -> None:
    """Watch, and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="ws://host:port/ws/campaigns/<id>")
    parser.add_argument("--sockets", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--counts", action="store_true", help="Print each count with its time, too.")
    options = parser.parse_args()
    authorization = os.environ["AUTHORIZATION"]  # not an argument: others can read those
    seen = asyncio.run(watch(options.url, authorization, sockets=options.sockets, seconds=options.seconds))
    answer = {
        "opened": seen.opened,
        "closed": seen.closed,
        "gaps": seen.gaps,
        "frames": len(seen.delays),
        "delay_p50_s": round(percentile(seen.delays, 0.5), 3),
        "delay_p95_s": round(percentile(seen.delays, 0.95), 3),
        "delay_max_s": round(max(seen.delays, default=0), 3),
    }
    if options.counts:
        answer["counts"] = seen.counts
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
