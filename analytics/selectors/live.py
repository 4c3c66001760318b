"""The live page's data: one snapshot by HTTP, then the same shape as frames, all of it absolute.

A frame of figures (`get_live_frame`) costs the same for ten thousand messages and for a million: it reads rollups, and
the ledger only through `campaigns.selectors.tally`. What moves slowly (`live_parts`) goes in frames of its own.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from analytics.selectors.breakdowns import get_links, recent_events
from analytics.selectors.figures import OPEN_STATUSES, get_campaign_stats, interval_95
from analytics.selectors.live_parts import get_parts
from analytics.selectors.live_reasons import get_deferring
from analytics.selectors.timeline import SERIES, get_timeline
from campaigns.braking import limits_of
from campaigns.models import Campaign
from campaigns.selectors.finish import estimate_rest
from pulsequill.core.valkey import AWAY, streams_client

TOP_LINKS = 5
TICKER = 8
FORECAST_KEPT_S = 3
#: Complete minutes that the speed is taken from.
SPEED_MINUTES = 3
#: Rate -> the line that it must not cross (UI.md).
LIMITS: dict[str, float] = {"bounce_rate": 0.02, "complaint_rate": 0.001}
#: Fewer sent messages than this say nothing about a rate.
MIN_FOR_ALERT = 50

#: Whose opens and clicks are shown -> prefix of the counters of messages, and of the minutes' series.
VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "human": ("unique", ("human",)),
    "machine": ("machine", ("machine",)),
    "both": ("any", ("human", "machine")),
}


def sequence_key(campaign_id: Any) -> str:
    """Return the Valkey key of a campaign's frame counter."""
    return f"live:seq:{campaign_id}"


def get_live_frame(campaign: Campaign, *, may_count: bool = True) -> dict[str, Any]:
    """Return everything that moves all the time, without a number; `at` says how fresh it is.

    Args:
        campaign: with its workspace.
        may_count: False when a count of a large ledger must not be waited for.
    """
    now = timezone.now()
    totals = get_campaign_stats(campaign, may_count=may_count)
    minutes = get_timeline(campaign, window="30m", now=now)["points"]
    per_minute = _per_minute(campaign, minutes)
    return {
        "at": now.isoformat().replace("+00:00", "Z"),
        "campaign": {
            "id": str(campaign.pk),
            "name": campaign.name,
            "status": campaign.status,
            "status_reason": campaign.status_reason,
        },
        "totals": totals,
        "progress": _progress(campaign, totals, minutes, now),
        "per_minute": per_minute,
        "views": {name: _view(name, totals, per_minute) for name in VIEWS},
        "race": _race(totals),
        "minutes": minutes,
        "links": get_links(campaign, limit=TOP_LINKS),
        "events": recent_events(campaign, limit=TICKER),
        "alerts": _alerts(campaign, totals),
        "notices": _notices(campaign, totals, now),
    }


def get_live_parts(campaign: Campaign) -> dict[str, Any]:
    """Return what moves slowly, without a number."""
    now = timezone.now()
    return {"at": now.isoformat().replace("+00:00", "Z"), "parts": get_parts(campaign)}


def get_live_snapshot(campaign: Campaign) -> dict[str, Any]:
    """Return figures and parts with the number of the last frame that went out before they were read."""
    try:
        seq = int(streams_client().get(sequence_key(campaign.pk)) or 0)
    except AWAY:
        seq = 0
    return {"seq": seq, "type": "totals", **get_live_frame(campaign), "parts": get_parts(campaign)}


def _progress(
    campaign: Campaign, totals: dict[str, Any], minutes: list[dict[str, Any]], now: datetime
) -> dict[str, Any]:
    total = totals["recipients"] or campaign.recipients
    left = sum(totals[status] for status in OPEN_STATUSES)
    done = max(0, total - left) if totals["recipients"] else 0
    speed = _speed(campaign, totals, minutes, now)
    finish_at = _finish(campaign, left - totals["held"], now) if left else None
    return {
        "done": done,
        "total": total,
        "to_send": max(0, total - totals["skipped"]),
        "share": round(done / total, 4) if total else 0.0,
        "per_minute": round(speed),
        "started_at": campaign.launched_at.isoformat().replace("+00:00", "Z") if campaign.launched_at else None,
        "finished_at": campaign.finished_at.isoformat().replace("+00:00", "Z") if campaign.finished_at else None,
        "finish_at": finish_at.isoformat().replace("+00:00", "Z") if finish_at else None,
    }


def _finish(campaign: Campaign, left: int, now: datetime) -> datetime | None:
    """Return when the campaign will be done; forecast anew every few seconds only."""
    if campaign.status != Campaign.Status.SENDING:
        return None
    key = f"finish:{campaign.pk}"
    try:
        kept = cache.get(key)
    except AWAY:
        kept = None
    if kept is None:
        rest = estimate_rest(campaign, now=now, left=left)
        kept = (rest.finish_at if rest else None,)
        with contextlib.suppress(*AWAY):
            cache.set(key, kept, FORECAST_KEPT_S)
    finish_at: datetime | None = kept[0]
    return finish_at


