"""Sessions of programs: refresh tokens, each good for one use (RFC 9700 section 4.14).

A family is one sign-in. Using a token makes its only successor; using it again means that two parties hold it, so the
whole family ends and the person is told. Two calls that cross on the wire (a retry, two tabs) are forgiven for ten
seconds, by handing out the same successor again and never a second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts import tasks, tokens
from accounts.models import Membership, Notification, RefreshToken, User
from pulsequill.core.errors import DomainError
from pulsequill.core.ids import uuid7

GRACE = timedelta(seconds=10)


class SessionEnded(DomainError):
    """The refresh token is unknown, used, revoked or expired (401)."""

    status = 401
    code = "authentication_failed"
    title = "Unauthorized"


@dataclass(frozen=True)
class TokenPair:
    """What a sign-in or a refresh answers."""

    access: str
    refresh: str


def find_person(text: str) -> tuple[User, tokens.AccessClaims]:
    """Return the person of a valid access token: one query.

    Raises:
        tokens.BadToken: invalid, or its session, its version or its person is no longer good.
    """
    claims = tokens.read_access(text)
    session = RefreshToken.objects.filter(
        family_id=claims.session_id, user_id=OuterRef("pk"), revoked_at=None, expires_at__gt=timezone.now()
    )
    user = User.objects.filter(Exists(session), pk=claims.user_id, is_active=True, token_version=claims.version).first()
    if user is None:
        raise tokens.BadToken("This session has ended.")
    return user, claims


def _pair(user: User, row: RefreshToken) -> TokenPair:
    return TokenPair(tokens.make_access(user, row.family_id), tokens.make_refresh(row))


def _make_row(*, user: User, family_id: UUID, user_agent: str) -> RefreshToken:
    return RefreshToken.objects.create(
        user=user,
        family_id=family_id,
        user_agent=user_agent[:200],
        expires_at=timezone.now() + cast("timedelta", settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"]),
    )


def start_session(*, user: User, user_agent: str = "") -> TokenPair:
    """Start a family for somebody who has just proved who they are."""
    return _pair(user, _make_row(user=user, family_id=uuid7(), user_agent=user_agent))


def refresh_session(*, refresh: str, user_agent: str = "") -> TokenPair:
    """Exchange a refresh token for a new pair.

    Raises:
        SessionEnded: not a live token; a reuse has ended its whole family.
    """
    try:
        claims = tokens.read_refresh(refresh)
    except tokens.BadToken as error:
        raise SessionEnded(str(error)) from error
    with transaction.atomic():
        pair = _consume(claims, user_agent)
    if pair is None:  # the revocation above is committed before the refusal
        raise SessionEnded("This session has ended. Sign in again.")
    return pair


def _consume(claims: tokens.RefreshClaims, user_agent: str) -> TokenPair | None:
    user = User.objects.filter(pk=claims.user_id, is_active=True).first()
    if user is None:
        return None
    now = timezone.now()
    # One statement decides who is first; whoever comes second waits here for the winner's commit.
    is_winner = RefreshToken.objects.filter(pk=claims.id, used_at=None, revoked_at=None, expires_at__gt=now).update(
        used_at=now
    )
    if is_winner:
        successor = _make_row(user=user, family_id=claims.session_id, user_agent=user_agent)
        RefreshToken.objects.filter(pk=claims.id).update(replaced_by=successor)
        return _pair(user, successor)
    row = RefreshToken.objects.select_related("replaced_by").filter(pk=claims.id).first()
    if row is None or row.revoked_at is not None or row.used_at is None:
        return None
    if row.replaced_by is not None and row.replaced_by.used_at is None and now - row.used_at <= GRACE:
        return _pair(user, row.replaced_by)
    _end_reused_family(row)
    return None


def _end_reused_family(row: RefreshToken) -> None:
    ended = RefreshToken.objects.filter(family_id=row.family_id, revoked_at=None).update(revoked_at=timezone.now())
    if not ended:
        return
    for membership in Membership.objects.across_workspaces().filter(user_id=row.user_id):
        Notification.objects.create(
            workspace_id=membership.workspace_id,
            user_id=row.user_id,
            kind="session.reused",
            title="A sign-in was used twice, so we ended it",
            body="Someone may have copied a token of yours. If you do not know why, change your password.",
            url="/settings/profile",
        )
    transaction.on_commit(partial(tasks.mail_session_reused.delay, user_id=str(row.user_id)), robust=True)


def end_session(*, refresh: str) -> None:
    """Sign a program out: its family ends, so its access tokens do too.

    Raises:
        SessionEnded: not a token of ours.
    """
    try:
        claims = tokens.read_refresh(refresh)
    except tokens.BadToken as error:
        raise SessionEnded(str(error)) from error
    RefreshToken.objects.filter(family_id=claims.session_id, revoked_at=None).update(revoked_at=timezone.now())


def end_family(*, user: User, family_id: UUID) -> None:
    """End one of a person's own sessions, from the sessions page."""
    RefreshToken.objects.filter(user=user, family_id=family_id, revoked_at=None).update(revoked_at=timezone.now())


def end_all_sessions(*, user: User) -> None:
    """End every session of a person, browsers included; the caller may keep its own alive."""
    user.token_version += 1
    user.save(update_fields=["token_version"])
    RefreshToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())
