"""One campaign at a glance: its figures, what came when, and how that compares with what the workspace usually sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max, Sum

from analytics.models import ConversionStats
from analytics.selectors.figures import RATES, interval_95, list_campaign_figures
from analytics.selectors.holdout import get_holdout
from analytics.selectors.insight import MIN_CAMPAIGNS, MIN_DELIVERED, list_earlier
from campaigns.models import Campaign, DeliveryMinute

#: Whose opens and clicks -> prefix of the counters, and of the rates in `RATES`.
VIEWS: dict[str, tuple[str, str]] = {
    "human": ("unique", ""),
    "machine": ("machine", "machine_"),
    "both": ("any", "any_"),
}
#: In the order of the columns of `_MINUTES`.
SERIES = (
    "sent", "delivered", "human_opens", "machine_opens", "human_clicks", "machine_clicks", "bounced", "unsubscribed",
    "complained",
)  # fmt: skip
HOUR = timedelta(hours=1)
#: Range -> its name and how much of the beginning it shows (None: everything).
RANGES: dict[str, tuple[str, timedelta | None]] = {"72h": ("First 72 h", timedelta(hours=72)), "all": ("All", None)}
MAX_POINTS = 144
#: Minutes that a step of the chart may have.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 10_080)
#: Fewer events than this have no best hour.
MIN_FOR_HOUR = 10
#: Currencies whose minor unit is the unit itself (ISO 4217).
WHOLE = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF",
                   "XOF", "XPF"})  # fmt: skip


def view_of(figures: dict[str, Any], shown: str) -> dict[str, Any]:
    """Return opens and clicks as one position of the human, machine, both switch shows them."""
    count, rate = VIEWS[shown]
    opens, clicks = figures[f"{count}_opens"], figures[f"{count}_clicks"]
    return {
        "opens": opens,
        "clicks": clicks,
        "open_rate": figures[f"{rate}open_rate"],
        "click_rate": figures[f"{rate}click_rate"],
        "click_to_open_rate": round(clicks / opens, 6) if opens else 0.0,
    }


@dataclass(frozen=True, slots=True)
class Beside:
    """One rate beside the pooled average of the campaigns before it; `verdict` is as in the insight card."""

    rate: str
    value: float
    average: float | None
    verdict: str
    campaigns: int

    @property
    def points(self) -> float | None:
        """How many percentage points it is above (or below) the average."""
        return None if self.average is None else round((self.value - self.average) * 100, 2)


def compare(campaign: Campaign, figures: dict[str, Any]) -> dict[str, Beside]:
    """Return every rate of a campaign beside the average of up to twenty campaigns before it; three queries.

    Above or below is said only when the average lies outside the rate's 95 % interval.
    """
    earlier = [
        (other, theirs)
        for other, theirs in list_campaign_figures(list_earlier(campaign))
        if theirs["delivered"] >= MIN_DELIVERED
    ]
    result = {}
    for rate, (part, whole) in RATES.items():
        switch = "track_opens" if "open" in part else "track_clicks" if "click" in part else ""
        others = [theirs for other, theirs in earlier if not switch or getattr(other, switch)]
        base = sum(theirs[whole] for theirs in others)
        is_enough = len(others) >= MIN_CAMPAIGNS and figures["delivered"] >= MIN_DELIVERED and base
        average = sum(theirs[part] for theirs in others) / base if is_enough else None
        result[rate] = Beside(rate, figures[rate], average, _verdict(figures, rate, average), len(others))
    return result


def _verdict(figures: dict[str, Any], rate: str, average: float | None) -> str:
    if average is None:
        return "not_enough_data"
    part, whole = RATES[rate]
    low, high = interval_95(figures[part], figures[whole])
    return "above" if low > average else "below" if high < average else "same"


_MINUTES = """
SELECT date_bin(%s, minute, %s) AS step, sum(sent), sum(delivered), sum(human_opens), sum(machine_opens),
       sum(human_clicks), sum(machine_clicks), sum(bounced), sum(unsubscribed), sum(complained)
  FROM (SELECT minute, sent, delivered, 0 AS human_opens, 0 AS machine_opens, 0 AS human_clicks, 0 AS machine_clicks,
               0 AS bounced, 0 AS unsubscribed, 0 AS complained
          FROM campaigns_deliveryminute WHERE campaign_id = %s
        UNION ALL
        SELECT minute, 0, delivered, human_opens, machine_opens, human_clicks, machine_clicks, bounced, unsubscribed,
               complained
          FROM analytics_eventminute WHERE campaign_id = %s) AS happened
 WHERE minute >= %s AND minute < %s GROUP BY step ORDER BY step
