"""The one door to the audit log, outgoing webhooks and notifications."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

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


class Entry(NamedTuple):
    """One thing that happened: a sentence for people, the row that it is about, small JSON facts."""

    summary: str
    subject: Any
    data: dict[str, Any]


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
    return record_all(workspace=workspace, kind=kind, entries=[Entry(summary, subject, data)], actor=actor)[0]


def record_all(
    *, workspace: Workspace, kind: str, entries: Sequence[Entry], actor: User | None = None
) -> list[Activity]:
    """Record several things of one kind, as `record` does each, in as many statements as for one."""
    with transaction.atomic():
        activities = Activity.objects.bulk_create(
            Activity(
                workspace=workspace,
                kind=kind,
                summary=entry.summary[:300],
                actor=actor,
                actor_label=str(actor)[:160] if actor else acting_as.get()[:160],
                object_type=entry.subject._meta.model_name if entry.subject is not None else "",
                object_id=str(entry.subject.pk) if entry.subject is not None else "",
                data=entry.data,
            )
            for entry in entries
        )
        reports = [
            (
                activity.created_at,
                {
                    "id": activity.object_id,
                    "object": activity.object_type,
                    "summary": activity.summary,
                    "workspace": workspace.slug,
                    **activity.data,
                },
            )
            for activity in activities
        ]
        if write_outbox(workspace_id=workspace.pk, kind=kind, reports=reports):
            transaction.on_commit(partial(tasks.deliver_due_webhooks.delay), robust=True)
        if kind in NOTICES:
            for activity in activities:
                notify_workspace(activity)
    return activities
