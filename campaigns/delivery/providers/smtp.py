"""Own SMTP: persistent connections, pipelined as RFC 2920 allows, several at a time.

One write carries the body of a message and the envelope of the next, so a message costs one round trip. Where a server
does not offer PIPELINING, each command waits for its reply.
"""

from __future__ import annotations

import smtplib
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Literal
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from campaigns.delivery.providers.answers import (
    CONNECT_ERRORS,
    EXCHANGE_ERRORS,
    NOT_SENT,
    Outcome,
    code_of,
    smtp_code,
)
from campaigns.delivery.providers.base import TIMEOUT_S, Brake, OutgoingMessage, Provider, Witness

#: Messages of a claim for each connection: the bound of what one kill can put in doubt, times the connections.
MESSAGES_PER_CONNECTION = 50
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
DEFAULT_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the mail server is and how we sign in."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    is_tls: bool = False

    @classmethod
    def from_url(cls, url: str) -> Server:
        """Read `smtp[s]://user:password@host:port`; user and password may be percent-encoded.

        Raises:
            ImproperlyConfigured: it is not such an address.
        """
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ImproperlyConfigured("SMTP_URL must look like smtp://user:password@host:port (or smtps://).")
        return cls(
            host=parts.hostname,
            port=parts.port or DEFAULT_PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            is_tls=parts.scheme == "smtps",
        )


