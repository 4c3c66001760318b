"""How many messages may leave now: the only door for every limit of speed.

| Limit | Whose | How it is kept |
|---|---|---|
| messages a second | an account at a provider, or the installation | turns (`Pace`) of a fifth of a second each |
| messages an hour | the campaign | counted by the minute, a sixtieth of the hour in each |
| messages a day (warm-up) | the account | counted since midnight in the workspace's time zone |
| weekdays and hours | the campaign | the workspace's clock here; the contact's in `local_time` |

Counting and claiming are two statements, so two workers could both see room for the last hundred. Whoever asks under
a limit takes a turn first: turns are `TURN_S` apart, time enough for the claim before to be committed and seen.
"""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from campaigns.delivery.local_time import due_at_sql, postpone_shut
from campaigns.models import Campaign
from campaigns.selectors.limits import Limits, count_used_today, get_limits
from campaigns.windows import next_midnight, read_window, zone_of
from pulsequill.core.live import mark_dirty

__all__ = ["allowance", "due_at_sql"]

#: A turn's share of a second under a limit of messages a second: small enough to be even, large enough for a batch.
TURNS_A_SECOND = 5
#: Seconds between two turns under a limit that is counted.
TURN_S = 0.2
#: Seconds that a worker waits for its turn; when the queue is longer, fewer workers are enough.
LONGEST_WAIT_S = 2.0
#: A waiting campaign looks again after so long, because somebody may have changed the limit meanwhile.
LOOK_AGAIN = timedelta(minutes=15)

#: The turn is the row's old `free_at`, or now. A time that lies far ahead was written before the clock was set back.
_TURN = """
INSERT INTO campaigns_pace AS p (key, free_at) VALUES (%(key)s, %(next)s)
ON CONFLICT (key) DO UPDATE
   SET free_at = CASE WHEN p.free_at > %(far)s THEN %(next)s
                      ELSE greatest(p.free_at, %(now)s) + make_interval(secs => %(spacing_s)s) END
 WHERE p.free_at <= %(latest)s OR p.free_at > %(far)s
RETURNING p.free_at
"""
#: Seconds ahead of which no turn is ever given out.
_FAR_S = 60

#: Messages that have left count by their minute; messages that are under way count as if they had.
_USED = """
SELECT COALESCE(sum(sent + failed) FILTER (WHERE minute > %s), 0),
       COALESCE(sum(sent + failed) FILTER (WHERE minute = %s), 0)
  FROM campaigns_deliveryminute WHERE campaign_id = %s AND minute > %s
"""
_UNDER_WAY = "SELECT count(*) FROM campaigns_message WHERE campaign_id = %s AND status = 'sending' AND NOT is_test"


def allowance(campaign: Campaign, *, now: datetime) -> int | None:
    """Return how many messages of a campaign may be claimed at once; None when nothing limits it, 0 for not now.

    A campaign that has to wait for longer than a minute is told so (`status_reason`) and is not woken before
    (`continues_at`). Under a limit this waits up to `LONGEST_WAIT_S` for the worker's turn.

    Args:
        campaign: with its workspace.
        now: the moment that is asked about.
    """
    room = _room(campaign, zone_of(campaign.workspace.time_zone), now)
    if room != 0 and campaign.continues_at is not None:
        _go_on(campaign)
    return room


def _room(campaign: Campaign, zone: ZoneInfo, now: datetime) -> int | None:
    if not _is_open(campaign, zone, now):
        return 0
    provider = campaign.provider or settings.EMAIL_PROVIDER
    limits = get_limits(campaign.workspace_id, provider)
    of_day = limits.of_day(now.astimezone(zone).date())
    is_counted = bool(campaign.throttle_per_hour) or of_day is not None
    if not is_counted and limits.rate_per_second is None:
        return None
    waited_s = _take_turn(limits, is_counted=is_counted, now=now)
    if waited_s is None:
        return 0
    time.sleep(waited_s)
    now += timedelta(seconds=waited_s)
    room = []
    if limits.rate_per_second:
        room.append(_turns_worth(limits.rate_per_second))
    if campaign.throttle_per_hour:
        room.append(_left_of_throttle(campaign, campaign.throttle_per_hour, now))
    if of_day is not None:
        left = of_day - count_used_today(campaign.workspace_id, provider, now=now, zone=zone)
        if left <= 0:
            _wait(
                campaign, next_midnight(now, zone), zone, now, f"The warm-up's {of_day:,} messages for today have left"
            )
        room.append(left)
    return max(0, min(room))


