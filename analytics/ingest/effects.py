"""What an event means for earlier stages: one of the two places from which feedback flows back.

Runs in the transaction that stores the events, once for each new event, so an effect happens exactly when its event
counts. Everything here is a plain call of a service of an earlier app.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Workspace
from audiences import services as audiences
from campaigns.models import Campaign
from campaigns.services import messages

#: Soft bounces of one address within so many days that make us stop mailing it.
SOFT_BOUNCES, SOFT_BOUNCE_DAYS = 3, 30

#: Event kind -> reason of the suppression. Bounces are decided by their type, below.
SUPPRESSING: dict[str, str] = {"complained": "complaint", "unsubscribed": "unsubscribe"}

#: Reasons that a provider may name (`data.suppression`).
TELLABLE = frozenset({"hard_bounce", "complaint", "unsubscribe"})

#: With each soft bounce the number of its address within the window, of all that are stored by now: so the third
#: suppresses, whichever arrives last.
_NEW_FEEDBACK = """
SELECT event.kind, event.source, event.data ->> 'suppression', event.data ->> 'bounce_type',
       event.workspace_id, message.email, message.campaign_id,
       CASE WHEN event.kind = 'bounced' AND event.data ->> 'bounce_type' IS DISTINCT FROM 'hard' THEN (
           SELECT count(*)
             FROM campaigns_message AS other JOIN analytics_event AS bounce ON bounce.message_id = other.id
            WHERE other.workspace_id = message.workspace_id AND other.email_normalized = message.email_normalized
              AND other.bounced_at IS NOT NULL AND bounce.kind = 'bounced'
              AND bounce.data ->> 'bounce_type' IS DISTINCT FROM 'hard'
              AND bounce.occurred_at > event.occurred_at - make_interval(days => %s)
       ) ELSE 0 END
  FROM event_fresh
  JOIN analytics_event AS event USING (id)
  JOIN campaigns_message AS message ON message.id = event.message_id
 WHERE event.kind IN ('bounced', 'complained', 'unsubscribed', 'rejected') AND NOT message.is_test
 ORDER BY message.id, event.id
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
        cursor.execute(_NEW_FEEDBACK, [SOFT_BOUNCE_DAYS])
        feedback = cursor.fetchall()
        cursor.execute(_ENGAGED)
    audiences.record_engagement(relation="contact_engaged")
    if feedback:
        _suppress(feedback)


def _suppress(feedback: list[tuple[Any, ...]]) -> None:
    names = dict(Campaign.objects.filter(pk__in={row[6] for row in feedback}).values_list("pk", "name"))
    stops: dict[UUID, list[audiences.Stop]] = {}
    for kind, source, told, bounce_type, workspace_id, email, campaign_id, soft_bounces in feedback:
        reason = told or SUPPRESSING.get(kind, "")
        if kind == "bounced" and not reason and (bounce_type == "hard" or soft_bounces >= SOFT_BOUNCES):
            reason = "hard_bounce"
        # What happened on our own unsubscribe page was done there, in one transaction with its event.
        if reason in TELLABLE and source != "page":
            told_by = f"{source}, campaign “{names[campaign_id]}”" if campaign_id in names else source
            stops.setdefault(workspace_id, []).append(audiences.Stop(email, reason, told_by))
    for workspace in Workspace.objects.filter(pk__in=stops).order_by("pk"):
        audiences.suppress_emails(workspace=workspace, stops=stops[workspace.pk])
