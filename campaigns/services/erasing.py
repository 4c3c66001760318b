"""Forgetting a person (GDPR article 17): the ledger keeps its counts, not whom it counted."""

from __future__ import annotations

from django.db.models import Case, F, Q, Value, When

from audiences.addresses import erased_mark
from audiences.models import Contact
from campaigns.models import CapturedMessage, Message
from campaigns.selectors.people import messages_of_person

WAITING = (Message.Status.HELD, Message.Status.QUEUED, Message.Status.RETRYING)


def forget_person(contact: Contact) -> None:
    """Take a person's address and values out of the ledger and remove the mails that were captured for them.

    Each address becomes its own keyed hash, so "once for each address" still holds. A test send keeps the address of
    the colleague who got it; what they got was filled with this person's values, so its captured copy goes.

    Args:
        contact: who asked; runs in the transaction that deletes them.
    """
    messages = messages_of_person(contact)
    ids = list(messages.values_list("pk", flat=True))
    rows = Message.objects.for_workspace(contact.workspace_id).filter(pk__in=ids)
    CapturedMessage.objects.for_workspace(contact.workspace_id).filter(message__in=ids).delete()
    theirs = rows.filter(Q(is_test=False) | Q(email_normalized=contact.email_normalized))
    theirs.filter(status__in=WAITING).update(status=Message.Status.SKIPPED, reason="contact_deleted", due_at=None)
    for address in set(theirs.filter(email_normalized__contains="@").values_list("email_normalized", flat=True)):
        mark = erased_mark(address)
        theirs.filter(email_normalized=address).update(
            email=mark,
            email_normalized=mark,
            data=None,
            # Mail servers quote the address in their answers.
            reason=Case(When(reason__icontains=address, then=Value("")), default=F("reason")),
        )
