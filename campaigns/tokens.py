"""Tokens in addresses that we give to providers."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings

from pulsequill.core import signing

SENDGRID_PURPOSE = "sendgrid webhook"


def sendgrid_endpoint_token(workspace_id: UUID) -> str:
    """Return the token in the address that a workspace gives to SendGrid; it says whom the events may be about."""
    return signing.sign(SENDGRID_PURPOSE, workspace_id.bytes)


def read_sendgrid_endpoint_token(token: str) -> UUID:
    """Return the workspace of an endpoint.

    Raises:
        BadSignature: we did not make this token.
    """
    payload = signing.unsign(SENDGRID_PURPOSE, token)
    if len(payload) != 16 or sendgrid_endpoint_token(UUID(bytes=payload)) != token:
        raise signing.BadSignature("not canonical")
    return UUID(bytes=payload)


def sendgrid_endpoint_url(workspace_id: UUID) -> str:
    """Return the address that a workspace enters in SendGrid's Event Webhook settings."""
    return f"{settings.PUBLIC_URL}/hooks/sendgrid/{sendgrid_endpoint_token(workspace_id)}"
