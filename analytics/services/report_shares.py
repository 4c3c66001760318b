"""Links to a report for people without an account."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.activity import record
from accounts.models import User
from analytics.models import Report, ReportShare
from analytics.tokens import new_share_token
from pulsequill.core.errors import FieldError, Invalid, NotFound
from pulsequill.core.signing import sha256

MOST_DAYS, MOST_LINKS = 365, 20


@transaction.atomic
def share_report(*, report: Report, actor: User | None, days: int = 30) -> tuple[ReportShare, str]:
    """Make a link to a report, and return it with its token, which is shown this once.

    Args:
        report: what is shown: its figures as they are whenever somebody looks.
        actor: who shares it.
        days: how long the link works, 1 to 365.

    Raises:
        Invalid: the time is too long, or there are too many links.
    """
    if not 1 <= days <= MOST_DAYS:
        raise _refuse("days", "out_of_range", f"1 to {MOST_DAYS} days.")
    now = timezone.now()
    shares = ReportShare.objects.for_workspace(report.workspace_id).filter(report=report, revoked_at=None)
    if shares.filter(expires_at__gt=now).count() >= MOST_LINKS:
        raise _refuse("days", "too_many", f"There are {MOST_LINKS} links already. Take one back first.")
    token = new_share_token()
    share = ReportShare.objects.create(
        workspace=report.workspace,
        report=report,
        token_hash=sha256(token),
        hint=token[:6],
        created_by=actor,
        expires_at=now + timedelta(days=days),
    )
    record(
        workspace=report.workspace, kind="report.shared", subject=report, actor=actor,
        summary=f"Report “{report.name}” was shared by a link for {days} days",
    )  # fmt: skip
    return share, token


def revoke_share(*, share: ReportShare, actor: User | None) -> None:
    """Take a link back, at once and for good."""
    with transaction.atomic():
        ReportShare.objects.for_workspace(share.workspace_id).filter(pk=share.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        record(
            workspace=share.workspace, kind="report.share_revoked", subject=share.report, actor=actor,
            summary=f"A link to the report “{share.report.name}” was taken back",
        )  # fmt: skip


def open_share(token: str) -> ReportShare:
    """Return what a link leads to, and note that somebody looked.

    Raises:
        NotFound: there is no such link, or it was taken back, or its time is over: nobody is told which.
    """
    now = timezone.now()
    found = ReportShare.objects.across_workspaces().filter(
        token_hash=sha256(token), revoked_at=None, expires_at__gt=now
    )
    share = found.select_related("report", "workspace").first()
    if share is None:
        raise NotFound
    found.update(last_seen_at=now)
    return share


def _refuse(field: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, errors=[FieldError(field, code, detail)])
