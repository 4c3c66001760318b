"""Thin carriers: each wakes an engine with an id; what is to be done stands in the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from audiences.importing import run, undo
from audiences.importing.run import LEASE
from audiences.models import ContactImport

Status = ContactImport.Status
#: A waiting import that no worker took for this long has lost its message.
WAITED_TOO_LONG = timedelta(seconds=60)


@shared_task
def run_import(*, import_id: str, **_later: Any) -> None:
    """Run one import, from where it stands."""
    run(UUID(import_id))


@shared_task
def undo_import_rows(*, import_id: str, **_later: Any) -> None:
    """Take one import back."""
    undo(UUID(import_id))


@shared_task
def sweep_imports(**_later: Any) -> None:
    """Wake imports whose worker died or whose message was lost. Waking one twice does no harm: a run must claim it."""
    now = timezone.now()
    is_silent = Q(heartbeat_at__lt=now - LEASE) | Q(heartbeat_at=None)
    stuck = ContactImport.objects.across_workspaces().filter(
        Q(status=Status.QUEUED, updated_at__lt=now - WAITED_TOO_LONG)
        | (Q(status__in=[Status.RUNNING, Status.UNDOING]) & is_silent)
    )
    for import_id, status in stuck.values_list("pk", "status"):
        task = undo_import_rows if status == Status.UNDOING else run_import
        task.delay(import_id=str(import_id))
