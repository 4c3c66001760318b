"""A signed-in connection: made by `smtplib`, which knows TLS and the ways to authenticate, then used without it."""

from __future__ import annotations

import smtplib
import socket
import ssl
import time
from contextlib import suppress
from functools import cache

import structlog

from campaigns.delivery.providers.answers import CONNECT_ERRORS, Outcome, code_of, smtp_code
from campaigns.delivery.providers.smtp.exchange import Features
from campaigns.delivery.providers.smtp.server import Server
from pulsequill.core.outbound_http import connect_to_mail_server

logger = structlog.get_logger(__name__)

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
#: Seconds after which a connection that nobody used is not trusted any more: what lies between may have forgotten it.
IDLE_S = 60.0


class Refused(Exception):
    """The server could not be reached or does not want us; no message has left."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class _Checked(smtplib.SMTP):
    """Connects to the address that was checked, not to what the name means a moment later (DNS rebinding)."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect_to_mail_server(host, port, timeout)


class _CheckedTls(smtplib.SMTP_SSL, _Checked):
    """The same with TLS from the first byte: `SMTP_SSL` wraps the socket that `_Checked` makes."""


class Session:
    """An open connection, signed in and quiet.

    Attributes:
        sock: the socket, not blocking; an `ssl.SSLSocket` when the connection is secure.
        features: what the server offers.
        started: messages whose envelope was begun on it.
        is_proven: whether it has brought a message to a clear answer.
    """

    def __init__(self, client: smtplib.SMTP) -> None:
        assert client.sock is not None
        self.sock: socket.socket = client.sock
        self.sock.setblocking(False)
        with suppress(OSError):
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        size = client.esmtp_features.get("size", "")
        self.features = Features(
            pipelines=client.has_extn("pipelining"),
            takes_utf8=client.has_extn("smtputf8"),
            size_limit=int(size) if size.isdecimal() else 0,
        )
        self.started = 0
        self.is_proven = False
        self.quiet_since = time.monotonic()
        self._client = client

    def is_fresh(self) -> bool:
        """Return whether it was used a moment ago."""
        return time.monotonic() - self.quiet_since <= IDLE_S

    def is_quiet(self) -> bool:
        """Return whether the server has neither spoken nor hung up since it last answered."""
        try:
            self.sock.recv(1)  # everything was answered: whatever there is to read is no answer
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self, *, says_goodbye: bool = False) -> None:
        """Close the connection.

        Args:
            says_goodbye: send QUIT first, without waiting for its answer: everything that was accepted is answered.
        """
        if says_goodbye:
            with suppress(OSError):
                self.sock.send(b"QUIT\r\n")
        self._client.close()


def open_session(server: Server, *, timeout_s: float, context: ssl.SSLContext | None = None) -> Session:
    """Connect, greet, switch to TLS as the server's security asks, and sign in. Blocks.

    Raises:
        Refused: any of it did not work.
    """
    context = context or _system_trust()
    client: smtplib.SMTP | None = None
    try:
        if server.security == "tls":
            client = (_CheckedTls if server.is_checked else smtplib.SMTP_SSL)(
                server.host, server.port, local_hostname=_our_name(), timeout=timeout_s, context=context
            )
        else:
            kind = _Checked if server.is_checked else smtplib.SMTP
            client = kind(server.host, server.port, local_hostname=_our_name(), timeout=timeout_s)
        _greet(client, server, context)
        return Session(client)
    except Exception as error:
        if client is not None:
            client.close()
        raise Refused(_outcome_of(error)) from error


def _greet(client: smtplib.SMTP, server: Server, context: ssl.SSLContext) -> None:
    client.ehlo_or_helo_if_needed()
    is_secure = server.security == "tls"
    if server.security in ("starttls", "auto") and client.has_extn("starttls"):
        client.starttls(context=context)
        client.ehlo()
        is_secure = True
    if not is_secure and (server.security == "starttls" or (server.user and server.host not in LOCAL_HOSTS)):
        raise Refused(Outcome("tls_required"))
    if server.user:
        try:
            client.login(server.user, server.password)
        except smtplib.SMTPResponseException:
            raise
        except (smtplib.SMTPServerDisconnected, ssl.SSLError):
            raise
        except smtplib.SMTPException as error:  # it offers no way to sign in, or none that we know
            raise Refused(Outcome("smtp_auth_5xx", detail=str(error))) from error


def _outcome_of(error: Exception) -> Outcome:
    if isinstance(error, Refused):
        return error.outcome
    if isinstance(error, smtplib.SMTPResponseException):
        step = "auth" if isinstance(error, smtplib.SMTPAuthenticationError) else "connect"
        words = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return Outcome(smtp_code(step, error.smtp_code), detail=f"{error.smtp_code} {words}")
    if isinstance(error, smtplib.SMTPServerDisconnected):  # `smtplib` says so of a silent server too
        error = error.__context__ if isinstance(error.__context__, OSError) else ConnectionResetError(str(error))
    code = code_of(error, CONNECT_ERRORS, "")
    if not code:
        logger.error("smtp_connect_error", exc_info=error)
    return Outcome(code or "connection_failed", detail=str(error)[:100])


@cache
def _system_trust() -> ssl.SSLContext:
    """Return whom the system trusts; reading its certificates takes longer than a handshake."""
    return ssl.create_default_context()


@cache
def _our_name() -> str:
    """Return how we greet: this machine's name, or its address as a literal (RFC 5321 section 4.1.3)."""
    name = socket.getfqdn()
    if "." in name:
        return name
    with suppress(OSError):
        return f"[{socket.gethostbyname(socket.gethostname())}]"
    return "[127.0.0.1]"
