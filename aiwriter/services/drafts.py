"""Deciding on drafts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts import activity
from aiwriter.models import Draft
from aiwriter.tasks import remember_draft
from pulsequill.core.errors import Blocked, WrongState

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def accept_draft(*, draft: Draft, actor: User | None, override: bool = False) -> Draft:
    """Accept a draft; it becomes an example for later ones. Accepting it again changes nothing.

    Args:
        override: accept although a check blocks; a named person must answer for it, and it is recorded.

    Raises:
        Blocked: a check blocks the draft; `findings` says why.
    """
    draft = Draft.objects.for_workspace(draft.workspace_id).select_for_update().get(pk=draft.pk)
    if draft.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        return draft
    blocking = [f for f in draft.guardrails.get("findings", ()) if f["severity"] == "block"]
    if blocking and not (override and actor is not None):
        raise Blocked(blocking[0]["message"], code="guardrails", findings=blocking)
    _decide(draft, Draft.Status.ACCEPTED, actor)
    activity.record(
        workspace=draft.workspace, kind="draft.accepted", summary=f"Accepted the draft “{draft.subject[:120]}”.",
        actor=actor, subject=draft, overridden=[finding["code"] for finding in blocking],
    )  # fmt: skip
    remember_draft.delay_on_commit(draft_id=str(draft.pk))
    return draft


@transaction.atomic
def reject_draft(*, draft: Draft, actor: User | None) -> Draft:
    """Say that a draft is not wanted.

    Raises:
        WrongState: it was accepted already.
    """
    draft = Draft.objects.for_workspace(draft.workspace_id).select_for_update().get(pk=draft.pk)
    if draft.status in (Draft.Status.ACCEPTED, Draft.Status.EDITED):
        raise WrongState("The draft was accepted already.")
    if draft.status != Draft.Status.REJECTED:
        _decide(draft, Draft.Status.REJECTED, actor)
        activity.record(
            workspace=draft.workspace, kind="draft.rejected", summary=f"Rejected the draft “{draft.subject[:120]}”.",
            actor=actor, subject=draft,
        )  # fmt: skip
    return draft


def _decide(draft: Draft, status: Draft.Status, actor: User | None) -> None:
    draft.status, draft.decided_by, draft.decided_at = status, actor, timezone.now()
    draft.save(update_fields=["status", "decided_by", "decided_at", "updated_at"])
