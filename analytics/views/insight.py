"""The card that sums a finished campaign up, and the way from it to a second mail."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect

from accounts.views.access import WorkspacePage, WorkspaceTemplatePage
from analytics.services.follow_up import READERS, draft_follow_up, rules_for
from analytics.services.insight import get_insight, request_insight
from analytics.views.live import find_campaign
from audiences.selectors import count_rules
from pulsequill.core.errors import DomainError


class InsightCard(WorkspaceTemplatePage):
    """Two lines, where they come from, and what can be done next."""

    permission: ClassVar[str] = "campaign.view"
    permission_by_method: ClassVar[dict[str, str]] = {"POST": "draft.edit"}
    template_name = "analytics/_insight.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the lines, and how many people a second mail would reach."""
        campaign = find_campaign(self, kwargs.pop("campaign_id"))
        readers = [
            (key, one.words, count_rules(rules_for(campaign, key), workspace_id=self.workspace.pk))
            for key, one in READERS.items()
        ]
        return super().get_context_data(campaign=campaign, insight=get_insight(campaign), readers=readers, **kwargs)

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:  # noqa: ARG002
        """Ask a model; a refusal is said in the card, which goes on showing what the rules say."""
        refusal = ""
        try:
            request_insight(campaign=find_campaign(self, campaign_id), actor=self.user)
        except DomainError as error:
            refusal = error.detail
        return self.render_to_response(self.get_context_data(campaign_id=campaign_id, refusal=refusal))


class FollowUpAction(WorkspacePage):
    """Making the draft of a second mail."""

    permission: ClassVar[str] = "campaign.edit"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, campaign_id: UUID) -> HttpResponseBase:
        """Make it and open it in the composer, where the drafts stream in."""
        campaign = find_campaign(self, campaign_id)
        made = draft_follow_up(campaign=campaign, actor=self.user, readers=request.POST.get("readers", ""))
        messages.success(request, f"A draft for “{made.segment.name}”. Nothing is sent until somebody sends it.")
        return redirect("campaigns:composer", campaign_id=made.campaign.pk)
