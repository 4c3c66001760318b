"""The calendar of the AI writer: claim the slots that are due, ask for drafts, and tell people how it went.

A slot is claimed, its campaign made and its generation asked for in one transaction: a crash leaves all of it or
nothing. The run's unique key (schedule and slot) stands behind the row lock, so two beats cannot draft twice. Nothing
here sends: a run ends with something that a person has to open.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F

from accounts import activity
from accounts.models import User
from aiwriter.models import Generation
from aiwriter.services.generations import request_drafts
from campaigns import recurrence
from campaigns.models import Campaign, DraftingRun, DraftingSchedule, Variant
from campaigns.windows import zone_of
from pulsequill.core.errors import Blocked, DomainError

logger = structlog.get_logger(__name__)

#: The writer is busy: a run waits so long for its turn before its slot is given up.
PATIENCE = timedelta(hours=1)
#: Of the slots that were missed, so many are counted.
MOST_MISSED = 1000
WAITING = "It waits for you: nothing is sent until a person approves it."
Status = DraftingRun.Status


def run_due(*, now: datetime) -> int:
    """Start every schedule whose slot has come; return how many runs were begun, skipped ones too.

    Each is a transaction of its own, and rows that another beat holds are left to it.
    """
    _follow_moved_clocks(now)
    begun = 0
    due = DraftingSchedule.objects.across_workspaces().filter(is_active=True, next_run_at__lte=now)
    for schedule_id in list(due.order_by("next_run_at").values_list("pk", flat=True)):
        with transaction.atomic():
            schedule = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=schedule_id).first()
            if schedule is not None:
                begun += _run_slot(schedule, now)
    return begun


def _follow_moved_clocks(now: datetime) -> None:
    """Work the next slot out again where the workspace has moved to another time zone."""
    moved = (
        DraftingSchedule.objects.across_workspaces()
        .select_related("workspace")
        .filter(is_active=True, next_run_at__gt=now)
        .exclude(time_zone=F("workspace__time_zone"))
    )
    for schedule in moved:
        plan_next(schedule, after=now)
        DraftingSchedule.objects.across_workspaces().filter(pk=schedule.pk).update(
            time_zone=schedule.time_zone, next_run_at=schedule.next_run_at
        )


def plan_next(schedule: DraftingSchedule, *, after: datetime) -> None:
    """Set the next slot after a moment on the workspace's clocks; none when it is paused or has no more."""
    schedule.time_zone = schedule.workspace.time_zone
    found = recurrence.of(schedule)
    is_running = schedule.is_active and found is not None
    schedule.next_run_at = found.next_slot(after, zone_of(schedule.time_zone)) if found and is_running else None


def _run_slot(schedule: DraftingSchedule, now: datetime) -> bool:
    """Begin the run of the latest slot that is due; earlier ones are counted as missed."""
    first = schedule.next_run_at
    assert first is not None
    slot, missed = first, 0
    found = recurrence.of(schedule)
    if found is not None:
        for later in found.slots(first, zone_of(schedule.time_zone)):
            if later > now or missed == MOST_MISSED:
                break
            slot, missed = later, missed + 1
    run = DraftingRun(workspace_id=schedule.workspace_id, schedule=schedule, slot_at=slot, missed=missed)
    if DraftingRun.objects.for_workspace(schedule.workspace_id).filter(schedule=schedule, slot_at=slot).exists():
        begun = False
    elif not begin(run, now=now, may_wait=now - slot < PATIENCE):
        return False
    else:
        begun = True
    plan_next(schedule, after=max(now, slot))
    schedule.save(update_fields=["time_zone", "next_run_at", "updated_at"])
    return begun


def begin(run: DraftingRun, *, now: datetime, may_wait: bool = False, actor: User | None = None) -> bool:
    """Ask for the drafts of a run, in the caller's transaction; a refusal is kept with its reason.

    Args:
        run: not stored yet, its schedule locked by the caller.
        may_wait: leave the slot alone when the writer is only busy.
        actor: who asked for it; None is the calendar.

    Returns:
        Whether the run was stored; False when it has to wait for its turn.
    """
    schedule = run.schedule
    try:
        with transaction.atomic():
            run.campaign = _new_campaign(run, actor) if schedule.makes_campaign else None
            run.generation = request_drafts(
                workspace=schedule.workspace,
                actor=actor,
                brief=schedule.brief,
                campaign_id=run.campaign.pk if run.campaign else None,
            )
    except DomainError as refusal:
        if may_wait and isinstance(refusal, Blocked) and refusal.code == "too_many_generations":
            return False
        run.campaign = run.generation = None
        run.status, run.reason, run.finished_at = Status.SKIPPED, refusal.detail[:300], now
    run.save(force_insert=True)
    _remember(run, now)
    if run.status == Status.SKIPPED:
        _tell(run)
    return True


