"""The same time on everybody's clock: when a campaign leaves for a contact, by the contact's time zone.

"10:00 where they are" is 25 moments or more, the first of them while it is still the day before in the west. So a
campaign is launched when the first zone's time comes, and each row of the ledger carries its own `due_at`.

Whose time has passed by more than an hour when the campaign is launched gets it at that time the next day: a mail that
was promised for ten in the morning must not come at four at night.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.windows import SendWindow, read_window, zone_of

#: Up to so late a mail still counts as on time; the same as for a schedule.
GRACE = timedelta(hours=1)
#: The line of dates: clocks show a time at most so much earlier than in the farthest west.
EARLIEST = timedelta(hours=27)
ZONES_REMEMBERED_S = 600


def wall_time(campaign: Campaign) -> datetime | None:
    """Return what clocks show when a campaign leaves, without zone: its schedule as the workspace wrote it."""
    if campaign.send_at is None:
        return None
    return campaign.send_at.astimezone(zone_of(campaign.workspace.time_zone)).replace(tzinfo=None)


def due_in(
    zone: ZoneInfo, *, wall: datetime | None, window: SendWindow | None, not_before: datetime
) -> datetime | None:
    """Return when a contact in `zone` gets a campaign; None when its window never opens.

    Args:
        zone: where the contact is.
        wall: what the contact's clock shall show; None means as soon as may be.
        window: hours of the contact's week.
        not_before: the launch.
    """
    at = not_before
    if wall is not None:
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        while at < not_before - GRACE:
            wall += timedelta(days=1)
            at = wall.replace(tzinfo=zone).astimezone(UTC)
        at = max(at, not_before)
    return window.next_open(at, zone) if window else at


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
    wall, window = wall_time(campaign), read_window(campaign.send_window)
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
    wall = wall_time(campaign)
    if wall is None or campaign.timezone_mode != Campaign.TimezoneMode.CONTACT:
        return campaign.send_at
    return min(wall.replace(tzinfo=zone_of(name)).astimezone(UTC) for name in zones_of_workspace(campaign))
