"""Campaigns of a time: their figures, against the time before, and by list, sender domain, hour of sending and goal.

A campaign counts in the time of its launch, with all that happened since, as on the home page. Sums come from rollups
(`CampaignStats`, `DeliveryMinute`, `Facet`, `ConversionStats`, `GoalDay`): a report costs what there are campaigns and
minutes of sending in it, never what there are messages.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Sum
from django.urls import reverse

from accounts.models import Workspace
from analytics.models import ConversionStats, Facet, FacetCount, Goal, GoalDay
from analytics.reports.query import ReportQuery, Span
from analytics.reports.table import Answer, Column, Figure, Table
from analytics.reports.trend import get_trend
from analytics.selectors.figures import RATES, count_by_variant, figures_of
from audiences.models import ContactList
from campaigns.models import Campaign, Variant
from campaigns.windows import WEEKDAYS

#: More campaigns than anybody reads; the newest of them are shown.
MOST_CAMPAIGNS = 1000
_SUMMED = ("sent", "delivered", "bounced", "complained", "unsubscribed", "unique_opens", "unique_clicks")
_RATE_COLUMNS = (
    Column("delivery_rate", "Delivered", "rate"),
    Column("open_rate", "Opened", "rate"),
    Column("click_rate", "Clicked", "rate"),
    Column("bounce_rate", "Bounced", "rate"),
    Column("unsubscribe_rate", "Unsubscribed", "rate"),
)

Counts = dict[str, int]
Rows = list[tuple[Campaign, dict[str, Any]]]


def get_overview(workspace: Workspace, query: ReportQuery, *, now: datetime, zone: ZoneInfo) -> Answer:
    """Return the report of a time."""
    span = query.span(now, zone)
    before = span.before() if query.has_previous else None
    campaigns = _launched(workspace, Span(before.start if before else span.start, span.end))
    counted = count_by_variant(campaign.pk for campaign in campaigns)
    owed = count_conversions([campaign.pk for campaign in campaigns])
    grouped = by_campaign(counted)
    rows: Rows = []
    rows_before: Rows = []
    for campaign in campaigns:
        place = rows if campaign.launched_at and campaign.launched_at >= span.start else rows_before
        place.append((campaign, figures_of_counts(grouped[campaign.pk])))
    ids = [campaign.pk for campaign, _ in rows]
    chart, trend = get_trend(rows, rows_before or None, span, zone)
    return Answer(
        title="Campaigns of a time",
        subtitle=str(span),
        figures=_figures(rows, rows_before if before else None, owed),
        charts=[chart],
        tables=[
            trend,
            _by_campaign(rows, owed, zone, is_cut=len(campaigns) == MOST_CAMPAIGNS),
            _by_list(workspace, ids),
            _by_sender_domain(workspace, ids, counted),
            *_by_hour(ids),
            _by_goal(workspace, ids, span),
        ],
        is_empty=not rows and not rows_before,
        has_previous=query.has_previous,
        counted_at=get_counted_at(ids),
    )


def _launched(workspace: Workspace, span: Span) -> list[Campaign]:
    launched = Campaign.objects.for_workspace(workspace).filter(launched_at__gte=span.start, launched_at__lt=span.end)
    return list(
        launched.order_by("-launched_at", "-id").only("id", "name", "status", "launched_at", "recipients")[
            :MOST_CAMPAIGNS
        ]
    )


def by_campaign(counted: dict[tuple[Any, Any], Counts]) -> dict[Any, list[Counts]]:
    """Return the counts of each campaign's variants."""
    grouped: dict[Any, list[Counts]] = defaultdict(list)
    for (campaign_id, _), counts in counted.items():
        grouped[campaign_id].append(counts)
    return grouped


def figures_of_counts(many: Iterable[Counts]) -> dict[str, Any]:
    """Return counts and rates of rollup rows that are added up."""
    total: Counts = defaultdict(int)
    for counts in many:
        for name, value in counts.items():
            total[name] += value
    return figures_of({"sent": total.get("sent", 0)}, total)


def with_rates(counts: dict[str, Any]) -> dict[str, Any]:
    """Return counts of messages with every rate that can be told from them."""
    for name, (part, whole) in RATES.items():
        if part in counts and whole in counts:
            counts[name] = round(counts[part] / counts[whole], 6) if counts[whole] else None
    return counts