def _speed(campaign: Campaign, totals: dict[str, Any], minutes: list[dict[str, Any]], now: datetime) -> float:
    """Messages a minute: over the last complete minutes, or since the launch while there is none."""
    if campaign.status != Campaign.Status.SENDING:
        return 0.0
    complete = [point["sent"] for point in minutes[-1 - SPEED_MINUTES : -1] if point["sent"]]
    if complete:
        return float(sum(complete) / len(complete))
    if campaign.launched_at is None:
        return 0.0
    elapsed = max((now - campaign.launched_at).total_seconds(), 1.0)
    return float(totals["sent"]) / elapsed * 60


def _per_minute(campaign: Campaign, minutes: list[dict[str, Any]]) -> dict[str, int]:
    """How much happened in the last complete minute; in the running one while nothing is complete yet."""
    if campaign.status in ("sent", "cancelled", "failed", "draft") and not any(
        any(p[n] for n in SERIES) for p in minutes[-2:]
    ):
        return dict.fromkeys(SERIES, 0)
    latest, running = minutes[-2], minutes[-1]
    source = latest if any(latest[name] for name in SERIES) else running
    return {name: source[name] for name in SERIES}


def _view(name: str, totals: dict[str, Any], per_minute: dict[str, int]) -> dict[str, Any]:
    """Return opens and clicks as one position of the human, machine, both switch shows them."""
    prefix, series = VIEWS[name]
    opens, clicks = totals[f"{prefix}_opens"], totals[f"{prefix}_clicks"]
    delivered = totals["delivered"]
    return {
        "opens": opens,
        "clicks": clicks,
        "open_rate": round(opens / delivered, 6) if delivered else 0.0,
        "click_rate": round(clicks / delivered, 6) if delivered else 0.0,
        "click_to_open_rate": round(clicks / opens, 6) if opens else 0.0,
        "opens_per_minute": sum(per_minute[f"{who}_opens"] for who in series),
        "clicks_per_minute": sum(per_minute[f"{who}_clicks"] for who in series),
        "funnel": [totals["sent"], delivered, opens, clicks],
    }


def _race(totals: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the human click rate of each variant with its 95 % interval; empty when there is only one."""
    variants = totals["variants"]
    if len(variants) < 2:
        return []
    return [
        {
            "label": variant["label"],
            "subject": variant["subject"],
            "is_winner": variant["is_winner"],
            "clicks": variant["unique_clicks"],
            "delivered": variant["delivered"],
            "rate": variant["click_rate"],
            "interval": interval_95(variant["unique_clicks"], variant["delivered"]),
        }
        for variant in variants
    ]


def _alerts(campaign: Campaign, totals: dict[str, Any]) -> list[dict[str, Any]]:
    """Return how near each rate is to its line; a rate over it is bad once enough was sent to mean something."""
    brake = limits_of(campaign.brake)
    is_meaningful = totals["sent"] >= MIN_FOR_ALERT
    return [
        {
            "rate": name,
            "value": totals[name],
            "limit": limit,
            "pauses_at": brake[name],
            "level": "bad" if is_meaningful and totals[name] >= limit
            else "warn" if is_meaningful and totals[name] >= limit * 0.75 else "good",
        }
        for name, limit in LIMITS.items()
    ]  # fmt: skip


def _notices(campaign: Campaign, totals: dict[str, Any], now: datetime) -> list[dict[str, str]]:
    """Return in words what holds the campaign, or part of it, back."""
    notices = [
        {
            "key": f"deferring {provider}",
            "level": "warn",
            "title": f"{provider} is slowing us down",
            "text": f"It put off {share * 100:.0f} % of the mails that it answered lately. They are tried again.",
        }
        for provider, share in get_deferring(campaign, now=now)
    ]
    for_canary = sum(variant["held"] for variant in totals["variants"])
    for_test = totals["held"] - for_canary
    if for_canary:
        notices.append(
            {
                "key": "canary",
                "level": "info",
                "title": f"{for_canary:,} wait for the first readers",
                "text": f"The first {campaign.canary_share} % are being watched. The others follow "
                f"{campaign.canary_minutes} minutes after the first ones, unless too many bounce or complain.",
            }
        )
    elif campaign.canary_share and campaign.canary_released_at:
        notices.append(
            {
                "key": "canary",
                "level": "good",
                "title": "The first readers were fine",
                "text": f"The first {campaign.canary_share} % stayed below every line, so the others followed.",
            }
        )
    if for_test > 0:
        notices.append(
            {
                "key": "test",
                "level": "info",
                "title": f"{for_test:,} wait for the test",
                "text": "They get the variant that wins, or the next share of the variants that do well.",
            }
        )
    return notices
