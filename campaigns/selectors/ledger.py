"""Reads of the ledger: counts, rows for the browser, and finding a message by its public id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, Sum
from redis.exceptions import RedisError

from audiences.models import Contact
from campaigns.models import Campaign, CapturedMessage, DeliveryMinute, Message, Settlement
from pulsequill.core.errors import NotFound
from pulsequill.core.ids import bigint_from_uuid7

#: Key of the whole campaign in `count_by_status`.
TOTAL = "total"
#: What mails say: a page or a file of ledger rows would carry it once for each row.
_CONTENT = ("body", "text", "compiled_html", "compiled_text")
_BIGGEST_KEY = 2**63 - 1
#: Of so many contacts whose address starts alike messages are looked for; whoever wants others types another letter.
MOST_PEOPLE = 5_000
#: Counting a ledger of this size takes a while, so pages count it anew only every few seconds.
MANY_ROWS = 50_000
COUNTS_KEPT_S = 10


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


def count_for_page(campaign: Campaign) -> dict[str, int]:
    """Return how many rows have each status; for a big ledger as it was a few seconds ago."""
    if campaign.recipients < MANY_ROWS:
        return count_by_status(campaign)[TOTAL]
    key = f"ledger-counts:{campaign.pk}"
    try:
        if kept := cache.get(key):
            return kept  # type: ignore[no-any-return]
        counts = count_by_status(campaign)[TOTAL]
        cache.set(key, counts, COUNTS_KEPT_S)
    except (RedisError, OSError):  # counting each time is slower, not wrong
        return count_by_status(campaign)[TOTAL]
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


def find_messages(
    campaign: Campaign, *, status: str = "", text: str = "", variant: str = "", reason: str = "", domain: str = ""
) -> QuerySet[Message]:
    """Return a campaign's ledger rows.

    Args:
        campaign: whose rows; test sends are left out.
        status: one of `Message.Status`.
        text: a whole address, the start of a contact's address, or a provider's message id.
        variant: a variant's label.
        reason: exactly as it stands in the ledger.
        domain: of the mailbox, such as `gmail.com`.
    """
    rows = Message.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, is_test=False)
    exact = {"status": status, "variant__label": variant, "reason": reason}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if domain := domain.strip().lower().lstrip("@"):
        rows = rows.filter(email_normalized__endswith=f"@{domain}")
    return with_variant(_searched(rows, campaign.workspace_id, text))


def with_variant(rows: QuerySet[Message]) -> QuerySet[Message]:
    """Return ledger rows that know the variant's label and subject, without its content."""
    return rows.select_related("variant").defer(*(f"variant__{name}" for name in _CONTENT))


def _searched(rows: QuerySet[Message], workspace: Any, text: str) -> QuerySet[Message]:
    """Narrow rows by an address or an id, through indexes only: each of the three finds few keys."""
    if not (text := text.strip().lower()):
        return rows
    people = Contact.objects.for_workspace(workspace).filter(email_normalized__startswith=text)
    plain = rows.order_by().values("pk")
    keys = plain.filter(email_normalized=text).union(
        plain.filter(provider_message_id=text), plain.filter(contact__in=people.values("pk")[:MOST_PEOPLE]), all=True
    )
    return rows.filter(pk__in=keys)


def find_in_doubt(workspace: Any, *, campaign_id: UUID | None = None, text: str = "") -> QuerySet[Message]:
    """Return every message of a workspace that nobody can be sure of, of campaigns and transactional ones."""
    rows = Message.objects.for_workspace(workspace).filter(status=Message.Status.IN_DOUBT)
    if campaign_id is not None:
        rows = rows.filter(campaign_id=campaign_id)
    return _searched(rows, workspace, text).select_related("campaign", "template").defer("template__body")


def count_in_doubt(workspace: Any) -> int:
    """Return how many messages of a workspace are in doubt."""
    return find_in_doubt(workspace).count()


def count_in_doubt_by_campaign(workspace: Any) -> list[tuple[UUID | None, str, int]]:
    """Return id and name of each campaign with messages in doubt, and how many; None stands for transactional mail."""
    rows = (
        Message.objects.for_workspace(workspace)
        .filter(status=Message.Status.IN_DOUBT)
        .values_list("campaign_id", "campaign__name")
        .annotate(count=Count("id"))
        .order_by("-count")
    )
    return [(key, name or "Transactional", count) for key, name, count in rows]


def count_sent(campaigns: Iterable[Campaign]) -> dict[UUID, int]:
    """Return how many messages of each campaign were sent, from the minutes: cheap for any size of ledger."""
    rows = (
        DeliveryMinute.objects.filter(campaign__in=[campaign.pk for campaign in campaigns])
        .values_list("campaign_id")
        .annotate(total=Sum("sent"))
    )
    return dict(rows)


def find_transactional(workspace: Any) -> QuerySet[Message]:
    """Return a workspace's messages that belong to no campaign."""
    return Message.objects.for_workspace(workspace).filter(campaign__isnull=True)


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


def get_settlement(workspace: Any, settlement_id: UUID) -> Settlement:
    """Return one decision about a message.

    Raises:
        NotFound: there is none, or it is another workspace's.
    """
    settlement = (
        Settlement.objects.for_workspace(workspace).select_related("workspace").filter(pk=settlement_id).first()
    )
    if settlement is None:
        raise NotFound
    return settlement


def find_captured(workspace: Any, *, campaign_id: UUID | None = None, text: str = "") -> QuerySet[CapturedMessage]:
    """Return the outbox of a workspace, without the bytes, filtered by campaign and by a part of address or subject."""
    rows = CapturedMessage.objects.for_workspace(workspace)
    if campaign_id is not None:
        rows = rows.filter(campaign_id=campaign_id)
    if text := text.strip():
        rows = rows.filter(Q(to__icontains=text) | Q(subject__icontains=text))
    return rows.select_related("campaign").defer("raw")
