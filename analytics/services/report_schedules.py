"""Reports by mail: when, and to whom."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.activity import record
from accounts.models import Membership, User
from analytics.models import Report, ReportRecipient, ReportSchedule
from analytics.reports.calendar import plan_next
from audiences.addresses import BadAddress, parse_address
from campaigns import recurrence
from campaigns.windows import zone_of
from pulsequill.core.errors import FieldError, Invalid, NotFound

MOST_RECIPIENTS = 20


@transaction.atomic
def schedule_report(
    *,
    report: Report,
    actor: User | None,
    crontab: str,
    members: Iterable[Any] = (),
    emails: Iterable[str] = (),
    is_active: bool = True,
) -> ReportSchedule:
    """Mail a report again and again, or change when and to whom.

    Somebody who stopped it stays stopped, whoever lists them again.

    Args:
        report: what is mailed.
        actor: who says so.
        crontab: minute hour day month weekday on the workspace's clocks, at most one slot a day.
        members: ids of users of the workspace.
        emails: further addresses; each mail has a link that stops it.
        is_active: False pauses it.

    Raises:
        Invalid: the line cannot be read or runs more than daily, an address is wrong, or nobody or too many get it.
    """
    today = timezone.now().astimezone(zone_of(report.workspace.time_zone)).date()
    if len(recurrence.parse(crontab, counted_from=today).hours) != 1:
        raise _refuse("crontab", "too_often", "A report is mailed once a day at most: name one hour.")
    wanted = _recipients(report, members, emails)
    schedule = ReportSchedule.objects.for_workspace(report.workspace_id).filter(report=report).first()
    schedule = schedule or ReportSchedule(workspace=report.workspace, report=report, created_at=timezone.now())
    schedule.crontab, schedule.is_active = crontab, is_active
    plan_next(schedule, after=timezone.now())
    schedule.save()
    kept = ReportRecipient.objects.for_workspace(report.workspace_id).filter(schedule=schedule)
    kept.exclude(email__in=wanted).filter(stopped_at=None).delete()
    known = {one.email: one for one in kept}
    for email, user in wanted.items():
        one = known.get(email) or ReportRecipient(workspace=report.workspace, schedule=schedule, email=email)
        one.user = user
        one.save()
    words = "is mailed" if is_active else "is no longer mailed for now"
    record(
        workspace=report.workspace, kind="report.scheduled", summary=f"Report “{report.name}” {words}", actor=actor,
        subject=report, recipients=sorted(wanted),
    )  # fmt: skip
    return schedule


def unschedule_report(*, report: Report, actor: User | None) -> None:
    """Mail a report no more, and forget to whom."""
    with transaction.atomic():
        ReportSchedule.objects.for_workspace(report.workspace_id).filter(report=report).delete()
        record(
            workspace=report.workspace, kind="report.unscheduled", subject=report, actor=actor,
            summary=f"Report “{report.name}” is no longer mailed",
        )  # fmt: skip


def stop_mails(*, recipient_id: UUID) -> ReportRecipient:
    """Send a report to somebody no more; asked twice changes nothing.

    Raises:
        NotFound: nobody is listed so (any more).
    """
    rows = ReportRecipient.objects.across_workspaces().filter(pk=recipient_id)
    rows.filter(stopped_at=None).update(stopped_at=timezone.now())
    recipient = rows.select_related("schedule__report", "workspace").first()
    if recipient is None:
        raise NotFound
    return recipient


def _recipients(report: Report, members: Iterable[Any], emails: Iterable[str]) -> dict[str, User | None]:
    found: dict[str, User | None] = {}
    for text in emails:
        try:
            found[parse_address(text).normalized] = None
        except BadAddress as error:
            raise _refuse("emails", error.code, f"{text[:80]}: {error.detail}") from error
    ids = {str(one) for one in members}
    places = Membership.objects.for_workspace(report.workspace_id).select_related("user").filter(user_id__in=ids)
    for place in places:
        found[place.user.email.lower()] = place.user
        ids.discard(str(place.user_id))
    if ids:
        raise _refuse("members", "does_not_exist", "Somebody listed here is no member of this workspace.")
    if not found:
        raise _refuse("emails", "required", "Name somebody who gets it.")
    if len(found) > MOST_RECIPIENTS:
        raise _refuse("emails", "too_many", f"At most {MOST_RECIPIENTS} people; share a link with more.")
    return found


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])
