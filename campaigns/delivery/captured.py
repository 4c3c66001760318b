"""Reading captured mail back, with Python's own parser: what is shown is what would have been sent."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


def parse(raw: bytes) -> EmailMessage:
    """Return captured bytes as a message."""
    return message_from_bytes(raw, policy=default)


def body_of(mail: EmailMessage, kind: str) -> str:
    """Return the `html` or `plain` part, or nothing."""
    part = mail.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
