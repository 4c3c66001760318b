"""Counts from the ledger that no event can raise: by list, by hour of sending, by hours until people acted, by cohort.

One campaign costs one pass over its rows and a join with its lists, so it is done in the background: soon after the
launch often, then ever more seldom (after a twentieth of the campaign's age), and for the last time after 90 days.
Cohorts cost one pass over the campaigns of two months.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Workspace
from analytics.models import CohortMonth, Facet, FacetCount
from campaigns.models import Campaign
from campaigns.windows import zone_of

logger = structlog.get_logger(__name__)

LEAST, MOST, SETTLED_AFTER = timedelta(minutes=5), timedelta(days=1), timedelta(days=90)
#: Lower ends of the classes of hours that people take.
HOURS = (0, 1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 48, 72, 120, 168)
#: Months that a cohort is followed.
MONTHS = 12
#: A month's figures are counted on for so many days after it, because readers of its last mails are still opening.
CLOSED_AFTER = timedelta(days=7)
#: A mail's first open counts for the month in which it happens when the campaign left in it or so long before.
READ_WITHIN = timedelta(days=31)

_MEASURES = """
count(*), count(*) FILTER (WHERE delivered_at IS NOT NULL AND bounced_at IS NULL), count(first_opened_at),
count(first_clicked_at), count(bounced_at), count(complained_at), count(unsubscribed_at)
"""
_COLUMNS = "sent, delivered, unique_opens, unique_clicks, bounced, complained, unsubscribed"

_BY_LIST = f"""
INSERT INTO analytics_facet (campaign_id, dimension, value, {_COLUMNS})
SELECT message.campaign_id, 'list', coalesce(place.list_id::text, ''), {_MEASURES}
  FROM campaigns_message AS message
  LEFT JOIN (
    SELECT contact_id, list_id FROM audiences_subscription
     WHERE list_id IN (SELECT contactlist_id FROM campaigns_campaign_lists WHERE campaign_id = %s)
  ) AS place ON place.contact_id = message.contact_id
 WHERE message.campaign_id = %s AND message.status = 'sent' AND NOT message.is_test
 GROUP BY message.campaign_id, place.list_id
"""  # noqa: S608 our own column names

#: One pass for three dimensions. `width_bucket` numbers the classes of hours from 1.
_BY_TIME = f"""
WITH messages AS (
    SELECT to_char(sent_at AT TIME ZONE %s, 'ID-HH24') AS hour,
           width_bucket(greatest(extract(epoch FROM first_opened_at - sent_at), 0) / 3600, %s::numeric[]) AS opened,
           width_bucket(greatest(extract(epoch FROM first_clicked_at - sent_at), 0) / 3600, %s::numeric[]) AS clicked,
           delivered_at, bounced_at, first_opened_at, first_clicked_at, complained_at, unsubscribed_at
      FROM campaigns_message
     WHERE campaign_id = %s AND status = 'sent' AND NOT is_test AND sent_at IS NOT NULL
)
INSERT INTO analytics_facet (campaign_id, dimension, value, {_COLUMNS})
SELECT %s, CASE WHEN grouping(hour) = 0 THEN 'hour' WHEN grouping(opened) = 0 THEN 'opened_after'
           ELSE 'clicked_after' END,
       coalesce(hour, (%s::int[])[coalesce(opened, clicked)]::text), {_MEASURES}
  FROM messages GROUP BY GROUPING SETS ((hour), (opened), (clicked))
HAVING coalesce(hour, opened::text, clicked::text) IS NOT NULL
"""  # noqa: S608 our own column names

_COHORTS = """
INSERT INTO analytics_cohortmonth (workspace_id, joined_month, month, mailed, active, clicked, counted_at)
SELECT %(workspace)s, joined_month, %(month)s, count(*) FILTER (WHERE mailed), count(*) FILTER (WHERE active),
       count(*) FILTER (WHERE clicked), %(now)s
  FROM (
    SELECT date_trunc('month', contact.created_at AT TIME ZONE %(zone)s)::date AS joined_month,
           bool_or(sent_at >= %(start)s AND sent_at < %(end)s) AS mailed,
           bool_or((first_opened_at >= %(start)s AND first_opened_at < %(end)s)
                OR (first_clicked_at >= %(start)s AND first_clicked_at < %(end)s)) AS active,
           bool_or(first_clicked_at >= %(start)s AND first_clicked_at < %(end)s) AS clicked
      FROM campaigns_message AS message JOIN audiences_contact AS contact ON contact.id = message.contact_id
     WHERE message.campaign_id = ANY(%(campaigns)s) AND message.status = 'sent' AND NOT message.is_test
     GROUP BY contact.id, joined_month
  ) AS contacts
 WHERE joined_month <= %(month)s GROUP BY joined_month
