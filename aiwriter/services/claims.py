"""Answering for a claim that nothing supports."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts import activity
from aiwriter.guardrails.receipts import claim_key
from aiwriter.models import AcceptedClaim
from pulsequill.core.errors import FieldError, Invalid, NotPermitted

if TYPE_CHECKING:
    from accounts.models import User, Workspace


@transaction.atomic
def accept_claim(*, workspace: Workspace, campaign_id: UUID, claim: str, actor: User | None) -> AcceptedClaim:
    """Let a campaign say something that neither its brief nor the brand's facts say. Doing it twice changes nothing.

    Args:
        claim: the words as the receipt shows them.
        actor: who answers for it.

    Raises:
        NotPermitted: nobody by name would answer for it, as with an API key.
        Invalid: there are no words.
    """
    if actor is None:
        raise NotPermitted("A person has to answer for a claim; an API key cannot.")
    words = claim_key(claim)
    if not words:
        text = "Say which claim."
        raise Invalid(text, errors=[FieldError("claim", "required", text)])
    accepted, is_new = AcceptedClaim.objects.for_workspace(workspace).get_or_create(
        workspace=workspace, campaign_id=campaign_id, claim=words, defaults={"accepted_by": actor}
    )
    if is_new:
        activity.record(
            workspace=workspace, kind="claim.accepted", summary=f"Answers for the claim “{words[:160]}”.", actor=actor,
            subject=accepted, campaign=str(campaign_id), claim=words,
        )  # fmt: skip
    return accepted


@transaction.atomic
def withdraw_claim(*, workspace: Workspace, campaign_id: UUID, claim: str, actor: User | None) -> None:
    """Take an acceptance back; the campaign is held back again. Without one nothing happens."""
    words = claim_key(claim)
    rows = AcceptedClaim.objects.for_workspace(workspace).filter(campaign_id=campaign_id, claim=words)
    if row := rows.first():
        activity.record(
            workspace=workspace, kind="claim.withdrawn", summary=f"No longer answers for “{words[:160]}”.",
            actor=actor, subject=row, campaign=str(campaign_id), claim=words,
        )  # fmt: skip
        row.delete()
