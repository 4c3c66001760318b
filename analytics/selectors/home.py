"""The workspace's home: the last weeks against the weeks before, and what waits to be done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.models import Activity, Workspace
from aiwriter.models import BrandVoice, Draft
from analytics.selectors.figures import RATES, list_campaign_figures
from analytics.selectors.keeping import kept_by_cost
from analytics.selectors.live import LIMITS, get_live_frame
from audiences.models import Contact, Suppression
from audiences.selectors import ContactFilter, count_contacts, count_suppressions
from campaigns.models import Campaign, Message, Sender
from pulsequill.core.charts import sparkline
from pulsequill.templatetags.ui import percent

PERIODS: dict[str, int] = {"7": 7, "30": 30, "90": 90}
SPARK_POINTS = 12
SHOWN = 3
ACTIVITIES = 6
#: What readers do all day long: a hundred of them would push out what the team did.
HABITUAL = ("contact.unsubscribed", "contact.resubscribed", "email.suppressed")
MOST_CAMPAIGNS = 500
GROWTH = "List growth"


@dataclass(frozen=True)
class Kpi:
    """One figure of the row at the top: its value, how it changed, and whether that is good."""

    label: str
    value: float
    is_rate: bool
    change: float | None
    is_good: bool | None
    line: str
    area: str

    @property
    def value_text(self) -> str:
        """The value without its unit; a change of the list carries its sign."""
        if not self.is_rate:
            return f"{self.value:+,.0f}" if self.label == GROWTH and self.value else f"{self.value:,.0f}"
        return percent(self.value).removesuffix(" %")

    @property
    def unit(self) -> str:
        """What stands small behind the value."""
        return "%" if self.is_rate else ""

    @property
    def change_text(self) -> str:
        """The change without its sign: points for rates, percent for amounts, contacts for the list."""
        size = abs(self.change or 0)
        if self.is_rate:
            return f"{percent(size).removesuffix(' %')} pt"
        return f"{size:,.0f}" if self.label == GROWTH else percent(size)


def _summed(rows: Iterable[tuple[Campaign, dict[str, Any]]]) -> dict[str, float]:
    total: dict[str, float] = dict.fromkeys(
        ("sent", "delivered", "bounced", "complained", "unsubscribed", "unique_opens", "unique_clicks"), 0
    )
    for _, figures in rows:
        for name in total:
            total[name] += figures[name]
    return total


def _rate(total: dict[str, float], name: str) -> float:
    part, whole = RATES[name]
    return total[part] / total[whole] if total[whole] else 0.0


def _buckets(start: datetime, days: int, rows: list[tuple[Campaign, dict[str, Any]]]) -> list[dict[str, float]]:
    length = timedelta(days=days) / SPARK_POINTS
    folded: list[list[tuple[Campaign, dict[str, Any]]]] = [[] for _ in range(SPARK_POINTS)]
    for campaign, figures in rows:
        assert campaign.launched_at is not None
        place = min(SPARK_POINTS - 1, int((campaign.launched_at - start) / length))
        folded[place].append((campaign, figures))
    return [_summed(bucket) for bucket in folded]


def _launched(workspace: Workspace, since: datetime) -> QuerySet[Campaign]:
    return (
        Campaign.objects.for_workspace(workspace)
        .filter(launched_at__gte=since)
        .order_by("-launched_at")
        .only("id", "name", "status", "launched_at", "recipients", "workspace_id")[:MOST_CAMPAIGNS]
    )


def _growth(workspace: Workspace, since: datetime) -> dict[Any, int]:
    """Contacts won less addresses suppressed, by day."""
    days: dict[Any, int] = {}
    for model, sign in ((Contact, 1), (Suppression, -1)):
        rows = (
            model.objects.for_workspace(workspace)
            .filter(created_at__gte=since)
            .annotate(day=TruncDate("created_at"))
            .values_list("day")
            .annotate(count=Count("id"))
        )
        for day, count in rows:
            days[day] = days.get(day, 0) + sign * count
    return days


def _kpi(
    label: str, value: float, before: float | None, series: list[float], *, is_rate: bool, is_more_good: bool
) -> Kpi:
    change = None if before is None else value - before if is_rate else (value - before) / before if before else None
    is_good = None if not change else (change > 0) == is_more_good
    line, area = sparkline(series)
    return Kpi(label, value, is_rate, change, is_good, line, area)


def get_kpis(workspace: Workspace, *, days: int, now: datetime) -> tuple[list[Kpi], dict[str, float]]:
    """Return the five figures of a period and the sums that they come from.

    A campaign counts in the period in which it was launched, with everything that happened to it since.
    """
    start, before_start = now - timedelta(days=days), now - timedelta(days=2 * days)
    rows = list_campaign_figures(_launched(workspace, before_start))
    current = [row for row in rows if row[0].launched_at and row[0].launched_at >= start]
    earlier = [row for row in rows if row[0].launched_at and row[0].launched_at < start]
    total, before = _summed(current), _summed(earlier)
    buckets = _buckets(start, days, current)
    kpis = [
        _kpi("Sent", total["sent"], before["sent"] if earlier else None, [b["sent"] for b in buckets],
             is_rate=False, is_more_good=True),
    ]  # fmt: skip
    for label, name, is_more_good in (
        ("Delivered", "delivery_rate", True),
        ("Clicked", "click_rate", True),
        ("Unsubscribed", "unsubscribe_rate", False),
    ):
        series = [_rate(bucket, name) for bucket in buckets if bucket["sent"]]
        kpis.append(
            _kpi(label, _rate(total, name), _rate(before, name) if earlier else None, series,
                 is_rate=True, is_more_good=is_more_good)
        )  # fmt: skip
    growth = kept_by_cost(f"growth:{workspace.pk}:{days}", lambda: _growth(workspace, before_start))
    won = sum(count for day, count in growth.items() if day >= start.date())
    won_before = sum(count for day, count in growth.items() if day < start.date())
    daily = [growth.get((start + timedelta(days=n)).date(), 0) for n in range(days + 1)]
    cumulative = [float(sum(daily[: n + 1])) for n in range(len(daily))]
    line, area = sparkline(cumulative[:: max(1, len(cumulative) // SPARK_POINTS)])
    kpis.append(Kpi(GROWTH, won, False, won - won_before, (won >= won_before) if growth else None, line, area))
    return kpis, total


def get_setup(workspace: Workspace) -> list[dict[str, Any]]:
    """Return the steps of a new workspace and which are done; each ticks itself."""
    drafts = Draft.objects.for_workspace(workspace)
    steps = (
        ("Add a sender", "accounts:settings", Sender.objects.for_workspace(workspace).exists()),
        ("Import contacts", "audiences:import_new", Contact.objects.for_workspace(workspace).exists()),
        ("Teach your brand voice", "aiwriter:studio", BrandVoice.objects.for_workspace(workspace).exists()),
        (
            "Write a first draft",
            "campaigns:campaign_new",
            drafts.exists() or Campaign.objects.for_workspace(workspace).exists(),
        ),
        (
            "Send yourself a test",
            "campaigns:campaign_list",
            Message.objects.for_workspace(workspace).filter(is_test=True).exists(),
        ),
    )
    return [{"title": title, "url_name": url_name, "is_done": done} for title, url_name, done in steps]


def get_home(workspace: Workspace, *, days: int) -> dict[str, Any]:
    """Return everything that the home page shows."""
    now = timezone.now()
    kpis, total = get_kpis(workspace, days=days, now=now)
    campaigns = Campaign.objects.for_workspace(workspace)
    under_way = campaigns.filter(status__in=("sending", "paused")).select_related("workspace")
    running = under_way.order_by("-launched_at", "-id")[:SHOWN]
    setup = get_setup(workspace)
    return {
        "kpis": kpis,
        "running": [(campaign, get_live_frame(campaign)) for campaign in running],
        "scheduled": campaigns.filter(status="scheduled").order_by("send_at", "id")[:SHOWN],
        "drafts": campaigns.filter(status="draft").select_related("created_by").order_by("-updated_at", "-id")[:SHOWN],
        "draft_count": campaigns.filter(status="draft").count(),
        "setup": setup,
        "setup_done": sum(step["is_done"] for step in setup),
        "health": [
            {
                "label": label,
                "value": _rate(total, name),
                "limit": LIMITS[name],
                "tone": "ok" if _rate(total, name) < LIMITS[name] else "bad",
            }
            for label, name in (("Bounces", "bounce_rate"), ("Complaints", "complaint_rate"))
        ],
        "is_healthy": all(_rate(total, name) < limit for name, limit in LIMITS.items()),
        "has_sent": total["sent"] > 0,
        "contact_count": count_contacts(workspace, ContactFilter()).value,
        "suppressed_count": sum(count_suppressions(workspace).values()),
        "activities": Activity.objects.for_workspace(workspace)
        .exclude(actor=None, kind__in=HABITUAL)
        .select_related("actor")
        .order_by("-created_at", "-id")[:ACTIVITIES],
    }
