"""The same time on everybody's clock: when a campaign leaves for a contact, by the contact's time zone.

"10:00 where they are" is 25 moments or more, the first of them while it is still the day before in the west. So a
campaign is launched when the first zone's time comes, and each row of the ledger carries its own `due_at`.

Whose time has long passed when the campaign is launched gets it at that time the next day (`windows.leaves_at`). The
same holds for rows that were held back when they are released, and for variants that leave later than the campaign.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.windows import leaves_at, read_window, wall_time, zone_of

#: Clocks farthest in the east show a time at most so much before the workspace's.
EARLIEST = timedelta(hours=27)
ZONES_REMEMBERED_S = 600


def _wall_time(campaign: Campaign) -> datetime | None:
    return wall_time(campaign.send_at, zone_of(campaign.workspace.time_zone))


@lru_cache(maxsize=1)
def _known_zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def due_at_sql(
    campaign: Campaign, *, delays: Iterable[int] = (0,), released_at: datetime | None = None
) -> tuple[str, list[Any]]:
    """Return an SQL expression for a row's `due_at`, and its parameters.

    The expression stands in a query whose row `a` has a `contact_id` and, where a variant leaves later than the others,
    whose row `v` has its `delay`. It is NULL (at once) unless the campaign follows the contacts' clocks or has such a
    variant; then it is the moment for the contact's zone, or for the workspace's where none is known.

    Args:
        campaign: with its workspace; `launched_at` is the moment of the plan.
        delays: the variants' `send_delay_minutes`.
        released_at: when rows that were held back are let go; None for the plan.
    """
    delays = sorted(set(delays))
    follows_contacts, has_delays = campaign.timezone_mode == Campaign.TimezoneMode.CONTACT, any(delays)
    launch = campaign.launched_at or timezone.now()
    wall = _wall_time(campaign) if follows_contacts else None
    window = read_window(campaign.send_window) if follows_contacts else None
    if wall is None and window is None and not has_delays:
        return "NULL::timestamptz", []

    def moment(name: str, delay: int) -> str | None:
        at = leaves_at(
            zone_of(name), wall=wall, window=window, launch=launch, delay=timedelta(minutes=delay),
            keeps_time=has_delays, released_at=released_at,
        )  # fmt: skip
        return at.isoformat() if at else None

    delay_text = "v.delay::text" if has_delays else "'0'"
    at_home = f"(%s::jsonb ->> {delay_text})::timestamptz"
    home = json.dumps({str(delay): moment(campaign.workspace.time_zone, delay) for delay in delays})
    if not follows_contacts:
        return at_home, [home]
    by_zone = json.dumps(
        {f"{delay} {name}": at for delay in delays for name in _known_zones() if (at := moment(name, delay))}
    )
    expression = (
        f"COALESCE((SELECT (%s::jsonb ->> ({delay_text} || ' ' || local.time_zone))::timestamptz"  # noqa: S608
        f" FROM audiences_contact local WHERE local.id = a.contact_id), {at_home})"
    )
    return expression, [by_zone, home]


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
