"""The one door to the audit log, outgoing webhooks and notifications."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from accounts.models import Activity

if TYPE_CHECKING:
    from accounts.models import User, Workspace

#: How the log names whoever acts without being a person: the API key of this request, else the system itself.
acting_as: ContextVar[str] = ContextVar("acting_as", default="PulseQuill")


def record(
    *, workspace: Workspace, kind: str, summary: str, actor: User | None = None, subject: Any = None, **data: Any
) -> Activity:
    """Record that something happened, in the caller's transaction.

    Args:
        workspace: where it happened.
        kind: noun and past tense, such as `campaign.launched`.
        summary: one sentence for people.
        actor: who did it; None is the system.
        subject: the row it is about.
        data: small JSON facts.

    Returns:
        The audit row.
    """
    return Activity.objects.create(
        workspace=workspace,
        kind=kind,
        summary=summary[:300],
        actor=actor,
        actor_label=str(actor)[:160] if actor else acting_as.get(),
        object_type=subject._meta.model_name if subject is not None else "",
        object_id=str(subject.pk) if subject is not None else "",
        data=data,
    )
