"""Drafts by the calendar: making, changing, pausing and removing schedules, and running one out of turn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import activity
from accounts.models import User, Workspace
from aiwriter.services.briefs import create_brief
from campaigns import drafting, recurrence
from campaigns.content.sanitising import without_control_characters
from campaigns.models import DraftingRun, DraftingSchedule, Sender
from campaigns.services.adopting import BRIEF_FIELDS, allowed_tags
from campaigns.windows import zone_of
from pulsequill.core.errors import FieldError, Invalid, NotFound, WrongState

MOST_SCHEDULES = 50
#: What a schedule takes, besides its brief.
COLUMNS = ("name", "crontab", "every_weeks", "makes_campaign", "sender", "is_active")


@transaction.atomic
def create_schedule(
    *, workspace: Workspace, actor: User | None, brief: Mapping[str, Any], changes: Mapping[str, Any]
) -> DraftingSchedule:
    """Draft a brief again and again from now on.

    Args:
        brief: the fields of `create_brief`.
        changes: values of `COLUMNS`; `name` and `crontab` must be among them.

    Raises:
        Invalid: a field is wrong, or there are too many schedules.
        NotFound: the sender is another workspace's.
    """
    if DraftingSchedule.objects.for_workspace(workspace).count() >= MOST_SCHEDULES:
        raise _refuse("name", "too_many", f"There are {MOST_SCHEDULES} schedules already. Remove one first.")
    today = timezone.now().astimezone(zone_of(workspace.time_zone)).date()
    schedule = DraftingSchedule(workspace=workspace, created_by=actor, counted_from_date=today)
    _apply(schedule, {"name": "", "crontab": "", **changes})
    schedule.brief = create_brief(workspace=workspace, fields=_brief_fields(workspace, {}, brief))
    drafting.plan_next(schedule, after=timezone.now())
    schedule.save()
    _record(schedule, actor, "created", f"Planned the drafts “{schedule.name}”.")
    return schedule


@transaction.atomic
def change_schedule(
    *,
    schedule: DraftingSchedule,
    actor: User | None,
    brief: Mapping[str, Any] | None = None,
    changes: Mapping[str, Any] | None = None,
) -> DraftingSchedule:
    """Change a schedule. A changed brief is a new row, so earlier drafts keep the one that they were written from.

    Args:
        brief: fields to change; the others stay.
        changes: any of `COLUMNS`; `is_active` pauses and resumes. Slots of a pause are not made up for.

    Raises:
        Invalid, NotFound: as `create_schedule`.
    """
    row = _locked(schedule)
    was_active, was_due = row.is_active, (row.crontab, row.every_weeks)
    _apply(row, changes or {})
    kept = {name: getattr(row.brief, name) for name in BRIEF_FIELDS}
    wanted = _brief_fields(row.workspace, kept, brief or {})
    if wanted != kept:
        row.brief = create_brief(workspace=row.workspace, fields=wanted)
    if (row.is_active, row.crontab, row.every_weeks) != (was_active, *was_due):
        drafting.plan_next(row, after=timezone.now())
    row.save()
    verb = "changed" if row.is_active == was_active else "resumed" if row.is_active else "paused"
    _record(row, actor, verb, f"{verb.capitalize()} the drafts “{row.name}”.")
    return row


@transaction.atomic
def delete_schedule(*, schedule: DraftingSchedule, actor: User | None) -> None:
    """Stop for good. What it drafted stays."""
    _record(schedule, actor, "deleted", f"Removed the schedule “{schedule.name}”.")
    schedule.delete()


@transaction.atomic
def run_now(*, schedule: DraftingSchedule, actor: User | None) -> DraftingRun:
    """Draft once out of turn; the calendar goes on as it was. The run says so when it had to be skipped.

    Raises:
        WrongState: a run is being written already.
    """
    row = _locked(schedule)
    runs = DraftingRun.objects.for_workspace(row.workspace_id).filter(schedule=row)
    if runs.filter(status=DraftingRun.Status.WRITING).exists():
        raise WrongState("A draft of this schedule is being written already.")
    now = timezone.now()
    run = DraftingRun(workspace=row.workspace, schedule=row, slot_at=now, is_manual=True)
    drafting.begin(run, now=now, actor=actor)
    return run


def _apply(schedule: DraftingSchedule, changes: Mapping[str, Any]) -> None:
    if unknown := set(changes) - set(COLUMNS):
        raise _refuse(min(unknown), "unknown_field", f"A schedule has no {min(unknown)}.")
    for name, value in changes.items():
        setattr(schedule, name, value)
    schedule.name = " ".join(without_control_characters(str(schedule.name)).split())
    if not 1 <= len(schedule.name) <= 120:
        raise _refuse("name", "required", "Give the schedule a name of at most 120 characters.")
    sender: Sender | None = schedule.sender
    if sender is not None and sender.workspace_id != schedule.workspace_id:
        raise NotFound
    schedule.crontab = " ".join(str(schedule.crontab).split())
    recurrence.parse(schedule.crontab, every_weeks=schedule.every_weeks, counted_from=schedule.counted_from_date)


def _brief_fields(workspace: Workspace, kept: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {**kept, **given}
    return {**wanted, "allowed_tags": allowed_tags(workspace, wanted.get("allowed_tags", ()))}


def _locked(schedule: DraftingSchedule) -> DraftingSchedule:
    rows = DraftingSchedule.objects.for_workspace(schedule.workspace_id).select_related("workspace", "brief", "sender")
    row = rows.select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if row is None:
        raise NotFound
    return row


def _record(schedule: DraftingSchedule, actor: User | None, verb: str, summary: str) -> None:
    activity.record(
        workspace=schedule.workspace, kind=f"drafting_schedule.{verb}", summary=summary, actor=actor, subject=schedule
    )


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])
