"""The receipts of a campaign: what each statement rests on, and who answers for those that rest on nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from aiwriter.services.claims import accept_claim, withdraw_claim
from campaigns.preflight import claims
from campaigns.preflight.examined import Examined
from campaigns.selectors import campaigns as selectors
from pulsequill.core.errors import Invalid


class ClaimsPage(WorkspaceTemplatePage):
    """Show the receipts; accept a claim."""

    permission = "campaign.view"
    permission_by_method = {"POST": "campaign.approve"}
    nav = "campaigns"
    template_name = "campaigns/claims.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add every statement, what is unsupported first."""
        examined = Examined.of(selectors.get_campaign(self.workspace, kwargs["campaign_id"]))
        stated = claims.statements(examined)
        return super().get_context_data(
            campaign=examined.campaign,
            stated=stated,
            open_count=sum(each.must_be_accepted for each in stated),
            has_brief=claims.has_brief(examined),
            has_variants=len(examined.variants) > 1,
            **kwargs,
        )

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Answer for one claim."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        try:
            accept_claim(
                workspace=self.workspace,
                campaign_id=campaign.pk,
                claim=request.POST.get("claim", ""),
                actor=self.user,
            )
        except Invalid as refusal:
            messages.error(request, refusal.detail)
        else:
            messages.success(request, "Noted. You answer for it by name.")
        return redirect("campaigns:claims", campaign.pk)


class ClaimWithdraw(WorkspacePage):
    """Take an acceptance back."""

    permission = "campaign.approve"

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Hold the campaign back again."""
        campaign = selectors.get_campaign(self.workspace, campaign_id)
        withdraw_claim(
            workspace=self.workspace, campaign_id=campaign.pk, claim=request.POST.get("claim", ""), actor=self.user
        )
        messages.success(request, "Taken back.")
        return redirect("campaigns:claims", campaign.pk)
