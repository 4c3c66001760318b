"""Delivering the outbox: claim, call, settle; at least once, with the retries of the specification.

A claim moves the row's next try beyond the time that a call can take, so a worker that dies leaves a row that is
simply due again. The id stays the same on every try: receivers drop what they have seen.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Membership, Notification, WebhookAttempt, WebhookEndpoint
from accounts.models.membership import Role
from accounts.webhooks_out.secrets import signed_headers
from pulsequill.core.live import push, workspace_group
from pulsequill.core.outbound_http import RefusedAddress, Unreachable, fetch
from pulsequill.core.signing import BadSignature

logger = structlog.get_logger(__name__)

#: Seconds to the next try after the 1st, 2nd, ... failure: ten tries over about 75 hours.
DELAYS_S = (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
MAX_TRIES = len(DELAYS_S) + 1
LEASE = timedelta(seconds=60)
DISABLE_AFTER = timedelta(days=5)
KEPT_BODY = 1024
SLOW_DOWN = frozenset({429, 502, 504})
SLOW_DOWN_S = 600
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What one call came to."""

    status: int | None
    body: str
    duration_ms: int
    retry_after_s: int = 0

    @property
    def is_delivered(self) -> bool:
        """Only 2xx is success; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300


def claim_due(limit: int) -> list[WebhookAttempt]:
    """Take rows that are due, for as long as one call may last."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE accounts_webhookattempt SET tries = tries + 1, next_try_at = %s, updated_at = %s
             WHERE id IN (
                SELECT a.id FROM accounts_webhookattempt a
                  JOIN accounts_webhookendpoint e ON e.id = a.endpoint_id AND e.is_active
                 WHERE a.status = 'pending' AND a.next_try_at <= %s
                 ORDER BY a.next_try_at LIMIT %s FOR UPDATE OF a SKIP LOCKED)
            RETURNING id
            """,
            [now + LEASE, now, now, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(WebhookAttempt.objects.across_workspaces().select_related("endpoint").filter(pk__in=ids))


def call(attempt: WebhookAttempt) -> Outcome:
    """Post one row to its endpoint. Never raises for what the other side does."""
    now = timezone.now()
    body = json.dumps(attempt.payload, separators=(",", ":"), ensure_ascii=False)
    try:
        headers = signed_headers(endpoint=attempt.endpoint, message_id=attempt.message_id, at=now, body=body)
        answer = fetch(
            "POST",
            attempt.endpoint.url,
            content=body.encode(),
            headers={**headers, "Content-Type": "application/json"},
        )
    except RefusedAddress as refusal:
        return Outcome(None, refusal.detail, 0)
    except Unreachable as failure:
        return Outcome(None, str(failure), 0)
    except BadSignature:
        return Outcome(None, "The signing secret cannot be read; rotate it.", 0)
    return Outcome(
        answer.status,
        answer.body.decode("utf-8", "replace").replace("\x00", ""),
        answer.duration_ms,
        _retry_after_s(answer.headers.get("retry-after", ""), now),
    )


def _retry_after_s(header: str, now: datetime) -> int:
    if header.isascii() and header.isdigit():
        return min(int(header[:9]), DELAYS_S[-1])
    try:
        return max(0, min(int((parsedate_to_datetime(header) - now).total_seconds()), DELAYS_S[-1]))
    except (TypeError, ValueError):
        return 0


def _next_delay_s(tries: int, outcome: Outcome) -> float:
    delay = DELAYS_S[tries - 1] * random.uniform(0.9, 1.3)  # noqa: S311 - jitter, not a secret
    if outcome.status in SLOW_DOWN:
        delay = max(delay, SLOW_DOWN_S)
    return max(delay, outcome.retry_after_s)


def settle(attempt: WebhookAttempt, outcome: Outcome) -> None:
    """Write down what a call came to, and switch an endpoint off that is gone or has failed for five days."""
    now = timezone.now()
    attempt.response_status, attempt.duration_ms = outcome.status, outcome.duration_ms
    attempt.response_body = outcome.body[:KEPT_BODY]
    with transaction.atomic():
        if outcome.is_delivered:
            attempt.status, attempt.next_try_at = WebhookAttempt.Status.DELIVERED, None
            WebhookEndpoint.objects.for_workspace(attempt.workspace_id).filter(
                pk=attempt.endpoint_id, failing_since__isnull=False
            ).update(failing_since=None)
        else:
            if attempt.tries >= MAX_TRIES or outcome.status == GONE:
                attempt.status, attempt.next_try_at = WebhookAttempt.Status.EXHAUSTED, None
            else:
                attempt.next_try_at = now + timedelta(seconds=_next_delay_s(attempt.tries, outcome))
            _note_failure(attempt, outcome, now)
        attempt.save(
            update_fields=["status", "next_try_at", "response_status", "response_body", "duration_ms", "updated_at"]
        )


def _note_failure(attempt: WebhookAttempt, outcome: Outcome, now: datetime) -> None:
    endpoints = WebhookEndpoint.objects.for_workspace(attempt.workspace_id).filter(pk=attempt.endpoint_id)
    endpoints.filter(failing_since=None).update(failing_since=now)
    if outcome.status == GONE:
        reason = "It answered 410 Gone."
    elif endpoints.filter(failing_since__lt=now - DISABLE_AFTER).exists():
        reason = "Nothing could be delivered for five days."
    else:
        return
    if endpoints.filter(is_active=True).update(is_active=False, disabled_reason=reason):
        _tell_owners(attempt.endpoint, reason)


def _tell_owners(endpoint: WebhookEndpoint, reason: str) -> None:
    owners = Membership.objects.for_workspace(endpoint.workspace_id).filter(role__in=[Role.OWNER, Role.ADMIN])
    Notification.objects.bulk_create(
        Notification(
            workspace_id=endpoint.workspace_id,
            user_id=owner.user_id,
            kind="webhook.disabled",
            title="A webhook was switched off",
            body=f"{endpoint.url[:300]}: {reason}",
            url="/settings/webhooks",
        )
        for owner in owners
    )
    push(workspace_group(endpoint.workspace_id), {"type": "notification", "kind": "webhook.disabled"})
    logger.warning("webhook_disabled", endpoint_id=str(endpoint.pk), reason=reason)


def deliver_batch(limit: int) -> Iterator[Outcome]:
    """Claim rows and deliver them one after the other."""
    for attempt in claim_due(limit):
        outcome = call(attempt)
        settle(attempt, outcome)
        yield outcome