class Refused(Exception):
    """The server could not be reached or does not want us; no message has left."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class Connection:
    """One open session that carries one message after another."""

    def __init__(self, server: Server, *, timeout_s: float, context: ssl.SSLContext | None = None) -> None:
        """Connect, greet, switch to TLS when the server offers it, and sign in.

        Raises:
            Refused: any of it did not work.
        """
        self._server = server
        context = context or ssl.create_default_context()
        try:
            if server.is_tls:
                session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout_s, context=context)
            else:
                session = smtplib.SMTP(server.host, server.port, timeout=timeout_s)
        except smtplib.SMTPResponseException as error:
            raise Refused(_reply_outcome("connect", error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise Refused(Outcome(code_of(error, CONNECT_ERRORS, "connection_failed"))) from error
        self._session = session
        try:
            self._greet(context)
        except Refused:
            session.close()
            raise
        except smtplib.SMTPNotSupportedError as error:
            session.close()
            raise Refused(Outcome("smtp_auth_5xx", detail=str(error))) from error
        except smtplib.SMTPAuthenticationError as error:
            session.close()
            raise Refused(_reply_outcome("auth", error.smtp_code, error.smtp_error)) from error
        except smtplib.SMTPResponseException as error:
            session.close()
            raise Refused(_reply_outcome("connect", error.smtp_code, error.smtp_error)) from error
        except (OSError, smtplib.SMTPException) as error:
            session.close()
            raise Refused(Outcome(code_of(error, CONNECT_ERRORS, "connection_failed"))) from error
        self.pipelines = session.has_extn("pipelining")
        self.takes_utf8 = session.has_extn("smtputf8")
        assert session.sock is not None
        self._socket = session.sock
        self._replies: Any = session.file or session.sock.makefile("rb")

    def _greet(self, context: ssl.SSLContext) -> None:
        session = self._session
        session.ehlo_or_helo_if_needed()
        is_secure = self._server.is_tls
        if not is_secure and session.has_extn("starttls"):
            session.starttls(context=context)
            session.ehlo()
            is_secure = True
        if self._server.user:
            if not is_secure and self._server.host not in LOCAL_HOSTS:
                raise Refused(Outcome("tls_required"))
            session.login(self._server.user, self._server.password)

    def write(self, data: bytes) -> None:
        """Send bytes; raises OSError when the connection is gone."""
        self._socket.sendall(data)

    def reply(self) -> tuple[int, bytes]:
        """Read one reply, which may have several lines.

        Raises:
            OSError: the connection is gone, or the time is up.
        """
        text = []
        while True:
            line = self._replies.readline(8192)
            if not line.endswith(b"\n"):
                raise ConnectionResetError("the server closed the connection")
            text.append(line[4:].strip())
            if line[3:4] != b"-":
                break
        try:
            return int(line[:3]), b" ".join(text)
        except ValueError as error:
            raise ConnectionResetError(f"not an SMTP reply: {line[:60]!r}") from error

    def is_alive(self) -> bool:
        """Ask with RSET whether an idle connection still works."""
        try:
            self.write(b"RSET\r\n")
            return self.reply()[0] == 250
        except OSError:
            return False

    def close(self) -> None:
        """Say goodbye without waiting for an answer: everything that was accepted has been answered."""
        with suppress(OSError):
            self.write(b"QUIT\r\n")
        self._session.close()


def _reply_outcome(step: str, status: int, text: bytes | str) -> Outcome:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return Outcome(smtp_code(step, status), detail=f"{status} {words}")


def _envelope(message: OutgoingMessage) -> list[bytes]:
    utf8 = b"" if message.to.isascii() else b" SMTPUTF8"
    return [
        b"MAIL FROM:<%s>%s\r\n" % (message.mail_from.encode(), utf8),
        b"RCPT TO:<%s>\r\n" % message.to.encode(),
        b"DATA\r\n",
    ]


def _body(mime: bytes) -> bytes:
    """Return the bytes after DATA: dots at line starts doubled (RFC 5321 section 4.5.2), the final dot added."""
    if b"\r\n." in mime:
        mime = mime.replace(b"\r\n.", b"\r\n..")
    return mime + (b".\r\n" if mime.endswith(b"\r\n") else b"\r\n.\r\n")


class _Exchange:
    """Carries messages over one connection until there are none left or the connection is gone."""

    def __init__(
        self,
        connection: Connection,
        take: Callable[[], int | None],
        messages: Sequence[OutgoingMessage],
        settle: Callable[[int, Outcome], None],
        witness: Witness,
    ) -> None:
        self._connection = connection
        self._take = take
        self._messages = messages
        self._settle = settle
        self._witness = witness
        self.is_open = True

    def run(self) -> None:
        """Send what `take` hands out, telling `settle` each outcome."""
        current = self._next()
        if current is not None and self._connection.pipelines:
            self._write_ahead(b"".join(_envelope(self._messages[current])), current)
        while current is not None and self.is_open:
            current = self._carry(current)

    def _next(self) -> int | None:
        while (index := self._take()) is not None:
            if self._messages[index].to.isascii() or self._connection.takes_utf8:
                return index
            self._settle(index, Outcome("smtputf8"))
        return None

    def _write_ahead(self, data: bytes, index: int) -> None:
        try:
            self._connection.write(data)
        except OSError:
            self._lost(index, "dropped_before_data")

    def _lost(self, index: int, code: str) -> None:
        self._settle(index, Outcome(code))
        self.is_open = False

    def _carry(self, index: int) -> int | None:
        """Bring one message to its answer; return the next one, whose envelope may be under way already."""
        try:
            refusal = self._offer(self._messages[index])
        except OSError:
            self._lost(index, "dropped_before_data")
            return None
        if refusal is not None:
            self._settle(index, refusal)
            return self._go_on_after_refusal(refusal)
        following = self._next()
        data = _body(self._messages[index].mime)
        self._witness.starting(self._messages[index])
        if following is not None and self._connection.pipelines:
            data += b"".join(_envelope(self._messages[following]))
        try:
            self._connection.write(data)
            status, text = self._connection.reply()
        except OSError as error:
            timed_out = code_of(error, EXCHANGE_ERRORS, "reset") == "timeout"
            self._lost(index, "timeout" if timed_out else "dropped_after_data")
            if following is not None:
                self._settle(following, NOT_SENT)
            return None
        self._settle(
            index,
            Outcome("accepted", detail=text.decode("utf-8", "replace")[:100], provider_message_id=_queue_id(text))
            if status == 250
            else _reply_outcome("data", status, text),
        )
        if status == 421:
            self.is_open = False
            if following is not None:
                self._settle(following, NOT_SENT)
            return None
        return following

    def _offer(self, message: OutgoingMessage) -> Outcome | None:
        """Go through the envelope; return None when the server waits for the message, else its refusal."""
        refusal: Outcome | None = None
        for command, step in zip(_envelope(message), ("mail", "rcpt", "data"), strict=True):
            if not self._connection.pipelines:
                self._connection.write(command)
            status, text = self._connection.reply()
            if status == 421:
                self.is_open = False
                return _reply_outcome(step, status, text)
            wanted = 354 if step == "data" else 250
            if refusal is None and status != wanted and not (step == "rcpt" and status == 251):
                refusal = _reply_outcome(step, status, text)
                if not self._connection.pipelines:
                    return refusal
            elif refusal is not None and step == "data" and status == 354:
                # RFC 2920 section 3.1: the server took DATA without a recipient; an empty message ends it.
                self._connection.write(b".\r\n")
                self._connection.reply()
        return refusal

    def _go_on_after_refusal(self, refusal: Outcome) -> int | None:
        if refusal.code == "smtp_closing":
            return None
        try:
            self._connection.write(b"RSET\r\n")
            self._connection.reply()
        except OSError:
            self.is_open = False
            return None
        following = self._next()
        if following is not None and self._connection.pipelines:
            self._write_ahead(b"".join(_envelope(self._messages[following])), following)
        return following


def _queue_id(text: bytes) -> str:
    """Return the server's queue id from `2.0.0 Ok: queued as 4F1A`, or nothing when it tells none."""
    words = text.decode("ascii", "replace").split()
    return words[-1][:120] if len(words) > 1 and b"queued as" in text.lower() else ""