def _is_open(campaign: Campaign, zone: ZoneInfo, now: datetime) -> bool:
    """Return whether a campaign's window allows a claim; if not, the campaign waits for the next opening."""
    window = read_window(campaign.send_window)
    if window is None:
        return True
    if window.never_opens:
        return False
    if campaign.timezone_mode == Campaign.TimezoneMode.CONTACT:
        postpone_shut(campaign, now=now)
        return True
    opens = window.next_open(now, zone)
    if opens is None or opens > now:
        _wait(campaign, opens or now, zone, now, "Outside the sending window")
        return False
    return True


def _turns_worth(rate_per_second: int) -> int:
    return max(1, rate_per_second // TURNS_A_SECOND)


def _take_turn(limits: Limits, *, is_counted: bool, now: datetime) -> float | None:
    """Return seconds until the turn that this call has taken; None when the queue is too long."""
    rate = limits.rate_per_second
    spacing = max(_turns_worth(rate) / rate if rate else 0.0, TURN_S if is_counted else 0.0)
    params: dict[str, str | float | datetime] = {
        "key": limits.key,
        "now": now,
        "next": now + timedelta(seconds=spacing),
        "spacing_s": spacing,
        "latest": now + timedelta(seconds=LONGEST_WAIT_S),
        "far": now + timedelta(seconds=_FAR_S),
    }
    with connection.cursor() as cursor:
        cursor.execute(_TURN, params)
        row = cursor.fetchone()
    return max(0.0, (row[0] - now).total_seconds() - spacing) if row else None


def _left_of_throttle(campaign: Campaign, per_hour: int, now: datetime) -> int:
    hour_ago = now - timedelta(hours=1)
    minute = now.replace(second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_USED, [hour_ago, minute, campaign.pk, hour_ago])
        in_hour, in_minute = cursor.fetchone()
        cursor.execute(_UNDER_WAY, [campaign.pk])
        under_way = int(cursor.fetchone()[0])
    return min(per_hour - int(in_hour), math.ceil(per_hour / 60) - int(in_minute)) - under_way


def _wait(campaign: Campaign, until: datetime, zone: ZoneInfo, now: datetime, why: str) -> None:
    """Let a campaign rest until `until`, or its window's next opening after that, and say so."""
    window = read_window(campaign.send_window)
    if window is not None and campaign.timezone_mode == Campaign.TimezoneMode.WORKSPACE:
        until = window.next_open(until, zone) or until
    reason = f"{why}: goes on {_in_words(until, zone, now)}"
    look_again = min(until, now + LOOK_AGAIN)
    said = (
        _sending(campaign)
        .filter(~Q(status_reason=reason) | Q(continues_at__isnull=True) | Q(continues_at__lte=now))
        .update(status_reason=reason, continues_at=look_again, updated_at=timezone.now())
    )
    if said:
        mark_dirty(campaign.pk)


def _go_on(campaign: Campaign) -> None:
    """Take back what `_wait` said. The caller's copy knows it then; a later wait is for the next caller to read."""
    _sending(campaign).filter(continues_at__isnull=False).update(status_reason="", continues_at=None)
    campaign.status_reason, campaign.continues_at = "", None


def _sending(campaign: Campaign) -> QuerySet[Campaign]:
    return Campaign.objects.for_workspace(campaign.workspace_id).filter(pk=campaign.pk, status=Campaign.Status.SENDING)


def _in_words(until: datetime, zone: ZoneInfo, now: datetime) -> str:
    """Return "today 14:00", "tomorrow 09:00", "Monday 09:00" or "7 December 09:00", by the workspace's clock."""
    at, days = until.astimezone(zone), (until.astimezone(zone).date() - now.astimezone(zone).date()).days
    day = {0: "today", 1: "tomorrow"}.get(days) or (f"{at:%A}" if days < 7 else f"{at:%-d %B}")
    return f"{day} {at:%H:%M}"
