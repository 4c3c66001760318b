"""Dates and spans of time in English: "in the last 30 days", "before 1 March 2026", "more than a year ago"."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any, NamedTuple

NUMBER_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fourteen": 14, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip
UNIT_DAYS = {"day": 1, "week": 7, "fortnight": 14, "month": 30, "quarter": 91, "year": 365}
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
#: More days than this are no span that the rules can hold.
MOST_DAYS = 3660

_COUNT = rf"(?P<count>\d{{1,4}}|half an?|a couple of|{'|'.join(NUMBER_WORDS)})"
_UNIT = rf"(?P<unit>{'|'.join(UNIT_DAYS)})s?\b"
_SPAN = rf"(?:{_COUNT}[\s-]+)?{_UNIT}"
_LAST = re.compile(
    rf"(?:(?:in|within|during|over|for|since|from|these)\s+)?(?:the\s+)?(?:last|past|previous)\s+{_SPAN}", re.IGNORECASE
)
_NEXT = re.compile(rf"(?:(?:in|within|during|over)\s+)?(?:the\s+)?(?:next|coming|following)\s+{_SPAN}", re.IGNORECASE)
_AGO = re.compile(
    rf"(?:(?P<more>more than|over|longer than|at least)\s+|(?P<less>less than|under|within|fewer than)\s+)?{_COUNT}\s+"
    rf"{_UNIT}\s+ago\b",
    re.IGNORECASE,
)
_FOR = re.compile(
    rf"(?:in|within|for|since)\s+(?:(?:over|more than|at least|about)\s+)?{_COUNT}[\s-]+{_UNIT}(?!\s+ago)",
    re.IGNORECASE,
)
_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in MONTHS)}|sept)\.?"
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"),
    re.compile(r"(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>\d{4})\b"),
    re.compile(rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:,?\s+(?P<y>\d{{4}}))?\b", re.IGNORECASE),
    re.compile(rf"{_MONTH}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y>\d{{4}})\b)?", re.IGNORECASE),
)
_MONTH_OF_YEAR = re.compile(rf"{_MONTH}(?:\s+(?:of\s+)?(?P<y>\d{{4}}))?\b", re.IGNORECASE)
_YEAR = re.compile(r"(?P<y>(?:19|20)\d\d)\b")
_NEAR = re.compile(r"(?P<near>today|yesterday|tomorrow)\b", re.IGNORECASE)
_THIS = re.compile(r"(?:in\s+|during\s+)?this\s+(?P<unit>week|month|year)\b", re.IGNORECASE)
_BETWEEN = re.compile(r"(?P<word>between|from)\s+", re.IGNORECASE)
_TO = re.compile(r"\s+(?:and|to|until|till)\s+", re.IGNORECASE)
_RELATION = re.compile(
    r"(?P<before>before|prior to|earlier than)\s+|(?P<until>until|till|by|up to)\s+|(?P<since>since|starting)\s+"
    r"|(?P<after>after|later than)\s+|(?P<on>on|in|during)\s+",
    re.IGNORECASE,
)


class When(NamedTuple):
    """A condition on a date: an operator of the type date, and its value. `not_in_last_days` means longer ago."""

    op: str
    value: Any


class Days(NamedTuple):
    """A day, or all days of a month or year."""

    first: date
    last: date


def read_when(text: str, position: int, today: date) -> tuple[When, int] | None:
    """Return the time that begins at a position, and where it ends; None when there is none."""
    if match := _LAST.match(text, position):
        return _days_back("in_last_days", match)
    if match := _NEXT.match(text, position):
        return _days_back("in_next_days", match)
    if match := _AGO.match(text, position):
        if match["more"]:
            return _days_back("not_in_last_days", match)
        if match["less"]:
            return _days_back("in_last_days", match)
        counted = _days_back("on", match)
        return (When("on", (today - timedelta(days=counted[0].value)).isoformat()), match.end()) if counted else None
    if match := _FOR.match(text, position):
        return _days_back("in_last_days", match)
    if match := _THIS.match(text, position):
        first = {"week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}
        start = first.get(match["unit"].lower(), today.replace(month=1, day=1))
        return When("after", (start - timedelta(days=1)).isoformat()), match.end()
    return _between(text, position, today) or _related(text, position, today)


def _between(text: str, position: int, today: date) -> tuple[When, int] | None:
    if not (match := _BETWEEN.match(text, position)) or not (start := read_days(text, match.end(), today)):
        return None
    if (to := _TO.match(text, start[1])) and (end := read_days(text, to.end(), today)):
        return When("between", [start[0].first.isoformat(), end[0].last.isoformat()]), end[1]
    if match["word"].lower() == "from":
        return When("after", (start[0].first - timedelta(days=1)).isoformat()), start[1]
    return None


def _related(text: str, position: int, today: date) -> tuple[When, int] | None:
    match = _RELATION.match(text, position)
    found = read_days(text, match.end() if match else position, today)
    if found is None:
        return None
    days, end = found
    relation = match.lastgroup if match else "on"
    if relation == "before":
        return When("before", days.first.isoformat()), end
    if relation == "until":
        return When("before", _shift(days.last, 1).isoformat()), end
    if relation == "since":
        return When("after", _shift(days.first, -1).isoformat()), end
    if relation == "after":
        return When("after", days.last.isoformat()), end
    if days.first == days.last:
        return When("on", days.first.isoformat()), end
    return When("between", [days.first.isoformat(), days.last.isoformat()]), end


def _shift(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return day


def _days_back(op: str, match: re.Match[str]) -> tuple[When, int] | None:
    count = (match["count"] or "one").lower()
    unit = match["unit"].lower()
    if count.startswith("half"):
        days = UNIT_DAYS[unit] // 2
    else:
        number = 2 if count.startswith("a couple") else NUMBER_WORDS.get(count) or int(count)
        days = number * UNIT_DAYS[unit] if unit != "month" else number // 12 * 365 + number % 12 * 30
    return (When(op, days), match.end()) if 0 < days <= MOST_DAYS else None


def read_days(text: str, position: int, today: date) -> tuple[Days, int] | None:
    """Return the day, month or year that begins at a position. Without a year it is the latest one that has begun."""
    if match := _NEAR.match(text, position):
        day = today + timedelta(days={"yesterday": -1, "today": 0, "tomorrow": 1}[match["near"].lower()])
        return Days(day, day), match.end()
    for pattern in _DATES:
        if (match := pattern.match(text, position)) and (day_found := _day(match, today)):
            return Days(day_found, day_found), match.end()
    if match := _MONTH_OF_YEAR.match(text, position):
        month = _month_number(match["month"])
        year = int(match["y"]) if match["y"] else today.year - (month > today.month)
        if 1 <= year < 9999:
            following = date(year + month // 12, month % 12 + 1, 1)
            return Days(date(year, month, 1), following - timedelta(days=1)), match.end()
    if match := _YEAR.match(text, position):
        return Days(date(int(match["y"]), 1, 1), date(int(match["y"]), 12, 31)), match.end()
    return None


def _day(match: re.Match[str], today: date) -> date | None:
    groups = match.groupdict()
    month = _month_number(groups["month"]) if groups.get("month") else int(groups["m"])
    try:
        if groups.get("y"):
            return date(int(groups["y"]), month, int(groups["d"]))
        this_year = date(today.year, month, int(groups["d"]))
        return this_year if this_year <= today else this_year.replace(year=today.year - 1)
    except ValueError:
        return None


def _month_number(name: str) -> int:
    return next(number for number, month in enumerate(MONTHS, start=1) if month.startswith(name[:3].lower()))
