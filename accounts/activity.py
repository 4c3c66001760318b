"""The one door to the audit log, outgoing webhooks and notifications."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import tasks
from accounts.models import Activity
from accounts.notifications.catalogue import NOTICES
from accounts.notifications.inbox import notify_workspace
from accounts.webhooks_out.outbox import write_outbox

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: How the log names whoever acts without being a person: the API key of this request, else the system itself.
acting_as: ContextVar[str] = ContextVar("acting_as", default="PulseQuill")


def record(
    *, workspace: Workspace, kind: str, summary: str, actor: User | None = None, subject: Any = None, **data: Any
) -> Activity:
    """Record that something happened, in the caller's transaction.

    Writes the audit row; for the kinds of `webhooks_out.catalogue` also one outbox row per endpoint that wants it;
    for the kinds of `notifications.catalogue` a line in everybody's list.

    Args:
        workspace: where it happened.
        kind: noun and past tense, such as `campaign.launched`.
        summary: one sentence for people.
        actor: who did it; None is the system (or the API key of this request).
        subject: the row it is about.
        data: small JSON facts.

    Returns:
        The audit row.
    """
    with transaction.atomic():
        activity = Activity.objects.create(
            workspace=workspace,
            kind=kind,
            summary=summary[:300],
            actor=actor,
            actor_label=str(actor)[:160] if actor else acting_as.get()[:160],
            object_type=subject._meta.model_name if subject is not None else "",
            object_id=str(subject.pk) if subject is not None else "",
            data=data,
        )
        facts = {
            "id": activity.object_id,
            "object": activity.object_type,
            "summary": activity.summary,
            "workspace": workspace.slug,
            **data,
        }
        if write_outbox(workspace_id=workspace.pk, kind=kind, at=activity.created_at, data=facts):
            transaction.on_commit(partial(tasks.deliver_due_webhooks.delay), robust=True)
        if kind in NOTICES:
            notify_workspace(activity)
    return activity
