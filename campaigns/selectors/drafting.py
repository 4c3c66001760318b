"""Reads of drafting schedules and their runs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Workspace
from campaigns import recurrence
from campaigns.models import DraftingRun, DraftingSchedule
from campaigns.windows import wall_time, zone_of
from pulsequill.core.errors import NotFound

#: How many coming runs are shown.
SHOWN_SLOTS = 3


class Outlook(NamedTuple):
    """A schedule, when it runs in words, and its next runs as clocks of its workspace show them."""

    schedule: DraftingSchedule
    rhythm: str
    next_runs: list[datetime]


def list_schedules(workspace: Workspace) -> QuerySet[DraftingSchedule]:
    """Return a workspace's schedules by name, with what pages and `/v1` show of them."""
    rows = DraftingSchedule.objects.for_workspace(workspace)
    return rows.select_related("workspace", "brief", "sender", "created_by").order_by("name", "pk")


def get_schedule(workspace: Workspace, schedule_id: UUID | str) -> DraftingSchedule:
    """Return one schedule.

    Raises:
        NotFound: absent, or another workspace's.
    """
    found = list_schedules(workspace).filter(pk=schedule_id).first()
    if found is None:
        raise NotFound
    return found


def list_runs(schedule: DraftingSchedule) -> QuerySet[DraftingRun]:
    """Return the runs of a schedule, the newest first, with what they made."""
    rows = DraftingRun.objects.for_workspace(schedule.workspace_id).filter(schedule=schedule)
    return rows.select_related("generation", "campaign").order_by("-slot_at", "-pk")


def next_slots(schedule: DraftingSchedule, *, now: datetime) -> list[datetime]:
    """Return the next instants at which it runs; none while it is paused."""
    found = recurrence.of(schedule)
    if found is None or not schedule.is_active:
        return []
    return found.next_slots(now, zone_of(schedule.workspace.time_zone), SHOWN_SLOTS)


def rhythm_of(schedule: DraftingSchedule) -> str:
    """Return when it runs, in words."""
    return str(recurrence.of(schedule) or "Its crontab cannot be read")


def outlook(schedule: DraftingSchedule, *, now: datetime) -> Outlook:
    """Return what comes next, for people."""
    zone = zone_of(schedule.workspace.time_zone)
    walls = (wall_time(at, zone) for at in next_slots(schedule, now=now))
    return Outlook(schedule, rhythm_of(schedule), [wall for wall in walls if wall is not None])
