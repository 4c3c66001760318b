"""What campaigns said, in words: for the brand's voice, and for finding campaigns that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.models import Workspace
from aiwriter.retrieval.embedders import LexicalEmbedder
from aiwriter.retrieval.likeness import LEAST_LIKE, likeness
from aiwriter.voice.cleaning import clean_sample
from aiwriter.voice.scoring import paragraphs_of_blocks
from campaigns.models import Campaign, Variant
from pulsequill.core.errors import Invalid

#: The newest campaigns of a workspace are looked at.
MOST_COMPARED = 200
LONGEST = 6000


@dataclass(frozen=True)
class SimilarCampaign:
    """A campaign like another one, by the likeness of its nearest variant."""

    campaign: Campaign
    subject: str
    similarity: float
    label: str = LexicalEmbedder.label


def variant_source(variant: Variant) -> tuple[str, bool]:
    """Return the words of a variant, or its markup, and whether it is markup."""
    if variant.format == Variant.Format.BLOCKS:
        body = "\n\n".join(paragraph.text for paragraph in paragraphs_of_blocks(variant.body or []))
        return body, False
    return str(variant.body or ""), variant.format in (Variant.Format.HTML, Variant.Format.MJML)


def variant_text(variant: Variant) -> str:
    """Return all that a variant says to its readers, its subject first; what cannot be read says nothing."""
    source, is_markup = variant_source(variant)
    try:
        body = clean_sample(source, is_html=True).text if is_markup else source
    except Invalid:
        body = ""
    return "\n\n".join(filter(None, (variant.subject, variant.preview_text, body)))[:LONGEST]


def sent_campaigns(workspace: Workspace, *, search: str = "", limit: int = 100) -> list[tuple[Campaign, Variant]]:
    """Return sent campaigns with what they said, the newest first; of a test its winner, else its first variant."""
    rows = Variant.objects.for_workspace(workspace).filter(campaign__status=Campaign.Status.SENT)
    for word in search.split()[:8]:
        rows = rows.filter(subject__icontains=word) | rows.filter(campaign__name__icontains=word)
    by_campaign: dict[UUID, Variant] = {}
    newest = rows.select_related("campaign").order_by("-campaign__created_at", "-is_winner", "label")
    for variant in newest[: limit * 3]:
        by_campaign.setdefault(variant.campaign_id, variant)
    return [(variant.campaign, variant) for variant in list(by_campaign.values())[:limit]]


def similar_campaigns(campaign: Campaign, *, limit: int = 8) -> list[SimilarCampaign]:
    """Return the workspace's campaigns that say what is most like this one, by words; asks nobody."""
    own = "\n\n".join(variant_text(variant) for variant in campaign.variants.order_by("label"))
    if not own.strip():
        return []
    rows = Variant.objects.for_workspace(campaign.workspace_id).exclude(campaign=campaign).select_related("campaign")
    variants = list(rows.order_by("-campaign__created_at")[:MOST_COMPARED])
    scores = likeness(own, [variant_text(variant) for variant in variants])
    nearest: dict[UUID, SimilarCampaign] = {}
    for score, variant in sorted(zip(scores, variants, strict=True), key=lambda pair: -pair[0]):
        if score >= LEAST_LIKE:
            nearest.setdefault(variant.campaign_id, SimilarCampaign(variant.campaign, variant.subject, score))
    return list(nearest.values())[:limit]
