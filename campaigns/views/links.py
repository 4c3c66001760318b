"""Pointing a link elsewhere, from the live page and the report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages as notes
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.permissions import role_allows
from accounts.views.access import WorkspacePage, WorkspaceTemplatePage, came_from
from campaigns.selectors.campaigns import get_campaign
from campaigns.selectors.links import get_link, list_addresses
from campaigns.services import links
from pulsequill.core.errors import NotFound


class RepointPart(WorkspaceTemplatePage):
    """The button and its dialog, fetched into the pages that show a campaign's links; empty for who may not send."""

    permission = "campaign.view"
    template_name = "campaigns/_repoint_dialog.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the addresses."""
        campaign = get_campaign(self.workspace, kwargs["campaign_id"])
        may_change = role_allows(self.membership.role, "campaign.send")
        addresses = list_addresses(campaign) if may_change else []
        return super().get_context_data(
            campaign=campaign, addresses=addresses, changed=[link for link in addresses if link.original_url], **kwargs
        )


class RepointAction(WorkspacePage):
    """The dialog's forms: a new address for a link, or its first one again."""

    permission = "campaign.send"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Change it, and go back to the page that the dialog was opened on."""
        campaign = get_campaign(self.workspace, campaign_id)
        link = get_link(self.workspace, _id(request.POST.get("link", "")))
        if link.variant.campaign_id != campaign.pk:
            raise NotFound
        if "undo" in request.POST:
            links.undo_repoint(link=link, actor=self.user)
            notes.success(request, "The link leads to its first address again, within a minute.")
        else:
            links.repoint(link=link, url=request.POST.get("url", ""), actor=self.user)
            notes.success(request, "The link leads to the new address within a minute, from mails that have left too.")
        return redirect(self._back())

    def _back(self) -> str:
        return came_from(self.request, otherwise=reverse("analytics:live", args=[self.kwargs["campaign_id"]]))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound from error
