"""When a campaign will be done: the limits that `delivery.pacing` keeps, run forward over what is left to send.

Speed is what this workspace and provider really did (`speed`), unless a limit is lower; a limit of the account is
shared with the campaigns that are leaving by it now. What cannot be known is left out: retries, pauses, campaigns that
begin later, and everybody who waits for the end of a test (`waits_for_test`). Who waits behind the first readers
leaves when these have been watched long enough.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Max

from audiences.selectors import audience_sql
from campaigns.models import Campaign, DeliveryMinute, Message, ProviderSettings
from campaigns.selectors.campaigns import audience_of
from campaigns.selectors.limits import count_used_today, get_limits, share_of_account
from campaigns.selectors.speed import measure_own_speed, measure_speed
from campaigns.tickets import FEWEST, TICKETS, test_range
from campaigns.windows import (
    GRACE,
    GRACE_OF_RELEASED,
    SendWindow,
    leaves_at,
    next_midnight,
    read_window,
    wall_time,
    zone_of,
)

#: Steps after which a forecast gives up: further ahead than anybody plans.
MOST_STEPS = 5000
#: Whoever leaves later than this does not meet the campaigns that are leaving now, as far as anybody knows.
AT_THE_SAME_TIME = timedelta(minutes=1)
#: The ledger of a large campaign is not counted anew for each frame of the live page.
WAITING_REMEMBERED_S = 10

_WAITING = """
SELECT COALESCE(c.time_zone, ''), m.due_at, m.status = 'held', count(*) FROM campaigns_message m
  LEFT JOIN audiences_contact c ON c.id = m.contact_id
 WHERE m.campaign_id = %s AND NOT m.is_test AND m.status IN ('held', 'queued', 'retrying', 'sending')
   AND m.variant_id IS NOT NULL GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Estimate:
    """When the first and the last message leave, and what holds the campaign to that speed.

    `limited_by` is one of `speed` (nothing does), `rate` (the account), `throttle`, `warm_up`, `window`, `local_time`,
    `send_delay` (a variant leaves later), `canary` (the first readers are watched).
    """

    starts_at: datetime
    finish_at: datetime
    limited_by: str
    zones: int = 1
    #: Contacts whose time has passed at the launch: they get it a day later.
    a_day_later: int = 0


class _Speed(NamedTuple):
    per_second: float
    limited_by: str


@dataclass(slots=True)
class _Group:
    """Contacts who may be mailed from the same moment on, in one zone; `waits_for` says why not before."""

    ready_at: datetime
    zone: ZoneInfo
    number: float
    waits_for: str = "local_time"


class _Part(NamedTuple):
    """A share of those who may be mailed: variants with one delay, among the first readers or behind them."""

    share: float
    delay: timedelta
    is_first: bool
    keeps_time: bool

    @property
    def waits_for(self) -> str:
        """What makes it leave later, if anything does."""
        return "canary" if not self.is_first else "send_delay" if self.delay else "local_time"


def estimate(campaign: Campaign, *, included: int, now: datetime) -> Estimate | None:
    """Return when a campaign will be done: from its launch on, or the rest of one that is being sent."""
    if campaign.status in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED):
        return estimate_launch(campaign, included=included, now=now)
    return estimate_rest(campaign, now=now)


