"""Check a domain and keep what was found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import activity
from accounts.models import User
from campaigns.deliverability.checks import Finding, State, check
from campaigns.deliverability.routes import Route, route_of
from campaigns.delivery.dkim import SELECTORS, make_key
from campaigns.models import SendingDomain

#: A verified domain is looked at daily; one that people are busy with hourly, for two weeks.
RECHECK_AFTER = timedelta(hours=24)
RECHECK_SOON_AFTER = timedelta(hours=1)
IS_NEW_FOR = timedelta(days=14)
#: Names for documentation and tests (RFC 2606): the demo's domain is one.
RESERVED = r"\.(example|test|invalid|localhost)$"
_CHANGED = (
    "findings", "checked_at", "verified_at", "dkim_verified_at", "return_path_verified_at",
    "dkim_selector", "dkim_private_key_encrypted", "dkim_public_key",
)  # fmt: skip


class Change(StrEnum):
    """What a check changed."""

    NONE = ""
    VERIFIED = "verified"
    LOST = "lost"


_SUMMARIES = {
    Change.NONE: "Checked the DNS records of {domain}.",
    Change.VERIFIED: "{domain} is verified: its DNS records are right.",
    Change.LOST: "{domain} is no longer verified: a DNS record is gone or wrong.",
}


def ensure_key(domain: SendingDomain) -> None:
    """Give a domain its DKIM key, if it has none. The row is not saved."""
    if domain.dkim_private_key_encrypted is None:
        _take_key(domain, SELECTORS[0])


def replace_key(domain: SendingDomain, *, actor: User | None) -> None:
    """Give a domain another key, under the other selector, so that mail on its way can still be verified.

    It signs, and the domain is verified again, once the new key has been seen in the DNS.
    """
    _take_key(domain, SELECTORS[domain.dkim_selector == SELECTORS[0]])
    domain.dkim_verified_at = domain.verified_at = None
    with transaction.atomic():
        domain.save(update_fields=[*_CHANGED, "updated_at"])
        activity.record(
            workspace=domain.workspace,
            actor=actor,
            kind="domain.key_replaced",
            summary=f"Made a new DKIM key for {domain}.",
            subject=domain,
        )


def _take_key(domain: SendingDomain, selector: str) -> None:
    key = make_key()
    domain.dkim_selector = selector
    domain.dkim_private_key_encrypted = key.private_key_encrypted
    domain.dkim_public_key = key.public_key


def verify(domain: SendingDomain, *, actor: User | None = None) -> Change:
    """Look a domain's records up, keep what was found, and tell everybody when it becomes verified or ceases to be.

    Where the DNS does not answer, what was known before stays: an outage of a name server must not stop a campaign.

    Args:
        domain: with its workspace.
        actor: who asked for it; None: the clock.

    Returns:
        Whether the domain has become verified, or is so no more.
    """
    ensure_key(domain)
    route = route_of(domain.workspace_id)
    findings = check(domain, route)
    was_verified = domain.verified_at is not None
    now = timezone.now()
    domain.findings = [finding.as_json() for finding in findings]
    domain.checked_at = now
    domain.verified_at = _since(domain.verified_at, (one for one in findings if one.is_required), now)
    _note_parts(domain, findings, route, now)
    change = Change.NONE
    if was_verified != (domain.verified_at is not None):
        change = Change.LOST if was_verified else Change.VERIFIED
    with transaction.atomic():
        domain.save(update_fields=[*_CHANGED, "updated_at"])
        if actor or change:
            activity.record(
                workspace=domain.workspace,
                actor=actor,
                kind=f"domain.{change or 'checked'}",
                summary=_SUMMARIES[change].format(domain=domain),
                subject=domain,
            )
    return change


def _note_parts(domain: SendingDomain, findings: list[Finding], route: Route, now: datetime) -> None:
    """Keep what decides whether we sign and where bounces go."""
    if route.signs_itself:
        return
    domain.dkim_verified_at = _since(domain.dkim_verified_at, (one for one in findings if one.kind == "dkim"), now)
    paths = [one for one in findings if one.kind in {"return_path", "return_path_spf"}]
    domain.return_path_verified_at = _since(domain.return_path_verified_at, paths, now) if paths else None


def _since(before: datetime | None, findings: Iterable[Finding], now: datetime) -> datetime | None:
    """Return since when all of these are right, as far as the DNS has answered."""
    states = {finding.state for finding in findings}
    if states & {State.WRONG, State.MISSING}:
        return None
    return before if State.UNKNOWN in states else before or now


def due_ids(now: datetime) -> list[str]:
    """Return the ids of the domains that are to be looked at again; never one that the DNS cannot know."""
    is_awaited = Q(verified_at=None, created_at__gt=now - IS_NEW_FOR)
    is_old_news = Q(checked_at=None) | Q(checked_at__lt=now - RECHECK_SOON_AFTER)
    due = SendingDomain.objects.across_workspaces().filter(
        Q(checked_at__lt=now - RECHECK_AFTER) | (is_awaited & is_old_news)
    )
    due = due.exclude(name__regex=RESERVED)
    return [str(pk) for pk in due.order_by(F("checked_at").asc(nulls_first=True)).values_list("pk", flat=True)]
