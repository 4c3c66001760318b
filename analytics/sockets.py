"""`/ws/campaigns/<id>`: the figures of one campaign, as they change."""

from __future__ import annotations

from typing import Any, ClassVar

from channels.db import database_sync_to_async
from django.urls import path

from accounts.sockets import WorkspaceSocket
from analytics.live.frames import opening_frame
from campaigns.models import Campaign
from pulsequill.core.errors import NotFound
from pulsequill.core.live import campaign_group


class CampaignSocket(WorkspaceSocket):
    """Sends the snapshot when it opens, then the publisher's frames: all absolute, so the latest one is the truth."""

    permission: ClassVar[str] = "campaign.view"

    async def authorise(self) -> list[str]:
        """Join the campaign's group.

        Raises:
            NotFound: no such campaign in this workspace.
        """
        self.campaign = await self._find(self.scope["url_route"]["kwargs"]["campaign_id"])
        return [campaign_group(self.campaign.pk)]

    async def opened(self) -> None:
        """Send where things stand: everything later comes as a frame."""
        seq, text = await self._opening_frame()
        await self.encoded({"seq": seq, "text": text})

    async def catch_up(self) -> None:
        """Send where things stand now: the last frame may be among those that were lost."""
        await self.opened()

    @database_sync_to_async
    def _find(self, campaign_id: Any) -> Campaign:
        campaign = (
            Campaign.objects.for_workspace(self.workspace).filter(pk=campaign_id).select_related("workspace").first()
        )
        if campaign is None:
            raise NotFound
        return campaign

    @database_sync_to_async
    def _opening_frame(self) -> tuple[int, str]:
        self.campaign.refresh_from_db()
        return opening_frame(self.campaign)


websocket_urlpatterns = [path("ws/campaigns/<uuid:campaign_id>", CampaignSocket.as_asgi())]
