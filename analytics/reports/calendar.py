"""Reports by the calendar: claim the slots that are due, write down whose mail is to go out, and send it once.

A slot is claimed and its mails written down in one transaction, with the schedule's row locked; the unique key of a
mail (recipient and slot) stands behind the lock, so two beats cannot mail twice. A mail is marked before it is handed
over: one whose process dies then is never sent again, and says so; one that the mail server refused is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.activity import record
from accounts.models import Membership
from analytics.models import Report, ReportMail, ReportRecipient, ReportSchedule
from analytics.reports import mail
from analytics.reports.answering import answer
from analytics.reports.query import read_query
from analytics.reports.table import Answer
from campaigns import recurrence
from campaigns.windows import zone_of
from pulsequill.core.errors import Invalid, SystemMailFailed

logger = structlog.get_logger(__name__)

#: A mail that was being handed over for so long has lost its process.
LOST_AFTER = timedelta(hours=1)
#: A report is news for so long; what could not be sent by then is given up.
FRESH_FOR = timedelta(days=1)
#: Between the tries of a mail that the server did not take.
PAUSES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))
LOST = "The process that sent it ended; it may have arrived, and is not sent again."
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
    """Send the mails that are written down; return how many went out.

    One that the mail server did not take is sent again after the pauses of `PAUSES`, never when it may have arrived.
    The workspace is told of what was given up.
    """
    mails = ReportMail.objects.across_workspaces()
    lost = mails.alias(since=Coalesce("retry_at", "created_at")).filter(
        status=Status.SENDING, since__lt=now - LOST_AFTER
    )
    given_up = dict.fromkeys(lost.values_list("pk", flat=True), LOST)
    mails.filter(pk__in=given_up, status=Status.SENDING).update(status=Status.FAILED, reason=LOST)
    answers: dict[Any, Answer] = {}
    sent = 0
    due = mails.filter(status=Status.QUEUED).exclude(retry_at__gt=now)
    for mail_id in list(due.order_by("slot_at", "pk").values_list("pk", flat=True)):
        if not mails.filter(pk=mail_id, status=Status.QUEUED).update(status=Status.SENDING, retry_at=now):
            continue  # another process was first
        one = mails.select_related("recipient__schedule__report", "recipient__user", "workspace").get(pk=mail_id)
        if reason := _is_owed_to_nobody(one, now):
            mails.filter(pk=mail_id).update(status=Status.FAILED, reason=reason)
            continue
        try:
            _send(one, answers, now)
        except Exception as error:
            logger.exception("report_not_mailed", mail=mail_id, refusals=one.refusals)
            if not _put_off(one, error, now):
                given_up[mail_id] = str(error)
        else:
            mails.filter(pk=mail_id).update(status=Status.SENT, reason="", retry_at=None, sent_at=timezone.now())
            sent += 1
    _tell(given_up)
    return sent


def _is_owed_to_nobody(one: ReportMail, now: datetime) -> str:
    """Return why a mail is not sent at all; empty when it is."""
    if one.recipient.stopped_at:
        return "They asked for no more."
    members = Membership.objects.for_workspace(one.workspace_id)
    if one.recipient.user_id and not members.filter(user=one.recipient.user).exists():
        return "They left the workspace."
    if now - one.slot_at > FRESH_FOR and now - one.created_at > FRESH_FOR:
        return "It could not be sent within a day."
    return ""


def _send(one: ReportMail, answers: dict[Any, Answer], now: datetime) -> None:
    report = one.recipient.schedule.report
    if report.pk not in answers:
        answers[report.pk] = answer(one.workspace, read_query(report.query), now=now)
    mail.send(report=report, recipient=one.recipient, answer=answers[report.pk])


def _put_off(one: ReportMail, error: Exception, now: datetime) -> bool:
    """Put a mail off that was not taken; False when it is given up: it may have arrived, or was refused too often."""
    is_safe = isinstance(error, SystemMailFailed) and not error.may_have_left
    is_tried_again = is_safe and one.refusals < len(PAUSES)
    ReportMail.objects.across_workspaces().filter(pk=one.pk).update(
        status=Status.QUEUED if is_tried_again else Status.FAILED,
        reason=f"{type(error).__name__}: {error}"[:200],
        refusals=F("refusals") + 1,
        retry_at=now + PAUSES[one.refusals] if is_tried_again else None,
    )
    return is_tried_again


def _tell(given_up: Mapping[int, str]) -> None:
    """Tell each workspace of its mails that were given up, once for each report."""
    mails = ReportMail.objects.across_workspaces().filter(pk__in=given_up)
    by_report: dict[Report, list[ReportMail]] = {}
    for one in mails.select_related("recipient__schedule__report__workspace").order_by("pk"):
        by_report.setdefault(one.recipient.schedule.report, []).append(one)
    for report, missed in by_report.items():
        whom = missed[0].recipient.email if len(missed) == 1 else f"{len(missed)} people"
        record(
            workspace=report.workspace,
            kind="report.not_mailed",
            summary=f"“{report.name}” could not be mailed to {whom}: {given_up[missed[0].pk]}",
            subject=report,
            mails=len(missed),
        )
