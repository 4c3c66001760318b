"""Signing secrets: `whsec_` and 32 random bytes, one per endpoint, encrypted at rest, shown once."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from standardwebhooks import Webhook

from accounts.models import WebhookEndpoint
from pulsequill.core.signing import decrypt, encrypt

SECRET_BYTES = 32
#: After a rotation both secrets sign, so that receivers can change over without losing an event.
BOTH_SIGN_FOR = timedelta(hours=24)


def make_secret() -> str:
    """Return a new secret in the form that the specification asks for."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode("ascii")


def seal(secret: str, *, previous: str | None = None) -> bytes:
    """Return what is kept of a secret, and of the one before it with its end."""
    kept: dict[str, Any] = {"secret": secret}
    if previous:
        kept |= {"previous": previous, "previous_until": (timezone.now() + BOTH_SIGN_FOR).isoformat()}
    return encrypt(json.dumps(kept))


def unseal(endpoint: WebhookEndpoint) -> list[str]:
    """Return the secrets that sign now, the newest first.

    Raises:
        BadSignature: SECRET_KEY changed since.
    """
    kept = json.loads(decrypt(bytes(endpoint.secret_encrypted)))
    found = [kept["secret"]]
    if kept.get("previous") and datetime.fromisoformat(kept["previous_until"]) > timezone.now():
        found.append(kept["previous"])
    return found


def signed_headers(*, endpoint: WebhookEndpoint, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the three headers of Standard Webhooks 1.0.0 for one try."""
    signatures = [Webhook(secret).sign(message_id, at, body) for secret in unseal(endpoint)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
