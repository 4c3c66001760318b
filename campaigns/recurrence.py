"""When something happens again: a crontab line, every so many weeks, on the clocks of one place.

Slots are times on a wall clock. They become instants day by day (`windows.instant`), so the days on which clocks change
need no rule of their own: a time that does not exist is taken behind the gap, one that exists twice is its first. Two
slots that meet in one instant are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from campaigns.models import DraftingSchedule
from campaigns.windows import WEEKDAYS, instant
from pulsequill.core.errors import FieldError, Invalid

LONGEST_LINE = 60
MOST_WEEKS = 8
#: 29 February comes every four years, and once in eight around a century.
_SEARCH = timedelta(days=366 * 8 + 2)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|\w+)(?:-(\w+))?(?:/(\d+))?", re.ASCII)
LAST_DAY = "L"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The fields of a crontab line, and which weeks of all count.

    Attributes:
        minute: one number: at most one slot an hour.
        days: of the month; None: every day. With weekdays too, either is enough, as in every cron.
        weekdays: ISO, Monday is 1; None: every day.
        every_weeks: 1 for every week; else only each n-th week, counted from the week of `counted_from`.
    """

    minute: int
    hours: frozenset[int]
    days: frozenset[int] | None
    has_last_day: bool
    months: frozenset[int]
    weekdays: frozenset[int] | None
    every_weeks: int
    counted_from: date

    def falls_on(self, day: date) -> bool:
        """Return whether a day has slots."""
        if day.month not in self.months or (_monday(day) - _monday(self.counted_from)).days // 7 % self.every_weeks:
            return False
        by_weekday = self.weekdays is not None and day.isoweekday() in self.weekdays
        by_day = self.days is not None and (
            day.day in self.days or (self.has_last_day and (day + timedelta(days=1)).day == 1)
        )
        return by_weekday or by_day or (self.weekdays is None and self.days is None)

    def slots(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the instants of the slots after a moment, each later than the one before, as far as eight years on."""
        # Days may overlap where clocks jump over midnight, so two days before are looked at too.
        first = after.astimezone(zone).date() - timedelta(days=2)
        last = after
        for number in range(_SEARCH.days):
            day = first + timedelta(days=number)
            if not self.falls_on(day):
                continue
            for at in sorted(instant(day, hour * 60 + self.minute, zone) for hour in self.hours):
                if at > last:
                    last = at
                    yield at

    def next_slot(self, after: datetime, zone: ZoneInfo) -> datetime | None:
        """Return the first slot after a moment; None: there is none within eight years."""
        return next(self.slots(after, zone), None)

    def next_slots(self, after: datetime, zone: ZoneInfo, count: int) -> list[datetime]:
        """Return the first few slots after a moment."""
        return list(islice(self.slots(after, zone), count))

    def __str__(self) -> str:
        hours = [f"{hour:02}:{self.minute:02}" for hour in sorted(self.hours)]
        times = f"at {_and(hours)}" if len(hours) <= 4 else f"{len(hours)} times a day, from {hours[0]} to {hours[-1]}"
        weeks = "Every week" if self.every_weeks == 1 else f"Every {self.every_weeks} weeks"
        ways = []
        if self.days is not None:
            named = [f"day {_and([str(day) for day in sorted(self.days)])}"] if self.days else []
            ways.append("on " + _and([*named, *(["the last day"] if self.has_last_day else [])]) + " of the month")
        if self.weekdays is not None:
            ways.append(f"on {_and([WEEKDAYS[day - 1] for day in sorted(self.weekdays)])}")
        monthly = self.days is not None and self.weekdays is None and self.every_weeks == 1
        start = "" if monthly else f"{weeks} " if ways else "Every day " if self.every_weeks == 1 else f"{weeks} daily "
        sentence = f"{start}{' or '.join(ways)} {times}" if ways else f"{start}{times}"
        if len(self.months) < 12:
            sentence += f", in {_and([_MONTHS[month - 1].capitalize() for month in sorted(self.months)])}"
        return sentence[0].upper() + sentence[1:]


def _monday(day: date) -> date:
    return day - timedelta(days=day.isoweekday() - 1)


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def parse(line: str, *, every_weeks: int = 1, counted_from: date) -> Recurrence:
    """Return what a crontab line says: minute, hour, day of the month, month, weekday.

    Takes `*`, numbers, names (`mon`, `jan`), ranges, steps, lists, and `L` for the last day of the month.

    Raises:
        Invalid: not a crontab line, more than one slot an hour, or days that never come; `field` names the part.
    """
    fields = str(line).lower().split()
    if len(fields) != 5 or len(line) > LONGEST_LINE:
        raise _refuse("crontab", "invalid", "Five fields: minute hour day month weekday, such as 0 9 * * mon.")
    if not 1 <= every_weeks <= MOST_WEEKS:
        raise _refuse("every_weeks", "out_of_range", f"Every 1 to {MOST_WEEKS} weeks.")
    if not fields[0].isascii() or not fields[0].isdigit() or int(fields[0]) > 59:
        raise _refuse("crontab", "invalid", "The minute is one number from 0 to 59: at most one run an hour.")
    day_parts = [part for part in fields[2].split(",") if part != LAST_DAY.lower()]
    has_last_day = len(day_parts) < len(fields[2].split(","))
    days = _numbers(",".join(day_parts), "day", 1, 31) if day_parts else frozenset[int]()
    weekdays = _numbers(fields[4], "weekday", 0, 7, _DAYS)
    found = Recurrence(
        minute=int(fields[0]),
        hours=_numbers(fields[1], "hour", 0, 23) or frozenset(range(24)),
        days=None if days is None and not has_last_day else days or frozenset(),
        has_last_day=has_last_day,
        months=_numbers(fields[3], "month", 1, 12, _MONTHS, first_name=1) or frozenset(range(1, 13)),
        weekdays=None if weekdays is None else frozenset(day or 7 for day in weekdays),
        every_weeks=every_weeks,
        counted_from=counted_from,
    )
    if not any(found.falls_on(counted_from + timedelta(days=number)) for number in range(_SEARCH.days)):
        raise _refuse("crontab", "never", "These days never come, such as 31 February.")
    return found


def of(schedule: DraftingSchedule) -> Recurrence | None:
    """Return when a schedule runs; None when what is stored cannot be read."""
    try:
        return parse(schedule.crontab, every_weeks=schedule.every_weeks, counted_from=schedule.counted_from_date)
    except Invalid:
        return None


def _numbers(
    text: str, name: str, least: int, most: int, names: Sequence[str] = (), *, first_name: int = 0
) -> frozenset[int] | None:
    """Return the numbers that a field names; None for `*`."""
    if text == "*":
        return None

    def number(word: str) -> int:
        if word in names:
            return names.index(word) + first_name
        if not word.isdigit() or not least <= int(word) <= most:
            raise _refuse("crontab", "invalid", f"The {name} “{word}” is not between {least} and {most}.")
        return int(word)

    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or (match[1] == "*" and match[2]):
            raise _refuse("crontab", "invalid", f"“{part[:20]}” is no {name}.")
        step = int(match[3] or 1)
        start, end = (least, most) if match[1] == "*" else (number(match[1]), number(match[2] or match[1]))
        if match[3] and match[1] != "*" and not match[2]:
            end = most
        if step == 0 or end < start:
            raise _refuse("crontab", "invalid", f"“{part[:20]}” is no {name}: it names nothing.")
        found.update(range(start, end + 1, step))
    return frozenset(found)


def weekly(*, weekdays: Sequence[int], at: str) -> str:
    """Return the crontab line of some weekdays (ISO) at a time such as `09:00`."""
    minute, hour = _clock(at)
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        raise _refuse("weekdays", "required", "Choose at least one day of the week.")
    return f"{minute} {hour} * * {','.join(str(day) for day in sorted(set(weekdays)))}"


def monthly(*, day: str, at: str) -> str:
    """Return the crontab line of one day of every month, 1 to 28 or `L` for its last, at a time such as `09:00`."""
    minute, hour = _clock(at)
    if day != LAST_DAY and not (day.isascii() and day.isdigit() and 1 <= int(day) <= 28):
        raise _refuse("month_day", "out_of_range", "A day from 1 to 28, or the last day.")
    return f"{minute} {hour} {day} * *"


def _clock(at: str) -> tuple[int, int]:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", at, re.ASCII)
    if match is None:
        raise _refuse("at", "invalid", "A time of day is written HH:MM, such as 09:00.")
    return int(match[2]), int(match[1])


def as_typed(line: str) -> dict[str, object]:
    """Return what somebody would have chosen to get a line: `rhythm` weekly, monthly or crontab, and its parts."""
    minute, hour, day, month, weekday = line.lower().split()
    if hour.isdigit() and month == "*":
        at = f"{int(hour):02}:{int(minute):02}"
        if day == "*" and re.fullmatch(r"[1-7](,[1-7])*", weekday):
            return {"rhythm": "weekly", "weekdays": weekday.split(","), "at": at}
        if weekday == "*" and (day == LAST_DAY.lower() or (day.isdigit() and int(day) <= 28)):
            return {"rhythm": "monthly", "month_day": day.upper(), "at": at}
    return {"rhythm": "crontab", "crontab": line}


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])
