"""How engagement fades: how soon people act on a mail, and how long ago contacts last did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Sum

from accounts.models import Workspace
from analytics.models import Facet
from analytics.reports.caching import kept_for_a_while
from analytics.reports.facets import HOURS
from analytics.reports.overview import MOST_CAMPAIGNS, get_counted_at
from analytics.reports.query import ReportQuery
from analytics.reports.table import Answer, Chart, Column, Figure, Table
from campaigns.models import Campaign
from pulsequill.core.line_chart import lines

#: Up to so many days ago; None is longer.
_AGES: tuple[tuple[int | None, str], ...] = (
    (7, "In the last 7 days"), (30, "8 to 30 days ago"), (90, "31 to 90 days ago"), (180, "91 to 180 days ago"),
    (365, "181 days to a year ago"), (None, "Longer ago"),
)  # fmt: skip

#: One pass over the contacts of the workspace.
_LAST_SEEN = """
SELECT width_bucket(extract(epoch FROM %s - greatest(last_opened_at, last_clicked_at)) / 86400, %s::numeric[]) AS age,
       count(*), count(last_sent_at)
  FROM audiences_contact WHERE workspace_id = %s GROUP BY age
"""


def get_engagement(workspace: Workspace, query: ReportQuery, *, now: datetime, zone: ZoneInfo) -> Answer:
    """Return how soon the readers of a time's campaigns acted, and when contacts were last active."""
    span = query.span(now, zone)
    campaigns = Campaign.objects.for_workspace(workspace).filter(launched_at__gte=span.start, launched_at__lt=span.end)
    ids = list(campaigns.order_by("-launched_at").values_list("pk", flat=True)[:MOST_CAMPAIGNS])
    opened = _by_hours(ids, Facet.Dimension.OPENED_AFTER, "unique_opens")
    clicked = _by_hours(ids, Facet.Dimension.CLICKED_AFTER, "unique_clicks")
    seen = _last_seen(workspace, now)
    total = sum(row["contacts"] for row in seen)
    rows = _hour_rows(opened, clicked)
    half = [_half(counts) for counts in (opened, clicked)]
    figures = [
        Figure("contacts", "Contacts", total, is_more_good=None),
        Figure("active_30", "Active in 30 days", _share(seen[:2], total), is_rate=True),
        Figure("quiet_180", "Silent for half a year", _share(seen[4:], total), is_rate=True, is_more_good=False),
    ]
    for key, label, hours in (
        ("half_opened", "Half of opens within", half[0]),
        ("half_clicked", "Half of clicks within", half[1]),
    ):
        if hours is not None:
            figures.append(Figure(key, f"{label} (hours)", hours, is_more_good=None))
    has_curve = any(opened) or any(clicked)
    return Answer(
        title="How engagement fades",
        subtitle=str(span),
        figures=figures if total else [],
        charts=[
            Chart(
                "How soon people act: share of all first opens and clicks, by hours since sending",
                lines([[row[name] or 0.0 for row in rows] for name in ("opened", "clicked")]),
                ("Opened", "Clicked"),
                tuple(str(row["name"]) for row in rows[::2]),
                "by_hours",
            )
        ]
        if has_curve
        else [],
        tables=[
            Table(
                "by_hours",
                "How soon people act",
                (
                    Column("name", "Within", "text"),
                    Column("opens", "First opens"),
                    Column("opened", "Of all opens", "rate"),
                    Column("clicks", "First clicks"),
                    Column("clicked", "Of all clicks", "rate"),
                ),
                rows if has_curve else [],
                note="Counted from the moment each mail left, for campaigns launched in this time.",
                is_folded=True,
            ),
            Table(
                "last_active",
                "When contacts last opened or clicked",
                (
                    Column("name", "Last active", "text"),
                    Column("contacts", "Contacts"),
                    Column("share", "Share", "rate"),
                    Column("mailed", "Were sent a campaign"),
                ),
                [{**row, "share": round(row["contacts"] / total, 6)} for row in seen] if total else [],
                note="All contacts as they are now, whatever the time above.",
                empty="There are no contacts yet.",
            ),
        ],
        is_empty=not has_curve and not total,
        counted_at=get_counted_at(ids),
    )


def _by_hours(ids: Sequence[Any], dimension: str, counter: str) -> list[int]:
    rows = Facet.objects.filter(campaign_id__in=ids, dimension=dimension).values_list("value").annotate(n=Sum(counter))
    found = {int(value): count for value, count in rows}
    return [found.get(hour, 0) for hour in HOURS]


def _hour_rows(opened: Sequence[int], clicked: Sequence[int]) -> list[dict[str, Any]]:
    rows, opens, clicks = [], 0, 0
    all_opens, all_clicks = sum(opened), sum(clicked)
    ends = (*HOURS[1:], None)
    for first_opens, first_clicks, end in zip(opened, clicked, ends, strict=True):
        opens, clicks = opens + first_opens, clicks + first_clicks
        rows.append(
            {
                "name": "later" if end is None else f"{end} h" if end < 72 else f"{end // 24} d",
                "opens": first_opens,
                "opened": round(opens / all_opens, 6) if all_opens else None,
                "clicks": first_clicks,
                "clicked": round(clicks / all_clicks, 6) if all_clicks else None,
            }
        )
    return rows


def _half(counts: Sequence[int]) -> int | None:
    """Return after how many hours half of all had acted; None when nobody did, or only after a week."""
    total, running = sum(counts), 0
    for count, end in zip(counts, HOURS[1:], strict=False):
        running += count
        if total and running * 2 >= total:
            return end
    return None


def _last_seen(workspace: Workspace, now: datetime) -> list[dict[str, Any]]:
    def count() -> list[tuple[int | None, int, int]]:
        bounds = [0.0, *(float(days) for days, _ in _AGES if days is not None)]
        with connection.cursor() as cursor:
            cursor.execute(_LAST_SEEN, [now, bounds, workspace.pk])
            return list(cursor.fetchall())

    found: dict[int | None, list[int]] = {}
    for age, contacts, mailed in kept_for_a_while(f"last-seen:{workspace.pk}", count):
        kept = found.setdefault(None if age is None else max(age, 1), [0, 0])
        kept[0], kept[1] = kept[0] + contacts, kept[1] + mailed
    names: list[tuple[int | None, str]] = [(number, name) for number, (_, name) in enumerate(_AGES, start=1)]
    return [
        {"name": name, "contacts": found.get(place, [0, 0])[0], "mailed": found.get(place, [0, 0])[1]}
        for place, name in (*names, (None, "Never"))
    ]


def _share(rows: Sequence[dict[str, Any]], total: int) -> float:
    return round(sum(row["contacts"] for row in rows) / total, 6) if total else 0.0
