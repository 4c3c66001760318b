"""What people and programs may enter for a provider: shapes, limits and addresses, refused field by field."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.conf import settings

from campaigns.domain_names import ascii_domain
from campaigns.models import SmtpServer
from pulsequill.core.errors import FieldError, Invalid
from pulsequill.core.outbound_http import RefusedAddress, check_mail_server

REGIONS = ("global", "eu")
#: What stands in `ProviderSettings.options`.
OPTIONS = ("region", "webhook_public_key")
MOST_PER_SECOND = 10_000
MOST_WARM_UP_DAYS = 90
MOST_A_DAY = 10_000_000

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_API_KEY = re.compile(r"SG\.[\w-]+\.[\w-]+", re.ASCII)
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
#: Whole-number fields of a server: the least and the most.
_RANGES: dict[str, tuple[int, int]] = {
    "port": (1, 65535),
    "weight": (1, 100),
    "max_connections": (1, 64),
    "messages_per_connection": (0, 1_000_000),
}
_DEFAULTS: dict[str, Any] = {
    "port": 587, "security": "starttls", "username": "", "weight": 1, "max_connections": 8,
    "messages_per_connection": 0,
}  # fmt: skip


def refuse(field: str, code: str, detail: str) -> Invalid:
    """Return the refusal of one field."""
    return Invalid(detail, errors=[FieldError(field, code, detail)])


def _whole(value: Any, field: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise refuse(field, "out_of_range", f"Enter a whole number from {least:,} to {most:,}.")
    return value


def _secret(value: str, field: str, most: int) -> str:
    if len(value) > most or not value.isascii() or not value.isprintable():
        raise refuse(
            field, "bad_secret", f"Only ASCII characters, at most {most}, and no line breaks can be used here."
        )
    return value


# --- settings --------------------------------------------------------------------------------------------------------
def read_settings(provider: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of a provider's settings as they are stored.

    Raises:
        Invalid: a value is not valid, or means nothing to this provider.
    """
    cleaned: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in _READERS or (name in _SENDGRID_ONLY and provider != "sendgrid"):
            raise refuse(name, "not_allowed", "This provider has no such setting.")
        cleaned[name] = _READERS[name](value)
    if cleaned.get("warm_up_plan") and not cleaned.get("warm_up_start_date", True):
        raise refuse("warm_up_start_date", "required", "Say on which day the warm-up begins.")
    return cleaned


def _api_key(value: Any) -> str:
    text = str(value or "").strip()
    if text and not _API_KEY.fullmatch(_secret(text, "api_key", 200)):
        raise refuse("api_key", "bad_api_key", "This is not a SendGrid API key; they begin with SG. and have two dots.")
    return text


def _region(value: Any) -> str:
    if value not in REGIONS:
        raise refuse("region", "invalid_choice", "Choose global or eu.")
    return str(value)


def _webhook_public_key(value: Any) -> str:
    """Return the key as base64 on one line; PEM lines around it are taken off."""
    lines = str(value or "").strip().splitlines()
    text = "".join(line.strip() for line in lines if not line.startswith("-----"))
    if not text:
        return ""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _bad_public_key() from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise _bad_public_key()
    return text


def _bad_public_key() -> Invalid:
    return refuse("webhook_public_key", "bad_key", "Copy the whole verification key that SendGrid shows.")


def _rate(value: Any) -> int | None:
    return _whole(value, "rate_per_second", 1, MOST_PER_SECOND) if value is not None else None


def _start_date(value: Any) -> date | None:
    if value is not None and not isinstance(value, date):
        raise refuse("warm_up_start_date", "invalid", "This is not a date.")
    return value


def _plan(value: Any) -> list[int]:
    days = list(value or [])
    if len(days) > MOST_WARM_UP_DAYS:
        raise refuse("warm_up_plan", "too_many", f"A warm-up has at most {MOST_WARM_UP_DAYS} days.")
    return [_whole(most, "warm_up_plan", 1, MOST_A_DAY) for most in days]


