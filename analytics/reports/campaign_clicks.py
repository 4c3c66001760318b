"""Where readers of one campaign clicked: a table of its links, and the same figures as badges on the mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from analytics.models import LinkStats
from analytics.selectors.breakdowns import short_url
from campaigns.models import Campaign, Link, Variant
from campaigns.services.sent_mail import HEATS, Mark

#: Whose clicks -> how a link's counters are weighed for its share.
BASES: dict[str, tuple[str, ...]] = {
    "human": ("unique_clicks",),
    "machine": ("machine_clicks",),
    "both": ("clicks", "machine_clicks"),
}
COUNTERS = ("clicks", "unique_clicks", "machine_clicks")


@dataclass
class LinkRow:
    """One address: all links of the chosen variants that lead there.

    `share` is its part of all clicks that are shown, `rate` the part of the delivered whose readers clicked it.
    """

    url: str
    original_url: str
    label: str
    clicks: int = 0
    unique_clicks: int = 0
    machine_clicks: int = 0
    share: float = 0.0
    rate: float | None = None
    rank: int = 0
    heat: int = 0
    links: list[Link] = field(default_factory=list)

    @property
    def id_texts(self) -> list[str]:
        """Keys of its links, as they stand in an address."""
        return [str(link.pk) for link in self.links]


def list_links(
    campaign: Campaign, *, shown: str = "human", variant: Variant | None = None, delivered: int = 0
) -> list[LinkRow]:
    """Return the links of a campaign, or of one variant, the most clicked first; two queries.

    A link that was re-pointed stays one row under the address that the mail was written with, because its badge is.
    The honeypot is left out: it is no link that people see.

    Args:
        campaign: which one.
        shown: whose clicks make shares and order: a key of `BASES`.
        variant: only its links.
        delivered: how many mails have these links; 0 when that is not asked for.
    """
    links = Link.objects.filter(workspace_id=campaign.workspace_id, variant__campaign=campaign, is_honeypot=False)
    if variant is not None:
        links = links.filter(variant=variant)
    stats = {row.link_id: row for row in LinkStats.objects.filter(campaign=campaign)}
    by_url: dict[str, LinkRow] = {}
    for link in links.order_by("position", "id"):
        written = link.original_url or link.url
        row = by_url.setdefault(written, LinkRow(link.url, link.original_url, short_url(link.url)))
        row.links.append(link)
        if counted := stats.get(link.pk):
            for name in COUNTERS:
                setattr(row, name, getattr(row, name) + getattr(counted, name))
    rows = list(by_url.values())
    weights = {id(row): sum(getattr(row, name) for name in BASES[shown]) for row in rows}
    total, most = sum(weights.values()), max(weights.values(), default=0)
    rows.sort(key=lambda row: -weights[id(row)])
    for rank, row in enumerate(rows, 1):
        weight = weights[id(row)]
        row.rank, row.share = rank, round(weight / total, 4) if total else 0.0
        row.rate = round(row.unique_clicks / delivered, 6) if delivered else None
        row.heat = _heat(weight, most)
    return rows


def _heat(weight: int, most: int) -> int:
    """Return how hot a link is beside the most clicked one, in even steps; never clicked is coldest."""
    return 0 if not weight else max(1, round(weight / most * (len(HEATS) - 1)))


def marks_of(rows: list[LinkRow], variant_id: UUID) -> Mapping[int, Mark]:
    """Return the badges of one variant's mail, by position: the number of the row in the table, and its share."""
    return {
        link.position: Mark(f"{row.rank} · {row.share * 100:.0f} %", row.heat)
        for row in rows
        for link in row.links
        if link.variant_id == variant_id
    }


def as_dicts(rows: list[LinkRow]) -> list[dict[str, Any]]:
    """Return rows for files."""
    names = ("rank", "url", "original_url", *COUNTERS, "share")
    return [{name: getattr(row, name) for name in names} for row in rows]
