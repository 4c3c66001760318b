"""Signed tokens of the links that stand in mails: unsubscribe and preferences.

A token names a contact and the message it came from, and nothing a stranger could read. It never expires: CASL asks for
60 days, and a reader who finds an old mail means what they click.
"""

from __future__ import annotations

import struct
from uuid import UUID

from pulsequill.core.signing import BadSignature, sign, unsign

_LAYOUT = struct.Struct(">16sq")

_UNSUBSCRIBE = "unsubscribe"
_PREFERENCES = "preferences"


def unsubscribe_token(contact_id: UUID, message_id: int) -> str:
    """Return the token of `/u/<token>`; `message_id` 0 when no message carried the link."""
    return sign(_UNSUBSCRIBE, _LAYOUT.pack(contact_id.bytes, message_id))


def read_unsubscribe_token(token: str) -> tuple[UUID, int]:
    """Return contact id and message id.

    Raises:
        BadSignature: the token is not ours, or was altered.
    """
    return _read(_UNSUBSCRIBE, token)


def preferences_token(contact_id: UUID, message_id: int) -> str:
    """Return the token of `/p/<token>`."""
    return sign(_PREFERENCES, _LAYOUT.pack(contact_id.bytes, message_id))


def read_preferences_token(token: str) -> tuple[UUID, int]:
    """Return contact id and message id.

    Raises:
        BadSignature: the token is not ours, or was altered.
    """
    return _read(_PREFERENCES, token)


def _read(purpose: str, token: str) -> tuple[UUID, int]:
    payload = unsign(purpose, token)
    if len(payload) != _LAYOUT.size:
        raise BadSignature("wrong length")
    contact, message_id = _LAYOUT.unpack(payload)
    return UUID(bytes=contact), message_id