"""


def get_timeline(
    campaign: Campaign, *, chosen: str, now: datetime, is_cumulative: bool = False, zone: ZoneInfo
) -> dict[str, Any]:
    """Return what happened when, from the launch on and without holes, and the hour in which most people clicked.

    Args:
        campaign: which one; one that was not launched has no points.
        chosen: a key of `RANGES`.
        now: the end of everything.
        is_cumulative: each point holds all that came before it.
        zone: whose hours are meant.

    Returns:
        `{"range", "step_minutes", "points", "best_hour"}`; a point is `{"minute": RFC 3339, "sent": .., ...}`.
    """
    hours = _hours(campaign)
    if not hours or campaign.launched_at is None:
        return {"range": chosen, "step_minutes": 60, "points": [], "best_hour": None}
    start = campaign.launched_at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    last = max(hours[-1][0] + HOUR, start + HOUR)
    length = RANGES[chosen][1]
    end = min(last if length is None else start + length, last, now + HOUR)
    step = next((one for one in STEPS if (end - start) / timedelta(minutes=one) <= MAX_POINTS), STEPS[-1])
    points = list(_points(campaign, start, end, timedelta(minutes=step)))
    if is_cumulative:
        for before, after in pairwise(points):
            for name in SERIES:
                after[name] += before[name]
    return {"range": chosen, "step_minutes": step, "points": points, "best_hour": _best_hour(hours, zone)}


def _hours(campaign: Campaign) -> list[tuple[Any, ...]]:
    long_ago, far = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
    return _folded(campaign, HOUR, long_ago, far)


def _folded(campaign: Campaign, step: timedelta, start: datetime, end: datetime) -> list[tuple[Any, ...]]:
    """Return the steps in which something happened: when each began, and its counts in the order of `SERIES`."""
    params: list[Any] = [step, start, campaign.pk, campaign.pk, start, end]
    with connection.cursor() as cursor:
        cursor.execute(_MINUTES, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _points(campaign: Campaign, start: datetime, end: datetime, step: timedelta) -> Iterator[dict[str, Any]]:
    folded = {row[0]: row[1:] for row in _folded(campaign, step, start, end)}
    for number in range(max(1, -int(-(end - start) // step))):
        at = start + number * step
        counts = folded.get(at, (0,) * len(SERIES))
        yield {
            "minute": at.isoformat().replace("+00:00", "Z"),
            **{name: int(count) for name, count in zip(SERIES, counts, strict=True)},
        }


def _best_hour(hours: list[tuple[Any, ...]], zone: ZoneInfo) -> dict[str, Any] | None:
    """Return the hour with most human clicks, or opens while nobody has clicked; None when too little happened."""
    for name, word in (("human_clicks", "clicks"), ("human_opens", "opens")):
        place = 1 + SERIES.index(name)
        best = max(hours, key=lambda row: row[place])
        total = sum(row[place] for row in hours)
        if total >= MIN_FOR_HOUR:
            at = best[0].astimezone(zone)
            return {"at": at, "until": at + HOUR, "count": int(best[place]), "total": int(total), "word": word}
    return None


def get_delivery(campaign: Campaign) -> dict[str, Any]:
    """Return when it left and how fast: minutes of sending, messages a minute on average and at most."""
    by_minute = DeliveryMinute.objects.filter(campaign=campaign).values("minute").annotate(left=Sum("sent"))
    minutes = by_minute.aggregate(peak=Max("left"), total=Sum("left"))
    last = campaign.finished_at
    seconds = (last - campaign.launched_at).total_seconds() if last and campaign.launched_at else 0.0
    total = minutes["total"] or 0
    return {
        "started_at": campaign.launched_at,
        "finished_at": last,
        "seconds": round(seconds),
        "per_minute": round(total / max(seconds / 60, 1 / 60)) if seconds and total else None,
        "peak_per_minute": minutes["peak"],
        "provider": campaign.provider,
    }


def get_goals(campaign: Campaign) -> list[dict[str, Any]]:
    """Return what readers did afterwards: a row for each goal and currency, variants added up; one query."""
    rows = (
        ConversionStats.objects.filter(campaign=campaign)
        .values("goal__key", "goal__name", "currency")
        .annotate(people=Sum("messages"), happened=Sum("times"), worth=Sum("value"))
        .order_by("goal__name", "currency")
    )
    return [
        {
            "key": row["goal__key"],
            "name": row["goal__name"],
            "currency": row["currency"],
            "messages": row["people"],
            "times": row["happened"],
            "value": int(row["worth"]),
            "money": money(int(row["worth"]), row["currency"]),
        }
        for row in rows
    ]


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units as people read it, or '' without a currency."""
    if not currency:
        return ""
    return f"{minor:,} {currency}" if currency in WHOLE else f"{minor / 100:,.2f} {currency}"


def get_report(campaign: Campaign, figures: dict[str, Any]) -> dict[str, Any]:
    """Return all of the overview but the chart, as files and `/v1` have it."""
    beside = compare(campaign, figures) if campaign.launched_at else {}
    return {
        "id": campaign.pk,
        "name": campaign.name,
        "status": campaign.status,
        "figures": figures,
        "compared": [
            {
                "rate": one.rate,
                "value": one.value,
                "average": None if one.average is None else round(one.average, 6),
                "verdict": one.verdict,
                "campaigns": one.campaigns,
            }
            for one in beside.values()
        ],
        "delivery": get_delivery(campaign),
        "goals": get_goals(campaign),
        "holdout": get_holdout(campaign),
        "utm": campaign.utm or {},
    }


def figures_rows(figures: dict[str, Any]) -> Iterator[list[object]]:
    """Yield lines of a file: one for the campaign, one for each variant when there are several."""
    names = figure_names(figures)
    yield ["campaign", "", *(figures[name] for name in names)]
    if len(figures["variants"]) > 1:
        for variant in figures["variants"]:
            yield ["variant", variant["label"], *(variant[name] for name in names)]


def figure_names(figures: dict[str, Any]) -> list[str]:
    """Return the figures that are numbers, in their order."""
    return [name for name, value in figures.items() if isinstance(value, int | float)]
