"""The live page of a campaign."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics.selectors import RANGES, get_live_snapshot, get_timeline
from analytics.selectors.live import VIEWS
from analytics.selectors.live_parts import get_mailboxes
from analytics.selectors.timeline import SERIES
from analytics.views import charts
from analytics.views.live_words import (
    ALERT_WORDS,
    CHART_SERIES,
    DAYS,
    LEFT_OUT,
    READERS,
    TICKER_LOOKS,
    VIEW_WORDS,
)
from campaigns.models import Campaign
from campaigns.services import sending, waves
from pulsequill.core.charts import funnel, running_totals, shades
from pulsequill.core.errors import NotFound

#: Verb in the address -> what the delivery service is asked to do.
ACTIONS: dict[str, Callable[..., object]] = {
    "pause": sending.pause_campaign,
    "resume": sending.resume_campaign,
    "stop": sending.cancel_campaign,
    "release": waves.release_canary,
}


def find_campaign(page: WorkspacePage, campaign_id: UUID) -> Campaign:
    """Return a campaign of the page's workspace.

    Raises:
        NotFound: there is none.
    """
    campaign = Campaign.objects.for_workspace(page.workspace).filter(pk=campaign_id).select_related("workspace").first()
    if campaign is None:
        raise NotFound
    return campaign


def zone_of(name: str) -> ZoneInfo:
    """Return a workspace's time zone; UTC when its name is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def left_out(totals: dict[str, Any]) -> str:
    """Return how many recipients were not mailed and how, such as " · 113 skipped · 2 in doubt"."""
    return "".join(f" · {totals[name]:,} {words}" for name, words in LEFT_OUT.items() if totals[name])


def series_of(shown: str, window: str) -> tuple[charts.Series, ...]:
    """Return what a chart shows: a campaign leaves within minutes, which over a day would flatten all that follows."""
    return tuple(one for one in CHART_SERIES[shown] if window == "30m" or one[0] != "delivered")


def hours_of(grid: list[list[int]]) -> list[dict[str, Any]]:
    """Return a heat map's rows: the day, its sum, and 24 cells with hour, count and shade."""
    return [
        {"day": day, "total": sum(counts), "cells": list(zip(range(24), counts, levels, strict=True))}
        for day, counts, levels in zip(DAYS, grid, shades(grid), strict=True)
    ]


