"""Campaigns beside each other."""

from __future__ import annotations

from typing import Any, ClassVar

from accounts.views.access import WorkspaceTemplatePage
from analytics.selectors import list_campaign_figures
from campaigns.models import Campaign
from pulsequill.core.keyset import paginate

LAUNCHED = (Campaign.Status.SENDING, Campaign.Status.PAUSED, Campaign.Status.SENT, Campaign.Status.CANCELLED)


class FiguresPage(WorkspaceTemplatePage):
    """Every campaign that was launched, newest first, with its rates."""

    permission: ClassVar[str] = "report.view"
    template_name = "analytics/figures.html"
    nav = "analytics"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read one page of campaigns and their rollups."""
        campaigns = Campaign.objects.for_workspace(self.workspace).filter(
            status__in=LAUNCHED, launched_at__isnull=False
        )
        page = paginate(campaigns, query=self.request.GET, address=self.request.path, sort="-launched_at", limit=30)
        return super().get_context_data(rows=list_campaign_figures(page.items), page=page, **kwargs)
