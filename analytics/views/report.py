"""The report of one campaign: overview, links, content and variants. `report_people` has the tabs about people."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from accounts.views.access import WorkspaceTemplatePage
from analytics.reports import campaign_clicks as clicks
from analytics.reports import campaign_overview as overview
from analytics.selectors.breakdowns import get_readers
from analytics.selectors.figures import get_campaign_stats
from analytics.selectors.insight import MIN_CAMPAIGNS, MIN_DELIVERED, MOST_CAMPAIGNS
from analytics.views import charts
from analytics.views import holdout as holdouts
from analytics.views.experiment import get_card
from analytics.views.live import zone_of
from analytics.views.live_words import CHART_SERIES, READERS, VIEW_WORDS
from campaigns.models import Campaign, Variant
from campaigns.selectors import campaigns as campaign_selectors
from campaigns.selectors.providers import KINDS
from campaigns.services.sent_mail import HEATS, LOOKS, show_sent
from campaigns.services.versions import list_versions
from campaigns.views.live_preview import explained, framed
from pulsequill.core.charts import funnel
from pulsequill.core.csv_file import csv_lines, csv_response
from pulsequill.core.errors import Invalid, NotFound

#: Name of the address -> word on the tab. `report` is the first one.
TABS: dict[str, str] = {
    "report": "Overview",
    "report_links": "Links",
    "report_recipients": "Recipients",
    "report_bounces": "Bounces",
    "report_content": "Content",
    "report_variants": "Variants",
    "report_why": "Why",
}
#: Rate -> icon, words of the KPI, and whether more of it is good.
KPIS: tuple[tuple[str, str, str, str, bool], ...] = (
    ("delivered", "delivery_rate", "check", "Delivered", True),
    ("opens", "open_rate", "user", "Opened", True),
    ("clicks", "click_rate", "click", "Clicked", True),
    ("", "click_to_open_rate", "analytics", "Click to open", True),
    ("bounced", "bounce_rate", "bounce", "Bounced", False),
    ("unsubscribed", "unsubscribe_rate", "unsubscribe", "Unsubscribed", False),
    ("complained", "complaint_rate", "flag", "Complaints", False),
)
#: What a sent mail can be looked at as: name -> word, icon, look of `LOOKS`, CSS class of the frame's width.
CONTENT_VIEWS: dict[str, tuple[str, str, str, str]] = {
    "desktop": ("Desktop", "desktop", "light", "wide"),
    "mobile": ("Mobile", "mobile", "light", "phone"),
    "dark": ("Dark", "moon", "own", "wide"),
    "turned": ("Dark, inverted", "moon", "turned", "wide"),
    "text": ("Plain text", "text", "", ""),
}


class ReportPage(WorkspaceTemplatePage):
    """Base of the tabs: finds the campaign, and knows who is shown (people, machines, both)."""

    permission: ClassVar[str] = "campaign.view"
    nav = "campaigns"
    #: Its name in `TABS`.
    tab: ClassVar[str] = "report"

    def campaign(self, campaign_id: UUID) -> Campaign:
        """Return the campaign with its variants, lists and segments.

        Raises:
            NotFound: it is not this workspace's.
        """
        return campaign_selectors.get_campaign(self.workspace, campaign_id)

    @property
    def shown(self) -> str:
        """Whose opens and clicks are shown."""
        asked = self.request.GET.get("show", "")
        return asked if asked in overview.VIEWS else "human"

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return zone_of(self.workspace.time_zone)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what every tab shows around itself."""
        campaign: Campaign = kwargs["campaign"]
        keep = "" if self.shown == "human" else f"?show={self.shown}"
        has_several = len(campaign.variants.all()) > 1
        return super().get_context_data(
            tabs=[
                (reverse(f"analytics:{name}", args=[campaign.pk]) + keep, words, name == self.tab)
                for name, words in TABS.items()
                if name != "report_variants" or has_several or self.tab == name
            ],
            shown=self.shown,
            views=[(name, *VIEW_WORDS[name]) for name in overview.VIEWS],
            **kwargs,
        )

    def chosen_variant(self, campaign: Campaign) -> Variant | None:
        """Return the variant that the address names; None for all of them."""
        label = self.request.GET.get("variant", "")[:20]
        return next((one for one in campaign.variants.all() if one.label == label), None) if label else None


