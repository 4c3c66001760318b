"""Addresses that no campaign reaches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction

from accounts.activity import record
from audiences.addresses import ERASED_PREFIX, erased_mark
from audiences.models import Contact, Suppression
from pulsequill.core.errors import Blocked, FieldError, Invalid

if TYPE_CHECKING:
    from accounts.models import User, Workspace

Reason = Suppression.Reason
#: A person's own "no" outranks what a machine or the team says: only the person can take it back.
OWN_WORDS = (Reason.COMPLAINT, Reason.UNSUBSCRIBE)
_RANK = {Reason.MANUAL: 0, Reason.HARD_BOUNCE: 1, Reason.UNSUBSCRIBE: 2, Reason.COMPLAINT: 3}


def suppress_email(
    *, workspace: Workspace, email: str, reason: str, source: str, actor: User | None = None
) -> Suppression | None:
    """Stop all campaigns to an address, whether or not it is a contact. Doing it twice changes nothing.

    A stronger reason (complaint, then unsubscribe, hard bounce, manual) replaces a weaker one.

    Args:
        workspace: whose campaigns.
        email: any spelling, or the mark that an erased address left in the ledger.
        reason: a `Suppression.Reason`.
        source: what told us, in words.
        actor: the person who did it; None is the system.

    Returns:
        The suppression; None when the address belongs to an erased person, who is suppressed already.

    Raises:
        Invalid: the text cannot be an address at all, or there is no such reason.
    """
    normalized = email.strip().lower()
    if normalized.startswith(ERASED_PREFIX):
        return None
    if "@" not in normalized or len(normalized) > 254 or "\0" in normalized:
        raise Invalid("This is not an email address.", errors=[FieldError("email", "invalid", "Expected an address.")])
    if reason not in Reason.values:
        raise Invalid("There is no such reason.", errors=[FieldError("reason", "invalid", "Unknown reason.")])
    with transaction.atomic():
        rows = Suppression.objects.for_workspace(workspace)
        if rows.filter(email_normalized=erased_mark(normalized)).exists():
            return None
        row, is_new = rows.get_or_create(
            workspace=workspace,
            email_normalized=normalized,
            defaults={"reason": reason, "source": source[:120]},
        )
        if not is_new and _RANK[Reason(reason)] > _RANK[Reason(row.reason)]:
            row.reason, row.source = reason, source[:120]
            row.save(update_fields=["reason", "source", "updated_at"])
        if is_new:
            record(
                workspace=workspace,
                kind="email.suppressed",
                summary=f"Suppressed an address ({Reason(reason).label.lower()})",
                actor=actor,
                subject=row,
                reason=reason,
            )
    return row


def suppress_contacts(*, workspace: Workspace, contact_ids: Sequence[UUID], actor: User | None = None) -> int:
    """Suppress the addresses of contacts by hand; returns how many were not suppressed before."""
    contacts = Contact.objects.for_workspace(workspace).filter(pk__in=contact_ids)
    addresses = list(contacts.values_list("email_normalized", flat=True))
    with transaction.atomic():
        before = Suppression.objects.for_workspace(workspace).filter(email_normalized__in=addresses).count()
        Suppression.objects.bulk_create(
            [
                Suppression(workspace=workspace, email_normalized=address, reason=Reason.MANUAL, source="By hand")
                for address in addresses
            ],
            ignore_conflicts=True,
        )
        number = len(addresses) - before
        if number:
            record(
                workspace=workspace,
                kind="email.suppressed",
                summary=f"Suppressed {number} addresses by hand",
                actor=actor,
                reason=Reason.MANUAL.value,
            )
    return number


def lift_suppression(*, suppression: Suppression, actor: User | None = None) -> None:
    """Allow an address again.

    Raises:
        Blocked: the person unsubscribed, complained or was erased: only their own confirmed opt-in lifts that.
    """
    if suppression.reason in OWN_WORDS:
        raise Blocked(
            "This person said no. Only their own confirmed opt-in lifts that.", code="suppressed_by_the_person"
        )
    with transaction.atomic():
        record(
            workspace=suppression.workspace,
            kind="email.allowed",
            summary="Allowed a suppressed address again",
            actor=actor,
            subject=suppression,
            reason=suppression.reason,
        )
        suppression.delete()