def estimate_launch(campaign: Campaign, *, included: int, now: datetime) -> Estimate | None:
    """Return what launching a campaign would mean: at its time if it has one that lies ahead, else now.

    Args:
        campaign: a draft or a scheduled one, with its workspace; unsaved changes of its schedule count.
        included: how many contacts get it.
        now: the moment that is asked about.

    Returns:
        None when nobody gets it, or when it would never end.
    """
    if not included:
        return None
    home, parts = zone_of(campaign.workspace.time_zone), _parts_of(campaign, included)
    is_planned = campaign.send_at is not None and campaign.send_at > now
    launch = campaign.send_at if is_planned and campaign.send_at else now
    window, wall, by_zone = None, None, [(home, included)]
    moments: dict[ZoneInfo, datetime] = {}
    if campaign.timezone_mode == Campaign.TimezoneMode.CONTACT:
        window, wall = read_window(campaign.send_window), wall_time(campaign.send_at, home) if is_planned else None
        by_zone = [(zone_of(name or home.key), number) for name, number in _count_by_zone(campaign)]
        moments = {zone: wall.replace(tzinfo=zone).astimezone(UTC) for zone, _ in by_zone} if wall else {}
        launch = max(now, min(moments.values(), default=now))
    if window is not None and window.never_opens:
        return None

    def groups_of(*, is_first: bool, released_at: datetime | None = None) -> list[_Group]:
        found = []
        for part in parts:
            for zone, number in by_zone if part.is_first is is_first else ():
                at = leaves_at(
                    zone, wall=wall, window=window, launch=launch, delay=part.delay, keeps_time=part.keeps_time,
                    released_at=released_at,
                )  # fmt: skip
                if at:
                    found.append(_Group(at, zone, part.share * number, part.waits_for))
        return found

    groups = groups_of(is_first=True)
    if any(not part.is_first for part in parts):
        released_at = _watched_until(campaign, groups, launch, now=now)
        groups += groups_of(is_first=False, released_at=released_at)
    asked = sum(part.share for part in parts)
    later = round(asked * sum(number for zone, number in by_zone if zone in moments and moments[zone] < launch - GRACE))
    return _forecast(campaign, groups, launch, now=now, a_day_later=later)


def _watched_until(campaign: Campaign, first: list[_Group], launch: datetime, *, now: datetime) -> datetime:
    """Return when the first readers have been watched long enough: so long after the last of their mails."""
    done = _forecast(campaign, [replace(group) for group in first], launch, now=now) if first else None
    return (done.finish_at if done else launch) + timedelta(minutes=1 + campaign.canary_minutes)


def estimate_rest(campaign: Campaign, *, now: datetime, left: int | None = None) -> Estimate | None:
    """Return when a campaign that is being sent will be done; None when it is not, or nothing is left.

    Args:
        campaign: with its workspace.
        now: the moment that is asked about.
        left: how many messages are waiting to leave, when the caller knows; without those that are held back.
    """
    if campaign.status != Campaign.Status.SENDING:
        return None
    home = zone_of(campaign.workspace.time_zone)
    is_watched = bool(campaign.canary_share) and campaign.canary_released_at is None
    is_simple = campaign.timezone_mode == Campaign.TimezoneMode.WORKSPACE and not _has_delays(campaign)
    if is_simple and not is_watched and left is not None:
        return _forecast(campaign, [_Group(now, home, left)], now, now=now)
    key = f"waiting:{campaign.pk}"
    waiting = cache.get(key)
    if waiting is None:
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [campaign.pk])
            waiting = cursor.fetchall()
        cache.set(key, waiting, WAITING_REMEMBERED_S)
    usual = "local_time" if campaign.timezone_mode == Campaign.TimezoneMode.CONTACT else "send_delay"
    groups = [
        _Group(max(due or now, now), zone_of(name or home.key), number, usual)
        for name, due, is_held, number in waiting
        if not is_held
    ]
    held = [(zone_of(name or home.key), due, number) for name, due, is_held, number in waiting if is_held]
    if held:
        watched_from = now if groups else _last_sent_at(campaign) or campaign.launched_at or now
        released_at = max(now, _watched_until(campaign, groups, watched_from, now=now))
        groups += [_Group(_after_release(due, released_at), zone, number, "canary") for zone, due, number in held]
    return _forecast(campaign, groups, now, now=now)


def _last_sent_at(campaign: Campaign) -> datetime | None:
    sent = DeliveryMinute.objects.filter(campaign=campaign, sent__gt=0)
    found: datetime | None = sent.aggregate(last=Max("minute"))["last"]
    return found


def _after_release(due_at: datetime | None, released_at: datetime) -> datetime:
    """Return when a row leaves that is let go then: at its time of day when that has long passed."""
    while due_at and due_at < released_at - GRACE_OF_RELEASED:
        due_at += timedelta(days=1)
    return max(due_at or released_at, released_at)


