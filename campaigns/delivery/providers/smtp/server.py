"""Where a mail server is, how we sign in, and how much it may be asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

#: `tls` from the first byte; `starttls` or nothing; `auto` takes STARTTLS where it is offered; `none` never.
Security = Literal["tls", "starttls", "auto", "none"]
#: Scheme of an address: the port that goes without saying, and the security.
SCHEMES: dict[str, tuple[int, Security]] = {"smtp": (587, "auto"), "smtps": (465, "tls")}


@dataclass(frozen=True, slots=True)
class Server:
    """One mail server.

    Attributes:
        host, port: where it listens.
        user, password: how we sign in; without a user we do not.
        security: see `Security`. A password never leaves without TLS, except to this machine itself.
        weight: its share of the messages, relative to the weights of the others.
        max_connections: how many connections one process keeps to it at most.
        messages_per_connection: after so many a connection is closed and opened anew; 0: never.
        is_checked: a workspace named it, not the operator: connections go to public addresses only.
    """

    host: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    security: Security = "starttls"
    weight: int = 1
    max_connections: int = 8
    messages_per_connection: int = 0
    is_checked: bool = False

    @classmethod
    def from_url(cls, url: str, *, max_connections: int = 8) -> Server:
        """Read `smtp[s]://user:password@host:port`; user and password may be percent-encoded.

        Raises:
            ImproperlyConfigured: it is not such an address.
        """
        try:
            parts = urlsplit(url)
            default_port, security = SCHEMES[parts.scheme]
            port = parts.port or default_port
        except (KeyError, ValueError):
            parts = None
        if parts is None or not parts.hostname:
            raise ImproperlyConfigured("SMTP_URL must look like smtp://user:password@host:port (or smtps://).")
        return cls(
            host=parts.hostname,
            port=port,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            security=security,
            max_connections=max_connections,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
