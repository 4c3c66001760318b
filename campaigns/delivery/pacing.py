"""How many messages may leave now: a campaign's limit for an hour, spread over its minutes."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from django.db import connection

from campaigns.delivery.local_time import due_at_sql
from campaigns.models import Campaign

__all__ = ["allowance", "due_at_sql"]

#: Messages that have left count by their minute; messages that are under way count as if they had.
_USED = """
SELECT COALESCE(sum(sent + failed) FILTER (WHERE minute > %s), 0),
       COALESCE(sum(sent + failed) FILTER (WHERE minute = %s), 0)
  FROM campaigns_deliveryminute WHERE campaign_id = %s AND minute > %s
"""
_UNDER_WAY = "SELECT count(*) FROM campaigns_message WHERE campaign_id = %s AND status = 'sending' AND NOT is_test"


def allowance(campaign: Campaign, *, now: datetime) -> int | None:
    """Return how many messages of a campaign may be claimed at once; None when it has no limit.

    Args:
        campaign: whose `throttle_per_hour` counts.
        now: the moment that is asked about.
    """
    per_hour = campaign.throttle_per_hour
    if not per_hour:
        return None
    hour_ago = now - timedelta(hours=1)
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_USED, [hour_ago, minute, campaign.pk, hour_ago])
        in_hour, in_minute = cursor.fetchone()
        cursor.execute(_UNDER_WAY, [campaign.pk])
        under_way = int(cursor.fetchone()[0])
    left_in_hour = per_hour - int(in_hour) - under_way
    left_in_minute = math.ceil(per_hour / 60) - int(in_minute) - under_way
    return max(0, min(left_in_hour, left_in_minute))