def waits_for_test(campaign: Campaign) -> bool:
    """Return whether some of a campaign's recipients leave only when its test is over: nobody knows when."""
    if campaign.status in (Campaign.Status.DRAFT, Campaign.Status.SCHEDULED):
        return test_range(campaign, campaign.variants.all())[1] < TICKETS
    held = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, status=Message.Status.HELD)
    return held.filter(variant__isnull=True).exists()


def _parts_of(campaign: Campaign, included: int) -> list[_Part]:
    """Return the parts in which a campaign leaves; who is held out, or waits for the test, is in none.

    A test and first readers that come to very few are filled up, as `delivery.waves.fill_small_parts` does.
    """
    variants = [variant for variant in campaign.variants.all() if variant.share]
    begins, ends = test_range(campaign, variants)
    total = sum(variant.share for variant in variants)
    reached, asked = 1 - begins / TICKETS, (ends - begins) / TICKETS
    if ends < TICKETS:
        asked = max(asked, min(reached, FEWEST * len(variants) / included))
    first = 1.0
    if campaign.canary_share and asked:
        first = max(campaign.canary_share / 100, min(1.0, FEWEST / (asked * included)))
    shares: dict[tuple[timedelta, bool], float] = {}
    for variant in variants:
        share, delay = asked * variant.share / total, timedelta(minutes=variant.send_delay_minutes)
        for part, is_first in ((first, True), (1 - first, False)):
            shares[delay, is_first] = shares.get((delay, is_first), 0) + share * part
    return [_Part(share, *key, keeps_time=_has_delays(campaign)) for key, share in shares.items() if share]


def _has_delays(campaign: Campaign) -> bool:
    return any(variant.send_delay_minutes for variant in campaign.variants.all())


def _count_by_zone(campaign: Campaign) -> list[tuple[str, int]]:
    audience, params = audience_sql(**audience_of(campaign))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT c.time_zone, count(*) FROM ({audience}) a JOIN audiences_contact c ON c.id = a.contact_id"  # noqa: S608
            " WHERE a.skip_reason = '' GROUP BY 1",
            params,
        )
        return list(cursor.fetchall())


def _provider_of(campaign: Campaign) -> str:
    if campaign.provider:
        return campaign.provider
    own = ProviderSettings.objects.for_workspace(campaign.workspace_id).filter(is_active=True)
    return own.values_list("provider", flat=True).first() or settings.EMAIL_PROVIDER


def _speed(
    campaign: Campaign, provider: str, total: float, rate: float | None, now: datetime, *, is_shared: bool
) -> _Speed:
    """Return the lowest of what was measured and what is allowed; what others took meanwhile is not measured again."""
    own = 0.0
    if campaign.status == Campaign.Status.SENDING and not campaign.throttle_per_hour and not is_shared:
        own = measure_own_speed(campaign, now=now)
    speeds = [_Speed(own or measure_speed(campaign.workspace_id, provider, now=now), "speed")]
    if rate:
        speeds.append(_Speed(rate, "rate"))
    if per_hour := campaign.throttle_per_hour:
        # whole hours, and a rest that is given out by the minute, rounded up
        hours = max(0, math.ceil(total / per_hour) - 1)
        rest_s = (total - hours * per_hour) / math.ceil(per_hour / 60) * 60
        speeds.append(_Speed(total / (hours * 3600 + rest_s), "throttle"))
    return min(speeds)


