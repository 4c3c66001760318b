"""The emergency brake on the live page: why it stands, or who waits behind the first readers."""

from __future__ import annotations

from typing import Any, ClassVar

from accounts.permissions import role_allows
from accounts.views.access import WorkspaceTemplatePage
from analytics.brake import get_state
from analytics.views.live import find_campaign


class BrakeCard(WorkspaceTemplatePage):
    """A part of the live page that asks for itself again while something may change; empty when there is nothing."""

    permission: ClassVar[str] = "campaign.view"
    template_name = "analytics/_brake.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Read how the brake stands."""
        campaign = find_campaign(self, kwargs["campaign_id"])
        state = get_state(campaign)
        return super().get_context_data(
            campaign=campaign,
            brake=state,
            reached=[row for row in state["rates"] if row["is_reached"]],
            can_send=role_allows(self.membership.role, "campaign.send"),
            **kwargs,
        )
