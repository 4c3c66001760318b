"""What readers decide about themselves: unsubscribing, choosing lists, coming back.

Everything here acts on a signed link that the reader got by mail, so it asks for no role.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.activity import record
from audiences.models import Consent, Contact, FormerContact, Subscription, Suppression
from audiences.services.suppressions import suppress_email
from pulsequill.core import event_log
from pulsequill.core.errors import Blocked, WrongState

Status = Subscription.Status
#: Where the events of our own pages come from; `analytics.ingest.effects` leaves their effect to us.
PAGE = "page"


def unsubscribe(
    *,
    contact_id: UUID,
    message_id: int | None = None,
    source: str,
    list_ids: Iterable[UUID] | None = None,
    ip: str = "",
    user_agent: str = "",
) -> bool:
    """Stop mail to a contact, in one transaction with the event; doing it twice changes nothing.

    Works after the contact, the campaign or the message was deleted.

    Args:
        contact_id: who, also when the contact exists no more.
        message_id: the message whose link was used; its event is appended to the log.
        source: how, in words: `one-click`, `unsubscribe page`, `preference centre`.
        list_ids: leave only these lists; None means all mail of the workspace.
        ip: of the reader, for the event.
        user_agent: of the reader, for the event.

    Returns:
        Whether anything changed.
    """
    now = timezone.now()
    with transaction.atomic():
        contact = (
            Contact.objects.across_workspaces()
            .select_for_update(no_key=True, of=("self",))
            .select_related("workspace")
            .filter(pk=contact_id)
            .first()
        )
        if contact is None:
            return _suppress_former(contact_id, source)
        places = Subscription.objects.for_workspace(contact.workspace_id).filter(contact=contact)
        if list_ids is not None:
            places = places.filter(list__in=list(list_ids))
        left = places.exclude(status=Status.UNSUBSCRIBED).update(
            status=Status.UNSUBSCRIBED, unsubscribed_at=now, updated_at=now
        )
        is_new = False
        if list_ids is None:
            stops = Suppression.objects.for_workspace(contact.workspace_id)
            said = [Suppression.Reason.UNSUBSCRIBE, Suppression.Reason.COMPLAINT]
            is_new = not stops.filter(email_normalized=contact.email_normalized, reason__in=said).exists()
            suppress_email(
                workspace=contact.workspace,
                email=contact.email_normalized,
                reason=Suppression.Reason.UNSUBSCRIBE,
                source=source,
            )
        if not (left or is_new):
            return False
        record(
            workspace=contact.workspace,
            kind="contact.unsubscribed",
            summary="A contact unsubscribed" if list_ids is None else "A contact left a list",
            subject=contact,
            source=source,
        )
        if message_id:
            event_log.append(
                kind="unsubscribed",
                message_id=message_id,
                source=PAGE,
                occurred_at=now,
                ip=ip,
                user_agent=user_agent,
                dedupe_key=f"unsubscribed:{message_id}",
                workspace_id=contact.workspace_id,
                data={"how": source},
            )
    return True


def _suppress_former(contact_id: UUID, source: str) -> bool:
    former = FormerContact.objects.across_workspaces().select_related("workspace").filter(pk=contact_id).first()
    if former is None or "@" not in former.email_normalized:
        return False
    suppress_email(
        workspace=former.workspace,
        email=former.email_normalized,
        reason=Suppression.Reason.UNSUBSCRIBE,
        source=source,
    )
    return True


def choose_lists(*, contact: Contact, list_ids: Iterable[UUID], message_id: int | None, ip: str = "") -> None:
    """Make a contact's places what they switched on in the preference centre.

    Only lists that the contact has a place on can be chosen: a list the reader never heard of is not theirs to join.

    Raises:
        Blocked: the address is suppressed; `resubscribe` is the way back.
    """
    wanted = set(list_ids)
    with transaction.atomic():
        places = list(
            Subscription.objects.for_workspace(contact.workspace_id).select_for_update().filter(contact=contact)
        )
        off = [place.list_id for place in places if place.list_id not in wanted and place.status != Status.UNSUBSCRIBED]
        on = [place for place in places if place.list_id in wanted and place.status == Status.UNSUBSCRIBED]
        if on and _is_suppressed(contact):
            raise Blocked("This address gets no mail. Confirm that you want to come back first.", code="suppressed")
        if off:
            unsubscribe(contact_id=contact.pk, message_id=message_id, source="preference centre", list_ids=off, ip=ip)
        for place in on:
            _activate(place, source="Preference centre", wording="Switched the list on", ip=ip)


def resubscribe(*, contact: Contact, list_ids: Iterable[UUID] | None = None, ip: str = "") -> None:
    """Take a contact's own "no" back, on their own explicit word.

    A hard bounce stays: the mailbox, not the reader, said that.

    Args:
        contact: who.
        list_ids: the lists to come back to; None means all that they ever were on.
        ip: for the consent record.

    Raises:
        WrongState: the address bounced or was suppressed by the workspace.
    """
    stops = Suppression.objects.for_workspace(contact.workspace_id).filter(email_normalized=contact.email_normalized)
    own = [Suppression.Reason.UNSUBSCRIBE, Suppression.Reason.COMPLAINT]
    with transaction.atomic():
        stops.filter(reason__in=own).delete()
        if stops.exists():
            raise WrongState("Mail to this address came back, so it cannot be switched on here.", code="suppressed")
        places = Subscription.objects.for_workspace(contact.workspace_id).filter(contact=contact)
        if list_ids is not None:
            places = places.filter(list__in=list(list_ids))
        for place in places.filter(status=Status.UNSUBSCRIBED).select_related("list"):
            _activate(place, source="Preference centre", wording="Confirmed: send me mail again", ip=ip)
        record(
            workspace=contact.workspace,
            kind="contact.resubscribed",
            summary="A contact came back",
            subject=contact,
        )


def _is_suppressed(contact: Contact) -> bool:
    stops = Suppression.objects.for_workspace(contact.workspace_id)
    return stops.filter(email_normalized=contact.email_normalized).exists()


def _activate(place: Subscription, *, source: str, wording: str, ip: str) -> None:
    place.status = Status.ACTIVE
    place.unsubscribed_at = None
    place.save(update_fields=["status", "unsubscribed_at", "updated_at"])
    _prove(place, source=source, wording=wording, ip=ip)


def _prove(place: Subscription, *, source: str, wording: str, ip: str) -> None:
    values: dict[str, Any] = {
        "workspace_id": place.workspace_id,
        "wording": wording[:500],
        "ip_address": ip or None,
        "given_at": timezone.now(),
    }
    Consent.objects.for_workspace(place.workspace_id).update_or_create(
        contact_id=place.contact_id, source=source, defaults=values
    )
