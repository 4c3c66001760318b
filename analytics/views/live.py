"""The live page of a campaign."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics.selectors import RANGES, get_live_snapshot, get_providers, get_timeline
from analytics.selectors.live import VIEWS
from campaigns.models import Campaign
from campaigns.services import sending
from pulsequill.core import charts
from pulsequill.core.errors import NotFound

#: Series of the chart for each position of the switch, from the bottom: name, word, CSS class of its colour.
CHART_SERIES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "human": (
        ("human_clicks", "Clicks", "f-click"),
        ("human_opens", "Human opens", "f-human"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
    "machine": (
        ("machine_clicks", "Machine clicks", "f-click"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
    "both": (
        ("machine_clicks", "Machine clicks", "f-bounce"),
        ("human_clicks", "Human clicks", "f-click"),
        ("human_opens", "Human opens", "f-human"),
        ("machine_opens", "Machine opens", "f-machine"),
        ("delivered", "Delivered", "f-delivered"),
    ),
}
VIEW_WORDS = {"human": ("Human", "user"), "machine": ("Machine", "machine"), "both": ("Both", "")}

#: Event -> word, icon and colour in the ticker; opens and clicks of machines have their own.
TICKER_LOOKS: dict[str, tuple[str, str, str]] = {
    "opened": ("Opened", "user", "human"),
    "clicked": ("Clicked", "click", "human"),
    "machine opened": ("Machine open", "machine", "machine"),
    "machine clicked": ("Machine click", "machine", "machine"),
    "delivered": ("Delivered", "check", ""),
    "deferred": ("Deferred", "clock", "warn"),
    "bounced": ("Bounced", "bounce", "warn"),
    "complained": ("Complained", "flag", "warn"),
    "unsubscribed": ("Unsubscribed", "unsubscribe", "warn"),
    "rejected": ("Rejected", "block", "warn"),
    "failed": ("Failed", "warn", "warn"),
    "converted": ("Goal reached", "star", "human"),
    "unknown": ("Other", "info", ""),
}
ALERT_WORDS = {"bounce_rate": "Bounces", "complaint_rate": "Complaints"}

#: Verb in the address -> what the delivery service is asked to do.
ACTIONS = {
    "pause": sending.pause_campaign,
    "resume": sending.resume_campaign,
    "stop": sending.cancel_campaign,
}


def find_campaign(page: WorkspacePage, campaign_id: UUID) -> Campaign:
    """Return a campaign of the page's workspace.

    Raises:
        NotFound: there is none.
    """
    campaign = Campaign.objects.for_workspace(page.workspace).filter(pk=campaign_id).first()
    if campaign is None:
        raise NotFound
    return campaign


def zone_of(name: str) -> ZoneInfo:
    """Return a workspace's time zone; UTC when its name is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


#: Status of messages that will not be sent (any more) -> how the progress line says it.
LEFT_OUT = {"skipped": "skipped", "failed": "failed", "in_doubt": "in doubt"}


def left_out(totals: dict[str, Any]) -> str:
    """Return how many recipients were not mailed and how, such as " · 113 skipped · 2 in doubt"."""
    return "".join(f" · {totals[name]:,} {words}" for name, words in LEFT_OUT.items() if totals[name])


def axis_labels(points: list[dict[str, Any]], step: int, zone: ZoneInfo) -> list[str]:
    """Return five times below a chart, from its first point to its last."""
    if not points:
        return []
    last = len(points) - 1
    moments = [datetime.fromisoformat(points[round(last * n / 4)]["minute"]).astimezone(zone) for n in range(5)]
    is_long = step * len(points) > 24 * 60
    return [moment.strftime("%-d %b %H:%M" if is_long else "%H:%M") for moment in moments]


def series_of(shown: str, window: str) -> tuple[tuple[str, str, str], ...]:
    """Return what a chart shows: a campaign leaves within minutes, which over a day would flatten all that follows."""
    return tuple(one for one in CHART_SERIES[shown] if window == "30m" or one[0] != "delivered")


def chart_of(points: list[dict[str, Any]], shown: str, window: str = "30m") -> dict[str, Any]:
    """Return what the template draws: areas from the top down (so that hairlines stay visible), ticks, legend."""
    series = series_of(shown, window)
    drawn = charts.stacked_areas(points, [name for name, _, _ in series])
    paths = {layer.name: layer.path for layer in drawn.layers}
    return {
        "layers": [{"name": name, "tone": tone, "path": paths[name]} for name, _, tone in series],
        "legend": [{"name": name, "label": label, "tone": tone} for name, label, tone in reversed(series)],
        "ticks": drawn.ticks,
    }


class LivePage(WorkspaceTemplatePage):
    """Everything about a campaign that moves, complete without scripts and patched by frames."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/live.html"
    nav = "campaigns"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the snapshot and lay it out."""
        campaign = find_campaign(self, kwargs["campaign_id"])
        shown = self.request.GET.get("show", "human")
        shown = shown if shown in VIEWS else "human"
        snapshot = get_live_snapshot(campaign)
        window = self.request.GET.get("range", "")
        window = window if window in RANGES else _usual_window(snapshot["progress"]["finished_at"])
        timeline = (
            {"points": snapshot["minutes"], "step_minutes": 1}
            if window == "30m"
            else get_timeline(campaign, window=window, now=timezone.now())
        )
        zone = zone_of(self.workspace.time_zone)
        view = snapshot["views"][shown]
        bands = zip(charts.funnel(view["funnel"]), ("f-delivered", "f-delivered", "f-human", "f-click"), strict=True)
        return super().get_context_data(
            campaign=campaign,
            snapshot=snapshot,
            totals=snapshot["totals"],
            progress=snapshot["progress"],
            view=view,
            shown=shown,
            views=[(name, *VIEW_WORDS[name]) for name in VIEWS],
            window=window,
            ranges=[(name, chosen.label) for name, chosen in RANGES.items()],
            chart=chart_of(timeline["points"], shown, window),
            points=timeline["points"],
            axis=axis_labels(timeline["points"], timeline["step_minutes"], zone),
            funnel=list(bands),
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
                "looks": TICKER_LOOKS,
                "shown": shown,
                "window": window,
                "points": timeline["points"],
                "step": timeline["step_minutes"],
                "socket": f"/ws/campaigns/{campaign.pk}",
                "snapshot_url": f"/v1/campaigns/{campaign.pk}/live",
                "timeline_url": f"/v1/campaigns/{campaign.pk}/timeline",
            },
            **kwargs,
        )

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
        return super().get_context_data(rows=get_providers(find_campaign(self, kwargs["campaign_id"])), **kwargs)


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
