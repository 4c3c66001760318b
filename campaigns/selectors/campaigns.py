"""Reads of campaigns, senders and templates for pages and `/v1`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Prefetch, Q, QuerySet

from accounts.models import Workspace
from audiences.models import Contact
from campaigns.models import Campaign, Sender, Variant, VariantVersion
from pulsequill.core.errors import NotFound

#: Tab -> statuses, in the order in which the page shows them.
TABS: dict[str, tuple[str, ...]] = {
    "all": tuple(Campaign.Status.values),
    "drafts": (Campaign.Status.DRAFT,),
    "scheduled": (Campaign.Status.SCHEDULED,),
    "sending": (Campaign.Status.PREPARING, Campaign.Status.SENDING, Campaign.Status.PAUSED),
    "sent": (Campaign.Status.SENT,),
    "stopped": (Campaign.Status.CANCELLED, Campaign.Status.FAILED),
}


def list_campaigns(workspace: Workspace, *, tab: str = "all", search: str = "") -> QuerySet[Campaign]:
    """Return a workspace's campaigns without their bodies: two queries, however many rows."""
    rows = Campaign.objects.for_workspace(workspace).select_related("sender", "created_by")
    if tab in TABS and tab != "all":
        rows = rows.filter(status__in=TABS[tab])
    for word in search.split()[:8]:
        rows = rows.filter(Q(name__icontains=word) | Q(variants__subject__icontains=word)).distinct()
    light = (
        Variant.objects.for_workspace(workspace)
        .only("id", "campaign_id", "label", "subject", "is_winner")
        .order_by("label")
    )
    return rows.prefetch_related(Prefetch("variants", queryset=light))


def count_by_tab(workspace: Workspace) -> dict[str, int]:
    """Return how many campaigns each tab holds."""
    by_status = dict(
        Campaign.objects.for_workspace(workspace).values_list("status").annotate(number=Count("id")).order_by()
    )
    return {tab: sum(by_status.get(status, 0) for status in statuses) for tab, statuses in TABS.items()}


def detailed_campaigns(workspace: Workspace) -> QuerySet[Campaign]:
    """Return campaigns with all that `/v1` shows of one, for any number of rows in a fixed number of queries."""
    variants = Variant.objects.for_workspace(workspace).select_related("sender").order_by("label")
    return (
        Campaign.objects.for_workspace(workspace)
        .select_related("sender", "workspace", "brief", "experiment")
        .prefetch_related(
            Prefetch("variants", queryset=variants), "lists", "segments", "exclude_lists", "exclude_segments"
        )
    )


def get_campaign(workspace: Workspace, campaign_id: UUID | str) -> Campaign:
    """Return one campaign with variants, audience choices, sender and brief.

    Raises:
        NotFound: absent, or another workspace's.
    """
    found = detailed_campaigns(workspace).filter(pk=campaign_id).first()
    if found is None:
        raise NotFound
    return found


def get_campaign_alone(workspace: Workspace, campaign_id: UUID | str) -> Campaign:
    """Return one campaign without what belongs to it, for whoever asks for its figures: one query instead of six.

    Raises:
        NotFound: absent, or another workspace's.
    """
    found = Campaign.objects.for_workspace(workspace).filter(pk=campaign_id).first()
    if found is None:
        raise NotFound
    found.workspace = workspace
    return found


def get_variant(campaign: Campaign, label: str = "") -> Variant:
    """Return a variant by label or id, the first one when nothing is named.

    Raises:
        NotFound: the campaign has no such variant.
    """
    variants = sorted(campaign.variants.all(), key=lambda variant: variant.label)
    for variant in variants:
        if not label or label in (variant.label, str(variant.pk)):
            variant.campaign, variant.workspace = campaign, campaign.workspace
            return variant
    raise NotFound


def get_variant_version(variant: Variant, number: int) -> VariantVersion:
    """Return one kept version of a variant, with the variant as `get_variant` gave it.

    Raises:
        NotFound: the variant has no such version (any more).
    """
    found = (
        VariantVersion.objects.for_workspace(variant.workspace_id)
        .select_related("created_by")
        .filter(variant=variant, number=number)
        .first()
    )
    if found is None:
        raise NotFound
    found.variant = variant
    return found


def audience_of(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign's choices as `audiences.selectors.audience_sql` takes them."""
    return {
        "workspace_id": campaign.workspace_id,
        "lists": [row.pk for row in campaign.lists.all()],
        "segments": [row.pk for row in campaign.segments.all()],
        "exclude_lists": [row.pk for row in campaign.exclude_lists.all()],
        "exclude_segments": [row.pk for row in campaign.exclude_segments.all()],
    }


def get_sample_contact(campaign: Campaign) -> Contact | None:
    """Return somebody to preview as: of the chosen lists when there are any, with a first name when that is known."""
    people = Contact.objects.for_workspace(campaign.workspace_id).exclude(first_name="")
    lists = [row.pk for row in campaign.lists.all()]
    if lists:
        people = people.filter(subscriptions__list__in=lists, subscriptions__status="active")
    return people.order_by("pk").first()


def list_senders(workspace: Workspace) -> QuerySet[Sender]:
    """Return a workspace's senders by name."""
    return Sender.objects.for_workspace(workspace).order_by("from_name", "from_email")