def _forecast(
    campaign: Campaign, groups: list[_Group], launch: datetime, *, now: datetime, a_day_later: int = 0
) -> Estimate | None:
    home, window = zone_of(campaign.workspace.time_zone), read_window(campaign.send_window)
    provider = _provider_of(campaign)
    limits = get_limits(campaign.workspace_id, provider)
    number = round(sum(group.number for group in groups))
    share = 1.0
    if launch <= now + AT_THE_SAME_TIME:
        share = share_of_account(campaign, provider, limits, number=number, now=now)
    rate = limits.rate_per_second and limits.rate_per_second * share
    speed = _speed(campaign, provider, number, rate, now, is_shared=share < 1)
    zones = len({group.zone.key for group in groups})
    used = 0
    if (
        limits.of_day(now.astimezone(home).date()) is not None
        and launch.astimezone(home).date() == now.astimezone(home).date()
    ):
        used = count_used_today(campaign.workspace_id, provider, now=now, zone=home)
    if campaign.timezone_mode == Campaign.TimezoneMode.WORKSPACE:
        groups = [_Group(group.ready_at, home, group.number, group.waits_for) for group in groups]

    def of_day(day: date) -> float | None:
        most = limits.of_day(day)
        return most if most is None else most * share

    run = _Run(_merged(groups), launch, speed.per_second, window, home, of_day, used * share)
    finish_at = run.finish()
    if finish_at is None or run.first_at is None:
        return None
    limited_by = next(iter(sorted(run.waited_for, key=_WEIGHT.index)), speed.limited_by)
    return Estimate(run.first_at, finish_at, limited_by, zones, a_day_later)


#: What made a campaign wait, the longest first.
_WEIGHT = ("warm_up", "local_time", "send_delay", "canary", "window")


def _merged(groups: Iterable[_Group]) -> list[_Group]:
    """Return one group for all zones that have the same time and the same moment."""
    numbers: dict[tuple[datetime, timedelta | None], _Group] = {}
    for group in groups:
        key = (group.ready_at, group.ready_at.astimezone(group.zone).utcoffset())
        if key in numbers:
            numbers[key].number += group.number
        else:
            numbers[key] = _Group(group.ready_at, group.zone, group.number, group.waits_for)
    return sorted(numbers.values(), key=lambda group: group.ready_at)


@dataclass(slots=True)
class _Run:
    """A send that is run forward from edge to edge: openings, closings, midnights, and moments of zones."""

    groups: list[_Group]
    now: datetime
    per_second: float
    window: SendWindow | None
    home: ZoneInfo
    of_day: Callable[[date], float | None]
    used: float
    first_at: datetime | None = None
    waited_for: set[str] = field(default_factory=set)

    def finish(self) -> datetime | None:
        """Return when the last message leaves; None when it never does."""
        for _ in range(MOST_STEPS):
            self.groups = [group for group in self.groups if group.number > 0]
            if not self.groups:
                return self.now
            if not self._step():
                return None
        return None

    def _step(self) -> bool:
        ready, closes = [], []
        for group in self.groups:
            if group.ready_at > self.now:
                continue
            if self.window is not None:
                shut_at = self.window.closes_at(self.now, group.zone)
                if shut_at is None:
                    opens = self.window.next_open(self.now, group.zone)
                    if opens is None:
                        return False
                    group.ready_at = opens
                    self.waited_for.add("window")
                    continue
                closes.append(shut_at)
            ready.append(group)
        later = sorted((group for group in self.groups if group.ready_at > self.now), key=lambda one: one.ready_at)
        if not ready:
            if self.first_at is not None and "window" not in self.waited_for:
                self.waited_for = (self.waited_for & {"warm_up"}) | {later[0].waits_for}
            self.now = later[0].ready_at
            return True
        return self._send(ready, [*(group.ready_at for group in later), *closes])

    def _send(self, ready: list[_Group], edges: list[datetime]) -> bool:
        today = self.now.astimezone(self.home).date()
        most, midnight = self.of_day(today), next_midnight(self.now, self.home)
        if most is not None and self.used >= most:
            self.waited_for.add("warm_up")
            self.now, self.used = midnight, 0
            return True
        self.first_at = self.first_at or self.now
        edge = min([midnight, *edges])
        number = min(sum(group.number for group in ready), self.per_second * (edge - self.now).total_seconds())
        if most is not None:
            number = min(number, most - self.used)
        self.used += number
        self.now = min(edge, self.now + timedelta(seconds=number / self.per_second))
        if self.now >= midnight:
            self.used = 0
        for group in ready:
            taken = min(group.number, number)
            group.number = group.number - taken if group.number - taken > 1e-6 else 0
            number -= taken
        return True
