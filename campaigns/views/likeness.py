"""Past campaigns as samples of the brand's voice, and campaigns that are like one another."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from accounts.views.access import WorkspaceTemplatePage
from aiwriter.retrieval.likeness import like_text
from campaigns.selectors.campaigns import get_campaign
from campaigns.selectors.texts import sent_campaigns, similar_campaigns, variant_text
from campaigns.services.remembering import sample_campaigns


class VoiceSamplesPage(WorkspaceTemplatePage):
    """Choose sent campaigns whose words a voice is learned from."""

    permission = "draft.edit"
    nav = "ai"
    template_name = "campaigns/voice_samples.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add the sent campaigns."""
        search = self.request.GET.get("q", "")[:200]
        return super().get_context_data(rows=sent_campaigns(self.workspace, search=search), search=search, **kwargs)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Keep their texts as samples and go on to learning, with them chosen."""
        chosen = request.POST.getlist("campaign")
        samples = sample_campaigns(workspace=self.workspace, actor=self.user, chosen=chosen)
        query = urlencode({"sample": [str(sample.pk) for sample in samples]}, doseq=True)
        return redirect(f"{reverse('aiwriter:voice_learn')}?{query}")


class SimilarPage(WorkspaceTemplatePage):
    """Campaigns and examples that say what is most like a campaign."""

    permission = "campaign.view"
    nav = "campaigns"
    template_name = "campaigns/similar.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what is like the campaign."""
        campaign_id: UUID = kwargs.pop("campaign_id")
        campaign = get_campaign(self.workspace, campaign_id)
        words = "\n\n".join(variant_text(variant) for variant in campaign.variants.all())
        examples = like_text(words, workspace_id=self.workspace.pk) if words else []
        return super().get_context_data(
            campaign=campaign,
            found=similar_campaigns(campaign),
            examples=[one for one in examples if one.exemplar.campaign_id != campaign.pk],
            **kwargs,
        )