def get_counted_at(campaign_ids: Sequence[Any]) -> datetime | None:
    """Return when the oldest of the figures that are counted in the background was counted."""
    counts = FacetCount.objects.filter(campaign_id__in=campaign_ids)
    return counts.order_by("counted_at").values_list("counted_at", flat=True).first()


def count_conversions(campaign_ids: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Return by campaign: `reached` (messages that reached a goal, added up over goals) and `revenue` by currency."""
    found: dict[Any, dict[str, Any]] = defaultdict(lambda: {"reached": 0, "revenue": defaultdict(int)})
    rows = (
        ConversionStats.objects.filter(campaign_id__in=campaign_ids)
        .values_list("campaign_id", "currency")
        .annotate(messages=Sum("messages"), value=Sum("value"))
    )
    for campaign_id, currency, messages, value in rows:
        found[campaign_id]["reached"] += messages
        if currency:
            found[campaign_id]["revenue"][currency] += value
    return found


def _figures(rows: Rows, rows_before: Rows | None, owed: dict[Any, dict[str, Any]]) -> list[Figure]:
    total = _summed(figures for _, figures in rows)
    before = _summed(figures for _, figures in rows_before) if rows_before else None
    figures = [Figure("sent", "Sent", total["sent"], before["sent"] if before else None, is_more_good=None)]
    for label, name, is_more_good in (
        ("Delivered", "delivery_rate", True),
        ("Opened", "open_rate", True),
        ("Clicked", "click_rate", True),
        ("Unsubscribed", "unsubscribe_rate", False),
    ):
        was = before[name] if before and before[RATES[name][1]] else None
        figures.append(Figure(name, label, total[name] or 0.0, was, is_rate=True, is_more_good=is_more_good))
    revenue: Counts = defaultdict(int)
    for campaign, _ in rows:
        for currency, value in owed[campaign.pk]["revenue"].items() if campaign.pk in owed else ():
            revenue[currency] += value
    if revenue:
        figures.append(Figure("revenue", "Revenue", revenue, is_more_good=None))
    return figures


def _summed(many: Iterable[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = dict.fromkeys(_SUMMED, 0)
    for figures in many:
        for name in _SUMMED:
            total[name] += figures[name]
    return with_rates(total)


def _by_campaign(rows: Rows, owed: dict[Any, dict[str, Any]], zone: ZoneInfo, *, is_cut: bool) -> Table:
    return Table(
        "campaigns",
        "By campaign",
        (
            Column("name", "Campaign", "text"),
            Column("launched_at", "Launched", "when"),
            Column("sent", "Sent"),
            *_RATE_COLUMNS,
            Column("reached", "Goals reached"),
            Column("revenue", "Revenue", "money"),
        ),
        [
            {
                **figures,
                "id": str(campaign.pk),
                "name": campaign.name,
                "launched_at": campaign.launched_at.astimezone(zone).date() if campaign.launched_at else None,
                "reached": owed[campaign.pk]["reached"] if campaign.pk in owed else 0,
                "revenue": owed[campaign.pk]["revenue"] if campaign.pk in owed else {},
                "href": reverse("analytics:report", args=[campaign.pk]),
            }
            for campaign, figures in rows
        ],
        note=f"The latest {MOST_CAMPAIGNS:,} campaigns." if is_cut else "",
        empty="No campaign was launched in this time.",
        href="href",
    )


def _facets(ids: Sequence[Any], dimension: str) -> dict[str, Counts]:
    rows = (
        Facet.objects.filter(campaign_id__in=ids, dimension=dimension)
        .order_by()
        .values_list("value")
        .annotate(*(Sum(name) for name in _SUMMED))
    )
    return {value: dict(zip(_SUMMED, sums, strict=True)) for value, *sums in rows}


def _by_list(workspace: Workspace, ids: Sequence[Any]) -> Table:
    found = _facets(ids, Facet.Dimension.LIST)
    lists = ContactList.objects.for_workspace(workspace).filter(pk__in=[value for value in found if value])
    names = {"": "No list, by segment only", **{str(pk): name for pk, name in lists.values_list("pk", "name")}}
    rows: list[dict[str, Any]] = [
        {"name": names.get(value, "A list that was deleted"), **with_rates(dict(counts))}
        for value, counts in found.items()
    ]
    rows.sort(key=lambda row: (-row["sent"], row["name"] == names[""], row["name"]))
    return Table(
        "lists",
        "By list",
        (Column("name", "List", "text"), Column("sent", "Sent"), *_RATE_COLUMNS),
        rows,
        note="A mail to somebody on two of a campaign’s lists counts for both.",
    )


def _by_sender_domain(workspace: Workspace, ids: Sequence[Any], counted: dict[tuple[Any, Any], Counts]) -> Table:
    senders = {
        pk: own or shared or ""
        for pk, own, shared in Variant.objects.for_workspace(workspace)
        .filter(campaign_id__in=ids)
        .values_list("pk", "sender__from_email", "campaign__sender__from_email")
    }
    by_domain: dict[str, list[Counts]] = defaultdict(list)
    for (_, variant_id), counts in counted.items():
        if variant_id in senders:
            by_domain[senders[variant_id].rpartition("@")[2].lower()].append(counts)
    rows = [
        {"name": domain or "A sender that was deleted", **figures_of_counts(many)} for domain, many in by_domain.items()
    ]
    rows.sort(key=lambda row: (-row["sent"], row["name"]))
    return Table(
        "sender_domains", "By sender domain",
        (
            Column("name", "Domain", "text"), Column("sent", "Sent"), *_RATE_COLUMNS,
            Column("complaint_rate", "Complaints", "rate"),
        ),
        rows,
    )  # fmt: skip


def _by_hour(ids: Sequence[Any]) -> list[Table]:
    weekdays: dict[int, Counts] = defaultdict(lambda: dict.fromkeys(_SUMMED, 0))
    hours: dict[int, Counts] = defaultdict(lambda: dict.fromkeys(_SUMMED, 0))
    for value, counts in _facets(ids, Facet.Dimension.HOUR).items():
        weekday, _, hour = value.partition("-")
        for name, count in counts.items():
            weekdays[int(weekday)][name] += count
            hours[int(hour)][name] += count
    columns = (Column("sent", "Sent"), *_RATE_COLUMNS[1:3], _RATE_COLUMNS[4])
    return [
        Table(
            "weekdays", "By weekday of sending", (Column("name", "Day", "text"), *columns),
            [{"name": WEEKDAYS[day - 1], **with_rates(weekdays[day])} for day in sorted(weekdays)],
            is_half=True,
        ),
        Table(
            "hours", "By hour of sending", (Column("name", "Hour", "text"), *columns),
            [{"name": f"{hour:02}:00", **with_rates(hours[hour])} for hour in sorted(hours)],
            is_half=True,
        ),
    ]  # fmt: skip


def _by_goal(workspace: Workspace, ids: Sequence[Any], span: Span) -> Table:
    rows: dict[Any, dict[str, Any]] = {
        pk: {"name": name, "reached": 0, "revenue": defaultdict(int), "times": 0, "owed": 0,
             "all_revenue": defaultdict(int)}
        for pk, name in Goal.objects.for_workspace(workspace).order_by("name").values_list("pk", "name")
    }  # fmt: skip
    if rows:
        stats = (
            ConversionStats.objects.filter(campaign_id__in=ids)
            .values_list("goal_id", "currency")
            .annotate(many=Sum("messages"), value=Sum("value"))
        )
        for goal_id, currency, many, value in stats:
            rows[goal_id]["reached"] += many
            rows[goal_id]["revenue"][currency] += value
        first, last = span.start.date(), span.end.date()
        days = (
            GoalDay.objects.for_workspace(workspace)
            .filter(day__gte=first, day__lt=last)
            .values_list("goal_id", "currency")
            .annotate(all_times=Sum("times"), owed=Sum("owed_times"), all_value=Sum("value"))
        )
        for goal_id, currency, times, owed, value in days:
            rows[goal_id]["times"] += times
            rows[goal_id]["owed"] += owed
            rows[goal_id]["all_revenue"][currency] += value
    return Table(
        "goals", "By goal",
        (
            Column("name", "Goal", "text"), Column("reached", "Messages that led to it"),
            Column("revenue", "Revenue of these", "money"), Column("times", "Reached in this time"),
            Column("owed", "Of them owed to a mail"), Column("all_revenue", "Revenue in this time", "money"),
        ),
        list(rows.values()),
        note="The first two are of the campaigns above, whenever their readers got there; the others count everything "
        "that happened on these days.",
        empty="No goal is set up.",
    )  # fmt: skip
