"""How much may be asked at once: requests a minute, unfinished ones, and what only looks like a second request."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils import timezone

from aiwriter.agents.ending import UNFINISHED
from aiwriter.models import Brief, Generation
from pulsequill.core.errors import Blocked, Throttled
from pulsequill.core.rest.throttling import spend

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: Generations of a workspace that may wait or be written.
MOST_UNFINISHED = 10
PERSON_PER_MINUTE = 30
WORKSPACE_PER_MINUTE = 120
#: The same person asking for the same within this time, while the first is unfinished, has clicked twice.
DOUBLE_CLICK = timedelta(seconds=10)


def refuse_haste(*, workspace: Workspace, actor: User | None) -> None:
    """Count a request against the person's and the workspace's minute.

    Raises:
        Throttled: one of the two has had its share.
    """
    budgets = [(f"ai:workspace:{workspace.pk}", WORKSPACE_PER_MINUTE)]
    if actor is not None:
        budgets.append((f"ai:person:{workspace.pk}:{actor.pk}", PERSON_PER_MINUTE))
    for key, limit in budgets:
        quota = spend(key, limit=limit)
        if quota.is_exceeded:
            wait_s = max(1, quota.resets_in_s)
            raise Throttled(f"The writer was asked {limit} times in a minute. Wait {wait_s} s.", retry_after_s=wait_s)


def refuse_crowd(workspace: Workspace) -> None:
    """Hold the queue of a workspace short; call it under the lock of its budget.

    Raises:
        Blocked: `too_many_generations`.
    """
    unfinished = Generation.objects.for_workspace(workspace).filter(status__in=UNFINISHED)
    if unfinished.count() >= MOST_UNFINISHED:
        raise Blocked(
            f"{MOST_UNFINISHED} are being written already; wait for one to finish.", code="too_many_generations"
        )


def find_twin(
    *, workspace: Workspace, actor: User | None, kind: str, brief: Brief | None, campaign_id: UUID | None,
    request: dict[str, Any],
) -> Generation | None:  # fmt: skip
    """Return the unfinished generation that this request repeats: a double click, or a page that sent it twice.

    Programs repeat themselves with an `Idempotency-Key`; without a person there is no twin.
    """
    if actor is None:
        return None
    rows = Generation.objects.for_workspace(workspace).filter(
        created_by=actor, kind=kind, campaign_id=campaign_id, status__in=UNFINISHED, request=request,
        is_cancel_requested=False, created_at__gte=timezone.now() - DOUBLE_CLICK,
    )  # fmt: skip
    wanted = _said(brief)
    return next((row for row in rows.select_related("brief", "workspace") if _said(row.brief) == wanted), None)


def _said(brief: Brief | None) -> dict[str, Any] | None:
    """What a brief says, without which row it is."""
    if brief is None:
        return None
    own = {"id", "created_at", "updated_at"}
    return {field.attname: getattr(brief, field.attname) for field in brief._meta.fields if field.attname not in own}
