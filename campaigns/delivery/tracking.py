"""The signed tokens in tracked addresses: pure functions, so that the tracking endpoint needs no Django apps.

A token holds numbers only, never an address, and is worthless for another purpose.
"""

from __future__ import annotations

from django.conf import settings

from pulsequill.core.signing import BadSignature, sign, unsign

OPEN, CLICK, WEB_VERSION = "open", "click", "web version"
#: Bytes of one number in a token: 48 bits, so that an open token is 24 characters and a click token 32.
NUMBER_BYTES = 6

__all__ = [
    "BadSignature",
    "click_token",
    "click_url",
    "open_token",
    "open_url",
    "read_click_token",
    "read_open_token",
    "read_web_version_token",
    "web_version_token",
    "web_version_url",
]


def _token(purpose: str, *numbers: int) -> str:
    return sign(purpose, b"".join([number.to_bytes(NUMBER_BYTES, "big") for number in numbers]))


def _read(purpose: str, token: str, count: int) -> list[int]:
    payload = unsign(purpose, token)
    if len(payload) != count * NUMBER_BYTES:
        raise BadSignature("wrong length")
    numbers = [
        int.from_bytes(payload[start : start + NUMBER_BYTES], "big") for start in range(0, len(payload), NUMBER_BYTES)
    ]
    if _token(purpose, *numbers) != token:  # base64 decoders skip foreign characters; one message has one token
        raise BadSignature("not canonical")
    return numbers


def open_token(message_id: int) -> str:
    """Return the token of a message's open pixel."""
    return _token(OPEN, message_id)


def read_open_token(token: str) -> int:
    """Return the message id of a token made by `open_token`.

    Raises:
        BadSignature: altered, or made for something else.
    """
    return _read(OPEN, token, 1)[0]


def click_token(message_id: int, link_id: int) -> str:
    """Return the token of one link in one message."""
    return _token(CLICK, message_id, link_id)


def read_click_token(token: str) -> tuple[int, int]:
    """Return message id and link id of a token made by `click_token`.

    Raises:
        BadSignature: altered, or made for something else.
    """
    message_id, link_id = _read(CLICK, token, 2)
    return message_id, link_id


def web_version_token(message_id: int) -> str:
    """Return the token of a message's page in the browser."""
    return _token(WEB_VERSION, message_id)


def read_web_version_token(token: str) -> int:
    """Return the message id of a token made by `web_version_token`.

    Raises:
        BadSignature: altered, or made for something else.
    """
    return _read(WEB_VERSION, token, 1)[0]


def open_url(message_id: int) -> str:
    """Return the address of a message's open pixel."""
    return f"{settings.PUBLIC_URL}/t/o/{open_token(message_id)}"


def click_url(message_id: int, link_id: int) -> str:
    """Return the tracked address of one link in one message."""
    return f"{settings.PUBLIC_URL}/t/c/{click_token(message_id, link_id)}"


def web_version_url(message_id: int) -> str:
    """Return the address of a message's page in the browser."""
    return f"{settings.PUBLIC_URL}/w/{web_version_token(message_id)}"
