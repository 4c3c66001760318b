"""How a time went: its campaigns in up to thirteen steps, beside the same steps of the time before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from analytics.reports.query import Span
from analytics.reports.table import Chart, Column, Table
from campaigns.models import Campaign
from pulsequill.core.line_chart import lines

#: Twelve stretches between thirteen points: labels at every third stand where they belong.
MOST_STEPS = 13
_COUNTS = ("sent", "unique_opens", "unique_clicks")

Rows = Sequence[tuple[Campaign, dict[str, Any]]]


def get_trend(rows: Rows, rows_before: Rows | None, span: Span, zone: ZoneInfo) -> tuple[Chart, Table]:
    """Return clicks by the time of launch, as a chart and as the table that goes with it."""
    days = max(1, round((span.end - span.start) / timedelta(days=1)))
    steps = min(days, MOST_STEPS)
    now = _fold(rows, span.start, span.end, steps)
    before = _fold(rows_before or (), span.before().start, span.start, steps)
    length = (span.end - span.start) / steps
    starts = [(span.start + length * number).astimezone(zone).date() for number in range(steps)]
    columns = [
        Column("start", "Launched from", "when"), Column("sent", "Sent"), Column("unique_opens", "Opened"),
        Column("unique_clicks", "Clicked"),
    ]  # fmt: skip
    names, series = ["Clicked"], [[step["unique_clicks"] for step in now]]
    if rows_before is not None:
        columns.append(Column("clicks_before", "Clicked, time before"))
        names.append("Clicked, time before")
        series.append([step["unique_clicks"] for step in before])
    table = Table(
        "trend",
        "By time of launch",
        columns,
        [
            {"start": start, **step, "clicks_before": earlier["unique_clicks"]}
            for start, step, earlier in zip(starts, now, before, strict=True)
        ],
        note="Messages that were opened and clicked by people, by the launch of their campaign.",
        is_folded=True,
    )
    parts = next((parts for parts in (4, 3, 2) if (steps - 1) % parts == 0), 1)
    axis = [f"{start:%-d %b}" for start in starts[:: max(1, (steps - 1) // parts)]]
    return Chart("Clicks by time of launch", lines(series), names, axis, "trend", is_rate=False), table


def _fold(
    rows: Iterable[tuple[Campaign, dict[str, Any]]], start: datetime, end: datetime, steps: int
) -> list[dict[str, int]]:
    folded = [dict.fromkeys(_COUNTS, 0) for _ in range(steps)]
    for campaign, figures in rows:
        if campaign.launched_at is not None:
            place = int((campaign.launched_at - start) / (end - start) * steps)
            for name in _COUNTS:
                folded[max(0, min(steps - 1, place))][name] += figures[name]
    return folded
