"""Where the links of a campaign lead."""

from __future__ import annotations

from uuid import UUID

from accounts.models import Workspace
from campaigns.models import Campaign, Link
from pulsequill.core.errors import NotFound
from pulsequill.core.ids import bigint_from_uuid7


def list_addresses(campaign: Campaign) -> list[Link]:
    """Return the addresses of a campaign in the order of the mail, one link for each: variants share addresses."""
    links = Link.objects.filter(workspace_id=campaign.workspace_id, variant__campaign=campaign, is_honeypot=False)
    shown: dict[tuple[str, str], Link] = {}
    for link in links.order_by("position", "id"):
        shown.setdefault((link.url, link.original_url), link)
    return list(shown.values())


def get_link(workspace: Workspace, public_id: UUID) -> Link:
    """Return a link.

    Raises:
        NotFound: there is none in this workspace, or it is one that people do not see.
    """
    rows = Link.objects.select_related("variant__campaign__workspace")
    link = rows.filter(pk=bigint_from_uuid7(public_id), workspace=workspace, is_honeypot=False).first()
    if link is None or link.public_id != public_id:
        raise NotFound
    return link
