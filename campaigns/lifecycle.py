"""Which status a campaign may go to next, and the only code that changes it."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from campaigns.models import Campaign

_S = Campaign.Status

#: From -> to. `sent -> sending` is an operator's resend of a row in doubt; a cancelled campaign is duplicated instead.
TRANSITIONS: dict[str, frozenset[str]] = {
    _S.DRAFT: frozenset({_S.SCHEDULED, _S.PREPARING, _S.SENDING}),
    _S.SCHEDULED: frozenset({_S.DRAFT, _S.PREPARING, _S.SENDING, _S.PAUSED, _S.CANCELLED, _S.FAILED}),
    _S.PREPARING: frozenset({_S.SENDING, _S.DRAFT, _S.CANCELLED, _S.FAILED}),
    _S.SENDING: frozenset({_S.PAUSED, _S.SENT, _S.CANCELLED, _S.FAILED}),
    _S.PAUSED: frozenset({_S.SENDING, _S.CANCELLED, _S.FAILED, _S.DRAFT}),
    _S.SENT: frozenset({_S.SENDING}),
    _S.FAILED: frozenset({_S.DRAFT, _S.SENDING}),
    _S.CANCELLED: frozenset(),
}

#: Content, sender and audience may be changed only here; from the launch on they are frozen.
EDITABLE = frozenset({_S.DRAFT})
#: Nothing has left yet, or nothing ever will.
DELETABLE = frozenset({_S.DRAFT, _S.CANCELLED})


def may_change(from_status: str, to: str) -> bool:
    """Return whether the table allows the step."""
    return to in TRANSITIONS.get(from_status, frozenset())


def change_status(campaign: Campaign, to: str, *, reason: str = "", **fields: Any) -> bool:
    """Move a campaign to another status if it still has the status that the caller saw: one of many attempts wins.

    Args:
        campaign: as the caller read it; updated in place on success.
        to: the new status.
        reason: a sentence for people, for paused, failed and missed; empty clears the old one.
        fields: further columns that change with it, such as `launched_at`.

    Returns:
        False when the table forbids the step or somebody else changed the status first; nothing changed then.
    """
    if not may_change(campaign.status, to):
        return False
    changes = {**fields, "status": to, "status_reason": reason[:300], "updated_at": timezone.now()}
    won = (
        Campaign.objects.for_workspace(campaign.workspace_id)
        .filter(pk=campaign.pk, status=campaign.status)
        .update(**changes)
    )
    if not won:
        return False
    for name, value in changes.items():
        setattr(campaign, name, value)
    return True
