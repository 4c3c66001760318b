"""Asking for drafts, queueing whatever a worker writes, and stopping it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import activity
from aiwriter.agents.ending import UNFINISHED, end_unclaimed
from aiwriter.gateway import budget as money
from aiwriter.gateway.keys import providers_for
from aiwriter.models import Brief, Budget, Generation
from aiwriter.selectors import get_budget
from aiwriter.services import limits
from aiwriter.services.briefs import create_brief
from aiwriter.tasks import run_generation
from pulsequill.core.errors import Blocked, NotFound, Unavailable, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: Who answered, where rules can do what a model can.
ANSWERED_BY = ("rules", "ai")


def request_drafts(
    *,
    workspace: Workspace,
    actor: User | None,
    brief: Brief | Mapping[str, Any],
    campaign_id: UUID | None = None,
    model: str = "",
) -> Generation:
    """Ask for the drafts of a brief; a worker writes them after the commit.

    Args:
        brief: a stored brief, or the fields of a new one.
        campaign_id: the campaign that they are for.
        model: a model of the catalogue by name; empty leaves the choice to the router.

    Raises:
        Invalid: the brief is not valid.
        Blocked: `budget_exceeded`, or too many drafts are being written already.
        Unavailable: `ai_not_configured`, no provider is set up and templates are forbidden.
    """  # fmt: skip
    with transaction.atomic():
        if not isinstance(brief, Brief):
            brief = create_brief(workspace=workspace, fields=brief)
        elif brief.workspace_id != workspace.pk:
            raise NotFound
        return enqueue(
            workspace=workspace, actor=actor, kind=Generation.Kind.DRAFTS, brief=brief, campaign_id=campaign_id,
            request={"model": model} if model else {},
        )  # fmt: skip


@transaction.atomic
def enqueue(
    *, workspace: Workspace, actor: User | None, kind: Generation.Kind, brief: Brief | None = None,
    campaign_id: UUID | None = None, request: dict[str, Any] | None = None,
) -> Generation:  # fmt: skip
    """Store a generation, which a worker takes up after the commit; a double click gets the one it has made.

    Args:
        request: what is asked besides the brief; plain JSON.

    Raises:
        Throttled: asked too often within a minute.
        Blocked: `budget_exceeded`, or too many are being written already.
        Unavailable: `ai_not_configured`, no provider is set up and templates are forbidden.
    """
    limits.refuse_haste(workspace=workspace, actor=actor)
    has_provider = bool(providers_for(workspace.pk))
    if not has_provider and settings.AI_OFFLINE != "allow":
        raise Unavailable("No AI provider is set up.", code="ai_not_configured", retry_after_s=3600)
    Budget.objects.for_workspace(workspace).select_for_update().get(pk=get_budget(workspace).pk)
    if has_provider and money.get_state(workspace.pk).is_exceeded:
        raise Blocked("The AI budget of this month is used up.", code="budget_exceeded")
    asked = {"kind": kind, "brief": brief, "campaign_id": campaign_id, "request": request or {}}
    if twin := limits.find_twin(workspace=workspace, actor=actor, **asked):  # type: ignore[arg-type]
        return twin
    limits.refuse_crowd(workspace)
    generation = Generation.objects.create(workspace=workspace, created_by=actor, **asked)
    run_generation.delay_on_commit(generation_id=str(generation.pk))
    return generation


def cancel_generation(*, generation: Generation, actor: User | None) -> Generation:
    """Stop a generation: at once in the queue, within a moment while it is written.

    Raises:
        WrongState: it is finished already.
    """
    rows = Generation.objects.for_workspace(generation.workspace_id).filter(pk=generation.pk)
    if not rows.filter(status__in=UNFINISHED).update(is_cancel_requested=True, updated_at=timezone.now()):
        raise WrongState("It is finished already.")
    end_unclaimed(generation, Generation.Status.CANCELLED)
    activity.record(
        workspace=generation.workspace, kind="generation.cancelled", summary="Stopped the AI writer.", actor=actor,
        subject=generation,
    )  # fmt: skip
    generation.refresh_from_db()
    return generation
