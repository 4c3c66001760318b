"""Addresses that no campaign reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.activity import Entry, record, record_all
from audiences.addresses import ERASED_PREFIX, erased_mark
from audiences.models import Contact, Suppression
from pulsequill.core.errors import Blocked, FieldError, Invalid
from pulsequill.core.ids import uuid7

if TYPE_CHECKING:
    from accounts.models import User, Workspace

Reason = Suppression.Reason
#: A person's own "no" outranks what a machine or the team says: only the person can take it back.
OWN_WORDS = (Reason.COMPLAINT, Reason.UNSUBSCRIBE)
_RANK = {Reason.MANUAL: 0, Reason.HARD_BOUNCE: 1, Reason.UNSUBSCRIBE: 2, Reason.COMPLAINT: 3}


class Stop(NamedTuple):
    """An address that shall not be mailed any more: any spelling, a `Suppression.Reason`, what told us in words."""

    email: str
    reason: str
    source: str


#: In the order of addresses, so that two consumers wait for each other and do not deadlock.
_SUPPRESS = """
INSERT INTO audiences_suppression AS known (id, workspace_id, email_normalized, reason, source, created_at, updated_at)
SELECT id, %(workspace)s, email, reason, source, %(now)s, %(now)s
  FROM unnest(%(ids)s::uuid[], %(emails)s::text[], %(reasons)s::text[], %(sources)s::text[])
       AS told (id, email, reason, source)
 ORDER BY email
ON CONFLICT (workspace_id, email_normalized) DO UPDATE
   SET reason = EXCLUDED.reason, source = EXCLUDED.source, updated_at = EXCLUDED.updated_at
 WHERE array_position(%(ranks)s::text[], EXCLUDED.reason::text) > array_position(%(ranks)s::text[], known.reason::text)
RETURNING id
"""


def suppress_email(
    *, workspace: Workspace, email: str, reason: str, source: str, actor: User | None = None
) -> Suppression | None:
    """Stop all campaigns to an address, as `suppress_emails` does.

    Returns:
        The suppression; None when the address belongs to an erased person, who is suppressed already.

    Raises:
        Invalid: the text cannot be an address at all, or there is no such reason.
    """
    with transaction.atomic():
        suppress_emails(workspace=workspace, stops=[Stop(email, reason, source)], actor=actor)
        rows = Suppression.objects.for_workspace(workspace)
        return rows.filter(email_normalized=email.strip().lower(), email_normalized__contains="@").first()


def suppress_emails(*, workspace: Workspace, stops: Iterable[Stop], actor: User | None = None) -> int:
    """Stop all campaigns to addresses, whether or not they are contacts. Doing it twice changes nothing.

    A stronger reason (complaint, then unsubscribe, hard bounce, manual) replaces a weaker one. Costs the same few
    statements for one address and for thousands: a storm of complaints must not hold up the counting.

    Args:
        workspace: whose campaigns.
        stops: what to stop; marks that erased addresses left in the ledger are passed over.
        actor: the person who did it; None is the system.

    Returns:
        How many were not suppressed before.

    Raises:
        Invalid: a text cannot be an address at all, or there is no such reason; nothing is done.
    """
    told: dict[str, Stop] = {}
    for stop in stops:
        email = _normalized(stop)
        if email not in told or _RANK[Reason(stop.reason)] > _RANK[Reason(told[email].reason)]:
            told[email] = stop
    marks = {erased_mark(email): email for email in told if not email.startswith(ERASED_PREFIX)}
    rows = Suppression.objects.for_workspace(workspace)
    with transaction.atomic():
        erased = set(rows.filter(email_normalized__in=marks).values_list("email_normalized", flat=True))
        new = {uuid7(): email for mark, email in marks.items() if mark not in erased}
        if not new:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(
                _SUPPRESS,
                {
                    "workspace": workspace.pk,
                    "now": timezone.now(),
                    "ids": list(new),
                    "emails": list(new.values()),
                    "reasons": [told[email].reason for email in new.values()],
                    "sources": [told[email].source[:120] for email in new.values()],
                    "ranks": sorted(_RANK, key=_RANK.__getitem__),
                },
            )
            # A row that was there keeps its own id.
            made = [row_id for (row_id,) in cursor.fetchall() if row_id in new]
        record_all(
            workspace=workspace,
            kind="email.suppressed",
            actor=actor,
            entries=[
                Entry(
                    f"Suppressed an address ({Reason(told[new[row_id]].reason).label.lower()})",
                    Suppression(pk=row_id),
                    {"reason": told[new[row_id]].reason},
                )
                for row_id in made
            ],
        )
    return len(made)


def _normalized(stop: Stop) -> str:
    email = stop.email.strip().lower()
    if not email.startswith(ERASED_PREFIX) and ("@" not in email or len(email) > 254 or "\0" in email):
        raise Invalid("This is not an email address.", errors=[FieldError("email", "invalid", "Expected an address.")])
    if stop.reason not in Reason.values:
        raise Invalid("There is no such reason.", errors=[FieldError("reason", "invalid", "Unknown reason.")])
    return email


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
