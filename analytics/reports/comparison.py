"""Two to five campaigns side by side, their curves aligned on the hours since each was launched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.urls import reverse

from accounts.models import Workspace
from analytics.reports.overview import by_campaign, count_conversions, figures_of_counts
from analytics.reports.query import MOST, ReportQuery
from analytics.reports.table import Answer, Chart, Column, Table
from analytics.selectors.figures import count_by_variant, interval_95
from campaigns.models import Campaign
from pulsequill.core.line_chart import lines

#: Three days tell how a mail went; afterwards little happens.
HOURS = 72
_AXIS = ("at launch", "1 day", "2 days", "3 days")

#: Minutes of these campaigns, at most 72 h of each: 4,320 rows a campaign, however many messages it had.
_CURVES = """
SELECT minutes.campaign_id, floor(extract(epoch FROM minutes.minute - campaign.launched_at) / 3600)::int AS hour,
       sum(human_opens)::bigint, sum(human_clicks)::bigint
  FROM analytics_eventminute AS minutes JOIN campaigns_campaign AS campaign ON campaign.id = minutes.campaign_id
 WHERE minutes.campaign_id = ANY(%s) AND minutes.minute < campaign.launched_at + make_interval(hours => %s)
 GROUP BY 1, 2
"""


def get_comparison(workspace: Workspace, query: ReportQuery, *, now: datetime, zone: ZoneInfo) -> Answer:
    """Return campaigns beside each other, in the order of the question; without a choice the latest ones."""
    launched = Campaign.objects.for_workspace(workspace).filter(launched_at__isnull=False)
    if query.campaigns:
        found = {str(campaign.pk): campaign for campaign in launched.filter(pk__in=query.campaigns)}
        chosen = [found[one] for one in query.campaigns if one in found]
    else:
        chosen = list(launched.order_by("-launched_at", "-id")[:MOST])
    counted = by_campaign(count_by_variant(campaign.pk for campaign in chosen))
    owed = count_conversions([campaign.pk for campaign in chosen])
    rows = []
    for campaign in chosen:
        figures = figures_of_counts(counted[campaign.pk])
        low, high = interval_95(figures["unique_clicks"], figures["delivered"])
        rows.append(
            {
                **figures,
                "id": str(campaign.pk),
                "name": campaign.name,
                "launched_at": campaign.launched_at.astimezone(zone).date() if campaign.launched_at else None,
                "hours": _hours_since(campaign.launched_at, now),
                "low": low,
                "high": high,
                "reached": owed[campaign.pk]["reached"] if campaign.pk in owed else 0,
                "revenue": owed[campaign.pk]["revenue"] if campaign.pk in owed else {},
                "href": reverse("analytics:report", args=[campaign.pk]),
            }
        )
    names = [campaign.name for campaign in chosen]
    curves = _curves(rows)
    shown = (
        ("clicks_by_hour", "Clicks by hours since launch", [clicked for _, clicked in curves]),
        ("opens_by_hour", "Opens by hours since launch", [opened for opened, _ in curves]),
    )
    return Answer(
        title="Campaigns side by side",
        subtitle=" · ".join(names),
        charts=[
            Chart(f"{title}, for each mail delivered", lines(values, steps=HOURS), names, _AXIS, key)
            for key, title, values in shown
            if rows
        ],
        tables=[_figures_table(rows), *(_curve_table(key, title, names, values) for key, title, values in shown)],
        is_empty=not rows,
    )


def _figures_table(rows: Sequence[dict[str, Any]]) -> Table:
    return Table(
        "comparison", "Figures",
        (
            Column("name", "Campaign", "text"), Column("launched_at", "Launched", "when"), Column("sent", "Sent"),
            Column("delivery_rate", "Delivered", "rate"), Column("open_rate", "Opened", "rate"),
            Column("click_rate", "Clicked", "rate"), Column("low", "At least", "rate"),
            Column("high", "At most", "rate"),
            Column("click_to_open_rate", "Click to open", "rate"), Column("bounce_rate", "Bounced", "rate"),
            Column("unsubscribe_rate", "Unsubscribed", "rate"), Column("reached", "Goals reached"),
            Column("revenue", "Revenue", "money"),
        ),
        rows,
        note="“At least” and “at most” are the ends of the click rate’s 95 % interval: where two overlap, the "
        "difference may be chance.",
        empty="No campaign was sent yet.",
        href="href",
    )  # fmt: skip


def _curves(rows: Sequence[dict[str, Any]]) -> list[tuple[list[float], list[float]]]:
    """Return for each campaign the running opens and clicks for each delivered mail, an entry an hour."""
    with connection.cursor() as cursor:
        cursor.execute(_CURVES, [[row["id"] for row in rows], HOURS])
        by_campaign: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        for campaign_id, hour, opens, clicks in cursor.fetchall():
            by_campaign[str(campaign_id)][max(0, hour)] = (opens, clicks)
    curves = []
    for row in rows:
        hours, delivered = by_campaign[row["id"]], max(1, row["delivered"])
        opens = clicks = 0
        opened, clicked = [0.0], [0.0]
        for hour in range(max(hours, default=-1) + 1):
            opens, clicks = opens + hours.get(hour, (0, 0))[0], clicks + hours.get(hour, (0, 0))[1]
            opened.append(round(opens / delivered, 6))
            clicked.append(round(clicks / delivered, 6))
        curves.append((_until(opened, row["hours"]), _until(clicked, row["hours"])))
    return curves


def _hours_since(launched_at: datetime | None, now: datetime) -> int:
    return min(HOURS, max(0, ceil((now - launched_at).total_seconds() / 3600))) if launched_at else 0


def _until(values: list[float], hours: int) -> list[float]:
    """Carry the last value on to the end, or to now: nobody knows yet what comes after."""
    return values + [values[-1]] * (hours + 1 - len(values))


def _curve_table(key: str, title: str, names: Sequence[str], curves: Sequence[Sequence[float]]) -> Table:
    steps = (1, 2, 3, 6, 12, 24, 36, 48, 72)
    return Table(
        key, title,
        (Column("after", "Hours since launch"), *(Column(f"c{n}", name, "rate") for n, name in enumerate(names))),
        [
            {"after": step, **{f"c{n}": curve[step] for n, curve in enumerate(curves) if step < len(curve)}}
            for step in steps
            if curves
        ],
        note="Human opens and clicks, repeats included, for each mail delivered.",
        is_folded=True,
    )  # fmt: skip