class ReportOverview(ReportPage):
    """KPIs, what came when, and what is usual here."""

    template_name = "analytics/report.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the figures and lay them out."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        figures = get_campaign_stats(campaign)
        view = overview.view_of(figures, self.shown)
        beside = overview.compare(campaign, figures) if campaign.launched_at else {}
        chosen = self.request.GET.get("range", "")
        chosen = chosen if chosen in overview.RANGES else "72h"
        is_sum = self.request.GET.get("sum") == "1"
        timeline = overview.get_timeline(
            campaign, chosen=chosen, now=timezone.now(), is_cumulative=is_sum, zone=self.zone
        )
        bands = [figures["sent"], figures["delivered"], view["opens"], view["clicks"]]
        found = get_readers(campaign)
        read = self.request.GET.get("read", "")
        tones = ("f-delivered", "f-delivered", "f-human" if self.shown == "human" else "f-machine", "f-click")
        return super().get_context_data(
            campaign=campaign,
            figures=figures,
            view=view,
            kpis=[self._kpi(kpi, figures, view, beside) for kpi in KPIS],
            least=(MIN_CAMPAIGNS, MIN_DELIVERED, MOST_CAMPAIGNS),
            chart=self._chart(timeline),
            chart_rows=self._rows(timeline),
            best_hour=timeline["best_hour"],
            plot={"points": timeline["points"], "step": timeline["step_minutes"], "series": self._series()},
            window=chosen,
            ranges=[(name, words) for name, (words, _) in overview.RANGES.items()],
            is_sum=is_sum,
            funnel=list(zip(funnel(bands), tones, strict=True)),
            delivery=overview.get_delivery(campaign),
            carrier=KINDS[campaign.provider].name if campaign.provider in KINDS else campaign.provider,
            goals=overview.get_goals(campaign),
            holdout=holdouts.get_card(campaign),
            readers=[(name, *words, found[name]) for name, words in READERS.items()],
            chosen={"read": read if found.get(read) else "devices"},
            links=clicks.list_links(campaign, shown=self.shown)[:5],
            sent_as=_senders(campaign),
            **kwargs,
        )

    def _kpi(
        self,
        kpi: tuple[str, str, str, str, bool],
        figures: dict[str, Any],
        view: dict[str, Any],
        beside: dict[str, overview.Beside],
    ) -> dict[str, Any]:
        count, rate, icon, label, is_good = kpi
        prefix = overview.VIEWS[self.shown][1] if rate in ("open_rate", "click_rate") else ""
        compared = beside.get(prefix + rate) if rate != "click_to_open_rate" or self.shown == "human" else None
        tone = ""
        if compared and compared.verdict in ("above", "below"):
            tone = "up" if (compared.verdict == "above") is is_good else "down"
        value = view.get(count, figures.get(count)) if count else None
        return {
            "icon": icon,
            "label": label,
            "value": value,
            "rate": view.get(rate, figures.get(rate)),
            "beside": compared,
            "tone": tone,
        }

    def _chart(self, timeline: dict[str, Any]) -> dict[str, Any]:
        """Lay the points out; what leaves within minutes would flatten all that follows, so only readers are drawn."""
        return charts.draw(timeline["points"], self._series(), step_minutes=timeline["step_minutes"], zone=self.zone)

    def _series(self) -> list[charts.Series]:
        left_out = {"delivered", "machine_opens"} if self.shown == "human" else {"delivered"}
        return [one for one in CHART_SERIES[self.shown] if one[0] not in left_out]

    def _rows(self, timeline: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the points in which something happened, with their time here: the table of the chart."""
        return [
            {**point, "at": datetime.fromisoformat(point["minute"]).astimezone(self.zone)}
            for point in timeline["points"]
            if any(point[name] for name in overview.SERIES)
        ]


def _senders(campaign: Campaign) -> list[str]:
    """Return who it came from, as readers saw it."""
    senders = {one.sender or campaign.sender for one in campaign.variants.all()} or {campaign.sender}
    return sorted(f"{one.from_name} <{one.from_email}>" for one in senders if one)


class ReportFile(ReportPage):
    """The overview as a file: figures of the campaign and of its variants."""

    def get(self, request: HttpRequest, campaign_id: UUID, kind: str) -> HttpResponseBase:  # noqa: ARG002
        """Answer CSV or JSON."""
        campaign = self.campaign(campaign_id)
        figures = get_campaign_stats(campaign)
        name = f"report-{campaign.pk}.{kind}"
        if kind == "csv":
            lines = csv_lines(["of", "variant", *overview.figure_names(figures)], overview.figures_rows(figures))
            return csv_response(lines, name)
        report = overview.get_report(campaign, figures)
        report["links"] = clicks.as_dicts(clicks.list_links(campaign))
        body = json.dumps(report, cls=DjangoJSONEncoder, indent=1, ensure_ascii=False)
        disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return HttpResponse(body, content_type="application/json", headers=disposition)


class ReportLinks(ReportPage):
    """Which links were clicked: a table, and the mail with a badge on each."""

    template_name = "analytics/report_links.html"
    tab = "report_links"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the rows and which mail is shown."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        chosen = self.chosen_variant(campaign)
        variants = list(campaign.variants.all())
        figures = get_campaign_stats(campaign)
        mailed = next((one for one in figures["variants"] if chosen and one["id"] == str(chosen.pk)), figures)
        rows = clicks.list_links(campaign, shown=self.shown, variant=chosen, delivered=mailed["delivered"])
        return super().get_context_data(
            campaign=campaign,
            rows=rows,
            variants=variants,
            chosen=chosen,
            pictured=chosen or (variants[0] if variants else None),
            scale=range(len(HEATS)),
            **kwargs,
        )


@method_decorator(xframe_options_sameorigin, name="dispatch")
class ReportFrame(ReportPage):
    """Base of the frames: a sent mail under the strict policy of all previews."""

    def get(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Render it, or say why there is nothing to see."""
        campaign = self.campaign(campaign_id)
        variant = self.chosen_variant(campaign)
        if variant is None:
            raise NotFound
        if not variant.compiled_html:
            return framed(explained("This campaign has not left yet, so nothing was frozen."))
        variant.campaign, variant.workspace = campaign, campaign.workspace
        try:
            return framed(self.mail(campaign, variant))
        except Invalid as refusal:
            return framed(explained(refusal.detail))

    def mail(self, campaign: Campaign, variant: Variant) -> str:
        """Return the HTML."""
        raise NotImplementedError


class ClickMapFrame(ReportFrame):
    """The click map: the numbers of the table, on the links."""

    def mail(self, campaign: Campaign, variant: Variant) -> str:
        """Return the mail with a badge on each link; of one variant's clicks alone when `?of=` names it."""
        alone = variant if self.request.GET.get("of") == variant.label else None
        rows = clicks.list_links(campaign, shown=self.shown, variant=alone)
        return show_sent(variant=variant, marks=clicks.marks_of(rows, variant.pk)).html


class ContentFrame(ReportFrame):
    """What was sent, as it looks in the light or in the dark."""

    def mail(self, campaign: Campaign, variant: Variant) -> str:  # noqa: ARG002
        """Return the mail."""
        look = LOOKS.get(self.request.GET.get("look", "light"), LOOKS["light"])
        return look(show_sent(variant=variant).html)


class ReportContent(ReportPage):
    """What was sent, exactly."""

    template_name = "analytics/report_content.html"
    tab = "report_content"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the frozen mail of one variant."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        variants = list(campaign.variants.all())
        chosen = self.chosen_variant(campaign) or (variants[0] if variants else None)
        asked = self.request.GET.get("view", "desktop")
        name = asked if asked in CONTENT_VIEWS else "desktop"
        _, _, look, width = CONTENT_VIEWS[name]
        mail, refusal = None, ""
        if chosen is not None and chosen.compiled_html:
            chosen.campaign, chosen.workspace = campaign, campaign.workspace
            try:
                mail = show_sent(variant=chosen)
            except Invalid as error:
                refusal = error.detail
        return super().get_context_data(
            campaign=campaign,
            variants=variants,
            chosen=chosen,
            sender=(chosen.sender if chosen else None) or campaign.sender,
            mail=mail,
            versions=list_versions(chosen) if chosen is not None else [],
            refusal=refusal,
            looks=[(key, words, icon, key == name) for key, (words, icon, _, _) in CONTENT_VIEWS.items()],
            look=look,
            width=width,
            looked=name,
            **kwargs,
        )


class ReportVariants(ReportPage):
    """The variants side by side, and what the test says about them."""

    template_name = "analytics/report_variants.html"
    tab = "report_variants"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the figures of each variant and the test."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        figures = get_campaign_stats(campaign)
        rows = [{**row, "view": overview.view_of(row, self.shown)} for row in figures["variants"]]
        return super().get_context_data(
            campaign=campaign,
            rows=rows,
            test=get_card(campaign, self.membership.role),
            holdout=holdouts.get_card(campaign),
            **kwargs,
        )