_SENDGRID_ONLY = frozenset({"api_key", "region", "webhook_public_key"})
_READERS: dict[str, Any] = {
    "api_key": _api_key,
    "region": _region,
    "webhook_public_key": _webhook_public_key,
    "rate_per_second": _rate,
    "warm_up_start_date": _start_date,
    "warm_up_plan": _plan,
}


# --- mail servers ----------------------------------------------------------------------------------------------------
def server_key(fields: Mapping[str, Any]) -> tuple[str, int]:
    """Return by what a server is known: its host as it is stored, and its port."""
    return _clean_host(fields.get("host")), int(fields.get("port") or _DEFAULTS["port"])


def _clean_host(value: Any) -> str:
    return ascii_domain(str(value or "").strip().strip("[]").rstrip("."))


def _host(value: Any) -> str:
    host = _clean_host(value)
    if not host:
        raise refuse("host", "required", "Enter the name of the server.")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
            raise refuse("host", "bad_host", "This is not the name of a server, such as smtp.example.com.") from None
        if len(labels) == 1 and not settings.IS_LOCAL_RUN:
            raise refuse("host", "bad_host", "Enter the whole name, such as smtp.example.com.") from None
    return host


def read_server(fields: Mapping[str, Any], *, server: SmtpServer | None = None) -> dict[str, Any]:
    """Return the fields of a server as they are stored; `password` only when a new one was given.

    Args:
        fields: what was entered; what is left out keeps its value, or gets the default of a new server.
        server: the server that is changed; None for a new one.

    Raises:
        Invalid: a field is not valid, the server is not one that may be called, or a stored password would go to
            another server or user than it was entered for.
    """
    unknown = fields.keys() - {"host", "password", *_DEFAULTS}
    if unknown:
        raise refuse(min(unknown), "not_allowed", "A server has no such setting.")
    stored = {name: getattr(server, name) for name in ("host", *_DEFAULTS)} if server else {"host": "", **_DEFAULTS}
    wanted = {**stored, **{name: value for name, value in fields.items() if name != "password"}}
    wanted["host"] = _host(wanted["host"])
    for name, (least, most) in _RANGES.items():
        wanted[name] = _whole(wanted[name], name, least, most)
    if wanted["security"] not in SmtpServer.Security.values:
        raise refuse("security", "invalid_choice", "Choose starttls, tls or none.")
    wanted["username"] = _secret(str(wanted["username"] or "").strip(), "username", 254)
    password = _secret(str(fields.get("password") or ""), "password", 500)
    _check_sign_in(wanted, password, server)
    try:
        check_mail_server(wanted["host"], wanted["port"])
    except RefusedAddress as error:
        field = "port" if error.detail.startswith("Port") else "host"
        raise refuse(field, "refused_address", error.detail) from error
    return {**wanted, **({"password": password} if password else {})}


def _check_sign_in(wanted: Mapping[str, Any], password: str, server: SmtpServer | None) -> None:
    username, has_stored = wanted["username"], bool(server and server.password_encrypted)
    if password and not username:
        raise refuse("username", "required", "Enter the user name that belongs to the password.")
    if username and not password and not has_stored:
        raise refuse("password", "required", "Enter the password of this user.")
    is_local = wanted["host"] in _LOCAL_HOSTS
    if username and wanted["security"] == SmtpServer.Security.NONE and not is_local:
        raise refuse("security", "tls_required", "A password is never sent without TLS. Choose STARTTLS or TLS.")
    if server and has_stored and username and not password:
        # A password that cannot be read must not be made to leave for a server of somebody's choice.
        moved = [name for name in ("host", "port", "username") if wanted[name] != getattr(server, name)]
        weaker = server.security != SmtpServer.Security.NONE and wanted["security"] == SmtpServer.Security.NONE
        if moved or weaker:
            raise refuse("password", "required", "The server or user has changed: enter the password again.")