def _new_campaign(run: DraftingRun, actor: User | None) -> Campaign:
    """Make the draft that the run's drafts are for; nothing decides yet who would get it."""
    schedule = run.schedule
    day = run.slot_at.astimezone(zone_of(schedule.time_zone))
    campaign = Campaign.objects.create(
        workspace=schedule.workspace,
        name=f"{schedule.name}, {day:%-d %b %Y}",
        brief=schedule.brief,
        sender=schedule.sender,
        created_by=actor,
    )
    Variant.objects.create(workspace=schedule.workspace, campaign=campaign, label="A", share=100)
    activity.record(
        workspace=schedule.workspace, kind="campaign.created", actor=actor, subject=campaign,
        summary=f"Made the campaign {campaign.name} by its schedule.", schedule=str(schedule.pk),
    )  # fmt: skip
    return campaign


def settle(*, now: datetime) -> list[UUID]:
    """Note how the runs ended whose generation is finished, and tell people; return those with a draft."""
    unfinished = DraftingRun.objects.across_workspaces().filter(status=Status.WRITING)
    open_generation = unfinished.filter(generation__status__in=(Generation.Status.QUEUED, Generation.Status.RUNNING))
    ended = unfinished.exclude(pk__in=open_generation.values("pk"))
    drafted = []
    for run_id in list(ended.values_list("pk", flat=True)):
        with transaction.atomic():
            run = unfinished.select_for_update(skip_locked=True, of=("self",)).filter(pk=run_id).first()
            if run is not None:
                _settle(run, now)
                drafted += [run.pk] if run.status == Status.DRAFTED else []
    return drafted


def _settle(run: DraftingRun, now: datetime) -> None:
    generation = run.generation
    if generation is not None and generation.status == Generation.Status.SUCCEEDED:
        run.status, run.reason = Status.DRAFTED, ""
    else:
        run.status = Status.FAILED
        run.reason = generation.status_line[:300] if generation else "The generation was deleted."
    run.finished_at = now
    run.save(update_fields=["status", "reason", "finished_at", "updated_at"])
    _remember(run, now)
    _tell(run)


def _remember(run: DraftingRun, now: datetime) -> None:
    """Show on the schedule how its last run went."""
    DraftingSchedule.objects.for_workspace(run.workspace_id).filter(pk=run.schedule_id).update(
        last_run_at=run.slot_at, last_outcome=outcome(run)[:200], updated_at=now
    )


def outcome(run: DraftingRun) -> str:
    """Return how a run went, in one sentence or two."""
    late = f" {run.missed} earlier slot{'s were' if run.missed > 1 else ' was'} missed." if run.missed else ""
    return f"{run.get_status_display()}. {run.reason}{late}".replace(".  ", ". ").strip()


def _tell(run: DraftingRun) -> None:
    """Put a line into everybody's notifications; a ready draft also goes to the schedule's maker by mail."""
    schedule, subject = run.schedule, run.campaign or run.generation
    if run.status != Status.DRAFTED or subject is None:
        activity.record(
            workspace=schedule.workspace, kind="drafting.skipped", subject=schedule,
            summary=f"“{schedule.name}”: {outcome(run)}", run=str(run.pk),
        )  # fmt: skip
        logger.warning("scheduled_draft_missing", schedule_id=str(schedule.pk), reason=run.reason)
        return
    activity.record(
        workspace=schedule.workspace, kind="drafting.ready" if run.campaign else "drafting.proposed", subject=subject,
        summary=f"“{schedule.name}” is drafted. {WAITING}", run=str(run.pk),
    )  # fmt: skip


def ready_line(run: DraftingRun) -> tuple[str, str]:
    """Return the subject of the mail about a draft that waits, and the path of its page."""
    path = f"/campaigns/{run.campaign_id}" if run.campaign_id else f"/ai/generations/{run.generation_id}"
    return f"“{run.schedule.name}” is drafted", path
