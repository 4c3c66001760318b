"""Puts the ledger in order after crashes and at the end: expired leases, campaigns that are done, rows left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction

from accounts.activity import record as record_activity
from campaigns.delivery import journal, ledger
from campaigns.lifecycle import change_status
from campaigns.models import Campaign, Message
from pulsequill.core.db import advisory_lock

logger = structlog.get_logger(__name__)

#: A message in one of these may still leave. A held one does not leave by itself, and nobody is woken for it.
PENDING = (Message.Status.HELD, Message.Status.QUEUED, Message.Status.SENDING, Message.Status.RETRYING)

_SKIP_CANCELLED = """
UPDATE campaigns_message m SET status = 'skipped', reason = 'cancelled', due_at = NULL
  FROM campaigns_campaign c
 WHERE c.id = m.campaign_id AND c.status = 'cancelled' AND m.status IN ('held', 'queued', 'retrying')
   AND NOT m.is_test
"""

#: Single rows that wait on their own: transactional and test messages, and an operator's resend after the end.
_DUE_SINGLES = """
SELECT m.id FROM campaigns_message m
 WHERE m.campaign_id IS NULL AND m.status IN ('queued', 'retrying') AND COALESCE(m.due_at, m.created_at) <= %s
UNION ALL
SELECT m.id FROM campaigns_campaign c JOIN campaigns_message m ON m.campaign_id = c.id
 WHERE c.status NOT IN ('sending', 'paused', 'cancelled') AND m.status IN ('queued', 'retrying')
   AND COALESCE(m.due_at, m.created_at) <= %s
 LIMIT %s
"""

_DUE_CAMPAIGNS = """
SELECT c.id FROM campaigns_campaign c
 WHERE c.status = 'sending' AND (c.continues_at IS NULL OR c.continues_at <= %s)
   AND EXISTS (SELECT 1 FROM campaigns_message m
                WHERE m.campaign_id = c.id AND NOT m.is_test
                  AND m.status IN ('queued', 'retrying') AND (m.due_at IS NULL OR m.due_at <= %s))
"""
SINGLES_PER_SWEEP = 500


def reap_leases() -> int:
    """Move rows whose worker vanished to `in_doubt`; return how many."""
    reaped = ledger.reap()
    for campaign_id, count in reaped.items():
        logger.warning("messages_in_doubt", campaign_id=str(campaign_id), count=count, code="lease_expired")
    return sum(reaped.values())


def skip_cancelled() -> int:
    """Give rows that came back to a cancelled campaign their reason; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_SKIP_CANCELLED)
        return int(cursor.rowcount)


def finish(campaign: Campaign, *, now: datetime) -> bool:
    """Move a campaign to `sent` when nothing of it can leave any more; return whether this call did."""
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    if rows.filter(status__in=PENDING).exists():
        return False
    if not change_status(campaign, Campaign.Status.SENT, finished_at=now):
        return False
    in_doubt = rows.filter(status=Message.Status.IN_DOUBT).count()
    sent = rows.filter(status=Message.Status.SENT).count()
    doubt = f", {in_doubt:,} in doubt" if in_doubt else ""
    record_activity(
        workspace=campaign.workspace,
        kind="campaign.sent",
        summary=f"“{campaign.name}” has been sent: {sent:,} messages{doubt}.",
        subject=campaign,
        sent=sent,
        in_doubt=in_doubt,
    )
    return True


def finish_all(*, now: datetime) -> int:
    """Finish every campaign that is done; return how many."""
    sending = Campaign.objects.across_workspaces().filter(status=Campaign.Status.SENDING)
    return sum(finish(campaign, now=now) for campaign in sending.select_related("workspace"))


def due_campaigns(*, now: datetime) -> list[UUID]:
    """Return the campaigns that have rows to claim."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_CAMPAIGNS, [now, now])
        return [row[0] for row in cursor.fetchall()]


def due_singles(*, now: datetime) -> list[int]:
    """Return rows that are due outside a running campaign."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE_SINGLES, [now, now, SINGLES_PER_SWEEP])
        return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Due:
    """What a sweep found waiting."""

    campaigns: list[UUID] = field(default_factory=list)
    singles: list[int] = field(default_factory=list)


def sweep(*, now: datetime) -> Due:
    """Put the ledger in order and return what must be woken; empty when another process is sweeping.

    Journals are replayed by every process that sweeps: each machine has its own.
    """
    journal.replay_abandoned()
    with transaction.atomic(), advisory_lock("campaigns.sweep") as is_ours:
        if not is_ours:
            return Due()
        reap_leases()
        skip_cancelled()
        finish_all(now=now)
        return Due(campaigns=due_campaigns(now=now), singles=due_singles(now=now))
