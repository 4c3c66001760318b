"""Tokens in addresses that people get: stopping a mailed report, and reading a shared one."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.conf import settings

from pulsequill.core.signing import BadSignature, sign, unsign

_STOP = "stop a report"
#: 192 bits: nobody finds a link by trying.
_SHARE_BYTES = 24


def stop_url(recipient_id: UUID) -> str:
    """Return the address at which somebody stops getting a report."""
    return f"{settings.PUBLIC_URL}/r/stop/{stop_token(recipient_id)}"


def stop_token(recipient_id: UUID) -> str:
    """Return the token of `/r/stop/<token>`."""
    return sign(_STOP, recipient_id.bytes)


def read_stop_token(token: str) -> UUID:
    """Return the recipient of a token.

    Raises:
        BadSignature: we did not make this token.
    """
    payload = unsign(_STOP, token)
    if len(payload) != 16 or stop_token(UUID(bytes=payload)) != token:
        raise BadSignature("not canonical")
    return UUID(bytes=payload)


def new_share_token() -> str:
    """Return a token that nobody can guess; only its hash is kept."""
    return secrets.token_urlsafe(_SHARE_BYTES)


def share_url(token: str) -> str:
    """Return the address of a shared report."""
    return f"{settings.PUBLIC_URL}/r/{token}"
