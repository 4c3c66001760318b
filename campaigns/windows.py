"""Clocks on walls: time zones by name, and the hours of the week in which a campaign may be mailed.

A window is meant as people read it, on a wall clock. It is turned into instants day by day, so the days on which
clocks change need no rule of their own: an hour that does not exist moves behind the gap, one that exists twice is its
first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pulsequill.core.errors import FieldError, Invalid

MINUTES_A_DAY = 24 * 60
EVERY_DAY = frozenset(range(1, 8))
#: ISO weekdays, Monday is 1.
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Up to so late a mail still counts as on time; the same as for a schedule.
GRACE = timedelta(hours=1)
#: Who was held back until after their time gets the mail at once up to so long after it, else at that time tomorrow.
GRACE_OF_RELEASED = timedelta(hours=3)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00")


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by name, UTC when it is unknown to this machine."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the moment at which clocks in `zone` show a minute of a day; 1,440 is the next midnight."""
    wall = datetime.combine(
        day + timedelta(days=minute // MINUTES_A_DAY), time(minute % MINUTES_A_DAY // 60, minute % 60)
    )
    return wall.replace(tzinfo=zone).astimezone(UTC)


def next_midnight(at: datetime, zone: ZoneInfo) -> datetime:
    """Return when the day that `at` belongs to in `zone` ends."""
    return instant(at.astimezone(zone).date(), MINUTES_A_DAY, zone)


@dataclass(frozen=True, slots=True)
class SendWindow:
    """Weekdays, and the part of the day from minute `start` up to minute `end`; over midnight when `end` is not later.

    A window over midnight belongs to the day on which it opens.
    """

    weekdays: frozenset[int] = EVERY_DAY
    start: int = 0
    end: int = MINUTES_A_DAY

    @property
    def never_opens(self) -> bool:
        """Whether no moment lies in it."""
        return not self.weekdays or self.start == self.end

    def opening(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """Return from when to when it is open on a day; None when it stays shut."""
        if day.isoweekday() not in self.weekdays:
            return None
        end = self.end if self.end > self.start else self.end + MINUTES_A_DAY
        opens, closes = instant(day, self.start, zone), instant(day, end, zone)
        return (opens, closes) if opens < closes and self.start != self.end else None

    def closes_at(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the opening that `at` lies in ends; None when it is shut at that moment."""
        today = at.astimezone(zone).date()
        openings = (self.opening(today - timedelta(days=back), zone) for back in (0, 1))
        return max((found[1] for found in openings if found and found[0] <= at < found[1]), default=None)

    def next_open(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first moment from `at` on that lies in it, `at` itself when it is open; None: it never opens."""
        if self.closes_at(at, zone):
            return at
        today = at.astimezone(zone).date()
        openings = (self.opening(today + timedelta(days=ahead), zone) for ahead in range(15))
        return next((found[0] for found in openings if found and found[0] >= at), None)

    def as_json(self) -> dict[str, Any]:
        """Return it as `Campaign.send_window` stores it and `/v1` shows it."""
        return {"weekdays": sorted(self.weekdays), "from": _clock(self.start), "to": _clock(self.end)}

    def __str__(self) -> str:
        return f"{_days(self.weekdays)}, {_clock(self.start)} to {_clock(self.end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _days(weekdays: frozenset[int]) -> str:
    """Return "Monday to Friday", "Saturday and Sunday", or the days by name."""
    days = sorted(weekdays)
    if weekdays == EVERY_DAY:
        return "Every day"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"{WEEKDAYS[days[0] - 1]} to {WEEKDAYS[days[-1] - 1]}"
    names = [WEEKDAYS[day - 1] for day in days]
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else "No day"


def read_window(stored: Mapping[str, Any] | None) -> SendWindow | None:
    """Return the window that a campaign stores; None when it may be mailed at any time.

    What cannot be read is a window that never opens: preflight blocks it, and nothing leaves at a wrong hour.
    """
    if not stored:
        return None
    try:
        return parse_window(stored)
    except Invalid:
        return SendWindow(weekdays=frozenset())


def parse_window(given: Any, *, field: str = "send_window") -> SendWindow | None:
    """Return the window that somebody wrote as `{weekdays: [1..7], from: "HH:MM", to: "HH:MM"}`; None for an empty one.

    Each part may be left out: every day, from 00:00, to 24:00.

    Raises:
        Invalid: it has another shape, or would never open; `field` names the part.
    """
    if given in (None, {}):
        return None
    if not isinstance(given, Mapping):
        raise _refuse(field, "not_an_object", "A send window is an object with weekdays, from and to.")
    if unknown := set(given) - {"weekdays", "from", "to"}:
        raise _refuse(f"{field}.{min(map(str, unknown))}", "unknown_field", "A send window has weekdays, from and to.")
    weekdays = given.get("weekdays", sorted(EVERY_DAY))
    is_list = isinstance(weekdays, (list, tuple)) and all(type(day) is int for day in weekdays)
    if not is_list or not set(weekdays) <= EVERY_DAY:
        raise _refuse(f"{field}.weekdays", "invalid", "Weekdays are numbers from 1 (Monday) to 7 (Sunday).")
    if not weekdays:
        raise _refuse(f"{field}.weekdays", "required", "Choose at least one day of the week.")
    start, end = (
        _minute(given.get(name, default), f"{field}.{name}") for name, default in (("from", "00:00"), ("to", "24:00"))
    )
    if start in (end, MINUTES_A_DAY):
        raise _refuse(f"{field}.to", "never_opens", "The window would never open: it ends when it begins.")
    return SendWindow(frozenset(weekdays), start, end)


def _minute(text: Any, field: str) -> int:
    if not isinstance(text, str) or not _CLOCK.fullmatch(text):
        raise _refuse(field, "invalid", "A time of day is written HH:MM, from 00:00 to 24:00.")
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])


def wall_time(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return what clocks in `zone` show at a moment, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None) if at else None


def due_in(
    zone: ZoneInfo,
    *,
    wall: datetime | None,
    window: SendWindow | None,
    not_before: datetime,
    grace: timedelta = GRACE,
) -> datetime | None:
    """Return when a contact in `zone` gets a campaign that follows contacts' clocks; None when its window never opens.

    Whose time has passed by more than `grace` gets it at that time the next day: a mail that was promised for ten in
    the morning must not come at four at night.

    Args:
        zone: where the contact is.
        wall: what the contact's clock shall show; None means as soon as may be.
        window: hours of the contact's week.
        not_before: the launch, or the release of those who were held back.
        grace: who has missed the time by no more gets it at once.
    """
    at = not_before
    if wall is not None:
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        while at < not_before - grace:
            wall += timedelta(days=1)
            at = wall.replace(tzinfo=zone).astimezone(UTC)
        at = max(at, not_before)
    return window.next_open(at, zone) if window else at


def leaves_at(
    zone: ZoneInfo,
    *,
    wall: datetime | None,
    window: SendWindow | None,
    launch: datetime,
    delay: timedelta = timedelta(0),
    keeps_time: bool = False,
    released_at: datetime | None = None,
) -> datetime | None:
    """Return when a message leaves for a contact in `zone`; None when the window never opens.

    Args:
        zone: where the contact is, or the workspace.
        wall: what the contact's clock shall show when the campaign leaves; None means as soon as may be.
        window: hours of the contact's week.
        launch: of the campaign.
        delay: how much later than the campaign its variant leaves.
        keeps_time: the time of day means something, as one of the variants leaves later than the others.
        released_at: it was held back until then; None when it was not.
    """
    own = wall + delay if wall else wall_time(launch + delay, zone) if keeps_time else None
    grace = GRACE if released_at is None else GRACE_OF_RELEASED
    return due_in(zone, wall=own, window=window, not_before=released_at or launch, grace=grace)
