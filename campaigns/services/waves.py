"""Letting go of those who were held back: who waits behind the first readers, and the rest of a test."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.activity import record as record_activity
from accounts.models import User
from campaigns import tasks
from campaigns.delivery import waves
from campaigns.models import Campaign, Variant
from pulsequill.core.live import mark_dirty


def release_canary(*, campaign: Campaign, actor: User | None = None) -> int:
    """Mail everybody who waits behind the first readers.

    Args:
        campaign: one that is being sent, or paused: then they wait in the queue until it is resumed.
        actor: who said so; None when the time was up.

    Returns:
        How many wait in the queue now; 0 when somebody was first, or the campaign is over or has no first readers.
    """
    now = timezone.now()
    with transaction.atomic():
        released = waves.release_canary(campaign=campaign, now=now)
        if campaign.canary_released_at != now:
            return 0
        by = f" by {actor}" if actor else ""
        _say(
            campaign,
            "campaign.canary_released",
            f"“{campaign.name}”: {released:,} more were released after the first readers{by}.",
            actor,
            released,
        )
    return released


def release_rest(
    *,
    campaign: Campaign,
    shares: Mapping[UUID, float],
    count: int | None = None,
    actor: User | None = None,
    reason: str = "",
) -> int:
    """Give the rest of a test its variants, and mail it.

    Args:
        campaign: one that is being sent, or paused: then they wait in the queue until it is resumed.
        shares: variant -> its share of those who are released; they count relative to their sum.
        count: how many at most; None for everybody who waits.
        actor: who said so; None when the rule did.
        reason: why, for the audit log.

    Returns:
        How many have a variant now; 0 when nobody waits any more, or the campaign is over.

    Raises:
        Invalid: the shares are not positive, or name a variant that is not the campaign's.
    """
    with transaction.atomic():
        released = waves.release_rest(campaign=campaign, shares=shares, count=count, now=timezone.now())
        if released:
            _say(
                campaign,
                "campaign.rest_released",
                f"“{campaign.name}”: {released:,} recipients get {_in_words(campaign, shares)}.",
                actor,
                released,
                reason=reason[:300],
            )
    return released


def _say(campaign: Campaign, kind: str, summary: str, actor: User | None, released: int, **data: object) -> None:
    record_activity(
        workspace=campaign.workspace,
        kind=kind,
        summary=summary,
        actor=actor,
        subject=campaign,
        released=released,
        **data,
    )
    tasks.wake_on_commit(campaign.pk, recipients=released)
    transaction.on_commit(lambda: mark_dirty(campaign.pk))


def _in_words(campaign: Campaign, shares: Mapping[UUID, float]) -> str:
    """Return "variant B", or "variants A 30 %, B 70 %"."""
    variants = Variant.objects.for_workspace(campaign.workspace_id).filter(campaign=campaign, pk__in=shares)
    parts = {variant.label: shares[variant.pk] / sum(shares.values()) for variant in variants.order_by("label")}
    chosen = {label: share for label, share in parts.items() if share}
    if len(chosen) == 1:
        return f"variant {next(iter(chosen))}"
    return f"variants {', '.join(f'{label} {share:.0%}' for label, share in chosen.items())}"
