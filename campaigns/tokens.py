"""Tokens in addresses that we give to providers."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from pulsequill.core import signing

SENDGRID_PURPOSE = "sendgrid webhook"
BOUNCE_PURPOSE = "bounce mail"


def sendgrid_endpoint_token(workspace_id: UUID) -> str:
    """Return the token in the address that a workspace gives to SendGrid; it says whom the events may be about."""
    return signing.sign(SENDGRID_PURPOSE, workspace_id.bytes)


def read_sendgrid_endpoint_token(token: str) -> UUID:
    """Return the workspace of an endpoint.

    Raises:
        BadSignature: we did not make this token.
    """
    return _read(SENDGRID_PURPOSE, token)


def sendgrid_endpoint_url(workspace_id: UUID) -> str:
    """Return the address that a workspace enters in SendGrid's Event Webhook settings."""
    return f"{settings.PUBLIC_URL}/hooks/sendgrid/{sendgrid_endpoint_token(workspace_id)}"


def bounce_endpoint_token(workspace_id: UUID) -> str:
    """Return the token in the address that takes a workspace's bounces."""
    return signing.sign(BOUNCE_PURPOSE, workspace_id.bytes)


def read_bounce_endpoint_token(token: str) -> UUID:
    """Return the workspace whose bounces an endpoint takes.

    Raises:
        BadSignature: we did not make this token.
    """
    return _read(BOUNCE_PURPOSE, token)


def bounce_endpoint_url(workspace_id: UUID) -> str:
    """Return the address to which a mail server may post a workspace's bounces."""
    return f"{settings.PUBLIC_URL}/hooks/bounce/{bounce_endpoint_token(workspace_id)}"


def _read(purpose: str, token: str) -> UUID:
    payload = signing.unsign(purpose, token)
    if len(payload) != 16 or signing.sign(purpose, payload) != token:  # base64 decoders skip foreign characters
        raise signing.BadSignature("not canonical")
    return UUID(bytes=payload)
