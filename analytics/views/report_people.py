"""The tabs of a campaign's report that are about people: recipients, bounces, and why somebody got it or not."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from analytics.reports import campaign_bounces as bounces
from analytics.reports import campaign_people as people
from analytics.reports.campaign_clicks import list_links
from analytics.reports.campaign_why import get_why
from analytics.selectors.figures import get_campaign_stats
from analytics.selectors.live_parts import get_mailboxes
from analytics.views.report import ReportPage
from audiences.services import create_segment
from campaigns.models import Message
from pulsequill.core.csv_file import csv_response
from pulsequill.core.errors import DomainError
from pulsequill.core.keyset import paginate

PAGE_SIZE = 50


class ReportRecipients(ReportPage):
    """Everybody, filtered by what they did."""

    template_name = "analytics/report_recipients.html"
    tab = "report_recipients"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the filter, a page of rows, and how many there are."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        wanted = people.RecipientFilter.read(self.request.GET)
        totals = get_campaign_stats(campaign)
        counts = people.count_did(totals)
        known = {name: number for name, _, number in counts}
        page = paginate(
            wanted.rows(campaign), query=self.request.GET, address=self.request.path, sort="id", limit=PAGE_SIZE
        )
        number, is_more = totals["recipients"], False
        if set(wanted.parts) == {"did"} and known[wanted.did] is not None:
            number = known[wanted.did]
        elif wanted.parts and not (page.next_url or page.previous_url):
            number = len(page)
        elif wanted.parts:
            number, is_more = people.count_some(wanted.rows(campaign))
        keep = {name: value for name, value in wanted.parts.items() if name != "did"}
        return super().get_context_data(
            campaign=campaign,
            wanted=wanted,
            page=page,
            did=[
                (f"?{urlencode({**keep, 'did': name})}", words, count, name == wanted.did)
                for name, words, count in counts
                if count != 0 or name == wanted.did
            ],
            everybody=f"?{urlencode(keep)}",
            total=totals["recipients"],
            number=number,
            is_more=is_more,
            asked=urlencode(wanted.parts),
            links=list_links(campaign),
            mailboxes=people.MAILBOXES,
            statuses=Message.Status.choices,
            labels=[variant.label for variant in campaign.variants.all()],
            segment_name=self._name(campaign.name, wanted),
            **kwargs,
        )

    @staticmethod
    def _name(campaign: str, wanted: people.RecipientFilter) -> str:
        """Propose what a segment of these people could be called."""
        did = people.DID[wanted.did].words if wanted.did else "Got it"
        return f"{did}: {campaign}"[:110]


class RecipientsFile(ReportPage):
    """The recipients as a file, filtered as the page is."""

    def get(self, request: HttpRequest, campaign_id: UUID, kind: str) -> HttpResponseBase:
        """Stream CSV or JSON; memory does not grow with the rows."""
        campaign = self.campaign(campaign_id)
        rows = people.RecipientFilter.read(request.GET).rows(campaign)
        name = f"recipients-{campaign.pk}.{kind}"
        if kind == "csv":
            return csv_response(people.recipients_csv(rows), name)
        response = StreamingHttpResponse(people.recipients_json(rows), content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["Cache-Control"] = "no-store"
        return response


class RecipientsSegment(ReportPage):
    """Keeping a filter as a segment."""

    permission: ClassVar[str] = "contact.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save it and open it; a refusal is said where the person was."""
        campaign = self.campaign(campaign_id)
        wanted = people.RecipientFilter.read(request.POST)
        try:
            segment = create_segment(
                workspace=self.workspace,
                name=request.POST.get("name", "")[:120],
                rules=wanted.rules(campaign),
                actor=self.user,
            )
        except DomainError as refusal:
            messages.error(request, refusal.detail)
            back = reverse("analytics:report_recipients", args=[campaign.pk])
            return redirect(f"{back}?{urlencode(wanted.parts)}")
        messages.success(request, f"Saved as the segment “{segment.name}”. It is asked anew each time it is used.")
        return redirect("audiences:segment_detail", segment.pk)


class ReportBounces(ReportPage):
    """What came back, why, and what to do."""

    template_name = "analytics/report_bounces.html"
    tab = "report_bounces"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the reasons, the mailbox providers and a page of addresses."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        totals = get_campaign_stats(campaign)
        found = bounces.get_bounces(
            campaign,
            bounced=totals["bounced"],
            sent_by_provider=(get_mailboxes(campaign) or []) if totals["bounced"] else [],
        )
        page = paginate(
            bounces.find_bounced(campaign),
            query=self.request.GET,
            address=self.request.path,
            sort="id",
            limit=PAGE_SIZE,
        )
        told = bounces.words_of(page.items) if page.items else {}
        return super().get_context_data(
            campaign=campaign,
            totals=totals,
            found=found,
            page=page,
            rows=[(row, *told[row.pk]) for row in page.items],
            **kwargs,
        )


class ReportWhy(ReportPage):
    """The whole story of one address."""

    template_name = "analytics/report_why.html"
    tab = "report_why"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the story of `?email=`."""
        campaign = self.campaign(kwargs.pop("campaign_id"))
        email = self.request.GET.get("email", "").replace("\0", "").strip()[:254]
        return super().get_context_data(
            campaign=campaign, email=email, story=get_why(campaign, email) if email else None, **kwargs
        )
