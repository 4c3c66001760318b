"""Reading the notification list."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Notification, User, Workspace


def notifications_of(*, workspace: Workspace, user: User | None) -> QuerySet[Notification]:
    """Return what a person is told in a workspace: what is for everybody, and what is for them."""
    return Notification.objects.for_workspace(workspace).filter(Q(user=None) | Q(user=user))


def mark_read(*, workspace: Workspace, user: User | None, notification_id: UUID | None = None) -> int:
    """Mark one line, or all lines, as read; returns how many were not."""
    rows = notifications_of(workspace=workspace, user=user).filter(read_at=None)
    if notification_id is not None:
        rows = rows.filter(pk=notification_id)
    return rows.update(read_at=timezone.now())