ON CONFLICT (workspace_id, month, joined_month) DO UPDATE
   SET mailed = EXCLUDED.mailed, active = EXCLUDED.active, clicked = EXCLUDED.clicked, counted_at = EXCLUDED.counted_at
"""


def list_due_campaigns(now: datetime, *, limit: int = 50) -> list[Any]:
    """Return the campaigns whose facets are to be counted, those that wait longest first."""
    due = Campaign.objects.across_workspaces().filter(launched_at__isnull=False).exclude(
        pk__in=FacetCount.objects.filter(Q(next_at__isnull=True) | Q(next_at__gt=now)).values("campaign_id")
    )  # fmt: skip
    return list(due.order_by("launched_at").values_list("pk", flat=True)[:limit])


def count_facets(campaign_id: Any, *, now: datetime) -> bool:
    """Count one campaign's facets from its ledger; False when somebody else is counting it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor, f"facets {campaign_id}"):
            return False
        campaign = Campaign.objects.across_workspaces().select_related("workspace").get(pk=campaign_id)
        assert campaign.launched_at is not None
        Facet.objects.filter(campaign=campaign).delete()
        cursor.execute(_BY_LIST, [campaign.pk, campaign.pk])
        hours = list(HOURS)
        cursor.execute(_BY_TIME, [campaign.workspace.time_zone, hours, hours, campaign.pk, campaign.pk, hours])
        age = now - campaign.launched_at
        next_at = now + min(max(age / 20, LEAST), MOST) if age < SETTLED_AFTER else None
        FacetCount.objects.update_or_create(campaign=campaign, defaults={"counted_at": now, "next_at": next_at})
    return True


def list_due_cohorts(now: datetime) -> list[tuple[Any, date]]:
    """Return the workspaces and months (their first days) whose cohorts are to be counted."""
    since = now - timedelta(days=31 * MONTHS)
    counted: dict[tuple[Any, date], datetime] = {}
    for workspace_id, month, at in CohortMonth.objects.across_workspaces().filter(month__gte=since.date()).values_list(
        "workspace_id", "month", "counted_at"
    ):  # fmt: skip
        counted[workspace_id, month] = max(at, counted.get((workspace_id, month), at))
    launched = Campaign.objects.across_workspaces().filter(launched_at__gte=since)
    due = set()
    for workspace_id, zone_name, day in (
        launched.order_by().values_list("workspace_id", "workspace__time_zone", "launched_at__date").distinct()
    ):
        zone = zone_of(zone_name)
        first = day.replace(day=1)
        for month in (_before(first), first, _after(first)):
            start = datetime(month.year, month.month, 1, tzinfo=zone)
            last = counted.get((workspace_id, month))
            is_open = last is None or (last < _end(start) + CLOSED_AFTER and now - last > timedelta(hours=1))
            if start <= now and is_open:
                due.add((workspace_id, month))
    return sorted(due, key=lambda one: (one[1], str(one[0])), reverse=True)


def count_cohorts(workspace_id: Any, month: date, *, now: datetime) -> bool:
    """Count what the contacts of each month of joining did in one month; False when somebody else is at it."""
    with transaction.atomic(), connection.cursor() as cursor:
        if not _alone(cursor, f"cohorts {workspace_id} {month}"):
            return False
        workspace = Workspace.objects.get(pk=workspace_id)
        start = datetime(month.year, month.month, 1, tzinfo=zone_of(workspace.time_zone))
        end = _end(start)
        campaigns = Campaign.objects.across_workspaces().filter(
            workspace=workspace, launched_at__gte=start - READ_WITHIN, launched_at__lt=end
        )
        # A row of its own month says that the month was counted, also when nobody did anything.
        CohortMonth.objects.update_or_create(
            workspace=workspace, month=month, joined_month=month, defaults={"counted_at": now}
        )
        cursor.execute(
            _COHORTS,
            {"workspace": workspace.pk, "month": month, "now": now, "zone": workspace.time_zone, "start": start,
             "end": end, "campaigns": list(campaigns.values_list("pk", flat=True))},
        )  # fmt: skip
    return True


def _alone(cursor: Any, what: str) -> bool:
    cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [what])
    return bool(cursor.fetchone()[0])


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _end(start: datetime) -> datetime:
    return (start + timedelta(days=32)).replace(day=1)


def count_due(*, now: datetime, budget_s: float = 40.0) -> int:
    """Count what is due until the time is over; one that fails does not keep the others waiting.

    Returns:
        How many campaigns and months were counted.
    """
    began, done = time.monotonic(), 0
    jobs: Sequence[Any] = [
        *((count_facets, (campaign_id,)) for campaign_id in list_due_campaigns(now)),
        *((count_cohorts, key) for key in list_due_cohorts(now)),
    ]
    for job, key in jobs:
        if time.monotonic() - began > budget_s:
            break
        try:
            done += job(*key, now=now)
        except Exception:
            logger.exception("report_not_counted", job=job.__name__, key=[str(part) for part in key])
    return done
