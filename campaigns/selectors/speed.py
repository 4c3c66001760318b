"""How fast mail leaves: what a workspace's account, or a campaign under way, really did (`DeliveryMinute`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from campaigns.models import Campaign

#: Messages a second before anything has been measured.
UNMEASURED: dict[str, float] = {"capture": 500.0, "smtp": 200.0, "sendgrid": 100.0}

#: Minutes from whose first second to whose last a campaign was being sent, newest first; slowed campaigns do not count.
_FULL_MINUTES = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sent) / 60.0 FROM (
  SELECT sum(sent) AS sent FROM (
    SELECT d.minute, sum(d.sent) AS sent,
           lag(d.minute) OVER campaign = d.minute - interval '1 minute'
           AND lead(d.minute) OVER campaign = d.minute + interval '1 minute' AS is_full
      FROM campaigns_campaign c JOIN campaigns_deliveryminute d ON d.campaign_id = c.id
     WHERE {campaigns} AND d.minute >= %(since)s
     GROUP BY c.id, d.minute WINDOW campaign AS (PARTITION BY c.id ORDER BY d.minute)) minutes
   WHERE is_full GROUP BY minute ORDER BY minute DESC LIMIT 30) latest
"""
_WHOLE_CAMPAIGNS = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY speed) FROM (
  SELECT (SELECT sum(d.sent) FROM campaigns_deliveryminute d WHERE d.campaign_id = c.id)
         / greatest(1, extract(epoch FROM c.finished_at - c.launched_at)) AS speed
    FROM campaigns_campaign c
   WHERE {campaigns} AND c.status = 'sent' AND c.recipients >= 200 AND c.launched_at >= %(since)s
     AND c.canary_share = 0
     AND NOT EXISTS (SELECT FROM campaigns_experiment e WHERE e.campaign_id = c.id AND e.mode <> 'even')
     AND NOT EXISTS (SELECT FROM campaigns_variant v WHERE v.campaign_id = c.id AND v.send_delay_minutes > 0)
   ORDER BY c.launched_at DESC LIMIT 10) latest
"""
_ALL_OF_ACCOUNT = (
    "c.workspace_id = %(workspace)s AND c.provider = %(provider)s AND c.throttle_per_hour IS NULL"
    " AND c.timezone_mode = 'workspace' AND c.send_window = '{}'"
)
#: What a campaign under way did in the last complete minutes, without the one in which it began.
_LAST_MINUTES = """
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sent) / 60.0 FROM (
  SELECT sum(d.sent) AS sent FROM campaigns_deliveryminute d
   WHERE d.campaign_id = %(campaign)s AND d.minute >= greatest(%(since)s, %(launched)s)
     AND d.minute < date_trunc('minute', %(now)s) AND d.sent > 0
   GROUP BY d.minute) latest
"""


def measure_speed(workspace_id: UUID, provider: str, *, now: datetime) -> float:
    """Return how many messages a second a workspace's account has lately taken when nothing slowed it down."""
    params = {"workspace": workspace_id, "provider": provider, "since": now - timedelta(days=30)}
    return _measured(_FULL_MINUTES, params) or _measured(_WHOLE_CAMPAIGNS, params) or UNMEASURED.get(provider, 100.0)


def _measured(question: str, params: dict[str, Any]) -> float:
    with connection.cursor() as cursor:
        cursor.execute(question.format(campaigns=_ALL_OF_ACCOUNT), params)
        return float(cursor.fetchone()[0] or 0)


def measure_own_speed(campaign: Campaign, *, now: datetime) -> float:
    """Return how many messages a second a campaign under way has taken in the last minutes; 0 when none is complete."""
    span = {"since": now - timedelta(minutes=6), "launched": campaign.launched_at or now, "now": now}
    return _measured(_LAST_MINUTES, {"campaign": campaign.pk, **span})
