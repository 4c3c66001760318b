"""Adding, changing, deleting and erasing contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.activity import record
from audiences.addresses import Address, BadAddress, erased_mark, parse_address
from audiences.models import (
    Consent,
    Contact,
    ContactImportReject,
    ContactList,
    FormerContact,
    Subscription,
    Suppression,
)
from audiences.services.attributes import clean_attributes
from audiences.services.lists import place_contacts
from pulsequill.core.errors import Blocked, FieldError, Invalid, WrongState

if TYPE_CHECKING:
    from accounts.models import User, Workspace

NAME_LENGTH = 120

Eraser = Callable[[Contact], None]
_erasers: list[Eraser] = []


def register_eraser(eraser: Eraser) -> None:
    """Let a later app remove what it keeps about a person (called in its `AppConfig.ready`).

    Args:
        eraser: runs in the transaction of the erasure, while the contact still exists.
    """
    if eraser not in _erasers:
        _erasers.append(eraser)


def create_contact(
    *,
    workspace: Workspace,
    email: str,
    first_name: str = "",
    last_name: str = "",
    attributes: Mapping[str, Any] | None = None,
    time_zone: str = "",
    lists: Iterable[ContactList] = (),
    source: str = "manual",
    consent_source: str = "",
    actor: User | None = None,
) -> Contact:
    """Add a contact and put it on lists.

    A suppressed address stays suppressed: its places on lists are those of somebody who left.

    Raises:
        Invalid: a value is not acceptable.
        WrongState: the workspace has a contact with this address.
        Blocked: the person asked to be erased.
    """
    address = _address(email)
    first_name, last_name = _name("first_name", first_name), _name("last_name", last_name)
    values = clean_attributes(workspace, attributes or {})
    _refuse_erased(workspace, address)
    try:
        with transaction.atomic():
            contact = Contact.objects.create(
                workspace=workspace,
                email=address.email,
                email_normalized=address.normalized,
                first_name=first_name,
                last_name=last_name,
                attributes={key: value for key, value in values.items() if value is not None},
                time_zone=_time_zone(time_zone),
                source=source,
            )
            for list_ in lists:
                place_contacts(list_=list_, contact_ids=[contact.pk])
            if consent_source:
                Consent.objects.create(
                    workspace=workspace, contact=contact, source=consent_source[:120], given_at=timezone.now()
                )
            record(
                workspace=workspace,
                kind="contact.created",
                summary=f"Added {contact.email}",
                actor=actor,
                subject=contact,
            )
    except IntegrityError as error:
        raise _exists() from error
    return contact


def update_contact(
    *,
    contact: Contact,
    changes: Mapping[str, Any],
    lists: Iterable[ContactList] | None = None,
    actor: User | None = None,
) -> Contact:
    """Change a contact.

    Args:
        contact: whom.
        changes: any of email, first_name, last_name, time_zone, attributes; attributes are merged, None removes one.
        lists: the lists that the contact shall be on, all others are left; None changes no places. A list that the
            person has left is not joined again: only their own confirmation does that.
        actor: who changes it.

    Raises:
        Invalid: a value is not acceptable.
        WrongState: another contact has the new address.
        Blocked: the new address belongs to somebody who asked to be erased.
    """
    workspace = contact.workspace
    try:
        with transaction.atomic():
            row = Contact.objects.for_workspace(workspace).select_for_update(no_key=True).get(pk=contact.pk)
            if "email" in changes:
                address = _address(changes["email"])
                if address.normalized != row.email_normalized:
                    _refuse_erased(workspace, address)
                    _carry_suppression(workspace, row.email_normalized, address)
                row.email, row.email_normalized = address
            for name in ("first_name", "last_name"):
                if name in changes:
                    setattr(row, name, _name(name, changes[name]))
            if "time_zone" in changes:
                row.time_zone = _time_zone(changes["time_zone"])
            if "attributes" in changes:
                merged = row.attributes | clean_attributes(workspace, changes["attributes"])
                row.attributes = {key: value for key, value in merged.items() if value is not None}
            row.save()
            if lists is not None:
                _set_lists(row, list(lists))
            record(
                workspace=workspace,
                kind="contact.updated",
                summary=f"Changed {row.email}",
                actor=actor,
                subject=row,
            )
    except IntegrityError as error:
        raise _exists() from error
    return row


def delete_contact(*, contact: Contact, actor: User | None = None) -> None:
    """Delete a contact. Its suppression stays, and so does the unsubscribe link in mails that it was sent."""
    with transaction.atomic():
        _remember(contact, contact.email_normalized)
        record(
            workspace=contact.workspace,
            kind="contact.deleted",
            summary="Deleted a contact",
            actor=actor,
            subject=contact,
        )
        contact.delete()


def erase_contact(*, contact: Contact, actor: User | None = None) -> None:
    """Erase a person (GDPR article 17): everything about them goes, and they cannot come back by an import.

    What remains is a keyed hash of the address in the suppression list, which no campaign and no import passes.
    """
    workspace, mark = contact.workspace, erased_mark(contact.email_normalized)
    with transaction.atomic():
        for eraser in _erasers:
            eraser(contact)
        Suppression.objects.for_workspace(workspace).filter(email_normalized=contact.email_normalized).delete()
        Suppression.objects.bulk_create(
            [
                Suppression(
                    workspace=workspace,
                    email_normalized=mark,
                    reason=Suppression.Reason.UNSUBSCRIBE,
                    source="Erased on request",
                )
            ],
            ignore_conflicts=True,
        )
        FormerContact.objects.for_workspace(workspace).filter(email_normalized=contact.email_normalized).update(
            email_normalized=mark
        )
        ContactImportReject.objects.filter(contact_import__workspace=workspace).filter(
            Q(cells__contains=[contact.email]) | Q(cells__contains=[contact.email_normalized])
        ).delete()
        _remember(contact, mark)
        record(workspace=workspace, kind="contact.erased", summary="Erased a person on request", actor=actor)
        contact.delete()


def _remember(contact: Contact, email_normalized: str) -> None:
    if contact.last_sent_at is not None or contact.source == "import" or email_normalized.startswith("erased:"):
        FormerContact.objects.for_workspace(contact.workspace).update_or_create(
            pk=contact.pk, defaults={"workspace": contact.workspace, "email_normalized": email_normalized}
        )


def _address(email: Any) -> Address:
    try:
        return parse_address(str(email))
    except BadAddress as error:
        raise Invalid(error.detail, errors=[FieldError("email", error.code, error.detail)]) from error


def _name(field: str, value: Any) -> str:
    text = " ".join(str(value).replace("\0", "").split())
    if len(text) > NAME_LENGTH:
        detail = f"At most {NAME_LENGTH} characters."
        raise Invalid(detail, errors=[FieldError(field, "too_long", detail)])
    return text


def _time_zone(value: str) -> str:
    if value and value not in available_timezones():
        detail = "Expected a time zone such as Europe/Oslo."
        raise Invalid(detail, errors=[FieldError("time_zone", "invalid", detail)])
    return value


def _exists() -> WrongState:
    detail = "There is already a contact with this address."
    return WrongState(detail, code="contact_exists", errors=[FieldError("email", "exists", detail)])


def _refuse_erased(workspace: Workspace, address: Address) -> None:
    marks = Suppression.objects.for_workspace(workspace).filter(email_normalized=erased_mark(address.normalized))
    if marks.exists():
        raise Blocked("This person asked to be erased and cannot be added again.", code="erased")


def _carry_suppression(workspace: Workspace, old: str, new: Address) -> None:
    """Who said no under one address has said no: a correction of the address does not undo it."""
    stop = Suppression.objects.for_workspace(workspace).filter(
        email_normalized=old, reason__in=[Suppression.Reason.UNSUBSCRIBE, Suppression.Reason.COMPLAINT]
    )
    Suppression.objects.bulk_create(
        [
            Suppression(workspace=workspace, email_normalized=new.normalized, reason=row.reason, source=row.source)
            for row in stop
        ],
        ignore_conflicts=True,
    )


def _set_lists(contact: Contact, lists: list[ContactList]) -> None:
    wanted = {list_.pk for list_ in lists}
    places = Subscription.objects.for_workspace(contact.workspace_id).filter(contact=contact)
    # A place that the person left stays as the memory of their "no".
    places.exclude(list__in=wanted).exclude(status=Subscription.Status.UNSUBSCRIBED).delete()
    for list_ in lists:
        place_contacts(list_=list_, contact_ids=[contact.pk])
