"""Signed tokens of the links that stand in mails: unsubscribe, preferences, and the sign-up confirmation.

A token names a contact and the message it came from, and nothing a stranger could read. It never expires: CASL asks for
60 days, and a reader who finds an old mail means what they click.
"""

from __future__ import annotations

import struct
from uuid import UUID

from pulsequill.core.signing import BadSignature, sign, unsign

_LAYOUT = struct.Struct(">16sq")
_PAIR = struct.Struct(">16s16s")

_UNSUBSCRIBE = "unsubscribe"
_PREFERENCES = "preferences"
_CONFIRM = "confirm subscription"


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


def confirm_token(contact_id: UUID, list_id: UUID) -> str:
    """Return the token of `/confirm/<token>`: the contact's own "yes" to one list (double opt-in)."""
    return sign(_CONFIRM, _PAIR.pack(contact_id.bytes, list_id.bytes))


def read_confirm_token(token: str) -> tuple[UUID, UUID]:
    """Return contact id and list id.

    Raises:
        BadSignature: the token is not ours, or was altered.
    """
    payload = unsign(_CONFIRM, token)
    if len(payload) != _PAIR.size:
        raise BadSignature("wrong length")
    contact, list_ = _PAIR.unpack(payload)
    return UUID(bytes=contact), UUID(bytes=list_)


def _read(purpose: str, token: str) -> tuple[UUID, int]:
    payload = unsign(purpose, token)
    if len(payload) != _LAYOUT.size:
        raise BadSignature("wrong length")
    contact, message_id = _LAYOUT.unpack(payload)
    return UUID(bytes=contact), message_id
