"""Campaign parameters: what analytics tools of a website read from each link (`utm_source` and its like)."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.views.access import WorkspacePage
from campaigns.content.links import UTM_NAMES
from campaigns.selectors.campaigns import get_campaign
from campaigns.services.composing import update_campaign
from pulsequill.core.errors import Invalid


class UtmAction(WorkspacePage):
    """Set them, from the review page."""

    permission: ClassVar[str] = "campaign.edit"

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Save, and go back."""
        campaign = get_campaign(self.workspace, campaign_id)
        utm = {name: request.POST.get(f"utm_{name}", "").strip() for name in UTM_NAMES}
        try:
            update_campaign(campaign=campaign, actor=self.user, changes={"utm": utm})
        except Invalid as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, "Links are tagged so." if any(utm.values()) else "Links are not tagged.")
        return redirect(reverse("campaigns:review", args=[campaign.pk]) + "#utm")
