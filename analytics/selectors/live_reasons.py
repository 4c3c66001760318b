"""Why things are as the live page shows them: who puts our mail off, and what gave machines away.

Both look at the latest events only, by the index that finds them, so they cost the same however many there are.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from analytics.selectors.breakdowns import REASON_LABELS
from analytics.selectors.mailboxes import OTHER
from campaigns.models import Campaign

#: How many of the latest events are asked who puts mail off, and since when.
LATEST_REPORTS = 2_000
LATELY = timedelta(minutes=15)
#: So many messages must have been reported on, and this part of them deferred, before it is worth saying.
FEWEST = 20
DEFERRED_SHARE = 0.2
#: How many of the latest events are asked what gave machines away.
LATEST_HITS = 10_000

_DEFERRING = """
SELECT mailbox, count(DISTINCT message_id) FILTER (WHERE kind = 'deferred'), count(DISTINCT message_id)
  FROM (SELECT mailbox, kind, message_id, occurred_at FROM analytics_event
         WHERE campaign_id = %(campaign)s ORDER BY id DESC LIMIT %(latest)s) AS latest
 WHERE kind IN ('delivered', 'deferred', 'bounced') AND occurred_at >= %(since)s AND mailbox NOT IN ('', %(other)s)
 GROUP BY mailbox
"""
_MACHINES = """
SELECT actor_reason, count(*)
  FROM (SELECT actor, actor_reason, kind FROM analytics_event
         WHERE campaign_id = %(campaign)s ORDER BY id DESC LIMIT %(latest)s) AS latest
 WHERE actor = 'machine' AND kind IN ('opened', 'clicked') GROUP BY actor_reason ORDER BY 2 DESC, 1
"""


def get_deferring(campaign: Campaign, *, now: datetime) -> list[tuple[str, float]]:
    """Return the mailbox providers that have put off much of the latest mail, with the share, the most first."""
    asked: dict[str, Any] = {"campaign": campaign.pk, "latest": LATEST_REPORTS, "since": now - LATELY, "other": OTHER}
    with connection.cursor() as cursor:
        cursor.execute(_DEFERRING, asked)
        shares = [(name, deferred / told) for name, deferred, told in cursor.fetchall() if told >= FEWEST]
    return sorted((one for one in shares if one[1] >= DEFERRED_SHARE), key=lambda one: (-one[1], one[0]))


def get_machine_reasons(campaign: Campaign) -> list[dict[str, Any]]:
    """Return what gave machines away: `{reason, label, count}` of opens and clicks, the most first."""
    with connection.cursor() as cursor:
        cursor.execute(_MACHINES, {"campaign": campaign.pk, "latest": LATEST_HITS})
        return [
            {"reason": reason, "label": REASON_LABELS.get(reason, reason), "count": count}
            for reason, count in cursor.fetchall()
        ]