class SmtpProvider(Provider):
    """Hands messages to one mail server over as many connections as `SEND_CONCURRENCY` says."""

    name: ClassVar[str] = "smtp"
    content: ClassVar[Literal["mime", "parts"]] = "mime"
    reports_delivery: ClassVar[bool] = False

    def __init__(
        self,
        *,
        url: str = "",
        connections: int = 0,
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Read the server's address; nothing is connected before the first batch.

        Raises:
            ImproperlyConfigured: there is no usable SMTP_URL.
        """
        self._server = Server.from_url(url or settings.SMTP_URL)
        self._connections = connections or settings.SEND_CONCURRENCY
        self._timeout_s = timeout_s
        self._context = context
        self._idle: deque[Connection] = deque()

    @property
    def claim_size(self) -> int:
        """A bounded share for each connection."""
        return self._connections * MESSAGES_PER_CONNECTION

    def send_batch(self, messages: Sequence[OutgoingMessage], *, brake: Brake, witness: Witness) -> list[Outcome]:
        """Spread the batch over the connections; a message whose connection broke keeps its own outcome."""
        outcomes: list[Outcome] = [NOT_SENT] * len(messages)
        waiting = deque(range(len(messages)))

        def take() -> int | None:
            if not brake.may_start():
                return None
            try:
                return waiting.popleft()
            except IndexError:
                return None

        def settle(index: int, outcome: Outcome) -> None:
            witness.settled(messages[index], outcome)
            outcomes[index] = brake.note(outcome)

        def carry() -> None:
            while waiting and brake.may_start():
                try:
                    connection = self._open()
                except Refused as refusal:
                    # One message bears the refusal; the others were not tried and go back to the queue.
                    if brake.tripped_by is None and waiting:
                        settle(waiting.popleft(), refusal.outcome)
                    return
                exchange = _Exchange(connection, take, messages, settle, witness)
                exchange.run()
                if exchange.is_open:
                    self._idle.append(connection)
                else:
                    connection.close()

        count = min(self._connections, len(messages))
        if count <= 1:
            carry()
        else:
            with ThreadPoolExecutor(count, thread_name_prefix="smtp") as pool:
                for future in [pool.submit(carry) for _ in range(count)]:
                    future.result()
        return outcomes

    def _open(self) -> Connection:
        while True:
            try:
                connection: Any = self._idle.pop()
            except IndexError:
                return Connection(self._server, timeout_s=self._timeout_s, context=self._context)
            if connection.is_alive():
                return connection  # type: ignore[no-any-return]
            connection.close()

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()
