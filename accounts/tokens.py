"""The texts that prove who somebody is: access and refresh JWTs, API keys, invitation links, socket tickets.

Access tokens live five minutes and name their session (`sid`, the refresh family) and the person's token version,
which every request checks: signing out or changing the password ends them at once.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from uuid import UUID
from zlib import crc32

from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken as AccessJWT
from rest_framework_simplejwt.tokens import RefreshToken as RefreshJWT

from accounts.models import RefreshToken, User
from pulsequill.core.signing import sign

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEY_MARK = "pq_live_"
_PREFIX_LENGTH = 8
_SECRET_LENGTH = 32
_CHECKSUM_LENGTH = 6
_API_KEY = re.compile(
    rf"{KEY_MARK}(?P<prefix>[0-9A-Za-z]{{{_PREFIX_LENGTH}}})_"
    rf"(?P<secret>[0-9A-Za-z]{{{_SECRET_LENGTH}}})(?P<checksum>[0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


class BadToken(ValueError):
    """The token was not made here, is of another kind, or has expired."""


@dataclass(frozen=True)
class AccessClaims:
    """What an access token says."""

    user_id: UUID
    session_id: UUID
    version: int


@dataclass(frozen=True)
class RefreshClaims:
    """What a refresh token says: `id` is its row."""

    id: UUID
    user_id: UUID
    session_id: UUID


def make_access(user: User, session_id: UUID) -> str:
    """Return an access token of one session."""
    token = AccessJWT()
    token["sub"], token["sid"], token["ver"] = str(user.pk), str(session_id), user.token_version
    return str(token)


def read_access(text: str) -> AccessClaims:
    """Return the claims of an access token of ours.

    Raises:
        BadToken: altered, expired, of another kind, or signed with another algorithm.
    """
    try:
        token = AccessJWT(text)  # type: ignore[arg-type]  # simplejwt types its own input as Token
        return AccessClaims(UUID(token["sub"]), UUID(token["sid"]), int(token["ver"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadToken("This access token is not valid.") from error


def make_refresh(row: RefreshToken) -> str:
    """Return the text of a refresh token: always the same for the same row, so that it can be handed out again."""
    token = RefreshJWT()
    token.payload = {
        "token_type": "refresh",
        "jti": str(row.pk),
        "sub": str(row.user_id),
        "sid": str(row.family_id),
        "iat": int(row.created_at.timestamp()),
        "exp": int(row.expires_at.timestamp()),
    }
    return str(token)


def read_refresh(text: str) -> RefreshClaims:
    """Return the claims of a refresh token of ours.

    Raises:
        BadToken: altered, expired, or of another kind.
    """
    try:
        token = RefreshJWT(text)  # type: ignore[arg-type]
        return RefreshClaims(UUID(token["jti"]), UUID(token["sub"]), UUID(token["sid"]))
    except (TokenError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise BadToken("This refresh token is not valid.") from error


def _random_text(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(text: str) -> str:
    """Six base-62 digits of the CRC-32: lets secret scanners tell a key from look-alikes without asking us."""
    number, digits = crc32(text.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def make_api_key() -> tuple[str, str]:
    """Return a new key's prefix (kept readable) and its whole text (shown once)."""
    prefix = _random_text(_PREFIX_LENGTH)
    text = f"{KEY_MARK}{prefix}_{_random_text(_SECRET_LENGTH)}"
    return prefix, text + _checksum(text)


def read_api_key(text: str) -> str:
    """Return the prefix of a well-formed key, to look it up by.

    Raises:
        BadToken: not the shape of a key, or its checksum is wrong.
    """
    found = _API_KEY.fullmatch(text)
    if not found or _checksum(text[:-_CHECKSUM_LENGTH]) != found["checksum"]:
        raise BadToken("This API key is not valid.")
    return found["prefix"]


def make_ticket_secret() -> str:
    """Return the secret of a socket ticket."""
    return secrets.token_urlsafe(32)


def make_invitation(invitation_id: UUID) -> str:
    """Return the secret of an invitation's link. It is derived from the id, so that a task can mail it by id alone."""
    return sign("invitation", invitation_id.bytes)
