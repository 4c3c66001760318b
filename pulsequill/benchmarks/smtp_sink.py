"""An SMTP server that accepts everything and counts: the receiving end of the sending benchmarks.

Run as `python -m pulsequill.benchmarks.smtp_sink PORT [DELAY_MS]`; with a delay each answer waits so long, as if the
server were a round trip away. It speaks RFC 5321 with PIPELINING (RFC 2920); `XCOUNT` answers
with the number of messages taken so far, `XTALLY` with how many recipients got one and how many got more.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter


class _Counter:
    def __init__(self) -> None:
        self.messages = 0
        self.recipients: Counter[bytes] = Counter()


class _Session(asyncio.Protocol):
    def __init__(self, counter: _Counter, delay_s: float) -> None:
        self.counter = counter
        self.delay_s = delay_s
        self.buffer = bytearray()
        self.in_data = False
        self.recipient = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._answer(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        replies = bytearray()
        while True:
            if self.in_data:
                end = self.buffer.find(b"\r\n.\r\n")
                if end < 0:
                    break
                del self.buffer[: end + 5]
                self.in_data = False
                self.counter.messages += 1
                self.counter.recipients[self.recipient] += 1
                replies += b"250 2.0.0 taken\r\n"
                continue
            end = self.buffer.find(b"\r\n")
            if end < 0:
                break
            line = bytes(self.buffer[:end]).upper()
            del self.buffer[: end + 2]
            replies += self._reply(line)
        if replies:
            self._answer(bytes(replies))

    def _answer(self, replies: bytes) -> None:
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self.transport.write, replies)
        else:
            self.transport.write(replies)

    def _reply(self, line: bytes) -> bytes:
        if line.startswith(b"EHLO"):
            return b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 52428800\r\n"
        if line == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        if line == b"QUIT":
            self.transport.write(b"221 bye\r\n")
            self.transport.close()
            return b""
        if line.startswith(b"RCPT TO:"):
            self.recipient = line
        if line == b"XTALLY":
            counts = self.counter.recipients.values()
            return b"250 %d %d\r\n" % (len(counts), sum(count > 1 for count in counts))
        if line == b"XCOUNT":
            return b"250 %d\r\n" % self.counter.messages
        return b"250 OK\r\n"


async def serve(port: int, *, delay_s: float = 0.0) -> None:
    """Accept mail on 127.0.0.1 until the process is ended; each answer waits `delay_s` seconds."""
    counter = _Counter()
    server = await asyncio.get_running_loop().create_server(lambda: _Session(counter, delay_s), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), delay_s=float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0))
