"""A real SMTP server (aiosmtpd) that keeps what it takes and misbehaves as told.

How it misbehaves hangs on the recipient's local part, so that a batch can mix everything: `full` 452 at RCPT, `gone`
550 at RCPT, `spam` 554 after the message, `later` 451 after the message, `drop` takes the message and hangs up without
a word, `dropbefore` hangs up at RCPT, `closing` 421 at RCPT, `slow` takes the message and answers after the client's
patience.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

SLOW_S = 2.0
_RCPT = {"full": "452 4.2.2 mailbox full", "gone": "550 5.1.1 no such user"}
_DATA = {"spam": "554 5.7.1 looks like spam", "later": "451 4.3.0 try later"}


class Sink:
    """The handler: keeps every message it has taken, with its envelope."""

    def __init__(self, *, is_pipelining: bool = True) -> None:
        self.is_pipelining = is_pipelining
        self.taken: list[tuple[str, str, bytes]] = []
        self.sessions = 0
        self.most_ahead = 0
        self._lock = threading.Lock()

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        with self._lock:
            self.sessions += 1
        if self.is_pipelining:
            responses.insert(1, "250-PIPELINING")
        return responses

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        local = address.partition("@")[0].rstrip("0123456789")
        if local in _RCPT:
            return _RCPT[local]
        if local == "dropbefore":
            server.transport.abort()
            return "421 gone"
        if local == "closing":
            return "421 4.3.2 shutting down"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        address = envelope.rcpt_tos[0]
        local = address.partition("@")[0].rstrip("0123456789")
        if local in _DATA:
            return _DATA[local]
        with self._lock:
            self.taken.append((envelope.mail_from, address, envelope.content))
        if local == "drop":
            server.transport.abort()
        if local == "slow":
            await asyncio.sleep(SLOW_S)
        return f"250 2.0.0 Ok: queued as {len(self.taken):06X}"

    @property
    def addresses(self) -> list[str]:
        """To whom messages were taken, sorted."""
        with self._lock:
            return sorted(address for _sender, address, _content in self.taken)


class _Controller(Controller):
    def __init__(self, sink: Sink, *, server_options: dict[str, Any], wrap: ssl.SSLContext | None = None) -> None:
        self.server_options = server_options
        super().__init__(sink, hostname="127.0.0.1", port=0, ssl_context=wrap)

    def factory(self) -> SMTP:
        return SMTP(self.handler, enable_SMTPUTF8=True, data_size_limit=None, **self.server_options)

    def _trigger_server(self) -> None:
        """Make aiosmtpd build its first session; its own check would connect to port 0."""
        with socket.create_connection(("127.0.0.1", self.bound_port), timeout=5):
            self._factory_invoked.wait(5)

    @property
    def bound_port(self) -> int:
        return int(self.server.sockets[0].getsockname()[1])


@contextmanager
def smtp_server(
    *,
    is_pipelining: bool = True,
    tls: str = "",
    certificate: Path | None = None,
    login: tuple[str, str] | None = None,
) -> Iterator[tuple[Sink, int]]:
    """Run a server; yields its sink and port.

    Args:
        is_pipelining: whether EHLO offers PIPELINING.
        tls: "" for none, "starttls" to offer it, "wrapped" for TLS from the first byte.
        certificate: PEM with key, for either kind of TLS.
        login: user and password that are demanded.
    """
    sink = Sink(is_pipelining=is_pipelining)
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    options: dict[str, Any] = {}
    if tls == "starttls":
        options["tls_context"] = context
    if login is not None:

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
            given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else ("", "")
            return AuthResult(success=given == login, handled=False)

        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": bool(tls == "starttls")}
    controller = _Controller(sink, server_options=options, wrap=context if tls == "wrapped" else None)
    controller.start()
    try:
        yield sink, controller.bound_port
    finally:
        controller.stop(no_assert=True)


def make_certificate(folder: Path) -> Path:
    """Write a self-signed certificate for 127.0.0.1 and localhost, with its key, and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path
