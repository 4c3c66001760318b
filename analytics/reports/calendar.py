"""Reports by the calendar: claim the slots that are due, write down whose mail is to go out, and send it once.

A slot is claimed and its mails written down in one transaction, with the schedule's row locked; the unique key of a
mail (recipient and slot) stands behind the lock, so two beats cannot mail twice. A mail is marked before it is handed
over: one whose process dies then is never sent again, and says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import Membership
from analytics.models import ReportMail, ReportRecipient, ReportSchedule
from analytics.reports import mail
from analytics.reports.answering import answer
from analytics.reports.query import read_query
from analytics.reports.table import Answer
from campaigns import recurrence
from campaigns.windows import zone_of
from pulsequill.core.errors import Invalid

logger = structlog.get_logger(__name__)

#: A mail that was being handed over for so long has lost its process.
LOST_AFTER = timedelta(hours=1)
#: A report is news for so long; what could not be sent by then is given up.
FRESH_FOR = timedelta(days=1)
Status = ReportMail.Status


def rhythm_of(schedule: ReportSchedule) -> recurrence.Recurrence | None:
    """Return when a schedule runs; None when what is stored cannot be read."""
    try:
        return recurrence.parse(schedule.crontab, counted_from=schedule.created_at.date())
    except Invalid:
        return None


def plan_next(schedule: ReportSchedule, *, after: datetime) -> None:
    """Set the next slot after a moment on the workspace's clocks; none while it is paused."""
    schedule.time_zone = schedule.workspace.time_zone
    found = rhythm_of(schedule) if schedule.is_active else None
    schedule.next_run_at = found.next_slot(after, zone_of(schedule.time_zone)) if found else None


def run_due(*, now: datetime) -> int:
    """Claim every slot that has come; return how many mails were written down.

    A slot that was missed is made up for once, with the figures of now.
    """
    schedules = ReportSchedule.objects.across_workspaces()
    for moved in (
        schedules.select_related("workspace")
        .filter(is_active=True, next_run_at__gt=now)
        .exclude(time_zone=F("workspace__time_zone"))
    ):
        plan_next(moved, after=now)
        schedules.filter(pk=moved.pk).update(time_zone=moved.time_zone, next_run_at=moved.next_run_at)
    due, written = schedules.filter(is_active=True, next_run_at__lte=now), 0
    for schedule_id in list(due.order_by("next_run_at").values_list("pk", flat=True)):
        with transaction.atomic():
            schedule = due.select_for_update(skip_locked=True, of=("self",)).filter(pk=schedule_id).first()
            if schedule is not None:
                written += _write_down(schedule, now)
    return written


def _write_down(schedule: ReportSchedule, now: datetime) -> int:
    slot = schedule.next_run_at
    assert slot is not None
    recipients = ReportRecipient.objects.across_workspaces().filter(schedule=schedule, stopped_at=None)
    mails = ReportMail.objects.bulk_create(
        [ReportMail(workspace_id=schedule.workspace_id, recipient=recipient, slot_at=slot) for recipient in recipients],
        ignore_conflicts=True,
    )
    schedule.last_run_at = now
    plan_next(schedule, after=now)
    schedule.save(update_fields=["time_zone", "next_run_at", "last_run_at", "updated_at"])
    return len(mails)


def send_written(*, now: datetime) -> int:
    """Send the mails that are written down; return how many went out."""
    mails = ReportMail.objects.across_workspaces()
    mails.filter(status=Status.SENDING, created_at__lt=now - LOST_AFTER).update(
        status=Status.FAILED, reason="The process that sent it ended; it may have arrived, and is not sent again."
    )
    answers: dict[Any, Answer] = {}
    sent = 0
    for mail_id in list(mails.filter(status=Status.QUEUED).order_by("slot_at", "pk").values_list("pk", flat=True)):
        if not mails.filter(pk=mail_id, status=Status.QUEUED).update(status=Status.SENDING):
            continue  # another process was first
        one = mails.select_related("recipient__schedule__report", "recipient__user", "workspace").get(pk=mail_id)
        reason = _send(one, answers, now)
        status = Status.FAILED if reason else Status.SENT
        mails.filter(pk=mail_id).update(status=status, reason=reason[:200], sent_at=None if reason else timezone.now())
        sent += not reason
    return sent


def _send(one: ReportMail, answers: dict[Any, Answer], now: datetime) -> str:
    """Send a mail, and return why it could not be sent."""
    recipient, report = one.recipient, one.recipient.schedule.report
    if recipient.stopped_at:
        return "They asked for no more."
    if (
        recipient.user_id
        and not Membership.objects.for_workspace(one.workspace_id).filter(user=recipient.user).exists()
    ):
        return "They left the workspace."
    if now - one.slot_at > FRESH_FOR and now - one.created_at > FRESH_FOR:
        return "It could not be sent within a day."
    try:
        if report.pk not in answers:
            answers[report.pk] = answer(one.workspace, read_query(report.query), now=now)
        mail.send(report=report, recipient=recipient, answer=answers[report.pk])
    except Exception as error:
        logger.exception("report_not_mailed", mail=one.pk)
        return f"{type(error).__name__}: {error}"
    return ""
