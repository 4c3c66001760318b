"""Writing webhooks down in the transaction that they report; delivering comes later, and at least once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q
from django.utils import timezone

from accounts.models import WebhookAttempt, WebhookEndpoint
from accounts.webhooks_out.catalogue import KNOWN
from pulsequill.core.ids import uuid7

MAX_PAYLOAD_BYTES = 20 * 1024


def _message_id() -> str:
    return f"msg_{uuid7().hex}"


def make_payload(*, kind: str, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    """Return `{type, timestamp, data}`; facts that would make it larger than 20 KB are left out, and named."""
    plain = json.loads(json.dumps(data, cls=DjangoJSONEncoder))
    if len(json.dumps(plain)) > MAX_PAYLOAD_BYTES:
        kept = {key: value for key, value in plain.items() if len(json.dumps(value)) < 500}
        plain = {**kept, "left_out": sorted(set(plain) - set(kept))}
    return {"type": kind, "timestamp": at.isoformat(), "data": plain}


def write_outbox(*, workspace_id: UUID, kind: str, reports: Sequence[tuple[datetime, dict[str, Any]]]) -> int:
    """Write one row for every report (when it happened, and its facts) and endpoint that wants this kind.

    Returns:
        How many rows.
    """
    if kind not in KNOWN or not reports:
        return 0
    endpoints = list(
        WebhookEndpoint.objects.for_workspace(workspace_id).filter(
            Q(kinds=[]) | Q(kinds__contains=[kind]), is_active=True
        )
    )
    if not endpoints:
        return 0
    rows = []
    for at, data in reports:
        message_id, payload = _message_id(), make_payload(kind=kind, at=at, data=data)
        rows += [
            WebhookAttempt(
                workspace_id=workspace_id,
                endpoint=endpoint,
                message_id=message_id,
                kind=kind,
                payload=payload,
                next_try_at=timezone.now(),
            )
            for endpoint in endpoints
        ]
    WebhookAttempt.objects.bulk_create(rows)
    return len(rows)


def write_one(*, endpoint: WebhookEndpoint, kind: str, data: dict[str, Any]) -> WebhookAttempt:
    """Write one row for one endpoint, whatever it subscribed to: test events."""
    now = timezone.now()
    return WebhookAttempt.objects.create(
        workspace_id=endpoint.workspace_id,
        endpoint=endpoint,
        message_id=_message_id(),
        kind=kind,
        payload=make_payload(kind=kind, at=now, data=data),
        next_try_at=now,
    )
