"""Reads of the ledger: counts, rows for the browser, and finding a message by its public id."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from campaigns.models import Campaign, CapturedMessage, Message
from pulsequill.core.errors import NotFound
from pulsequill.core.ids import bigint_from_uuid7

#: Key of the whole campaign in `count_by_status`.
TOTAL = "total"
_BIGGEST_KEY = 2**63 - 1


def count_by_status(campaign: Campaign) -> dict[str, dict[str, int]]:
    """Return how many rows have each status, for each variant's id and under `total`; test sends are left out."""
    counts: dict[str, dict[str, int]] = {TOTAL: dict.fromkeys(Message.Status.values, 0)}
    rows = (
        Message.objects.for_workspace(campaign.workspace_id)
        .filter(campaign=campaign, is_test=False)
        .values_list("variant_id", "status")
        .annotate(count=Count("id"))
    )
    for variant_id, status, count in rows:
        own = counts.setdefault(str(variant_id), dict.fromkeys(Message.Status.values, 0))
        own[status] += count
        counts[TOTAL][status] += count
    return counts


def count_by_reason(campaign: Campaign, status: str) -> dict[str, int]:
    """Return how many rows of one status there are for each reason, most frequent first."""
    rows = (
        Message.objects.for_workspace(campaign.workspace_id)
        .filter(campaign=campaign, is_test=False, status=status)
        .values_list("reason")
        .annotate(count=Count("id"))
        .order_by("-count", "reason")
    )
    return dict(rows)


def find_messages(campaign: Campaign, *, status: str = "", text: str = "") -> QuerySet[Message]:
    """Return a campaign's ledger rows, filtered by status and by a part of the address or the provider's id."""
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    if status:
        rows = rows.filter(status=status)
    if text := text.strip().lower():
        rows = rows.filter(Q(email_normalized__contains=text) | Q(provider_message_id=text))
    return rows.select_related("variant")


def find_transactional(workspace: Any) -> QuerySet[Message]:
    """Return a workspace's messages that belong to no campaign."""
    return Message.objects.for_workspace(workspace).filter(campaign__isnull=True).select_related("variant")


def get_message(workspace: Any, public_id: UUID) -> Message:
    """Return a message by the id that `/v1` shows.

    Raises:
        NotFound: there is none, it is another workspace's, or the id was made up.
    """
    key = bigint_from_uuid7(public_id)
    message = (
        Message.objects.for_workspace(workspace)
        .select_related("campaign", "variant", "workspace")
        .filter(pk=key)
        .first()
        if 0 < key <= _BIGGEST_KEY
        else None
    )
    if message is None or message.public_id != public_id:
        raise NotFound
    return message


def find_captured(workspace: Any, *, campaign_id: UUID | None = None, text: str = "") -> QuerySet[CapturedMessage]:
    """Return the outbox of a workspace, without the bytes, filtered by campaign and by a part of address or subject."""
    rows = CapturedMessage.objects.for_workspace(workspace)
    if campaign_id is not None:
        rows = rows.filter(campaign_id=campaign_id)
    if text := text.strip():
        rows = rows.filter(Q(to__icontains=text) | Q(subject__icontains=text))
    return rows.select_related("campaign").defer("raw")
