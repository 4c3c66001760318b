"""A mail server of a few lines that keeps to a script: for what aiosmtpd is too well behaved to do.

It takes everything and pipelines, unless a rule says otherwise. A rule answers a line of the client, or the final dot,
or the connection itself, with bytes of its own, and may hang up.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

EHLO = b"250-fake\r\n250-PIPELINING\r\n250-SMTPUTF8\r\n250 SIZE 1000000\r\n"


@dataclass
class Reply:
    """What the server does instead.

    Attributes:
        data: what it says.
        hangs_up: whether it closes the connection then.
        resets: whether it closes so that the client sees a reset.
        byte_delay_s: seconds between two bytes of what it says.
    """

    data: bytes = b""
    hangs_up: bool = False
    resets: bool = False
    byte_delay_s: float = 0.0


@dataclass
class Talk:
    """One connection, as a rule sees it."""

    number: int
    taken: int = 0
    recipient: str = ""


#: Asked with a talk and what the client said (`CONNECT`, a command line in capitals, or `.`): a reply, or None.
Rule = Callable[[Talk, str], Reply | None]


@dataclass
class ScriptedServer:
    """What the server has seen."""

    rule: Rule
    ehlo: bytes = EHLO
    taken: list[tuple[str, bytes]] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)
    open_now: int = 0
    most_open: int = 0
    goodbyes: int = 0
    commands: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    sockets: set[socket.socket] = field(default_factory=set)

    @property
    def addresses(self) -> list[str]:
        """To whom messages were taken, sorted."""
        with self.lock:
            return sorted(address for address, _content in self.taken)

    def hang_up_on_all(self) -> None:
        """Close every connection, as a server does that is restarted."""
        with self.lock:
            for connection in self.sockets:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class _Over(Exception):
    """The connection ends."""


class _Talking:
    def __init__(self, server: ScriptedServer, connection: socket.socket, talk: Talk) -> None:
        self.server = server
        self.connection = connection
        self.talk = talk
        self.lines = connection.makefile("rb")

    def run(self) -> None:
        self._say("CONNECT", b"220 fake ESMTP\r\n")
        while line := self.lines.readline():
            self._take_line(line.rstrip(b"\r\n").decode("utf-8", "replace"))

    def _take_line(self, line: str) -> None:
        verb = line.upper()
        with self.server.lock:
            self.server.commands.append(verb.split(" ")[0])
        if verb.startswith("EHLO"):
            self._say(verb, self.server.ehlo)
        elif verb.startswith("RCPT"):
            self.talk.recipient = line[line.index("<") + 1 : line.index(">")]
            self._say(verb, b"250 2.1.5 Ok\r\n")
        elif verb == "DATA":
            if self._say(verb, b"354 go on\r\n").startswith(b"354"):
                self._take_content()
        elif verb == "QUIT":
            with self.server.lock:
                self.server.goodbyes += 1
            self._say(verb, b"221 bye\r\n")
            raise _Over
        else:
            self._say(verb, b"250 2.0.0 Ok\r\n")

    def _take_content(self) -> None:
        content = bytearray()
        while (line := self.lines.readline()) != b".\r\n":
            if not line:
                raise _Over
            content += line[1:] if line.startswith(b".") else line
        reply = self.server.rule(self.talk, ".")
        is_taken = reply is None or reply.data.startswith(b"2") or not reply.data
        if is_taken:
            with self.server.lock:
                self.server.taken.append((self.talk.recipient, bytes(content)))
            self.talk.taken += 1
        self._do(reply or Reply(b"250 2.0.0 Ok: queued as %d\r\n" % len(self.server.taken)))

    def _say(self, what: str, otherwise: bytes) -> bytes:
        return self._do(self.server.rule(self.talk, what) or Reply(otherwise))

    def _do(self, reply: Reply) -> bytes:
        if reply.byte_delay_s:
            for number in range(len(reply.data)):
                self.connection.sendall(reply.data[number : number + 1])
                time.sleep(reply.byte_delay_s)
        elif reply.data:
            self.connection.sendall(reply.data)
        if reply.resets:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if reply.hangs_up or reply.resets:
            raise _Over
        return reply.data


def nothing_special(_talk: Talk, _what: str) -> Reply | None:
    """The rule of a server that takes everything."""
    return None


@contextmanager
def scripted_smtp_server(rule: Rule = nothing_special, *, ehlo: bytes = EHLO) -> Iterator[tuple[ScriptedServer, int]]:
    """Run a server; yields what it sees and its port."""
    server = ScriptedServer(rule, ehlo)
    listener = socket.create_server(("127.0.0.1", 0))

    def talk_on(connection: socket.socket) -> None:
        with server.lock:
            talk = Talk(len(server.talks))
            server.talks.append(talk)
            server.sockets.add(connection)
            server.open_now += 1
            server.most_open = max(server.most_open, server.open_now)
        talking = _Talking(server, connection, talk)
        with suppress(_Over, OSError):
            talking.run()
        with server.lock:
            server.sockets.discard(connection)
            server.open_now -= 1
        talking.lines.close()
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=talk_on, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server, int(listener.getsockname()[1])
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.hang_up_on_all()
