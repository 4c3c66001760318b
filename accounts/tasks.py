"""What `accounts` does in the background. Tasks carry ids (or the address that a stranger typed) and nothing else."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Invitation, RefreshToken, User
from accounts.notifications import mail
from accounts.webhooks_out.delivery import deliver_batch
from pulsequill.core.rest.idempotency import forget_old_answers

SLICE_S = 45
BATCH = 20


@shared_task
def deliver_due_webhooks(**_later: Any) -> int:
    """Deliver outbox rows for at most a slice; beat comes again. Returns how many calls were made."""
    until, calls = time.monotonic() + SLICE_S, 0
    while time.monotonic() < until:
        made = sum(1 for _ in deliver_batch(BATCH))
        calls += made
        if made < BATCH:
            break
    return calls


@shared_task
def forget_expired(**_later: Any) -> None:
    """Delete what has ended: sessions, refresh tokens a week after their end, stored answers."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    RefreshToken.objects.filter(expires_at__lt=now - timedelta(days=7)).delete()
    forget_old_answers()


def _active(**lookup: Any) -> User | None:
    return User.objects.filter(is_active=True, **lookup).first()


@shared_task
def mail_password_reset(*, email: str, **_later: Any) -> None:
    """Send a reset link when the address is somebody's; strangers get no mail."""
    if user := _active(email=email):
        mail.send_password_reset(user)


@shared_task
def mail_sign_up_again(*, email: str, **_later: Any) -> None:
    """Tell the owner of a taken address about the sign-up."""
    if user := _active(email=email):
        mail.send_sign_up_again(user)


@shared_task
def mail_password_changed(*, user_id: str, **_later: Any) -> None:
    """Say that the password was changed."""
    if user := _active(pk=user_id):
        mail.send_password_changed(user)


@shared_task
def mail_session_reused(*, user_id: str, **_later: Any) -> None:
    """Warn about a token that was used twice."""
    if user := _active(pk=user_id):
        mail.send_session_reused(user)


@shared_task
def mail_invitation(*, invitation_id: str, **_later: Any) -> None:
    """Send an invitation, unless it was taken back meanwhile."""
    invitation = (
        Invitation.objects.across_workspaces()
        .select_related("workspace", "invited_by")
        .filter(pk=invitation_id, accepted_at=None)
        .first()
    )
    if invitation is not None:
        mail.send_invitation(invitation)
