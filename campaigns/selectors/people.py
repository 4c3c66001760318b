"""What this app keeps about one person."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from audiences.addresses import erased_mark
from audiences.models import Contact
from campaigns.models import Message


def messages_of_person(contact: Contact) -> QuerySet[Message]:
    """Return every message that was sent to a person or filled with their values.

    Found by the contact, by the address, and by the mark that an erased address leaves, so that the order in which
    apps erase does not matter.
    """
    address = contact.email_normalized
    return Message.objects.for_workspace(contact.workspace_id).filter(
        Q(contact=contact) | Q(email_normalized__in=[address, erased_mark(address)])
    )
