"""A language model's server with known delays: the far end of the AI benchmarks.

Run as `python -m pulsequill.benchmarks.ai_provider PORT FIRST_MS GAP_MS`. It speaks OpenAI's streamed chat completions
over HTTP/1.1 with connections that stay open, and answers every question with the same passage: the first piece after
FIRST_MS, each next one GAP_MS later.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

PIECES = 20
PASSAGE = "Our harvest roast is back and we are glad to have it again. " * 5
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _event(body: str) -> bytes:
    data = f"data: {body}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(data), data)


def _chunk(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> bytes:
    frame = {"id": "bench", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    return _event(json.dumps({**frame, "choices": choices, "usage": usage}))


def _answer() -> tuple[list[bytes], bytes]:
    """Return the pieces of the answer as they go over the wire, and its end."""
    text = json.dumps({"text": PASSAGE})
    size = -(-len(text) // PIECES)
    pieces = [
        _chunk([{"index": 0, "delta": {"content": text[start : start + size]}, "finish_reason": None}])
        for start in range(0, len(text), size)
    ]
    end = _chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    usage = _chunk([], {"prompt_tokens": 800, "completion_tokens": 80, "total_tokens": 880})
    return pieces, end + usage + _event("[DONE]") + b"0\r\n\r\n"


async def serve(port: int, *, first_s: float, gap_s: float) -> None:
    """Answer on 127.0.0.1 until the process is ended."""
    pieces, end = _answer()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(length.partition(b":")[2]))
                asked_at = asyncio.get_running_loop().time()
                writer.write(HEAD)
                for number, piece in enumerate(pieces):
                    due = asked_at + first_s + number * gap_s
                    await asyncio.sleep(due - asyncio.get_running_loop().time())
                    writer.write(piece)
                writer.write(end)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), first_s=float(sys.argv[2]) / 1000, gap_s=float(sys.argv[3]) / 1000))
