"""The list of campaigns, and making, copying and deleting one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.services.briefs import create_brief
from campaigns.forms import NewCampaignForm
from campaigns.models import Campaign
from campaigns.selectors import campaigns as selectors
from campaigns.selectors import ledger
from campaigns.selectors.templates import list_templates
from campaigns.services import composing
from pulsequill.core.errors import Invalid
from pulsequill.core.keyset import paginate

TAB_LABELS = {
    "all": "All",
    "drafts": "Drafts",
    "scheduled": "Scheduled",
    "sending": "Sending",
    "sent": "Sent",
    "stopped": "Stopped",
}
PAGE_SIZE = 25


def page_of(campaign: Campaign) -> str:
    """Return where a campaign is worked on in its present state: writing, reviewing, or watching."""
    if campaign.status == Campaign.Status.DRAFT:
        return reverse("campaigns:composer", args=[campaign.pk])
    if campaign.status == Campaign.Status.SCHEDULED:
        return reverse("campaigns:review", args=[campaign.pk])
    return reverse("analytics:live", args=[campaign.pk])


class CampaignListPage(WorkspaceTemplatePage):
    """All campaigns, by state."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/campaign_list.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the tabs with their counts and a page of rows."""
        tab = self.request.GET.get("tab", "all")
        tab = tab if tab in selectors.TABS else "all"
        search = self.request.GET.get("q", "")[:200].strip()
        counts = selectors.count_by_tab(self.workspace)
        page = paginate(
            selectors.list_campaigns(self.workspace, tab=tab, search=search),
            query=self.request.GET,
            address=self.request.path,
            sort="-created_at",
            limit=PAGE_SIZE,
        )
        sent = ledger.count_sent(page.items)
        in_doubt = {key: count for key, _name, count in ledger.count_in_doubt_by_campaign(self.workspace)}
        for campaign in page.items:
            campaign.page_url = page_of(campaign)  # type: ignore[attr-defined]
            campaign.sent = sent.get(campaign.pk, 0)  # type: ignore[attr-defined]
            campaign.in_doubt = in_doubt.get(campaign.pk, 0)  # type: ignore[attr-defined]
            campaign.first_variant = next(iter(campaign.variants.all()), None)  # type: ignore[attr-defined]
        return super().get_context_data(
            tabs=[
                {
                    "key": key,
                    "label": label,
                    "count": counts[key],
                    "url": "?" + urlencode({"tab": key, **({"q": search} if search else {})}),
                }
                for key, label in TAB_LABELS.items()
            ],
            tab=tab,
            search=search,
            page=page,
            has_any=counts["all"] > 0,
            in_doubt=sum(in_doubt.values()),
            **kwargs,
        )


class CampaignNewPage(WorkspaceTemplatePage):
    """A name and one sentence, then the composer."""

    permission = "campaign.edit"
    nav = "campaigns"
    template_name = "campaigns/campaign_new.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the form and a few templates to start from."""
        templates = list_templates(self.workspace)[:4]
        return super().get_context_data(form=kwargs.pop("form", NewCampaignForm()), templates=templates, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Make the draft; with a sentence, the composer starts the writer at once."""
        form = NewCampaignForm(request.POST)
        if not form.is_valid():
            return render(request, self.template_name, self.get_context_data(form=form), status=400)
        goal = form.cleaned_data["goal"].strip()
        try:
            changes: dict[str, Any] = {}
            if goal:
                changes["brief"] = create_brief(workspace=self.workspace, fields={"goal": goal})
            campaign = composing.create_campaign(
                workspace=self.workspace, actor=self.user, name=form.cleaned_data["name"], changes=changes
            )
        except Invalid as refusal:
            form.add_error(None, refusal.detail)
            return render(request, self.template_name, self.get_context_data(form=form), status=400)
        url = reverse("campaigns:composer", args=[campaign.pk])
        return redirect(f"{url}?write=1" if goal else url)


class CampaignDuplicate(WorkspacePage):
    """Copy a campaign."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Make the copy and open it."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        copy = composing.duplicate_campaign(campaign=campaign, actor=self.user)
        messages.success(request, f"Copied as “{copy.name}”.")
        return redirect("campaigns:composer", copy.pk)


class CampaignDelete(WorkspacePage):
    """Delete a draft."""

    permission = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Delete and go back to the list."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        composing.delete_campaign(campaign=campaign, actor=self.user)
        messages.success(request, f"Deleted “{campaign.name}”.")
        return redirect("campaigns:campaign_list")