class LivePage(WorkspaceTemplatePage):
    """Everything about a campaign that moves, complete without scripts and patched by frames."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/live.html"
    nav = "campaigns"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the snapshot and lay it out."""
        campaign = find_campaign(self, kwargs["campaign_id"])
        zone = zone_of(self.workspace.time_zone)
        snapshot = get_live_snapshot(campaign)
        chosen = {
            "show": self._choice("show", VIEWS, "human"),
            "range": self._choice("range", RANGES, _usual_window(snapshot["progress"]["finished_at"])),
            "sum": self._choice("sum", ("each", "all"), "each"),
            "read": self._choice("read", READERS, "devices"),
        }
        timeline = (
            {"points": snapshot["minutes"], "step_minutes": 1}
            if chosen["range"] == "30m"
            else get_timeline(campaign, window=chosen["range"], now=timezone.now())
        )
        view, is_cumulative = snapshot["views"][chosen["show"]], chosen["sum"] == "all"
        points, step = timeline["points"], timeline["step_minutes"]
        bands = zip(funnel(view["funnel"]), ("f-delivered", "f-delivered", "f-human", "f-click"), strict=True)
        return super().get_context_data(
            campaign=campaign,
            snapshot=snapshot,
            totals=snapshot["totals"],
            progress=snapshot["progress"],
            view=view,
            chosen=chosen,
            shown=chosen["show"],
            whose="all" if chosen["show"] == "both" else chosen["show"],
            clicks_of_opens=f"{view['clicks']:,} of {view['opens']:,}",
            views=[(name, *VIEW_WORDS[name]) for name in VIEWS],
            ranges=[(name, one.label) for name, one in RANGES.items()],
            readers=[(name, *words, snapshot["parts"][name]) for name, words in READERS.items()],
            chart=charts.draw(
                points,
                series_of(chosen["show"], chosen["range"]),
                step_minutes=step,
                zone=zone,
                is_cumulative=is_cumulative,
            ),
            points=running_totals(points, SERIES) if is_cumulative else points,
            funnel=list(bands),
            hours=hours_of(snapshot["parts"]["hours"][chosen["show"]]),
            hour_names=range(24),
            ticker=[self._ticker_row(event, zone) for event in snapshot["events"]],
            alerts=[{**alert, "label": ALERT_WORDS[alert["rate"]]} for alert in snapshot["alerts"]],
            finish=_clock(snapshot["progress"]["finish_at"], zone),
            of_total=f"of {snapshot['progress']['to_send']:,}",
            left_out=left_out(snapshot["totals"]),
            started=_stamp(snapshot["progress"]["started_at"], zone),
            finished=_stamp(snapshot["progress"]["finished_at"], zone),
            page_data={
                "snapshot": snapshot,
                "series": CHART_SERIES,
                "columns": SERIES,
                "looks": TICKER_LOOKS,
                "chosen": chosen,
                "points": points,
                "step": step,
                "socket": f"/ws/campaigns/{campaign.pk}",
                "snapshot_url": f"/v1/campaigns/{campaign.pk}/live",
                "timeline_url": f"/v1/campaigns/{campaign.pk}/timeline",
            },
            **kwargs,
        )

    def _choice(self, name: str, known: Container[str], usual: str) -> str:
        """Return what the address chooses, or the usual one."""
        value = self.request.GET.get(name, usual)
        return value if value in known else usual

    @staticmethod
    def _ticker_row(event: dict[str, Any], zone: ZoneInfo) -> dict[str, Any]:
        key = f"machine {event['kind']}" if event["actor"] == "machine" else event["kind"]
        word, icon, tone = TICKER_LOOKS.get(key, TICKER_LOOKS["unknown"])
        return {**event, "word": word, "icon": icon, "tone": tone, "clock": _clock(event["at"], zone, "%H:%M:%S")}


def _clock(text: str | None, zone: ZoneInfo, pattern: str = "%H:%M") -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime(pattern) if text else ""


def _stamp(text: str | None, zone: ZoneInfo) -> str:
    """Return the time of day, with the day when that was not within the last 24 hours."""
    is_recent = bool(text) and timezone.now() - datetime.fromisoformat(str(text)) < timedelta(days=1)
    return _clock(text, zone, "%H:%M" if is_recent else "%-d %b, %H:%M")


def _usual_window(finished_at: str | None) -> str:
    """Return the last half hour while there is something to watch, and the first day afterwards."""
    is_over = finished_at and timezone.now() - datetime.fromisoformat(finished_at) > timedelta(hours=1)
    return "24h" if is_over else "30m"


class ProvidersFragment(WorkspaceTemplatePage):
    """The table of mailbox providers; fetched by itself because it reads the whole ledger of the campaign."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/_providers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the rows."""
        return super().get_context_data(rows=get_mailboxes(find_campaign(self, kwargs["campaign_id"])), **kwargs)


class LiveAction(WorkspacePage):
    """Pause, resume and stop buttons: each is one call of the delivery service."""

    permission: ClassVar[str] = "campaign.send"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID, action: str) -> HttpResponseBase:
        """Do it, and answer with the new status, or go back to the page."""
        if action not in ACTIONS:
            raise NotFound
        campaign = find_campaign(self, campaign_id)
        ACTIONS[action](campaign=campaign, actor=self.user)
        campaign.refresh_from_db(fields=["status"])
        if request.headers.get("Accept", "").startswith("application/json"):
            return JsonResponse({"status": campaign.status})
        return redirect(reverse("analytics:live", args=[campaign.pk]))
