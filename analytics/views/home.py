"""The first page after sign-in."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils import timezone

from accounts.views.access import WorkspaceTemplatePage
from analytics.selectors.home import PERIODS, get_home
from analytics.views.live import zone_of

DEFAULT_PERIOD = "30"


class HomePage(WorkspaceTemplatePage):
    """What was sent, what is being sent, and what waits for somebody."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/home.html"
    nav = "home"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read the figures of the chosen period."""
        period = self.request.GET.get("days", DEFAULT_PERIOD)
        period = period if period in PERIODS else DEFAULT_PERIOD
        home = get_home(self.workspace, days=PERIODS[period])
        is_new = not home["has_sent"] and not home["running"] and not home["contact_count"]
        return super().get_context_data(
            **home,
            today=timezone.now().astimezone(zone_of(self.workspace.time_zone)),
            period=period,
            periods=list(PERIODS),
            is_new=is_new,
            page_data={"campaigns": [str(campaign.pk) for campaign, _ in home["running"]]},
            **kwargs,
        )
