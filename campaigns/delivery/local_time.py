"""The same time on everybody's clock: when a campaign leaves for a contact, by the contact's time zone.

"10:00 where they are" is 25 moments or more, the first of them while it is still the day before in the west. So a
campaign is launched when the first zone's time comes, and each row of the ledger carries its own `due_at`.

Whose time has long passed when the campaign is launched gets it at that time the next day (`windows.due_in`).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.windows import due_in, read_window, wall_time, zone_of

#: Clocks farthest in the east show a time at most so much before the workspace's.
EARLIEST = timedelta(hours=27)
ZONES_REMEMBERED_S = 600


def _wall_time(campaign: Campaign) -> datetime | None:
    return wall_time(campaign.send_at, zone_of(campaign.workspace.time_zone))


@lru_cache(maxsize=1)
def _known_zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def due_at_sql(campaign: Campaign) -> tuple[str, list[Any]]:
    """Return an SQL expression for a planned row's `due_at`, and its parameters.

    The expression stands in a query whose row `a` has a `contact_id`. It is NULL (at once) unless the campaign follows
    the contacts' clocks; then it is the moment for the contact's zone, or for the workspace's where none is known.

    Args:
        campaign: with its workspace; `launched_at` is the moment of the plan.
    """
    if campaign.timezone_mode != Campaign.TimezoneMode.CONTACT:
        return "NULL::timestamptz", []
    launch = campaign.launched_at or timezone.now()
    wall, window = _wall_time(campaign), read_window(campaign.send_window)
    if wall is None and window is None:
        return "NULL::timestamptz", []

    def moment(name: str) -> datetime | None:
        return due_in(zone_of(name), wall=wall, window=window, not_before=launch)

    by_zone = {name: at.isoformat() for name in _known_zones() if (at := moment(name))}
    expression = "COALESCE((SELECT (%s::jsonb ->> local.time_zone)::timestamptz FROM audiences_contact local"
    expression += " WHERE local.id = a.contact_id), %s::timestamptz)"
    return expression, [json.dumps(by_zone), moment(campaign.workspace.time_zone)]


def zones_of_workspace(campaign: Campaign) -> list[str]:
    """Return the names of the time zones that a workspace's contacts and itself are in; remembered for ten minutes."""
    key = f"zones:{campaign.workspace_id}"
    names: list[str] | None = cache.get(key)
    if names is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT time_zone FROM audiences_contact WHERE workspace_id = %s AND time_zone <> ''",
                [campaign.workspace_id],
            )
            names = sorted(row[0] for row in cursor.fetchall())
        cache.set(key, names, ZONES_REMEMBERED_S)
    return [*names, campaign.workspace.time_zone]


def starts_at(campaign: Campaign) -> datetime | None:
    """Return when a scheduled campaign must be launched: its time, or that time in the easternmost zone of contacts."""
    wall = _wall_time(campaign)
    if wall is None or campaign.timezone_mode != Campaign.TimezoneMode.CONTACT:
        return campaign.send_at
    return min(wall.replace(tzinfo=zone_of(name)).astimezone(UTC) for name in zones_of_workspace(campaign))


_POSTPONE = """
UPDATE campaigns_message m
   SET due_at = (%s::jsonb ->> COALESCE(NULLIF(local.time_zone, ''), %s))::timestamptz
  FROM audiences_contact local
 WHERE m.campaign_id = %s AND NOT m.is_test AND m.status IN ('queued', 'retrying')
   AND (m.due_at IS NULL OR m.due_at <= %s)
   AND local.id = m.contact_id AND %s::jsonb ? COALESCE(NULLIF(local.time_zone, ''), %s)
"""


def postpone_shut(campaign: Campaign, *, now: datetime) -> int:
    """Move waiting rows whose contact's window has closed to its next opening; return how many.

    A row is planned into its window, but a throttle, a pause or a retry can carry it past the end. This looks once in
    a minute for each campaign, whichever worker comes first.
    """
    window = read_window(campaign.send_window)
    if window is None or window.never_opens:
        return 0
    if not cache.add(f"postponed:{campaign.pk}:{now:%Y%m%d%H%M}", True, 120):
        return 0
    shut = json.dumps(
        {
            name: opens.isoformat()
            for name in _known_zones()
            if (opens := window.next_open(now, zone_of(name))) and opens > now
        }
    )
    own = campaign.workspace.time_zone
    with connection.cursor() as cursor:
        cursor.execute(_POSTPONE, [shut, own, campaign.pk, now, shut, own])
        return int(cursor.rowcount)
