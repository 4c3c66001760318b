"""Cohorts: of the contacts who joined in a month, how many were still active in the months after."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count
from django.db.models.functions import TruncMonth

from accounts.models import Workspace
from analytics.models import CohortMonth
from analytics.reports.caching import kept_for_a_while
from analytics.reports.facets import MONTHS
from analytics.reports.table import Answer, Chart, Column, Table
from audiences.models import Contact
from pulsequill.core.line_chart import lines

#: Lines that can be told apart.
MOST_LINES = 5


def get_cohorts(workspace: Workspace, *, now: datetime, zone: ZoneInfo) -> Answer:
    """Return the cohorts of the last twelve months, the latest first."""
    this_month = now.astimezone(zone).date().replace(day=1)
    months = [_back(this_month, number) for number in range(MONTHS)]
    sizes = _sizes(workspace, zone, months[-1])
    found: dict[tuple[date, date], CohortMonth] = {}
    counted_at = None
    for row in CohortMonth.objects.for_workspace(workspace).filter(month__gte=months[-1]):
        found[row.joined_month, row.month] = row
        counted_at = max(counted_at or row.counted_at, row.counted_at)
    active = [_row(joined, sizes, found, "active", this_month) for joined in months if sizes.get(joined)]
    clicked = [_row(joined, sizes, found, "clicked", this_month) for joined in months if sizes.get(joined)]
    shown = list(reversed(active[:MOST_LINES]))
    known = [[row[f"m{n}"] for n in range(MONTHS) if row[f"m{n}"] is not None] for row in shown]
    charts = [
        Chart(
            "Share still active, by months since they joined",
            lines(known),
            [row["name"] for row in shown],
            [str(number) for number in range(max(map(len, known), default=0))],
            "active",
        )
    ]
    return Answer(
        title="Cohorts of new contacts",
        subtitle=f"Contacts who joined since {months[-1]:%B %Y}",
        charts=charts if len(active) > 1 else [],
        tables=[_table("active", "Opened or clicked", active), _table("clicked", "Clicked", clicked)],
        is_empty=not active,
        counted_at=counted_at,
    )


def _row(
    joined: date, sizes: dict[date, int], found: dict[tuple[date, date], CohortMonth], field: str, this_month: date
) -> dict[str, Any]:
    row: dict[str, Any] = {"name": f"{joined:%B %Y}", "contacts": sizes[joined]}
    for number in range(MONTHS):
        month = _back(joined, -number)
        cell = found.get((joined, month))
        share = getattr(cell, field) / sizes[joined] if cell else 0.0
        row[f"m{number}"] = None if month > this_month else round(min(share, 1.0), 6)
    return row


def _table(key: str, title: str, rows: list[dict[str, Any]]) -> Table:
    months = [Column(f"m{n}", "Joined" if not n else f"+{n}", "rate") for n in range(MONTHS)]
    return Table(
        key, title, (Column("name", "Month", "text"), Column("contacts", "Contacts"), *months), rows,
        note="Of the contacts who joined in a month and are still there, how many opened or clicked a campaign’s mail "
        "in that month and in the months after. A mail counts in the month of its first open, and of its first click.",
        empty="Nobody has joined yet.",
        shaded=frozenset(f"m{n}" for n in range(MONTHS)),
    )  # fmt: skip


def _back(month: date, number: int) -> date:
    place = month.year * 12 + month.month - 1 - number
    return date(place // 12, place % 12 + 1, 1)


def _sizes(workspace: Workspace, zone: ZoneInfo, since: date) -> dict[date, int]:
    """Return how many contacts joined in each month: a pass over a year's contacts, kept for some minutes."""

    def count() -> dict[str, int]:
        rows = (
            Contact.objects.for_workspace(workspace)
            .filter(created_at__gte=datetime(since.year, since.month, 1, tzinfo=zone))
            .annotate(month=TruncMonth("created_at", tzinfo=zone))
            .values_list("month")
            .annotate(count=Count("id"))
            .order_by()
        )
        return {month.date().isoformat(): many for month, many in rows}

    sizes = kept_for_a_while(f"cohort-sizes:{workspace.pk}:{since}", count)
    return defaultdict(int, {date.fromisoformat(month): many for month, many in sizes.items()})
