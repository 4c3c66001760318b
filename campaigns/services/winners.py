"""Naming the winner of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from accounts import activity
from campaigns.models import Campaign, Variant
from pulsequill.core.errors import WrongState

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def name_winner(*, variant: Variant, reason: str, actor: User | None = None) -> Variant:
    """Mark the variant that won its campaign's test; once and for good.

    Args:
        variant: one of a launched campaign that has several.
        reason: why, in a sentence for people.
        actor: who chose it; None is the rule that was fixed before launch.

    Raises:
        WrongState: the campaign was not launched, has nothing to compare, or has another winner already.
    """
    campaign = Campaign.objects.for_workspace(variant.workspace_id).select_for_update().get(pk=variant.campaign_id)
    rivals = Variant.objects.for_workspace(variant.workspace_id).filter(campaign=campaign)
    winner = rivals.filter(is_winner=True).first()
    if winner is not None and winner.pk == variant.pk:
        return winner
    if winner is not None or campaign.launched_at is None or rivals.count() < 2:
        raise WrongState("Only a launched campaign with several variants has a winner, and only one.")
    rivals.filter(pk=variant.pk).update(is_winner=True)
    variant.is_winner = True
    activity.record(
        workspace=campaign.workspace, kind="campaign.winner_named", actor=actor, subject=campaign,
        summary=f"{variant.label} won the test of {campaign.name[:120]}: {reason}"[:300], variant=variant.label,
    )  # fmt: skip
    return variant
