"""What a report is asked: read from an address, from `/v1` or from where it is kept, and checked in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from pulsequill.core.errors import FieldError, Invalid

KINDS: dict[str, str] = {
    "overview": "Campaigns of a time",
    "comparison": "Campaigns side by side",
    "cohorts": "Cohorts of new contacts",
    "engagement": "How engagement fades",
}
#: Range -> how many days, today included.
RANGES: dict[str, int] = {"7d": 7, "30d": 30, "90d": 90, "12m": 365}
CUSTOM = "custom"
LONGEST = timedelta(days=3 * 366)
FEWEST, MOST = 2, 5


@dataclass(frozen=True)
class Span:
    """A time on a workspace's clocks, from its first moment to just before its end."""

    start: datetime
    end: datetime

    def before(self) -> Span:
        """Return the time of the same length before it."""
        return Span(self.start - (self.end - self.start), self.start)

    def __str__(self) -> str:
        last = self.end - timedelta(microseconds=1)
        year = "" if self.start.year == last.year else f" {self.start.year}"
        return f"{self.start:%-d %B}{year} to {last:%-d %B %Y}"


@dataclass(frozen=True)
class ReportQuery:
    """A question about a workspace's campaigns.

    Attributes:
        kind: a key of `KINDS`.
        range: a key of `RANGES`, or `custom`.
        start, end: the first and the last day of a custom range.
        has_previous: whether the time before is compared with.
        campaigns: ids of the campaigns of a comparison, in their order.
    """

    kind: str = "overview"
    range: str = "30d"
    start: date | None = None
    end: date | None = None
    has_previous: bool = True
    campaigns: tuple[str, ...] = ()

    def span(self, now: datetime, zone: ZoneInfo) -> Span:
        """Return the time that is asked about, on a workspace's clocks."""
        today = now.astimezone(zone).date()
        if self.range == CUSTOM and self.start and self.end:
            first, last = self.start, self.end
        else:
            first, last = today - timedelta(days=RANGES.get(self.range, 30) - 1), today
        return Span(_midnight(first, zone), _midnight(last + timedelta(days=1), zone))

    def stored(self) -> dict[str, Any]:
        """Return it as it is kept."""
        found: dict[str, Any] = {"kind": self.kind}
        if self.kind == "comparison":
            return {**found, "campaigns": list(self.campaigns)}
        found["range"] = self.range
        if self.range == CUSTOM:
            found |= {"from": self.start.isoformat() if self.start else "", "to": str(self.end or "")}
        return {**found, "compare": self.has_previous} if self.kind == "overview" else found

    def address(self, **changes: Any) -> str:
        """Return the query part of a page's address."""
        one = replace(self, **changes) if changes else self
        pairs: list[tuple[str, str]] = [("campaign", campaign) for campaign in one.campaigns]
        if one.kind != "comparison":
            pairs.append(("range", one.range))
            if one.range == CUSTOM:
                pairs += [("from", str(one.start)), ("to", str(one.end))]
            if one.kind == "overview" and not one.has_previous:
                pairs.append(("compare", "0"))
        return urlencode(pairs)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone)


def read_query(given: Mapping[str, Any], *, kind: str | None = None, campaigns: Sequence[str] = ()) -> ReportQuery:
    """Return a checked question.

    Args:
        given: `kind`, `range`, `from`, `to`, `compare` and `campaigns`, as texts or JSON values.
        kind: instead of the given one.
        campaigns: ids, instead of the given ones.

    Raises:
        Invalid: something in it is not possible; `field` names it.
    """
    kind = kind or str(given.get("kind") or ("comparison" if given.get("campaigns") else "overview"))
    if kind not in KINDS:
        raise refuse("kind", f"One of {', '.join(KINDS)}.")
    chosen = tuple(dict.fromkeys(_id(one) for one in (campaigns or given.get("campaigns") or ())))
    span = str(given.get("range") or "30d")
    if span not in RANGES and span != CUSTOM:
        raise refuse("range", f"One of {', '.join(RANGES)} or custom.")
    start = end = None
    if span == CUSTOM:
        start, end = _day(given, "from"), _day(given, "to")
        if end < start:
            raise refuse("to", "The last day lies before the first.")
        if end - start > LONGEST:
            raise refuse("to", "Three years at most.")
    compare = given.get("compare", True)
    return ReportQuery(kind, span, start, end, str(compare).lower() not in ("0", "false", "no"), chosen)


def _id(text: Any) -> str:
    try:
        return str(UUID(str(text)))
    except ValueError as error:
        raise refuse("campaigns", "This is no id of a campaign.") from error


def _day(given: Mapping[str, Any], name: str) -> date:
    try:
        day = date.fromisoformat(str(given.get(name) or ""))
    except ValueError as error:
        raise refuse(name, "A day is written YYYY-MM-DD.") from error
    if not 2000 <= day.year <= 2200:
        raise refuse(name, "This year is too far away.")
    return day


def refuse(field: str, detail: str) -> Invalid:
    """Return the error about one field of a question."""
    return Invalid(detail, errors=[FieldError(field, "invalid", detail)])
