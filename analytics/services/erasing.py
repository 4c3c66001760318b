"""What this app forgets about one person."""

from __future__ import annotations

from django.db import connection

from analytics.ingest import archive, strays
from analytics.ingest.entries import PERSONAL_DATA
from analytics.models import ReportRecipient
from audiences.models import Contact
from campaigns.selectors.people import messages_of_person


def forget_person(contact: Contact) -> None:
    """Take out of events what says who acted; that something happened, and when, stays counted.

    Args:
        contact: who asked to be erased; runs in that transaction.
    """
    ids = list(messages_of_person(contact).values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE analytics_event SET user_agent = '', ip_address = NULL, data = data - %s::text[]"
            " WHERE message_id = ANY(%s)",
            [list(PERSONAL_DATA), ids],
        )
    archive.forget_hits(ids, PERSONAL_DATA)
    strays.forget_strays_about(workspace_id=contact.workspace_id, email=contact.email_normalized, message_ids=ids)
    ReportRecipient.objects.for_workspace(contact.workspace_id).filter(
        email=contact.email_normalized, user=None
    ).delete()
