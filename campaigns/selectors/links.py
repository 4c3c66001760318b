"""Where the links of a campaign lead."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from accounts.models import Workspace
from campaigns.models import Campaign, Link
from pulsequill.core.errors import NotFound
from pulsequill.core.ids import bigint_from_uuid7


def list_addresses(campaign: Campaign) -> list[Link]:
    """Return the addresses of a campaign in the order of the mail, one link for each: variants share pages."""
    links = Link.objects.filter(workspace_id=campaign.workspace_id, variant__campaign=campaign, is_honeypot=False)
    shown: dict[tuple[str, str], Link] = {}
    for link in links.order_by("position", "id"):
        shown.setdefault(leads_of(link), link)
    return list(shown.values())


def leads_of(link: Link) -> tuple[str, str]:
    """Return where a link leads and led at first, without campaign parameters: these may name the variant."""
    return _without_utm(link.url), _without_utm(link.original_url)


def utm_of(url: str) -> dict[str, str]:
    """Return the campaign parameters in an address: `source` for `utm_source`, and so on."""
    given = parse_qsl(urlsplit(url).query)
    return {name.removeprefix("utm_"): value for name, value in given if name.startswith("utm_")}


def _without_utm(url: str) -> str:
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if not pair.startswith("utm_")]
    return parts._replace(query="&".join(kept)).geturl()


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
