"""Reading SMTP replies from a stream of bytes (RFC 5321 section 4.2)."""

from __future__ import annotations

from collections.abc import Iterator

#: RFC 5321 allows 512 bytes; servers write longer ones. Beyond this it is not a reply but a flood.
LINE_LIMIT = 8192
LINES_LIMIT = 200


class Garbled(Exception):
    """What the server says is no SMTP reply, or no reply to anything that we asked."""


class ReplyReader:
    """Cuts a stream into replies; keeps what is not complete yet."""

    def __init__(self) -> None:
        self._rest = b""
        self._status = b""
        self._texts: list[bytes] = []

    def read(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Take in bytes, and yield each reply that they complete: its code and its text, lines joined by a space.

        Raises:
            Garbled: they are no SMTP replies. What was complete before has been yielded.
        """
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            reply = self._line(line)
            if reply is not None:
                yield reply
        if len(self._rest) > LINE_LIMIT:
            raise Garbled("a line without an end")

    def _line(self, line: bytes) -> tuple[int, bytes] | None:
        """Return the reply that a line completes, if it does: a hyphen after the code says that more lines follow."""
        status, mark = line[:3], line[3:4]
        if not (status.isdigit() and b"200" <= status < b"600" and mark in b" -\r" and len(line) <= LINE_LIMIT):
            raise Garbled(line[:60].decode("utf-8", "replace"))
        if self._status and status != self._status:
            raise Garbled(f"a reply that is both {self._status.decode()} and {status.decode()}")
        if mark == b"-":
            self._status = status
            self._texts.append(line[4:].strip())
            if len(self._texts) > LINES_LIMIT:
                raise Garbled("a reply without an end")
            return None
        text = line[4:].strip()
        if self._texts:
            text = b" ".join([*self._texts, text])
            self._status, self._texts = b"", []
        return int(status), text
