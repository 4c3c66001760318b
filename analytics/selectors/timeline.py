"""What happened when: the minutes of delivery and of events, joined and folded into the steps of a chart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, Max, Min, Sum

from analytics.models import EventMinute
from campaigns.models import Campaign, DeliveryMinute

EVENT_SERIES = (
    "delivered", "human_opens", "machine_opens", "human_clicks", "machine_clicks", "bounced", "complained",
    "unsubscribed",
)  # fmt: skip
SERIES = ("sent", *EVENT_SERIES)
MINUTE = timedelta(minutes=1)
MAX_POINTS = 144
#: Lengths that a step of the total may have.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080)


@dataclass(frozen=True)
class Range:
    """What a chart may show."""

    label: str
    minutes: int | None
    step: int | None


RANGES: dict[str, Range] = {
    "30m": Range("30 min", 30, 1),
    "6h": Range("6 h", 6 * 60, 5),
    "24h": Range("24 h", 24 * 60, 10),
    "total": Range("Total", None, None),
}


def _floor(moment: datetime, step: int) -> datetime:
    seconds = step * 60
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, UTC)


def _extent(campaign: Campaign) -> tuple[datetime | None, datetime | None]:
    extents = [
        model.objects.filter(campaign=campaign).aggregate(first=Min("minute"), last=Max("minute"))
        for model in (DeliveryMinute, EventMinute)
    ]
    firsts = [extent["first"] for extent in extents if extent["first"]]
    lasts = [extent["last"] for extent in extents if extent["last"]]
    return (min(firsts), max(lasts)) if firsts else (None, None)


def get_timeline(campaign: Campaign, *, window: str = "30m", now: datetime) -> dict[str, Any]:
    """Return the points of one of `RANGES`, oldest first, without holes.

    A running campaign's window ends now. A finished one's ends with its last event, so that a chart of last week's
    campaign is not empty; but its hours are the first ones, in which most readers come.

    Returns:
        `{"range", "step_minutes", "points": [{"minute": RFC 3339, "sent": .., "delivered": .., ...}]}`
    """
    chosen = RANGES[window]
    first, last = _extent(campaign)
    is_running = campaign.status in ("sending", "preparing", "paused")
    end = now if is_running or last is None else min(now, last + 5 * MINUTE)
    if chosen.minutes is None or chosen.step is None:
        start = first or end - 29 * MINUTE
        minutes = max(1, int((end - start) / MINUTE) + 1)
        step = next((s for s in STEPS if minutes / s <= MAX_POINTS), STEPS[-1])
    else:
        step, length = chosen.step, timedelta(minutes=chosen.minutes - chosen.step)
        if window != "30m" and first and not is_running:
            end = min(end, first + length)
        start = end - length
    start, end = _floor(start, step), _floor(end, step)
    return {"range": window, "step_minutes": step, "points": _points(campaign, start, end, step)}


def _points(campaign: Campaign, start: datetime, end: datetime, step: int) -> list[dict[str, Any]]:
    until = end + timedelta(minutes=step)
    folded: dict[datetime, dict[str, int]] = {}
    span = {"campaign": campaign, "minute__gte": start, "minute__lt": until}
    sources: list[Any] = [
        DeliveryMinute.objects.filter(**span)
        .values("minute")
        .annotate(n_sent=Sum("sent"), n_delivered=Sum("delivered")),
        EventMinute.objects.filter(**span).values("minute", **{f"n_{name}": F(name) for name in EVENT_SERIES}),
    ]
    for source in sources:
        for row in source:
            point = folded.setdefault(_floor(row["minute"], step), {})
            for name in SERIES:
                point[name] = point.get(name, 0) + (row.get(f"n_{name}") or 0)
    count = int((end - start) / timedelta(minutes=step)) + 1
    moments = (start + timedelta(minutes=step * n) for n in range(count))
    empty = dict.fromkeys(SERIES, 0)
    return [
        {"minute": moment.isoformat().replace("+00:00", "Z"), **empty, **folded.get(moment, {})} for moment in moments
    ]
