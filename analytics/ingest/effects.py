"""What an event means for earlier stages: one of the two places from which feedback flows back.

Runs in the transaction that stores the events, once for each new event, so an effect happens exactly when its event
counts. Everything here is a plain call of a service of an earlier app.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from audiences import services as audiences
from campaigns.models import Campaign
from campaigns.services import messages

#: Soft bounces of one address within this time that make us stop mailing it.
SOFT_BOUNCES, SOFT_BOUNCE_WINDOW = 3, timedelta(days=30)

#: Event kind -> reason of the suppression. Bounces are decided by their type, below.
SUPPRESSING: dict[str, str] = {"complained": "complaint", "unsubscribed": "unsubscribe"}

#: Reasons that a provider may name (`data.suppression`).
TELLABLE = frozenset({"hard_bounce", "complaint", "unsubscribe"})

_NEW_FEEDBACK = """
SELECT event.kind, event.source, event.occurred_at, event.data ->> 'suppression', event.data ->> 'bounce_type',
       event.workspace_id, message.email, message.email_normalized, message.campaign_id
  FROM event_fresh
  JOIN analytics_event AS event USING (id)
  JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE event.kind IN ('bounced', 'complained', 'unsubscribed', 'rejected') AND NOT message.is_test
 ORDER BY message.id, event.id
"""

#: Counts the other soft bounces too, so that the third suppresses, whichever arrives last.
_SOFT_BOUNCES = """
SELECT count(*) FROM analytics_event AS event JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE message.workspace_id = %s AND message.email_normalized = %s AND message.bounced_at IS NOT NULL
   AND event.kind = 'bounced' AND event.data ->> 'bounce_type' IS DISTINCT FROM 'hard' AND event.occurred_at > %s
"""

_ENGAGED = """
CREATE TEMPORARY TABLE IF NOT EXISTS contact_engaged (
    contact_id uuid, opened_at timestamptz, clicked_at timestamptz
) ON COMMIT DELETE ROWS;
TRUNCATE contact_engaged;
INSERT INTO contact_engaged
SELECT message.contact_id,
       max(event_fresh.occurred_at) FILTER (WHERE kind = 'opened'),
       max(event_fresh.occurred_at) FILTER (WHERE kind = 'clicked')
  FROM event_fresh JOIN campaigns_message AS message ON message.id = event_fresh.message_id
 WHERE actor = 'human' AND kind IN ('opened', 'clicked') AND message.contact_id IS NOT NULL AND NOT message.is_test
 GROUP BY message.contact_id
"""


#: Events that prove that a message whose sending was in doubt did leave. A report that names an attempt speaks for
#: that attempt; an open or a click can only come from the attempt that is in doubt.
_PROOFS = """
SELECT message.workspace_id, message.id,
       coalesce(nullif(event.data ->> 'attempt_id', ''), message.attempt_id::text)::uuid,
       coalesce(event.data ->> 'provider_message_id', message.provider_message_id)
  FROM event_fresh
  JOIN analytics_event AS event USING (id)
  JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE message.status = 'in_doubt' AND event.actor_reason <> 'before_sending'
   AND event.kind IN ('delivered', 'deferred', 'bounced', 'complained', 'opened', 'clicked', 'unsubscribed')
 ORDER BY message.workspace_id, message.id
"""


def settle_doubts() -> None:
    """Settle the messages in doubt that the new events prove to have left. Runs before facts are written."""
    with connection.cursor() as cursor:
        cursor.execute(_PROOFS)
        proofs = cursor.fetchall()
    reports: dict[Any, dict[int, tuple[int, UUID, str]]] = {}
    for workspace_id, message_id, attempt_id, provider_message_id in proofs:
        reports.setdefault(workspace_id, {})[message_id] = (message_id, attempt_id, provider_message_id or "")
    for workspace_id, by_message in reports.items():
        messages.settle_in_doubt(workspace_id=workspace_id, reports=list(by_message.values()))


def apply() -> None:
    """Do what the new events in `event_fresh` ask for. Runs inside the transaction that stores them."""
    with connection.cursor() as cursor:
        cursor.execute(_NEW_FEEDBACK)
        feedback = cursor.fetchall()
        cursor.execute(_ENGAGED)
    audiences.record_engagement(relation="contact_engaged")
    workspaces = Workspace.objects.in_bulk({row[5] for row in feedback})
    names = dict(Campaign.objects.filter(pk__in={row[8] for row in feedback}).values_list("pk", "name"))
    for row in feedback:
        _suppress(row, workspaces, names)


def _suppress(row: tuple[Any, ...], workspaces: dict[Any, Workspace], names: dict[Any, str]) -> None:
    kind, source, occurred_at, told, bounce_type, workspace_id, email, email_normalized, campaign_id = row
    reason = told or SUPPRESSING.get(kind, "")
    if kind == "bounced" and not reason:
        is_hard = bounce_type == "hard" or _has_bounced_too_often(occurred_at, workspace_id, email_normalized)
        reason = "hard_bounce" if is_hard else ""
    # What happened on our own unsubscribe page was done there, in one transaction with its event.
    if reason in TELLABLE and source != "page":
        told_by = f"{source}, campaign “{names[campaign_id]}”" if campaign_id in names else source
        audiences.suppress_email(workspace=workspaces[workspace_id], email=email, reason=reason, source=told_by)


def _has_bounced_too_often(occurred_at: datetime, workspace_id: Any, email_normalized: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SOFT_BOUNCES, [workspace_id, email_normalized, occurred_at - SOFT_BOUNCE_WINDOW])
        return bool(cursor.fetchone()[0] >= SOFT_BOUNCES)
