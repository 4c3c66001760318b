"""What this app keeps about one person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from audiences.addresses import erased_mark
from audiences.models import Contact
from audiences.segmentation import Mailings
from campaigns.models import Campaign, Message


def messages_of_person(contact: Contact) -> QuerySet[Message]:
    """Return every message that was sent to a person or filled with their values.

    Found by the contact, by the address, and by the mark that an erased address leaves, so that the order in which
    apps erase does not matter.
    """
    address = contact.email_normalized
    return Message.objects.for_workspace(contact.workspace_id).filter(
        Q(contact=contact) | Q(email_normalized__in=[address, erased_mark(address)])
    )


def sent_campaign_names(workspace: Any) -> dict[UUID, str]:
    """Return the campaigns of a workspace (or workspace id) that have begun to leave, the newest first."""
    sent = Campaign.objects.for_workspace(workspace).filter(launched_at__isnull=False)
    return dict(sent.order_by("-launched_at").values_list("pk", "name"))


#: How a rule of a segment asks about one campaign.
MAILINGS = Mailings(
    sql=(
        "SELECT m.first_opened_at AS opened_at, m.first_clicked_at AS clicked_at, m.bounced_at, m.complained_at,"
        " m.unsubscribed_at FROM campaigns_message m"
        " WHERE m.contact_id = c.id AND m.campaign_id = %s AND m.workspace_id = %s AND m.status = 'sent'"
        " AND NOT m.is_test"
    ),
    names=sent_campaign_names,
)
